"""What providers' error codes, words and statuses mean, as tables.

Sources: wire facts §3.2 to §9 and §10.8, routing facts §2.3 and §2.4.
"""

from __future__ import annotations

import re

from vibedesk.engine import errors
from vibedesk.engine.errors import EngineError

Kind = type[EngineError]

CODES: dict[str, Kind] = {
    word: kind
    for kind, words in (
        (
            errors.InvalidKey,
            "invalid_api_key wrong_api_key expired_api_key authentication_error API_KEY_INVALID"
            " account_deactivated UNAUTHENTICATED",
        ),
        (errors.WrongKeyType, "ACCESS_TOKEN_TYPE_UNSUPPORTED CREDENTIALS_MISSING"),
        (
            errors.Restricted,
            "missing_scope permission_error API_KEY_SERVICE_BLOCKED API_KEY_HTTP_REFERRER_BLOCKED"
            " API_KEY_IP_ADDRESS_BLOCKED API_KEY_ANDROID_APP_BLOCKED API_KEY_IOS_APP_BLOCKED SERVICE_DISABLED"
            " model_permission_blocked_org model_permission_blocked_project organization_on_hold",
        ),
        (
            errors.WrongOrganisation,
            "ip_not_authorized invalid_organization mismatched_organization mismatched_project",
        ),
        (errors.RegionBlocked, "unsupported_country_region_territory forbidden"),
        (
            errors.NoCredit,
            "insufficient_quota credit_balance_exhausted billing_hard_limit_reached billing_error"
            " blocked_api_access",
        ),
        (
            errors.SpendLimit,
            "organization_spend_limit_exceeded project_spend_limit_exceeded organization_usage_limit_exceeded"
            " enforced_spend_limit_reached contract_spend_limit_reached",
        ),
        (
            errors.RateLimited,
            "rate_limit_exceeded rate_limit_error slow_down too_many_requests_error request_quota_exceeded"
            " token_quota_exceeded RESOURCE_EXHAUSTED ramp_limit_exceeded",
        ),
        (
            errors.Overloaded,
            "overloaded_error server_is_overloaded service_unavailable_error unavailable_error UNAVAILABLE"
            " queue_exceeded insufficient_system_resource capacity_exceeded",
        ),
        (
            errors.ServerError,
            "server_error api_error timeout_error conflict_error internal_server_error INTERNAL"
            " DEADLINE_EXCEEDED CANCELLED",
        ),
        (errors.ModelNotFound, "model_not_found model_decommissioned model_not_available invalid_model"),
        (errors.ContextOverflow, "context_length_exceeded exceed_context_size_error"),
        (errors.TooLarge, "request_too_large image_too_large image_file_too_large string_above_max_length"),
        (
            errors.ContentBlocked,
            "content_policy_violation content_filter content_filter_policy invalid_prompt bio_policy"
            " image_content_policy_violation",
        ),
        (
            errors.BadRequest,
            "unsupported_parameter unsupported_value tool_use_failed json_validate_failed",
        ),
    )
    for word in words.split()
}

SAY_NOTHING = {"invalid_request_error", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "bad_request"}
"""Codes that only say the request was refused; the words beside them tell more."""

SAY_LITTLE = SAY_NOTHING | {
    "PERMISSION_DENIED", "NOT_FOUND", "not_found_error", "unknown_error",
    "invalid_request_message_error",  # Mistral
    "BadRequestError", "NotFoundError", "BadRequest", "None",  # vLLM, Azure, LiteLLM
    # xAI's
    "Client specified an invalid argument", "invalid-argument", "unauthenticated:no-credentials", "Unauthenticated",
    "The caller does not have permission", "permission-denied", "Some requested entity was not found", "not-found",
}  # fmt: skip
"""Codes that say no more than a status does: beside them words are heard."""

OF_THE_KEY: frozenset[Kind] = frozenset(
    {errors.InvalidKey, errors.LeakedKey, errors.Restricted, errors.WrongOrganisation}
)
"""What would put a key aside."""

TEXTS: tuple[tuple[re.Pattern[str], Kind], ...] = tuple(
    (re.compile("|".join(patterns), re.IGNORECASE), kind)
    for kind, patterns in (
        (errors.LeakedKey, [r"reported as leaked"]),
        (
            errors.InvalidKey,
            [
                r"(?:incorrect|invalid|wrong) api.?key",
                r"api key (?:not valid|expired|has expired)",
                r"^unauthori[sz]ed$",
                r"no credentials provided",
                r"authentication fails",
                r"^not authenticated$",
            ],
        ),
        (
            errors.Restricted,
            [r"missing scopes", r"insufficient permissions for this operation", "denied access"],
        ),
        (
            errors.WrongOrganisation,
            [
                r"(?:member of|mismatched|does not match|belong).{0,60}(?:organi[sz]ation|project)",
                r"organi[sz]ation.{0,40}(?:header|mismatch|invalid)",
                r"\bip\b.{0,60}not (?:authori[sz]ed|allowed)",
            ],
        ),
        (
            errors.NoCredit,
            [
                r"credit balance is too low",
                r"insufficient balance",
                r"have any credits",
                r"insufficient credits",
            ],
        ),
        (errors.SpendLimit, [r"reached your specified .{0,20}api usage limits"]),
        (
            errors.RegionBlocked,
            [
                r"location is not supported",
                r"not available in your (?:country|region)",
                r"unsupported country",
                r"^request not allowed",
            ],
        ),
        (errors.NetworkBlocked, [r"^forbidden\.?$", r"error code: 10(?:10|20)"]),
        (errors.BadRequest, [r"invalid 'user'", r"support image input"]),
        (
            errors.ContextOverflow,
            [
                r"prompt is too long",
                r"exceed context limit",
                r"maximum context length is",
                r"model's maximum context limit",
                r"string too long\. expected a string with maximum length",
                r"is longer than the model's context length",
                r"input tokens exceed the configured limit",
                r"`inputs` tokens \+ `max_new_tokens` must be",
                r"exceeds the available context size",
                r"exceeds the maximum number of tokens allowed",
                r"current length is.{0,40}while limit is",
                r"maximum input length is.{0,40}tokens",
                r"too large for model with \d+ maximum context length",
            ],
        ),
        (
            errors.ContentBlocked,
            [
                r"content_policy_violation",
                r"responsibleaipolicyviolation",
                r"rejected as a result of our safety system",
                r"the response was filtered due to the prompt triggering",
                r"task failed as a result of our safety system",
                r"the model produced invalid content",
                r"content_filter_policy",
            ],
        ),
        (
            errors.ModelNotFound,
            [
                r"\bmodels?\b.{0,100}?(?:not found|does not exist|doesn't exist)",
                r"\bmodels?\b.{0,100}?has been (?:decommissioned|retired|removed)",
                r"not a valid model",
                r"invalid model\b",
                r"no endpoints found",
                r"try pulling it first",
            ],
        ),
    )
)
"""Said instead of a code, or beside one that says little. The first that fits holds."""

STATUSES: dict[int, Kind] = {
    401: errors.InvalidKey,
    402: errors.NoCredit,
    403: errors.Restricted,
    405: errors.NotThisApi,
    407: errors.NetworkBlocked,
    408: errors.ServerError,
    409: errors.ServerError,
    410: errors.ModelNotFound,
    413: errors.TooLarge,
    429: errors.RateLimited,
    451: errors.RegionBlocked,
    498: errors.Overloaded,
    499: errors.ServerError,
    503: errors.Overloaded,
    529: errors.Overloaded,
}

PAGE_STATUSES: dict[int, Kind] = {**STATUSES, 401: errors.NetworkBlocked, 403: errors.NetworkBlocked}
"""With an HTML body: a firewall or a portal speaks, not the provider."""

GATEWAY_FAULTS = {
    2001: "gateway",
    2003: "rate_limit",
    2005: "upstream",
    2008: "slug",
    2009: "token",
    2016: "guardrail",
    2017: "guardrail",
    2021: "credit",
    2029: "guardrail",
    2030: "guardrail",
    2040: "alias",
    7003: "slug",
    10000: "token",
}
"""Cloudflare AI Gateway's own codes. 2029 and 2030 are its data loss prevention."""

GATEWAY_STATUSES = {401: "token", 402: "credit", 403: "token", 404: "slug", 429: "rate_limit"}
