"""What a person pastes where a key belongs, made into keys: a bare key, an `export` line, a whole .env fragment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.types import Secret

if TYPE_CHECKING:
    from vibedesk.engine.catalog import Catalog

LONGEST_KEY = 4096
SHORTEST_KEY = 10
"""Shorter values in a .env fragment are placeholders."""

_KNOWN_PREFIXES = (
    *("sk-ant-", "sk-or-v1-", "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-", "gsk_", "csk-", "tgp_v1_"),
    *("AQ.", "AIza", "xai-", "cfut_", "cfat_", "cfk_"),
)
# Zero-width characters, soft hyphen, direction marks, byte order mark, no-break spaces: what web pages and chats add.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u00a0\u202f]")
_QUOTES = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb"
_NAMED = re.compile(
    r"""^(?:export\s+|setx?\s+|\$env:)?["']?(?P<name>[A-Za-z_][A-Za-z0-9_-]*)["']?\s*(?:=|:\s)\s*(?P<value>.*)$""",
    re.S,
)
_PLACEHOLDER = re.compile(
    r"^(?:default|none|null|changeme|.*\.\.\.|.*\u2026|<.*>|\$\{.*|your[-_ ].*|my[-_ ]?(?:api[-_ ]?)?key)$",
    re.I,
)


class PastedKey(Struct, frozen=True):
    """A key found in pasted text. `providers`: whose it may be, best guess first; empty = nobody's that we know."""

    name: str
    """The variable it stood in, "" where there was none."""
    secret: Secret
    providers: tuple[str, ...]


def clean_key(pasted: str) -> str:
    """The key itself out of what was pasted: no blanks, quotes, `Bearer `, `export NAME=` or invisible characters.

    Raises `Misconfigured` (fact `reason`: empty, url, spaces, characters, long) and never repeats what was pasted.
    """
    key = _unquoted(_INVISIBLE.sub("", pasted))
    key = re.sub(r"^(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=\s*(?=\S)", "", key)
    key = _unquoted(re.sub(r"^(?:authorization\s*:\s*)?bearer\s+", "", _unquoted(key), flags=re.I))
    match key:
        case "":
            raise _refused("empty", "There is no key in this.")
        case _ if re.match(r"[a-z][a-z0-9+.-]*://", key, re.I):
            raise _refused("url", "This is a web address, not a key.")
        case _ if re.search(r"\s", key):
            raise _refused("spaces", "A key has no spaces or line breaks inside: copy it again, alone.")
        case _ if not all("!" <= character <= "~" for character in key):
            raise _refused("characters", "This has characters that no key contains: copy the key again.")
        case _ if len(key) > LONGEST_KEY:
            raise _refused("long", "This is too long for a key: copy the key alone.")
    return key


def hint_of(secret: str) -> str:
    """Enough to recognise a key by and too little to use: `sk-ant-…a1b2`; under 12 characters only the last 2."""
    if len(secret) < 12:
        return "…" + secret[-2:]
    prefix = next((known for known in _KNOWN_PREFIXES if secret.startswith(known)), "")
    return (prefix if len(secret) - len(prefix) >= 12 else "") + "…" + secret[-4:]


def read_pasted(text: str, catalog: Catalog) -> tuple[PastedKey, ...]:
    """Every key in the text, in its order, each once.

    Alone, anything that could be a key is one. Among other lines only what has a provider's variable name or the
    unmistakable shape of a key is taken: a .env file also holds passwords and hashes that are nobody's API key.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "//"))]
    alone = len(lines) == 1
    found: dict[str, PastedKey] = {}
    for line in lines:
        key = _in_line(line, catalog, alone=alone)
        if key is not None:
            found.setdefault(key.secret.reveal(), key)
    return tuple(found.values())


def _in_line(line: str, catalog: Catalog, *, alone: bool) -> PastedKey | None:
    named = _NAMED.match(_INVISIBLE.sub("", line).strip())
    name, value = (named["name"], _without_comment(named["value"])) if named else ("", line)
    if name.lower() in ("authorization", "x-api-key", "x-goog-api-key", "bearer"):
        name = ""
    try:
        key = clean_key(value)
    except Misconfigured:
        return None
    if len(key) < SHORTEST_KEY or _PLACEHOLDER.match(key):
        return None
    providers = _ranked(name, key, catalog)
    known = catalog.provider_of_variable(name) or catalog.has_known_prefix(key)
    return PastedKey(name, Secret(key), providers) if alone or known else None


def _ranked(name: str, key: str, catalog: Catalog) -> tuple[str, ...]:
    """By shape and by name. An unmistakable shape beats the name of the variable it stood in."""
    shapes = catalog.recognise(key)
    owner = catalog.provider_of_variable(name)
    if owner is None:
        return shapes
    others = tuple(shape for shape in shapes if shape != owner)
    return (*others, owner) if catalog.has_known_prefix(key) and owner not in shapes else (owner, *others)


def _without_comment(value: str) -> str:
    """`abc # mine` → `abc`; what stands in quotes is kept whole."""
    value = value.strip()
    if value[:1] in ("'", '"') and (end := value.find(value[0], 1)) > 0:
        return value[1:end]
    return re.split(r"\s+#", value, maxsplit=1)[0]


def _unquoted(text: str) -> str:
    return text.strip().rstrip(",;").strip().strip(_QUOTES).strip()


def _refused(reason: str, sentence: str) -> Misconfigured:
    return Misconfigured(sentence, reason=reason, field="key")
