"""Everything that can go wrong, as facts. Who shows it writes the sentence (`vibedesk.wording`).

EngineError
├── NotAsked                    nothing was sent
│   ├── NoKey                   no_key               no usable key for this provider
│   ├── UnknownProvider         unknown_provider
│   ├── UnknownRoute            unknown_route
│   ├── RetiredModel            retired_model        known to be gone; carries the replacement
│   ├── KeyBoundElsewhere       wrong_origin         the key was stored for another origin
│   ├── InsecureAddress         insecure_address     plain http to another machine
│   ├── Unsupported             unsupported          this model cannot take this part (an image, …)
│   ├── SecretUnavailable       secret_unavailable   the vault is locked, gone or silent
│   ├── Misconfigured           misconfigured        a setting, a base URL, a proxy is off
│   ├── OwnLimit                own_limit            a limit the user set for this key; carries which in `limit`
│   └── Resting                 resting              failed too often lately, and is left alone for a while
├── Unreachable                 nothing came back
│   ├── Offline                 offline              nobody could be reached: this machine is off the network
│   ├── NameNotFound            dns_failed
│   ├── ConnectionRefused       refused
│   ├── TlsUntrusted            tls_untrusted        carries the issuer
│   ├── ConnectionLost          connection_lost      closed or reset before the answer began
│   └── TimedOut                timed_out            carries the timer: connect, first_token, idle, total
├── ProviderError               it answered, with an error: status, provider_message, request_id, retry_after_s
│   ├── InvalidKey              invalid_key          wrong, expired or revoked
│   ├── LeakedKey               leaked_key           the provider has blocked it as leaked
│   ├── WrongKeyType            wrong_key_type       an admin, OAuth or retired kind of key
│   ├── Restricted              restricted           a real key without this permission
│   ├── WrongOrganisation       wrong_organisation   organisation, project or address list does not fit
│   ├── RegionBlocked           region_blocked
│   ├── NetworkBlocked          network_blocked      a firewall or proxy answered, not the provider
│   ├── NoCredit                no_credit            `scope` "model": none for this model
│   ├── SpendLimit              spend_limit          a limit somebody set was reached
│   ├── RateLimited             rate_limited         carries the scope: minute, day or unknown
│   ├── Overloaded              overloaded
│   ├── ServerError             server_error
│   ├── ModelNotFound           model_not_found
│   ├── ContextOverflow         context_overflow     prompt longer than the window
│   ├── TooLarge                too_large            the request itself, not the prompt's tokens
│   ├── ContentBlocked          content_blocked      refused by policy or a guardrail
│   ├── BadRequest              bad_request          carries the parameter where one is named
│   └── GatewayError            gateway_error        the AI gateway's own error: code; kind of fault in `fault`
├── Garbled                     what came back is not this API
│   ├── NotThisApi              not_this_api         HTML, a redirect, another content type; carries the title
│   └── Malformed               malformed            events that are not what the dialect promises
└── Interrupted                 an answer had begun, or claimed to have ended
    ├── Cut                     cut                  the stream ended without its terminal event
    ├── EmptyAnswer             empty_answer         a proper end, but nothing was said
    └── AnswerTooLong           answer_too_long      a line or body over the cap
"""

from __future__ import annotations

from typing import Any


class EngineError(Exception):
    """`kind` is the stable word for scripts; `detail` a short fact for the details fold, already redacted."""

    kind = "error"

    def __init__(self, detail: str = "", **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.provider: str = facts.pop("provider", "")
        """Id of the provider it happened with."""
        self.key: str = facts.pop("key", "")
        """Name of the key used (`work …a1b2`)."""
        self.status: int | None = facts.pop("status", None)
        self.provider_message: str = facts.pop("provider_message", "")
        self.code: str = facts.pop("code", "")
        """The provider's own code."""
        self.request_id: str = facts.pop("request_id", "")
        self.retry_after_s: float | None = facts.pop("retry_after_s", None)
        self.facts: dict[str, Any] = facts
        """What only this kind has: `parameter`, `issuer`, `timer`, `title`, `scope`, `replacement`, `host`, …"""


class NotAsked(EngineError):
    kind = "not_asked"


class NoKey(NotAsked):
    kind = "no_key"


class UnknownProvider(NotAsked):
    kind = "unknown_provider"


class UnknownRoute(NotAsked):
    kind = "unknown_route"


class RetiredModel(NotAsked):
    kind = "retired_model"


class KeyBoundElsewhere(NotAsked):
    kind = "wrong_origin"


class InsecureAddress(NotAsked):
    kind = "insecure_address"


class Unsupported(NotAsked):
    kind = "unsupported"


class SecretUnavailable(NotAsked):
    kind = "secret_unavailable"


class Misconfigured(NotAsked):
    kind = "misconfigured"


class OwnLimit(NotAsked):
    kind = "own_limit"


class Resting(NotAsked):
    kind = "resting"


class Unreachable(EngineError):
    kind = "unreachable"


class Offline(Unreachable):
    kind = "offline"


class NameNotFound(Unreachable):
    kind = "dns_failed"


class ConnectionRefused(Unreachable):
    kind = "refused"


class TlsUntrusted(Unreachable):
    kind = "tls_untrusted"


class ConnectionLost(Unreachable):
    kind = "connection_lost"


class TimedOut(Unreachable):
    kind = "timed_out"


class ProviderError(EngineError):
    kind = "provider_error"


class InvalidKey(ProviderError):
    kind = "invalid_key"


class LeakedKey(ProviderError):
    kind = "leaked_key"


class WrongKeyType(ProviderError):
    kind = "wrong_key_type"


class Restricted(ProviderError):
    kind = "restricted"


class WrongOrganisation(ProviderError):
    kind = "wrong_organisation"


class RegionBlocked(ProviderError):
    kind = "region_blocked"


class NetworkBlocked(ProviderError):
    kind = "network_blocked"


class NoCredit(ProviderError):
    kind = "no_credit"


class SpendLimit(ProviderError):
    kind = "spend_limit"


class RateLimited(ProviderError):
    kind = "rate_limited"


class Overloaded(ProviderError):
    kind = "overloaded"


class ServerError(ProviderError):
    kind = "server_error"


class ModelNotFound(ProviderError):
    kind = "model_not_found"


class ContextOverflow(ProviderError):
    kind = "context_overflow"


class TooLarge(ProviderError):
    kind = "too_large"


class ContentBlocked(ProviderError):
    kind = "content_blocked"


class BadRequest(ProviderError):
    kind = "bad_request"


class GatewayError(ProviderError):
    kind = "gateway_error"


class Garbled(EngineError):
    kind = "garbled"


class NotThisApi(Garbled):
    kind = "not_this_api"


class Malformed(Garbled):
    kind = "malformed"


class Interrupted(EngineError):
    kind = "interrupted"


class Cut(Interrupted):
    kind = "cut"


class EmptyAnswer(Interrupted):
    kind = "empty_answer"


class AnswerTooLong(Interrupted):
    kind = "answer_too_long"
