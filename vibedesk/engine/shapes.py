"""What a key's characters alone tell, before anything is sent: whose it is, and whether its kind can ask."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.errors import EngineError, Misconfigured, WrongKeyType
from vibedesk.engine.types import Provider

_OTHER_KINDS = (
    ("openai", re.compile(r"sk-admin-"), "admin"),
    ("openai", re.compile(r"sess-[A-Za-z0-9]{20,}"), "session"),
    ("anthropic", re.compile(r"sk-ant-admin\d*-"), "admin"),
    ("anthropic", re.compile(r"sk-ant-oat\d*-"), "oauth"),
    ("anthropic", re.compile(r"sk-ant-sid\d*-"), "session"),
    ("google-ai-studio", re.compile(r"ya29\."), "oauth"),
    ("google-ai-studio", re.compile(r"GOCSPX-"), "client_secret"),
    ("cloudflare-ai-gateway", re.compile(r"cfk_"), "global"),
)
"""Keys that are real and never ask a model (wire facts §1.2, §10.5): owner, beginning, kind."""

_COMMON = re.compile(r"sk-[0-9a-f]{32}")
"""DeepSeek's form, which the keys of several other hosts have too."""


def look_of(secret: str, provider: Provider, catalog: Catalog, *, insist: bool = False) -> str:
    """A short fact about the key's form, where it may be sent.

    Raises `WrongKeyType` (fact `type`) for a kind that asks no models, and `Misconfigured` for characters no key has
    (setting `header`) or another provider's key (setting `key`, fact `suggestion`), unless the user insists.
    """
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise Misconfigured("this has characters that no key contains", setting="header", nuance="characters")
    if insist:
        return "sent as you say, whatever its form"
    owner, kind = kind_of(secret)
    known = owner in catalog.providers or owner in catalog.gateways
    if kind and (owner == provider.id or (known and _kin(provider, owner, catalog))):
        raise WrongKeyType(f"a key of the kind “{kind}”", provider=provider.id, type=kind)
    if provider.key_pattern and re.fullmatch(provider.key_pattern, secret, re.ASCII):
        return "looks right"
    guesses = (owner,) if kind and known else catalog.recognise(secret)
    other = _stranger(secret, guesses, provider, catalog)
    if other:
        raise another_s(catalog.provider(other))
    if not provider.key_pattern:
        return "no form is known for its keys"
    if provider.id in guesses:
        return "begins right, but is not of its keys’ form: copied whole?"
    return "an unusual form for this provider"


def kind_of(secret: str) -> tuple[str, str]:
    """Whose key this is, and of what other kind than one that asks models; two times "" for none of those."""
    return next(((owner, kind) for owner, begins, kind in _OTHER_KINDS if begins.match(secret)), ("", ""))


def is_retired_form(secret: str) -> bool:
    """Google's old keys, which it rejects more and more since June 2026 (wire facts §5.2)."""
    return re.fullmatch(r"AIza[A-Za-z0-9_-]{35}", secret) is not None


def another_s(owner: Provider) -> EngineError:
    """The key is this provider's, not that of the one it was going to be sent to."""
    return Misconfigured(f"this looks like a key of {owner.name}", setting="key", suggestion=owner.id)


def _stranger(secret: str, guesses: tuple[str, ...], provider: Provider, catalog: Catalog) -> str:
    """The other provider whose key this is, "" where it may well be this one's.

    One whose keys have a known form takes no other's; of one without (the user's own) only an unmistakable form tells.
    """
    first = guesses[0] if guesses else ""
    if not first or any(guess != provider.id and _kin(provider, guess, catalog) for guess in guesses):
        return ""
    if not provider.key_pattern:
        return first if unmistakable(secret, first, catalog) else ""
    return first if first != provider.id and (len(guesses) == 1 or _is_whole(secret, first, catalog)) else ""


def unmistakable(secret: str, owner: str, catalog: Catalog) -> bool:
    """The whole form is this owner's, and begins as no other host's keys do."""
    if kind_of(secret)[0] == owner:
        return True
    distinct = catalog.has_known_prefix(secret) and not _COMMON.fullmatch(secret)
    return distinct and _is_whole(secret, owner, catalog)


def _is_whole(secret: str, owner: str, catalog: Catalog) -> bool:
    return re.fullmatch(catalog.provider(owner).key_pattern, secret, re.ASCII) is not None


def _kin(provider: Provider, owner: str, catalog: Catalog) -> bool:
    """Another address of the same house: `eu.api.openai.com` is OpenAI's too."""
    return _domain(provider.base_url) == _domain(catalog.provider(owner).base_url)


def _domain(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    numeric = ":" in host or re.fullmatch(r"[\d.]+", host)
    return parts.netloc if numeric or "." not in host else ".".join(host.split(".")[-2:])
