"""What an answer tells of a key beside the answer itself: organisation, tier, limits, balance, expiry. In words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from vibedesk.engine.dialects.complaint import clean
from vibedesk.engine.dialects.lenient import Unreadable, dollars, loads, obj, objects, text
from vibedesk.engine.errors import EngineError, InvalidKey, NoCredit, Restricted, SpendLimit, WrongKeyType

_LIMITS = ("x-ratelimit-", "anthropic-ratelimit-", "x-tokenlimit-")
_NAMED = {
    "openai-organization": "organisation",
    "openai-project": "project",
    "anthropic-organization-id": "organisation",
    "x-groq-region": "region",
}
_PER = {
    "x-ratelimit-limit-requests": "requests a minute",
    "x-ratelimit-limit-tokens": "tokens a minute",
    "anthropic-ratelimit-requests-limit": "requests a minute",
    "anthropic-ratelimit-tokens-limit": "tokens a minute",
    "anthropic-ratelimit-input-tokens-limit": "input tokens a minute",
    "anthropic-ratelimit-output-tokens-limit": "output tokens a minute",
    "x-ratelimit-limit-requests-day": "requests a day",
    "x-ratelimit-limit-requests-minute": "requests a minute",
    "x-ratelimit-limit-tokens-day": "tokens a day",
    "x-ratelimit-limit-tokens-minute": "tokens a minute",
    "x-ratelimit-limit-req-minute": "requests a minute",
    "x-ratelimit-limit": "requests a second",
    "x-tokenlimit-limit": "tokens a second",
}
"""The limits of wire facts §3.3, §4.3, §6.1, §7.1, §8.1, §9.2."""
_ELSEWHERE = {("groq", "x-ratelimit-limit-requests"): "requests a day"}
"""Where a provider's header means something else than everybody's."""


def limits_in(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers about rate limits as they came. Names are lower case."""
    return {name: clean(value)[:80] for name, value in headers.items() if name.startswith(_LIMITS)}


def passport_in(headers: Mapping[str, str], provider: str) -> dict[str, str]:
    """What an answer's headers tell of the key: name → words. `provider` is its id."""
    found = {}
    for name, value in headers.items():
        words = _NAMED.get(name) or _ELSEWHERE.get((provider, name)) or _PER.get(name)
        if words and (told := clean(value)[:80]):
            found[words] = f"{int(told):,}" if re.fullmatch(r"\d{4,18}", told) else told
    return found


def passport_of_refusal(error: EngineError) -> dict[str, str]:
    """Google tells the tier in the name of the quota that is used up."""
    return {"tier": "free"} if re.search(r"free.?tier", error.provider_message, re.I) else {}


def account_in(body: bytes) -> tuple[dict[str, str], EngineError | None]:
    """What a provider's own account of a key says (wire facts §9.1, §9.3, §9.4), and why it cannot ask, if so.

    OpenRouter's `/key`, DeepSeek's `/user/balance`, xAI's `/api-key`. Raises `Unreadable` for what is not JSON.
    """
    facts = obj(loads(body))
    facts = obj(facts.get("data")) or facts
    return dict(_told(facts)), _obstacle(facts)


def is_account(body: bytes) -> bool:
    """Whether it is a JSON object at all: a web page where the account should be is none."""
    try:
        return isinstance(loads(body), dict)
    except Unreadable:
        return False


def _told(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    names = {"name": "name", "label": "name", "team_id": "team", "rate_limit_tier": "tier"}
    for name, words in names.items():
        if (told := clean(text(facts.get(name)))) and not told.startswith(("sk-", "xai-")):
            yield words, told
    if isinstance(facts.get("is_free_tier"), bool):
        yield "tier", "free" if facts["is_free_tier"] else "paid"
    for name, words in (
        ("limit", "spending limit"),
        ("limit_remaining", "left to spend"),
        ("usage", "spent"),
    ):
        if (usd := dollars(facts.get(name))) is not None:
            yield words, f"${usd:,.2f}"
    if balances := [_balance(balance) for balance in objects(facts.get("balance_infos"))]:
        yield "balance", ", ".join(balances)
    if expires := _day(facts.get("expires_at")):
        yield "expires", f"{expires:%Y-%m-%d}"
    if acls := [clean(text(acl).removeprefix("api-key:")) for acl in facts.get("acls") or ()]:
        yield "may use", ", ".join(filter(None, acls[:5]))


def _obstacle(facts: Mapping[str, Any]) -> EngineError | None:
    if facts.get("is_available") is False:
        return NoCredit("the balance is used up", status=200)
    blocks = {"api_key_blocked": "blocked", "api_key_disabled": "blocked", "team_blocked": "team"}
    for name, what in blocks.items():
        if facts.get(name) is True:
            return InvalidKey("blocked at the provider", status=200, code="key_blocked", of=what)
    if any(facts.get(name) is True for name in ("is_provisioning_key", "is_management_key")):
        return WrongKeyType("it manages other keys", status=200, type="admin")
    if (expires := _day(facts.get("expires_at"))) and expires <= datetime.now(UTC):
        return InvalidKey("expired", status=200, code="expired", until=f"{expires:%Y-%m-%d}")
    left = facts.get("limit_remaining")
    if isinstance(left, int | float) and not isinstance(left, bool) and Decimal(str(left)) <= 0:
        return SpendLimit("the key’s own limit is used up", status=200, of="key")
    acls = facts.get("acls")
    if isinstance(acls, list) and acls and not any("model" in text(acl) for acl in acls):
        return Restricted("no model is allowed to this key", status=200, lacks="scope")
    return None


def _balance(balance: Mapping[str, Any]) -> str:
    return clean(f"{balance.get('total_balance')} {balance.get('currency')}")


def _day(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
