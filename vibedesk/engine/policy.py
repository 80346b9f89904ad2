"""What a failure means for the route: the decision matrix (routing.md §2.1) as a table, and how long to wait. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from vibedesk.engine.dialects import Call
from vibedesk.engine.dialects.adapting import without
from vibedesk.engine.errors import BadRequest, EngineError

HINT_CAP_S = 60.0
"""Longer waits are the user's to decide: the error says until when."""
OWN_WAIT_S = 10.0
"""So long a limit of the user's is waited for where somebody else could answer."""
ATTEMPTS_CAP = 12
"""Requests one ask may cost (routing.md §2.5)."""
TARGET_CAP = 6
"""Requests one deployment may get from one ask, over all its keys."""
RUNG_CAP = 3
"""Requests one deployment may get from one ask with one key."""
DROPS_CAP = 3
"""Parameters one deployment may refuse before we stop guessing (wire.md §11.1)."""
RAMP_S = 15.0
"""The least pause after OpenAI's `slow_down`; it doubles."""
NO_CREDIT_S = 3600.0
"""An account without credit is looked at again after so long: it may have been topped up."""

Spent = Literal["rung", "key", "target", "host", "provider", "window", "front"]
"""Who else is of no use now: nobody, the rungs with this key, of this deployment, at this address, of this provider,
whose window is no larger, or through this gateway."""


class Rule(Struct, frozen=True, kw_only=True):
    """One row. `again`: more requests to the same, with a pause unless the first is `at_once`; `patient` = one less
    where somebody else can be asked. `counts` towards the breaker, `unreached` only once somebody else has answered.

    `kills`: the key is dead, for every model or for this one. `cools`: nobody asks the account, the account's share of
    this model, or the gateway, for a while."""

    stop: bool = False
    again: int = 0
    at_once: bool = False
    patient: bool = False
    spent: Spent = "target"
    counts: bool = False
    unreached: bool = False
    kills: Literal["", "key", "here"] = ""
    cools: Literal["", "account", "model", "front"] = ""


_STOP = Rule(stop=True)
_KEY = Rule(spent="key", kills="key")
_CREDIT = Rule(spent="rung", cools="account")
_RATE = Rule(again=2, spent="rung", cools="model")
_PASSING = Rule(again=2, patient=True, counts=True)
_NO_ROAD = Rule(again=1, patient=True, spent="host", counts=True, unreached=True)
_RULES: dict[str, Rule] = {
    "timed_out.total": _STOP,
    "tls_untrusted": _STOP,
    "bad_request": _STOP,
    "content_blocked": _STOP,
    "answer_too_long": _STOP,
    "not_this_api.404": _STOP,
    "invalid_key": _KEY,
    "leaked_key": _KEY,
    "wrong_key_type": _KEY,
    "wrong_organisation": _KEY,
    "restricted": Rule(spent="rung", kills="here"),
    "no_credit": _CREDIT,
    "no_credit.model": Rule(spent="rung", cools="model"),
    "spend_limit": _CREDIT,
    "rate_limited": _RATE,
    "overloaded": _PASSING,
    "server_error": _PASSING,
    "connection_lost": replace(_PASSING, at_once=True),
    "refused": Rule(again=2, at_once=True, patient=True, spent="host", counts=True, unreached=True),
    "dns_failed": _NO_ROAD,
    "unreachable": _NO_ROAD,
    "offline": _NO_ROAD,
    "timed_out.connect": _NO_ROAD,
    "timed_out.first_token": Rule(counts=True),
    "timed_out.idle": Rule(counts=True),
    "cut": Rule(again=1, counts=True),
    "empty_answer": Rule(again=1, at_once=True),
    "context_overflow": Rule(spent="window"),
    "too_large": Rule(spent="provider"),
    "model_not_found": Rule(),
    "malformed": Rule(),
    "not_this_api": Rule(spent="host"),
    "region_blocked": Rule(spent="host"),
    "network_blocked": Rule(spent="host"),
    "unsupported": Rule(),
    "gateway_error": Rule(spent="front"),
    "gateway_error.slug": Rule(spent="provider"),
    "gateway_error.alias": Rule(spent="provider"),
    "gateway_error.rate_limit": replace(_RATE, cools="front"),
    "gateway_error.upstream": _PASSING,
    "gateway_error.guardrail": _STOP,
}
_ELSE = Rule(spent="rung")
_POLICY = frozenset({"content_blocked", "gateway_error.guardrail"})
_VARIANTS = {"timed_out": "timer", "gateway_error": "fault", "no_credit": "scope"}


def rule_of(error: EngineError, *, fallback_on_policy: bool = False) -> Rule:
    """The row for a failure."""
    name = error.kind
    if name in _VARIANTS:
        name = f"{name}.{error.facts.get(_VARIANTS[name], '')}"
    elif name == "not_this_api" and error.status == 404:
        name = "not_this_api.404"
    if fallback_on_policy and name in _POLICY:
        return Rule()
    return _RULES.get(name) or _RULES.get(error.kind) or _ELSE


_OUT_OF_RANGE = re.compile(
    r"must be (?:greater|less|more|at (?:least|most)|between|in the range|[<>≤≥])|(?:less|greater) than or equal"
    r"|out of range|(?:above|below)_m(?:ax|in)|exceeds the max|maximum value|too (?:large|small|high|low)\b",
    re.IGNORECASE,
)


def refuses_the_value(error: EngineError) -> bool:
    """The parameter is known there, this value of it is not taken: another one may well be."""
    return _OUT_OF_RANGE.search(f"{error.code} {error.provider_message}") is not None


def ramps(error: EngineError) -> bool:
    """OpenAI asks for fewer requests, not for a moment's peace."""
    return error.code in ("slow_down", "ramp_limit_exceeded")


def pause_after(error: EngineError, n: int, luck: float) -> float:
    """Seconds before request n + 1 to the same (n from 0), as long as the server asks for or as usual."""
    hint = hint_of(error)
    if ramps(error):
        return max(hint or 0.0, RAMP_S * 2.0**n) * (1 + 0.2 * luck)
    return backoff(n, hint, luck)


def backoff(n: int, hint: float | None, luck: float) -> float:
    """The server's hint where it is sane, else 0.5·2ⁿ up to 8 s; `luck` (0–1) spreads it by a fifth either way."""
    if hint is not None:
        return hint
    return float(min(0.5 * 2.0 ** min(max(n, 0), 30), 8.0)) * (0.8 + 0.4 * luck)


def hint_of(error: EngineError) -> float | None:
    """How long the server asks to wait. NaN, infinite, zero and negative hints are no hints."""
    seconds = error.retry_after_s
    return seconds if seconds is not None and 0 < seconds < 1e9 else None


def cooled_until(error: EngineError, now: float, pause_s: float) -> float:
    """Until when a scope that refused is left alone."""
    hint = hint_of(error)
    if hint is not None:
        return now + max(hint, pause_s)
    if error.kind in ("no_credit", "spend_limit"):
        return now + NO_CREDIT_S
    if error.facts.get("scope") == "day":
        return _midnight(now, error.provider)
    return now + pause_s


def _midnight(now: float, provider: str) -> float:
    """When a day's quota is given anew: Google's days end in California, all others' are taken to be UTC's."""
    zone = _pacific() if provider == "google-ai-studio" else UTC
    day = datetime.fromtimestamp(now, zone) + timedelta(days=1)
    return day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def _pacific() -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # slow to load, and rarely needed

    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        return timezone(timedelta(hours=-8))


def droppable(error: EngineError, call: Call) -> str:
    """The parameter the provider refused, if this call has it and can go without; else ""."""
    if not isinstance(error, BadRequest):
        return ""
    name = str(error.facts.get("parameter") or "")
    return name if without(call, name) is not None else ""
