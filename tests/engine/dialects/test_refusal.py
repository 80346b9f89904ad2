"""The error tables of the wire facts, row by row (§3.2, §4.2, §5.3, §6.1, §7.1, §8.1, §9, §10.8)."""

# ruff: noqa: E501 - tables: one row, one line

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from vibedesk.engine import errors
from vibedesk.engine.dialects import dialect_of, request_id_of
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Provider

Named = Callable[[str], Provider]


def openai(
    message: str = "m", type: str | None = None, code: str | None = None, param: str | None = None
) -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


def anthropic(type: str, message: str = "m", error_code: str | None = None) -> dict[str, Any]:
    details = {"details": {"error_code": error_code}} if error_code else {}
    return {"type": "error", "error": {"type": type, "message": message, **details}, "request_id": "req_011"}


def google(code: int, status: str, message: str = "m", reason: str = "", **detail: Any) -> dict[str, Any]:
    details: list[dict[str, Any]] = (
        [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    )
    if detail:
        details.append(detail)
    return {"error": {"code": code, "message": message, "status": status, "details": details}}


def gateway(code: int, http: int, message: str = "m") -> dict[str, Any]:
    return {
        "success": False, "result": [], "messages": [], "error": [{"code": code, "message": message}],
        "name": "AiGatewayError", "httpCode": http, "internalCode": code,
    }  # fmt: skip


FLAT = {"param": None, "message": "m"}

ROWS: list[tuple[str, int, object, type[EngineError]]] = [
    # OpenAI §3.2
    ("openai", 401, openai("Incorrect API key provided: sk-ab****yz.", "invalid_request_error", "invalid_api_key"), errors.InvalidKey),
    ("openai", 401, openai("You must be a member of an organization to use the API."), errors.WrongOrganisation),
    ("openai", 401, openai("OpenAI-Organization header should match organization for API key", None, "mismatched_organization"), errors.WrongOrganisation),
    ("openai", 401, openai("Your IP address 1.2.3.4 is not authorized to access this project.", None, "ip_not_authorized"), errors.WrongOrganisation),
    ("openai", 401, openai("Your IP address is not authorized."), errors.WrongOrganisation),
    ("openai", 403, openai("You have insufficient permissions for this operation. Missing scopes: api.model.read.", "invalid_request_error"), errors.Restricted),
    ("openai", 401, openai("Missing scopes: model.request", "invalid_request_error", "missing_scope"), errors.Restricted),
    ("openai", 403, openai("Country, region, or territory not supported", "request_forbidden", "unsupported_country_region_territory"), errors.RegionBlocked),
    ("openai", 403, b"<html><title>Access denied</title>error code: 1020</html>", errors.NetworkBlocked),
    ("openai", 403, b"error code: 1010", errors.NetworkBlocked),
    ("openai", 404, openai("The model `x` does not exist or you do not have access to it.", "invalid_request_error", "model_not_found"), errors.ModelNotFound),
    ("openai", 403, openai("Project `p` does not have access to model `x`", "invalid_request_error", "model_not_found"), errors.ModelNotFound),
    ("openai", 404, openai("Invalid URL (POST /v1/chat/completion)", "invalid_request_error"), errors.NotThisApi),
    ("openai", 500, openai("The server had an error", "server_error"), errors.ServerError),
    ("openai", 503, openai("overloaded", "service_unavailable_error", "server_is_overloaded"), errors.Overloaded),
    ("openai", 503, openai("slow down", "service_unavailable_error", "slow_down"), errors.RateLimited),
    ("openai", 429, openai("Rate limit reached", "requests", "rate_limit_exceeded"), errors.RateLimited),
    ("openai", 429, openai("Rate limit reached", "rate_limit_error"), errors.RateLimited),
    ("openai", 429, openai("slow", None, "slow_down"), errors.RateLimited),
    ("openai", 429, openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota"), errors.NoCredit),
    ("openai", 429, openai("m", "insufficient_quota"), errors.NoCredit),
    ("openai", 429, openai("m", "insufficient_quota", "credit_balance_exhausted"), errors.NoCredit),
    ("openai", 429, openai("m", "insufficient_quota", "organization_spend_limit_exceeded"), errors.SpendLimit),
    ("openai", 429, openai("m", "insufficient_quota", "project_spend_limit_exceeded"), errors.SpendLimit),
    ("openai", 429, openai("m", None, "organization_usage_limit_exceeded"), errors.SpendLimit),
    ("openai", 400, openai("m", "invalid_request_error", "billing_hard_limit_reached"), errors.NoCredit),
    ("openai", 401, openai("m", None, "account_deactivated"), errors.InvalidKey),
    ("openai", 400, openai("m", "invalid_request_error", "context_length_exceeded"), errors.ContextOverflow),
    ("openai", 400, openai("Unsupported value: 'temperature'", "invalid_request_error", "unsupported_value", "temperature"), errors.BadRequest),
    ("openai", 400, openai("rate limit 429 is what the user wrote", "invalid_request_error", "invalid_value", "messages"), errors.BadRequest),
    ("openai", 400, openai("Your request was rejected as a result of our safety system.", "invalid_request_error"), errors.ContentBlocked),
    ("openai", 400, openai("m", "invalid_request_error", "content_policy_violation"), errors.ContentBlocked),
    ("openai", 400, openai("m", "invalid_request_error", "invalid_prompt"), errors.ContentBlocked),
    ("openai", 400, openai("m", "invalid_request_error", "string_above_max_length"), errors.TooLarge),
    ("openai", 429, openai("Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 45000.", "tokens", "rate_limit_exceeded"), errors.ContextOverflow),
    # Anthropic §4.2
    ("anthropic", 401, anthropic("authentication_error", "invalid x-api-key"), errors.InvalidKey),
    ("anthropic", 401, anthropic("authentication_error", "x-api-key header is required"), errors.InvalidKey),
    ("anthropic", 403, anthropic("permission_error"), errors.Restricted),
    ("anthropic", 403, {"error": {"type": "forbidden", "message": "Request not allowed"}}, errors.RegionBlocked),
    ("anthropic", 402, anthropic("billing_error"), errors.NoCredit),
    ("anthropic", 400, anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing"), errors.NoCredit),
    ("anthropic", 400, anthropic("invalid_request_error", "You have reached your specified workspace API usage limits. You will regain access on 2026-12-01"), errors.SpendLimit),
    ("anthropic", 400, anthropic("invalid_request_error", "You have reached your specified API usage limits."), errors.SpendLimit),
    ("anthropic", 429, anthropic("rate_limit_error"), errors.RateLimited),
    ("anthropic", 429, anthropic("rate_limit_error", error_code="enforced_spend_limit_reached"), errors.SpendLimit),
    ("anthropic", 429, anthropic("rate_limit_error", error_code="contract_spend_limit_reached"), errors.SpendLimit),
    ("anthropic", 429, anthropic("rate_limit_error", error_code="ramp_limit_exceeded"), errors.RateLimited),
    ("anthropic", 429, anthropic("rate_limit_error", error_code="organization_on_hold"), errors.Restricted),
    ("anthropic", 429, anthropic("rate_limit_error", error_code="something_new"), errors.RateLimited),
    ("anthropic", 404, anthropic("not_found_error", "model: claude-x"), errors.ModelNotFound),
    ("anthropic", 404, anthropic("not_found_error", "Not Found"), errors.NotThisApi),
    ("anthropic", 413, anthropic("request_too_large"), errors.TooLarge),
    ("anthropic", 500, anthropic("api_error"), errors.ServerError),
    ("anthropic", 504, anthropic("timeout_error"), errors.ServerError),
    ("anthropic", 529, anthropic("overloaded_error"), errors.Overloaded),
    ("anthropic", 409, anthropic("conflict_error"), errors.ServerError),
    ("anthropic", 400, anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), errors.ContextOverflow),
    ("anthropic", 400, anthropic("invalid_request_error", "`temperature` is deprecated for this model."), errors.BadRequest),
    # Google §5.3
    ("google-ai-studio", 400, google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"), errors.InvalidKey),
    ("google-ai-studio", 400, google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."), errors.InvalidKey),
    ("google-ai-studio", 401, google(401, "UNAUTHENTICATED", "Expected OAuth 2 access token", "ACCESS_TOKEN_TYPE_UNSUPPORTED"), errors.WrongKeyType),
    ("google-ai-studio", 401, google(401, "UNAUTHENTICATED", "m", "CREDENTIALS_MISSING"), errors.WrongKeyType),
    ("google-ai-studio", 403, google(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."), errors.LeakedKey),
    ("google-ai-studio", 403, google(403, "PERMISSION_DENIED", "Requests to this API … are blocked", "API_KEY_SERVICE_BLOCKED"), errors.Restricted),
    ("google-ai-studio", 403, google(403, "PERMISSION_DENIED", "m", "API_KEY_HTTP_REFERRER_BLOCKED"), errors.Restricted),
    ("google-ai-studio", 403, google(403, "PERMISSION_DENIED", "m", "API_KEY_IP_ADDRESS_BLOCKED"), errors.Restricted),
    ("google-ai-studio", 403, google(403, "PERMISSION_DENIED", "m", "SERVICE_DISABLED"), errors.Restricted),
    ("google-ai-studio", 403, google(403, "PERMISSION_DENIED", "Your project has been denied access."), errors.Restricted),
    ("google-ai-studio", 400, google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), errors.RegionBlocked),
    ("google-ai-studio", 429, google(429, "RESOURCE_EXHAUSTED"), errors.RateLimited),
    ("google-ai-studio", 429, google(429, "RESOURCE_EXHAUSTED", "Quota exceeded for metric: x, limit: 0"), errors.NoCredit),
    ("google-ai-studio", 404, google(404, "NOT_FOUND", "models/x is not found for API version v1beta"), errors.ModelNotFound),
    ("google-ai-studio", 400, google(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."), errors.ContextOverflow),
    ("google-ai-studio", 499, google(499, "CANCELLED"), errors.ServerError),
    ("google-ai-studio", 500, google(500, "INTERNAL"), errors.ServerError),
    ("google-ai-studio", 503, google(503, "UNAVAILABLE", "The model is overloaded."), errors.Overloaded),
    ("google-ai-studio", 504, google(504, "DEADLINE_EXCEEDED"), errors.ServerError),
    ("google-ai-studio", 400, [google(400, "INVALID_ARGUMENT", "m", "API_KEY_INVALID")], errors.InvalidKey),
    # Groq §6.1
    ("groq", 401, openai("Invalid API Key", "invalid_request_error", "invalid_api_key"), errors.InvalidKey),
    ("groq", 401, openai("m", None, "expired_api_key"), errors.InvalidKey),
    ("groq", 403, {"error": {"message": "Forbidden"}}, errors.NetworkBlocked),
    ("groq", 403, openai("The model `m` is blocked at the organization level.", None, "model_permission_blocked_org"), errors.Restricted),
    ("groq", 404, openai("m", None, "model_not_found"), errors.ModelNotFound),
    ("groq", 400, openai("The model `m` has been decommissioned", "invalid_request_error", "model_decommissioned"), errors.ModelNotFound),
    ("groq", 400, openai("Failed to call a function", "invalid_request_error", "tool_use_failed"), errors.BadRequest),
    ("groq", 400, openai("Failed to generate JSON", "invalid_request_error", "json_validate_failed"), errors.BadRequest),
    ("groq", 400, openai("property 'logprobs' is unsupported", "invalid_request_error"), errors.BadRequest),
    ("groq", 413, openai("Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 9000", "tokens", "rate_limit_exceeded"), errors.ContextOverflow),
    ("groq", 422, openai("semantic"), errors.BadRequest),
    ("groq", 429, openai("Rate limit reached for model `m` on tokens per minute (TPM): Limit 6000, Used 5900, Requested 700. Please try again in 5.289s.", "tokens", "rate_limit_exceeded"), errors.RateLimited),
    ("groq", 402, openai("m"), errors.NoCredit),
    ("groq", 400, openai("m", None, "blocked_api_access"), errors.NoCredit),
    ("groq", 498, openai("flex capacity exceeded", None, "capacity_exceeded"), errors.Overloaded),
    ("groq", 499, openai("cancelled"), errors.ServerError),
    ("groq", 502, openai("m"), errors.ServerError),
    # Cerebras §7.1
    ("cerebras", 401, FLAT | {"type": "invalid_request_error", "param": "api_key", "code": "wrong_api_key", "message": "Wrong API Key"}, errors.InvalidKey),
    ("cerebras", 403, {"detail": "Not authenticated"}, errors.InvalidKey),
    ("cerebras", 403, {"message": "Forbidden"}, errors.NetworkBlocked),
    ("cerebras", 402, FLAT, errors.NoCredit),
    ("cerebras", 404, FLAT | {"type": "not_found_error", "param": "model", "code": "model_not_found"}, errors.ModelNotFound),
    ("cerebras", 404, b"", errors.NotThisApi),
    ("cerebras", 400, FLAT | {"code": "context_length_exceeded"}, errors.ContextOverflow),
    ("cerebras", 400, FLAT | {"message": "Current length is 9000 while limit is 8192"}, errors.ContextOverflow),
    ("cerebras", 422, FLAT | {"code": "wrong_api_format"}, errors.BadRequest),
    ("cerebras", 429, FLAT | {"type": "too_many_requests_error", "code": "request_quota_exceeded"}, errors.RateLimited),
    ("cerebras", 429, FLAT | {"type": "too_many_requests_error", "code": "queue_exceeded"}, errors.Overloaded),
    ("cerebras", 503, FLAT, errors.Overloaded),
    # Together §8.1
    ("together", 401, openai("Invalid API key provided. You can find your API key at …", "invalid_request_error", "invalid_api_key"), errors.InvalidKey),
    ("together", 402, openai("Credit limit reached"), errors.NoCredit),
    ("together", 403, openai("This model is gated"), errors.Restricted),
    ("together", 403, openai("This model's maximum context length is 8192 tokens. However, you requested about 9000"), errors.ContextOverflow),
    ("together", 400, openai("m", "invalid_request_error", "model_not_available"), errors.ModelNotFound),
    ("together", 404, openai("Unable to access model x", "invalid_request_error"), errors.ModelNotFound),
    ("together", 422, openai("m"), errors.BadRequest),
    ("together", 429, openai("m"), errors.RateLimited),
    ("together", 503, openai("m"), errors.Overloaded),
    ("together", 504, b"", errors.ServerError),
    ("together", 520, b"<html><title>520</title></html>", errors.ServerError),
    ("together", 524, b"<html><title>524: A timeout occurred</title></html>", errors.ServerError),
    ("together", 529, openai("m"), errors.Overloaded),
    # OpenRouter §9.1
    ("openrouter", 401, {"error": {"message": "No auth credentials found", "code": 401}}, errors.InvalidKey),
    ("openrouter", 402, {"error": {"message": "Insufficient credits", "code": 402}}, errors.NoCredit),
    ("openrouter", 402, {"error": {"message": "m", "code": 402, "metadata": {"limit_source": "openrouter_in_flight_budget"}}}, errors.RateLimited),
    ("openrouter", 403, {"error": {"message": "flagged", "code": 403, "metadata": {"reasons": ["violence"], "flagged_input": "x"}}}, errors.ContentBlocked),
    ("openrouter", 404, {"error": {"message": "No endpoints found that support image input", "code": 404}}, errors.BadRequest),
    ("openrouter", 404, {"error": {"message": "No endpoints found matching your data policy", "code": 404}}, errors.ModelNotFound),
    ("openrouter", 400, {"error": {"message": "x is not a valid model ID", "code": 400}}, errors.ModelNotFound),
    ("openrouter", 400, {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": '{"error":"prompt is too long: 9 tokens > 8 maximum"}'}}}, errors.ContextOverflow),
    ("openrouter", 408, {"error": {"message": "m", "code": 408}}, errors.ServerError),
    ("openrouter", 429, {"error": {"message": "Provider returned error", "code": 429, "metadata": {"raw": "slow"}}}, errors.RateLimited),
    ("openrouter", 502, {"error": {"message": "m", "code": 502}}, errors.ServerError),
    ("openrouter", 503, {"error": {"message": "m", "code": 503}}, errors.Overloaded),
    # Mistral §9.2
    ("mistral", 401, {"detail": "Invalid API Key"}, errors.InvalidKey),
    ("mistral", 401, {"message": "Unauthorized", "request_id": "r"}, errors.InvalidKey),
    ("mistral", 422, {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}]}, errors.BadRequest),
    ("mistral", 422, {"object": "error", "message": {"detail": [{"msg": "bad"}]}, "type": "invalid_request_error"}, errors.BadRequest),
    ("mistral", 400, {"object": "error", "message": "Prompt contains 9000 tokens and 0 draft tokens, too large for model with 8192 maximum context length", "type": "invalid_request_message_error", "code": 3051}, errors.ContextOverflow),
    ("mistral", 400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": 1500}, errors.ModelNotFound),
    ("mistral", 429, {"message": "Requests rate limit exceeded"}, errors.RateLimited),
    # DeepSeek §9.3
    ("deepseek", 401, openai("Authentication Fails, Your api key: ****abcd is invalid", "authentication_error", "invalid_request_error"), errors.InvalidKey),
    ("deepseek", 402, openai("Insufficient Balance", "unknown_error", "invalid_request_error"), errors.NoCredit),
    # xAI §9.4
    ("xai", 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***en. You can obtain an API key from https://console.x.ai."}, errors.InvalidKey),
    ("xai", 400, {"code": "invalid-argument", "error": "Incorrect API key provided: xa***en."}, errors.InvalidKey),
    ("xai", 401, {"code": "unauthenticated:no-credentials", "error": "No credentials provided"}, errors.InvalidKey),
    ("xai", 401, {"code": "Unauthenticated", "error": "m"}, errors.InvalidKey),
    ("xai", 403, {"code": "The caller does not have permission", "error": "Your newly created teams doesn't have any credits yet."}, errors.NoCredit),
    ("xai", 403, {"code": "The caller does not have permission", "error": "acl"}, errors.Restricted),
    ("xai", 404, {"code": "Some requested entity was not found", "error": "The model grok-9 does not exist"}, errors.ModelNotFound),
    # Local servers §9.5 to §9.7
    ("lab", 400, {"object": "error", "message": "This model's maximum context length is 8192 tokens.", "type": "BadRequestError", "code": 400}, errors.ContextOverflow),
    ("lab", 404, {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}, errors.ModelNotFound),
    ("ollama", 404, {"error": 'model "x" not found, try pulling it first'}, errors.ModelNotFound),
    ("ollama", 404, b"404 page not found", errors.NotThisApi),
    ("lab", 401, {"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}}, errors.InvalidKey),
    ("lab", 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, errors.Overloaded),
    ("lab", 400, {"error": {"code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 8}}, errors.ContextOverflow),
    ("lab", 404, {"detail": "Not Found"}, errors.NotThisApi),
    ("lab", 405, {"detail": "Method Not Allowed"}, errors.NotThisApi),
    ("lab", 404, b"<html><title>404 Not Found</title></html>", errors.NotThisApi),
    ("lab", 407, b"<html><title>Proxy Authentication Required</title></html>", errors.NetworkBlocked),
    ("lab", 401, b"<html><title>401 Authorization Required</title></html>", errors.NetworkBlocked),
    ("lab", 413, b"<html><title>413 Request Entity Too Large</title></html>", errors.TooLarge),
]  # fmt: skip


@pytest.mark.parametrize(("who", "status", "body", "kind"), ROWS, ids=lambda value: str(value)[:40])
def test_every_row_of_the_tables(
    provider: Named, who: str, status: int, body: object, kind: type[EngineError]
) -> None:
    owner = provider(who)
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = dialect_of(owner.dialect).refusal(status, {}, payload, owner)
    assert type(error) is kind
    assert error.status == status
    assert error.provider == owner.id
    assert len(error.provider_message) <= 300
    assert "<" not in error.provider_message


GATEWAY_ROWS = [
    (2001, 400, "gateway"), (2003, 429, "rate_limit"), (2005, 504, "upstream"), (2008, 400, "slug"), (2009, 401, "token"),
    (2016, 424, "guardrail"), (2017, 424, "guardrail"), (2021, 402, "credit"), (2029, 400, "guardrail"),
    (2030, 400, "guardrail"), (2040, 400, "alias"), (7003, 404, "slug"), (10000, 401, "token"), (9999, 402, "credit"),
    (9999, 429, "rate_limit"), (9999, 500, "upstream"), (9999, 400, "unknown"),
]  # fmt: skip


@pytest.mark.parametrize("who", ["openai", "anthropic", "google-ai-studio", "groq"])
@pytest.mark.parametrize(("code", "status", "fault"), GATEWAY_ROWS)
def test_the_gateways_own_errors_are_told_apart(
    provider: Named, who: str, code: int, status: int, fault: str
) -> None:
    owner = provider(who)
    for body in (
        gateway(code, status),
        {"success": False, "result": None, "errors": [{"code": code, "message": "m"}], "messages": []},
    ):
        error = dialect_of(owner.dialect).refusal(
            status, {"cf-aig-log-id": "log_1"}, json.dumps(body).encode(), owner
        )
        assert type(error) is errors.GatewayError
        assert error.facts["fault"] == fault
        assert (error.code, error.provider_message, error.request_id) == (str(code), "m", "log_1")


def test_the_gateways_spend_limit_is_not_its_rate_limit(provider: Named) -> None:
    body = json.dumps(gateway(9999, 429, "Spend limit reached")).encode()
    assert dialect_of("openai-chat").refusal(429, {}, body, provider("groq")).facts["fault"] == "spend_limit"


def test_a_providers_error_through_the_gateway_stays_the_providers(provider: Named) -> None:
    body = json.dumps(openai("You didn't provide an API key.", "invalid_request_error")).encode()
    assert type(dialect_of("openai-chat").refusal(401, {}, body, provider("openai"))) is errors.InvalidKey


@pytest.mark.parametrize(
    ("who", "headers", "body", "scope"),
    [
        (
            "groq",
            {},
            openai("Rate limit reached on requests per day (RPD)", "requests", "rate_limit_exceeded"),
            "day",
        ),
        ("groq", {}, openai("on tokens per minute (TPM)", "tokens", "rate_limit_exceeded"), "minute"),
        ("cerebras", {"x-ratelimit-remaining-requests-day": "0"}, FLAT, "day"),
        ("cerebras", {"X-RateLimit-Remaining-Tokens-Minute": "0"}, FLAT, "minute"),
        ("together", {}, openai("m"), "unknown"),
        (
            "google-ai-studio",
            {},
            google(
                429,
                "RESOURCE_EXHAUSTED",
                violations=[{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
            ),
            "day",
        ),
        (
            "google-ai-studio",
            {},
            google(
                429,
                "RESOURCE_EXHAUSTED",
                violations=[{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}],
            ),
            "minute",
        ),
    ],
)
def test_a_rate_limit_says_whether_it_is_the_minutes_or_the_days(
    provider: Named, who: str, headers: dict[str, str], body: object, scope: str
) -> None:
    owner = provider(who)
    error = dialect_of(owner.dialect).refusal(429, headers, json.dumps(body).encode(), owner)
    assert (type(error), error.facts["scope"]) == (errors.RateLimited, scope)


def test_googles_delay_holds_for_a_minute_but_not_for_a_day(provider: Named) -> None:
    def refused(quota: str) -> float | None:
        body = google(429, "RESOURCE_EXHAUSTED", violations=[{"quotaId": quota}])
        body["error"]["details"].append({"@type": "…RetryInfo", "retryDelay": "34.5s"})
        return (
            dialect_of("gemini")
            .refusal(429, {}, json.dumps(body).encode(), provider("google-ai-studio"))
            .retry_after_s
        )

    assert refused("RequestsPerMinutePerProject") == 34.5
    assert refused("RequestsPerDayPerProject") is None


def test_a_model_that_google_gives_nothing_of_for_free_is_no_empty_account(provider: Named) -> None:
    body = google(
        429,
        "RESOURCE_EXHAUSTED",
        "Quota exceeded for free_tier_requests, limit: 0, model: m. Please retry in 34s",
    )
    body["error"]["details"].append({"@type": "…RetryInfo", "retryDelay": "34.5s"})
    owner = provider("google-ai-studio")
    error = dialect_of("gemini").refusal(429, {}, json.dumps(body).encode(), owner)
    assert (type(error), error.facts["scope"]) == (errors.NoCredit, "model")
    assert error.retry_after_s is None, "no wait gives what is never given"


@pytest.mark.parametrize(
    ("message", "facts"),
    [
        ("prompt is too long: 210000 tokens > 200000 maximum", {"tokens": 210000, "window": 200000}),
        (
            "The input token count (12) exceeds the maximum number of tokens allowed (10).",
            {"tokens": 12, "window": 10},
        ),
        (
            "maximum context length is 8,192 tokens. However, you requested about 9,000 tokens",
            {"tokens": 9000, "window": 8192},
        ),
        (
            "Prompt contains 9 tokens and 0 draft tokens, too large for model with 8 maximum context length",
            {"tokens": 9, "window": 8},
        ),
    ],
)
def test_an_overflow_says_how_much_it_was(provider: Named, message: str, facts: dict[str, int]) -> None:
    error = dialect_of("openai-chat").refusal(400, {}, json.dumps(openai(message)).encode(), provider("lab"))
    assert type(error) is errors.ContextOverflow
    assert error.facts == facts


def test_an_error_inside_a_stream_is_judged_by_its_own_status_and_codes(provider: Named) -> None:
    def inside(body: object) -> EngineError:
        return dialect_of("openai-chat").refusal(200, {}, json.dumps(body).encode(), provider("lab"))

    assert type(inside({"error": {"code": 429, "message": "m"}})) is errors.RateLimited
    assert inside({"error": {"code": 429, "message": "m"}}).status == 429
    assert type(inside({"error": {"message": "m"}, "status_code": 503})) is errors.Overloaded
    assert type(inside({"error": {"message": "m", "type": "invalid_request_error"}})) is errors.BadRequest
    assert type(inside({"error": "model runner has unexpectedly stopped"})) is errors.ServerError


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("400", errors.BadRequest), ("401", errors.InvalidKey), ("402", errors.NoCredit), ("429", errors.RateLimited),
        ("503", errors.Overloaded), ("1113", errors.ServerError), ("²²²", errors.ServerError),
    ],
)  # fmt: skip
def test_a_status_may_be_written_as_a_string(provider: Named, code: str, kind: type[EngineError]) -> None:
    """LiteLLM's proxy does so."""
    for body in (openai("It went wrong upstream", "None", code), {"message": "m", "code": code}):
        error = dialect_of("openai-chat").refusal(200, {}, json.dumps(body).encode(), provider("lab"))
        assert (type(error), error.code) == (kind, code)
        assert error.status == (int(code) if kind is not errors.ServerError else 200)


def test_no_parameter_is_named_by_the_word_none(provider: Named) -> None:
    body = json.dumps(openai("Unsupported parameter: 'seed'", "None", "400", "None")).encode()
    error = dialect_of("openai-chat").refusal(400, {}, body, provider("lab"))
    assert error.facts["parameter"] == "seed"


def test_a_code_of_digits_says_as_little_as_a_number(provider: Named) -> None:
    body = json.dumps(openai("Insufficient balance", None, "1113")).encode()
    assert type(dialect_of("openai-chat").refusal(400, {}, body, provider("lab"))) is errors.NoCredit


@pytest.mark.parametrize(
    ("loc", "parameter"),
    [
        (["body", "seed"], "seed"),
        (["body", "temperature"], "temperature"),
        (["body", "stream_options", "include_usage"], "stream_options"),
        (["body", "messages", 0, "content"], ""),
        ([], ""),
        (None, ""),
        ([7], ""),
    ],
)
def test_a_field_that_is_named_by_its_place_alone_is_known(
    provider: Named, loc: object, parameter: str
) -> None:
    """FastAPI's form, Mistral's and that of many servers of one's own (wire facts §9.2)."""
    detail = [{"loc": loc, "msg": "Extra inputs are not permitted", "type": "extra_forbidden", "input": 7}]
    for body in (
        {"detail": detail},
        {"object": "error", "message": {"detail": detail}, "type": "invalid_request_error"},
    ):
        error = dialect_of("openai-chat").refusal(422, {}, json.dumps(body).encode(), provider("mistral"))
        assert isinstance(error, errors.BadRequest)
        assert error.facts["parameter"] == parameter
        assert error.provider_message == "Extra inputs are not permitted"


def test_of_several_fields_the_first_that_has_a_name_is_taken(provider: Named) -> None:
    detail = [
        {"loc": [1], "msg": "a"},
        {"loc": ["body", "seed"], "msg": "b"},
        {"loc": ["body", "top_p"], "msg": "c"},
    ]
    body = json.dumps({"detail": detail}).encode()
    error = dialect_of("openai-chat").refusal(422, {}, body, provider("mistral"))
    assert (error.facts["parameter"], error.provider_message) == ("seed", "a; b; c")


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        ({"code": "context_length_exceeded"}, errors.ContextOverflow),
        ({"type": "request_too_large"}, errors.TooLarge),
        ({"type": "invalid_request_error", "code": "invalid_value"}, errors.BadRequest),
        ({}, errors.BadRequest),
    ],
)
def test_an_error_that_quotes_a_whole_prompt_is_known_by_how_it_begins(
    provider: Named, beginning: dict[str, str], kind: type[EngineError]
) -> None:
    long = 'Too long a "prompt": {"code": "invalid_api_key"} ' + "word " * 300_000
    for body in (
        {"error": {**beginning, "message": long}},
        {"type": "error", "error": {**beginning, "message": long}},
    ):
        error = dialect_of("openai-chat").refusal(400, {}, json.dumps(body).encode(), provider("lab"))
        assert type(error) is kind
        assert error.code == beginning.get("code", beginning.get("type", ""))
        assert error.provider_message.startswith('Too long a "prompt": {"code": ')
        assert len(error.provider_message) == 300


QUOTED = [
    "Incorrect API key provided", "Your API key was reported as leaked", "Your project has been denied access",
    "you must be a member of an organization", "credit balance is too low", "prompt is too long", "No endpoints found",
]  # fmt: skip


@pytest.mark.parametrize("quoted", QUOTED)
@pytest.mark.parametrize("code", ["invalid_value", "unsupported_value", "invalid_type"])
def test_a_code_goes_before_words_that_may_be_the_users_own(provider: Named, quoted: str, code: str) -> None:
    for body in (
        openai(f"Invalid value: '{quoted}'", "invalid_request_error", code, "messages[0].content"),
        openai(quoted, "invalid_request_error", code),
    ):
        refused = dialect_of("openai-chat").refusal(400, {}, json.dumps(body).encode(), provider("openai"))
        assert type(refused) is errors.BadRequest


@pytest.mark.parametrize("quoted", QUOTED[:4])
def test_words_inside_a_refused_request_say_nothing_of_the_key(provider: Named, quoted: str) -> None:
    for status in (400, 422):
        body = openai(f"Invalid value: '{quoted}'", "invalid_request_error")
        refused = dialect_of("openai-chat").refusal(status, {}, json.dumps(body).encode(), provider("openai"))
        assert type(refused) is errors.BadRequest


def test_request_ids_come_from_the_body_or_from_any_known_header(provider: Named) -> None:
    owner = provider("anthropic")
    body = json.dumps(anthropic("api_error")).encode()
    assert dialect_of("anthropic").refusal(500, {"Request-Id": "req_h"}, body, owner).request_id == "req_011"
    assert dialect_of("anthropic").refusal(500, {"Request-Id": "req_h"}, b"", owner).request_id == "req_h"
    assert request_id_of({"x-request-id": "a", "cf-ray": "b"}) == "a"
    assert request_id_of({}) == ""


def test_foreign_words_are_cleaned_before_anybody_shows_them(provider: Named) -> None:
    key = "sk-proj-" + "x" * 40
    message = f"\x1b[31mIncorrect\x00 API key provided: {key}.\u202e <img src=x> <b>Bad</b> " + "y" * 400
    error = dialect_of("openai-chat").refusal(
        401, {}, json.dumps(openai(message)).encode(), provider("openai")
    )
    assert error.provider_message.startswith("Incorrect API key provided: ")
    assert key not in error.provider_message
    assert len(error.provider_message) == 300
    assert not set(error.provider_message) & set("\x1b\x00\u202e<>")


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"error":' * 50_000, b"null", b"[]", b"7", b'"words"', b'{"error":{"message":7}}', b"\xff\xfe", b"{",
     b'{"error":[1,2]}', b'{"error":{"code":1e999,"message":NaN}}', b'{"error":{"message":"\\ud800"}}', b"<", b"<title>"],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500, 302, 418])
def test_no_body_whatever_breaks_the_reader(provider: Named, body: bytes, status: int) -> None:
    for name in ("openai-chat", "openai-responses", "anthropic", "gemini"):
        error = dialect_of(name).refusal(status, {"retry-after": "junk"}, body, provider("lab"))
        assert isinstance(error, EngineError)
        error.provider_message.encode()
