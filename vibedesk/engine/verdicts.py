"""What a failed check says about the key: pure, from an error to one word of `VERDICTS`."""

from __future__ import annotations

import re

from vibedesk.engine.errors import EngineError, GatewayError, InvalidKey, Misconfigured

VERDICTS: tuple[str, ...] = (
    "ready", "rate_limited", "no_credit", "spend_limit", "restricted", "invalid", "revoked", "wrong_type",
    "wrong_provider", "wrong_organisation", "region_blocked", "network_blocked", "wrong_base_url", "not_this_api",
    "dns_failed", "refused", "tls_untrusted", "timed_out", "server_down", "unknown",
)  # fmt: skip

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
    "slug": "wrong_base_url",
    "rate_limit": "rate_limited",
    "upstream": "server_down",
    "credit": "no_credit",
}
_BY_SETTING = {
    "base_url": "wrong_base_url",
    "proxy": "network_blocked",
    "key": "wrong_provider",
    "header": "invalid",
}
_REVOKED = re.compile(r"revoked|expired|deactivated|disabled|blocked", re.IGNORECASE)


def verdict_of(error: EngineError, *, of_gateway: bool = False) -> str:
    """`of_gateway`: the key checked is the gateway's own token, so its refusal is about this key."""
    match error:
        case GatewayError():
            verdict = _BY_FAULT.get(str(error.facts.get("fault")), "unknown")
            return "unknown" if verdict == "invalid" and not of_gateway else verdict
        case Misconfigured():
            return _BY_SETTING.get(
                str(error.facts.get("setting")), "invalid" if "header" in error.facts else "unknown"
            )
        case InvalidKey() if _REVOKED.search(f"{error.provider_message} {error.code}"):
            return "revoked"
        case EngineError(status=404):
            return "wrong_base_url"
    kind = error.kind
    return _BY_KIND.get(kind, kind if kind in VERDICTS else "unknown")
