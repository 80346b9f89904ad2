"""What a check says about the key: pure, from an error to one word of `VERDICTS`, and to its nuance."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from vibedesk.engine.errors import (
    EngineError,
    GatewayError,
    InvalidKey,
    Misconfigured,
    ModelNotFound,
    NotThisApi,
    TlsUntrusted,
    Unreachable,
)
from vibedesk.engine.types import Attempt, Provider

VERDICTS: tuple[str, ...] = (
    "ready", "rate_limited", "no_credit", "spend_limit", "restricted", "invalid", "revoked", "wrong_type",
    "wrong_provider", "wrong_organisation", "region_blocked", "network_blocked", "wrong_base_url", "not_this_api",
    "dns_failed", "refused", "tls_untrusted", "timed_out", "server_down", "unknown",
)  # fmt: skip

CAPABILITIES = ("stream", "vision", "json")
"""Of a model: what a check can find out."""

STALE_AFTER = timedelta(days=1)
"""A key can be revoked, or run out of credit, at any moment: an older verdict is only what was true then."""

_BY_KIND = {
    "invalid_key": "invalid",
    "no_key": "invalid",
    "leaked_key": "revoked",
    "wrong_key_type": "wrong_type",
    "connection_lost": "server_down",
    "overloaded": "server_down",
    "server_error": "server_down",
    "cut": "server_down",
    "model_not_found": "wrong_base_url",
    "insecure_address": "wrong_base_url",
    "wrong_origin": "wrong_base_url",
    "malformed": "not_this_api",
    "answer_too_long": "not_this_api",
}
_BY_FAULT = {
    "token": "invalid",
    "gateway": "wrong_base_url",
    "account": "wrong_base_url",
    "slug": "wrong_base_url",
    "rate_limit": "rate_limited",
    "spend_limit": "spend_limit",
    "upstream": "server_down",
    "credit": "no_credit",
    "alias": "invalid",
}
_BY_SETTING = {
    "base_url": "wrong_base_url",
    "gateway_id": "wrong_base_url",
    "proxy": "network_blocked",
    "key": "wrong_provider",
    "header": "invalid",
}
_BY_TLS_FAULT = {"no_tls": "wrong_base_url", "hung_up": "network_blocked"}
_OF_ONE_MODEL = re.compile(r"limit: 0\b", re.IGNORECASE)
"""Google's words where a model is not in the free tier: the key may ask others."""
_REVOKED = re.compile(r"revoked|expired|deactivated|disabled|blocked", re.IGNORECASE)


def is_stale(checked: datetime | None, now: datetime) -> bool:
    """Whether a verdict of that moment should be asked for again; one that never was is not stale. Times with a zone,
    or both in UTC."""
    if checked is None:
        return False
    zoned = [moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in (checked, now)]
    return zoned[1] - zoned[0] >= STALE_AFTER


def verdict_of(error: EngineError, *, of_gateway: bool = False, proven: bool = False) -> str:
    """`of_gateway`: the key checked is the gateway's own token, so its refusal is about this key. `proven`: the key
    had been accepted before this happened."""
    match error:
        case GatewayError() if error.facts.get("fault") == "provider_key":
            return "invalid"
        case GatewayError():
            verdict = _BY_FAULT.get(str(error.facts.get("fault")), "unknown")
            return "unknown" if verdict == "invalid" and not of_gateway else verdict
        case Misconfigured():
            return _BY_SETTING.get(
                str(error.facts.get("setting")), "invalid" if "header" in error.facts else "unknown"
            )
        case TlsUntrusted():
            return _BY_TLS_FAULT.get(str(error.facts.get("fault")), "tls_untrusted")
        case InvalidKey() if _REVOKED.search(f"{error.provider_message} {error.code}"):
            return "revoked"
        case ModelNotFound() if proven:
            return "restricted"
        case NotThisApi() if error.facts.get("same_host"):
            return "wrong_base_url"
        case EngineError(status=404):
            return "wrong_base_url"
    if type(error) is Unreachable:
        return "network_blocked"
    kind = error.kind
    return _BY_KIND.get(kind, kind if kind in VERDICTS else "unknown")


_TOLD_BY_A_REQUEST = frozenset(
    {"invalid", "revoked", "wrong_type", "wrong_organisation", "restricted", "region_blocked", "rate_limited"}
    | {"no_credit", "spend_limit"}
)
"""What a provider says of a key when it refuses a request; the rest lies on the way, or in the request."""


def verdict_told(attempt: Attempt) -> str:
    """What a real request told of the key it was sent with, as one of `VERDICTS`; "" = nothing.

    Words that came prove the key, unless they came out of the gateway's cache.
    """
    if attempt.first_token_s is not None:
        return "" if attempt.cost is not None and attempt.cost.source == "gateway cache" else "ready"
    kind = attempt.kind or ""
    if kind == "invalid_key" and _REVOKED.search(attempt.message):
        return "revoked"
    if kind == "no_credit" and _OF_ONE_MODEL.search(attempt.message):
        return ""
    verdict = _BY_KIND.get(kind, kind)
    return verdict if verdict in _TOLD_BY_A_REQUEST and attempt.status is not None else ""


def nuance_of(error: EngineError | None, provider: Provider, *, proven: bool = False) -> str:
    """What inside its verdict this is, as one word, "" where there is nothing to tell apart.

    The words for it are chosen by it (`vibedesk.check_sentences`); a fact `nuance` says it outright.
    """
    if error is None:
        return ""
    if told := error.facts.get("nuance"):
        return str(told)
    if found := _by_facts(error, proven=proven) or _by_words(error):
        return found
    if provider.local and error.kind in ("refused", "overloaded"):
        return "local"
    return {"overloaded": "overloaded", "connection_lost": "closed", "cut": "closed"}.get(error.kind, "")


def _by_facts(error: EngineError, *, proven: bool) -> str:
    facts = error.facts
    match error.kind:
        case "tls_untrusted":
            return str(facts.get("fault", ""))
        case "timed_out":
            return "answer" if proven else str(facts.get("timer", ""))
        case "gateway_error":
            return f"gateway_{facts.get('fault', '')}"
        case "wrong_key_type":
            return str(facts.get("type", ""))
        case "not_this_api" if facts.get("same_host"):
            return "moved"
        case "not_this_api" if facts.get("redirect"):
            return "redirect"
        case "not_this_api" if facts.get("title") and error.status != 404:
            return "page"
        case "model_not_found" if proven:
            return "model"
        case "unreachable":
            return "no_way"
        case "no_key":
            return "missing"
        case "wrong_origin" | "insecure_address":
            return error.kind
        case "misconfigured" if facts.get("setting") == "proxy":
            return "proxy"
        case "leaked_key":
            return "leaked"
        case "rate_limited" if facts.get("scope") == "day":
            return "day"
    return str(facts.get("lacks") or facts.get("of") or "")


_SAID: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (nuance, re.compile(words, re.IGNORECASE))
    for nuance, words in (
        ("invalid_key:expired", r"expired"),
        ("invalid_key:blocked", r"blocked|disabled|deactivated"),
        ("wrong_key_type:retired", r"ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        ("wrong_organisation:address", r"\bip\b|ip_not_authorized"),
        ("restricted:address", r"IP_ADDRESS_BLOCKED|ip address"),
        ("restricted:application", r"REFERRER_BLOCKED|ANDROID_APP|IOS_APP"),
        ("restricted:service", r"API_KEY_SERVICE_BLOCKED"),
        ("restricted:disabled", r"SERVICE_DISABLED"),
        ("restricted:denied", r"denied access|organization_on_hold"),
        ("restricted:model", r"model_permission_blocked"),
        ("restricted:scope", r"scope"),
        ("spend_limit:project", r"project_spend"),
        ("spend_limit:organisation", r"organi[sz]ation"),
        ("spend_limit:workspace", r"workspace|specified .{0,20}usage limits"),
        ("no_credit:free_tier", _OF_ONE_MODEL.pattern),
        ("no_credit:payment", r"billing_error|payment|blocked_api_access"),
        ("region_blocked:location", r"location is not supported"),
        ("overloaded:loading", r"loading model"),
    )
)
"""`kind:nuance`, told by the provider's code or words."""


def _by_words(error: EngineError) -> str:
    said = f"{error.code} {error.facts.get('signs', '')} {error.provider_message} {error.detail}"
    for name, words in _SAID:
        kind, _, nuance = name.partition(":")
        if kind == error.kind and words.search(said):
            return nuance
    return ""
