"""What every provider of the catalog can say of a key, and what we then say: one row each, bodies as wire.md has them.

A row: provider, where it is said, status, body → verdict, stage, the sentence and the fix.
"""

# ruff: noqa: E501  (the bodies are as long as the providers write them)

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.engine.checking import Scripted, checked, documents
from tests.providers.server import PAGE, Reply, json_reply
from vibedesk.engine.http import Http
from vibedesk.wording import verdict_words


class Row(NamedTuple):
    """`at`: the end of the path that says it to a key; "*" = it is said to everybody, "ask" = to the one answer."""

    provider: str
    at: str
    status: int
    body: Any
    verdict: str
    stage: str
    says: str
    fix: str
    headers: dict[str, str] = {}  # noqa: RUF012  a named tuple's default


ASKED = {
    "openai": "/responses",
    "anthropic": "/messages",
    "google-ai-studio": ":streamGenerateContent",
}


def openai(message: str, code: str | None = None, type: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": None, "code": code}}


def anthropic(type: str, message: str, code: str = "") -> dict[str, Any]:
    more = {"details": {"error_code": code}} if code else {}
    return {"type": "error", "error": {"type": type, "message": message, **more}, "request_id": "req_011"}


def google(code: int, status: str, message: str, reason: str = "", **more: Any) -> dict[str, Any]:
    info = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    return {"error": {"code": code, "message": message, "status": status, "details": [*info, *more.values()]}}


def openrouter(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}, "user_id": "user_1"}


def grok(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "error": message}


KEYLESS = ("ollama", "lm-studio", "llama-cpp")
NONE = {"object": "list", "data": []}
# fmt: off
ROWS = [
    # openai
    Row("openai", "models", 401,
        openai("Incorrect API key provided: sk-pr****a1B2.", "invalid_api_key"), "invalid", "key",
        "OpenAI does not know this key.",
        "Check that it was copied whole, or create another at https://platform.openai.com/api-keys."),
    Row("openai", "models", 401, openai("This API key has been revoked.", "invalid_api_key"), "revoked", "key",
        "OpenAI has revoked or blocked this key.",
        "Create another at https://platform.openai.com/api-keys."),
    Row("openai", "models", 401, openai("Your API key has expired.", "expired_api_key"), "revoked", "key",
        "This key has expired at OpenAI.",
        "Create another at https://platform.openai.com/api-keys."),
    Row("openai", "models", 401,
        openai("You must be a member of an organization to use the API."), "wrong_organisation", "key",
        "The key does not fit the organisation, project or address list set at OpenAI.",
        "Check the key’s project and its allowed addresses at OpenAI."),
    Row("openai", "models", 401,
        openai("The project does not match the organization header.", "mismatched_project"), "wrong_organisation", "key",
        "The key does not fit the organisation, project or address list set at OpenAI.",
        "Check the key’s project and its allowed addresses at OpenAI."),
    Row("openai", "models", 401,
        openai("Your IP is not authorized to access this project.", "ip_not_authorized"), "wrong_organisation", "key",
        "The key is real, but its project at OpenAI does not allow this machine’s address.",
        "Add the address to the project’s list at OpenAI."),
    Row("openai", "models", 403,
        openai("You have insufficient permissions for this operation. Missing scopes: api.model.read."), "restricted", "key",
        "The key is real, but may not list models at OpenAI; whether it may ask one is not known yet.",
        "Check it again with one real answer."),
    Row("openai", "ask", 403,
        openai("You have insufficient permissions for this operation. Missing scopes: model.request."), "restricted", "answer",
        "The key is real, but was made without the permission to ask models at OpenAI.",
        "Give it that permission at https://platform.openai.com/api-keys."),
    Row("openai", "models", 403,
        openai("Country, region, or territory not supported", "unsupported_country_region_territory", "request_forbidden"), "region_blocked", "key",
        "OpenAI does not answer requests from this country or region.",
        "Use a provider that serves your region."),
    Row("openai", "models", 403, PAGE, "network_blocked", "key",
        "A firewall, proxy or VPN answered instead of OpenAI; this says nothing about the key.",
        "Try another network, or turn the VPN off."),
    Row("openai", "models", 404, openai("Invalid URL (GET /v1/models)"), "wrong_base_url", "key",
        "{base_url} is up, but OpenAI’s API is not at this path.",
        "Check the path in the base URL."),
    Row("openai", "models", 429,
        openai("Rate limit reached for requests.", "rate_limit_exceeded", "requests"), "rate_limited", "key",
        "The key is good, but OpenAI asks to slow down for now.",
        "Try again later."),
    Row("openai", "models", 429,
        openai("You exceeded your current quota, please check your plan.", "insufficient_quota", "insufficient_quota"), "no_credit", "key",
        "The key is good, but its account has no credit at OpenAI.",
        "Add credit at OpenAI."),
    Row("openai", "ask", 429,
        openai("You exceeded your current quota, please check your plan.", "insufficient_quota", "insufficient_quota"), "no_credit", "answer",
        "The key is good, but its account has no credit at OpenAI.",
        "Add credit at OpenAI."),
    Row("openai", "ask", 429,
        openai("Your prepaid credit is used up.", "credit_balance_exhausted", "insufficient_quota"), "no_credit", "answer",
        "The key is good, but its account has no credit at OpenAI.",
        "Add credit at OpenAI."),
    Row("openai", "ask", 429,
        openai("The project has reached its limit.", "project_spend_limit_exceeded", "insufficient_quota"), "spend_limit", "answer",
        "The key is good, but the spending limit of its project at OpenAI is reached.",
        "Raise the project’s limit at OpenAI."),
    Row("openai", "ask", 429,
        openai("The organization has reached its limit.", "organization_spend_limit_exceeded", "insufficient_quota"), "spend_limit", "answer",
        "The key is good, but the spending limit of its organisation at OpenAI is reached.",
        "Raise the organisation’s limit at OpenAI."),
    Row("openai", "ask", 404,
        openai("The model `gpt-6-luna` does not exist or you do not have access to it.", "model_not_found"), "restricted", "answer",
        "The key is good, but OpenAI does not offer it the model gpt-6-luna.",
        "Allow the model at OpenAI, or use another one."),
    Row("openai", "models", 401,
        openai("Your account has been deactivated.", "account_deactivated"), "revoked", "key",
        "This key is switched off at OpenAI.",
        "Switch it on at OpenAI, or create another."),
    Row("openai", "models", 500,
        openai("The server had an error.", "server_error", "server_error"), "server_down", "key",
        "OpenAI has a fault of its own at the moment.",
        "Try again later; the key may well be good."),
    Row("openai", "models", 503,
        openai("Slow down.", "server_is_overloaded", "service_unavailable_error"), "server_down", "key",
        "OpenAI is overloaded at the moment.",
        "Try again later."),
    Row("openai", "*", 403,
        b"<html><title>Attention Required! | Cloudflare</title>error code: 1020</html>", "network_blocked", "api",
        "A firewall, proxy or VPN answered instead of OpenAI; this says nothing about the key.",
        "Try another network, or turn the VPN off."),
    Row("openai", "*", 200, PAGE, "not_this_api", "api",
        "{base_url} answered with a web page (“Sign in to the network”), not as OpenAI’s API does; the key was not sent.",
        "Sign in to the network in a browser if it asks for that, else check the base URL."),
    Row("openai", "*", 200, {"hello": "world"}, "not_this_api", "api",
        "{base_url} answered, but not as OpenAI’s API does.",
        "Check the base URL; a sign-in page of the network can also answer like this."),
    # anthropic
    Row("anthropic", "models", 401, anthropic("authentication_error", "invalid x-api-key"), "invalid", "key",
        "Anthropic does not know this key.",
        "Check that it was copied whole, or create another at https://platform.claude.com/settings/keys."),
    Row("anthropic", "models", 401, anthropic("authentication_error", "API key has expired"), "revoked", "key",
        "This key has expired at Anthropic.",
        "Create another at https://platform.claude.com/settings/keys."),
    Row("anthropic", "models", 403,
        anthropic("permission_error", "Your API key does not have permission to use the specified resource."), "restricted", "key",
        "The key is real, but lacks a permission at Anthropic.",
        "Give it access to models at Anthropic, or add another key."),
    Row("anthropic", "models", 403,
        {"error": {"type": "forbidden", "message": "Request not allowed"}}, "region_blocked", "key",
        "Anthropic does not answer requests from this country or region.",
        "Use a provider that serves your region."),
    Row("anthropic", "models", 402,
        anthropic("billing_error", "There is a problem with your payment."), "no_credit", "key",
        "The key is good, but Anthropic reports a problem with the payment.",
        "Settle it at Anthropic."),
    Row("anthropic", "ask", 400,
        anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API."), "no_credit", "answer",
        "The key is good, but its account has no credit at Anthropic.",
        "Add credit at Anthropic."),
    Row("anthropic", "ask", 400,
        anthropic("invalid_request_error", "You have reached your specified workspace API usage limits."), "spend_limit", "answer",
        "The key is good, but the usage limit set for its workspace at Anthropic is reached.",
        "Raise the workspace’s limit at Anthropic, or wait until it resets."),
    Row("anthropic", "models", 429,
        anthropic("rate_limit_error", "This request would exceed your rate limit."), "rate_limited", "key",
        "The key is good, but Anthropic asks to slow down for now.",
        "Try again later."),
    Row("anthropic", "ask", 429,
        anthropic("rate_limit_error", "Monthly limit.", "enforced_spend_limit_reached"), "spend_limit", "answer",
        "The key is good, but a spending limit at Anthropic is reached.",
        "Raise the limit at Anthropic, or wait until it resets."),
    Row("anthropic", "models", 429,
        anthropic("rate_limit_error", "On hold.", "organization_on_hold"), "restricted", "key",
        "The key is real, but Anthropic has denied its project access.",
        "Write to the support of Anthropic, or use a key of another project."),
    Row("anthropic", "ask", 404, anthropic("not_found_error", "model: claude-haiku-4-5"), "restricted", "answer",
        "The key is good, but Anthropic does not offer it the model claude-haiku-4-5.",
        "Allow the model at Anthropic, or use another one."),
    Row("anthropic", "models", 529, anthropic("overloaded_error", "Overloaded"), "server_down", "key",
        "Anthropic is overloaded at the moment.",
        "Try again later."),
    # google-ai-studio
    Row("google-ai-studio", "models", 400,
        google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"), "invalid", "key",
        "Google AI Studio does not know this key.",
        "Check that it was copied whole, or create another at https://aistudio.google.com/apikey."),
    Row("google-ai-studio", "models", 400,
        google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", "API_KEY_INVALID"), "revoked", "key",
        "This key has expired at Google AI Studio.",
        "Create another at https://aistudio.google.com/apikey."),
    Row("google-ai-studio", "models", 401,
        google(401, "UNAUTHENTICATED", "Expected OAuth 2 access token.", "ACCESS_TOKEN_TYPE_UNSUPPORTED"), "wrong_type", "key",
        "Google AI Studio no longer takes keys of this kind.",
        "Create a new key at https://aistudio.google.com/apikey."),
    Row("google-ai-studio", "models", 403,
        google(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."), "revoked", "key",
        "Google AI Studio has blocked this key, because it was found in public.",
        "Delete it at Google AI Studio and create another at https://aistudio.google.com/apikey."),
    Row("google-ai-studio", "models", 403,
        google(403, "PERMISSION_DENIED", "Requests to this API are blocked.", "API_KEY_SERVICE_BLOCKED"), "restricted", "key",
        "The key is real, but limited to other APIs of Google AI Studio.",
        "Allow it the Generative Language API, or create a key at https://aistudio.google.com/apikey."),
    Row("google-ai-studio", "models", 403,
        google(403, "PERMISSION_DENIED", "The IP address is not allowed.", "API_KEY_IP_ADDRESS_BLOCKED"), "restricted", "key",
        "The key is real, but Google AI Studio takes it from other addresses only.",
        "Add this machine’s address to the key’s list at Google AI Studio."),
    Row("google-ai-studio", "models", 403,
        google(403, "PERMISSION_DENIED", "Requests from this referrer are blocked.", "API_KEY_HTTP_REFERRER_BLOCKED"), "restricted", "key",
        "The key is real, but limited to a website or an app at Google AI Studio.",
        "Create a key without application restrictions at https://aistudio.google.com/apikey."),
    Row("google-ai-studio", "models", 403,
        google(403, "PERMISSION_DENIED", "The API has not been used in this project.", "SERVICE_DISABLED"), "restricted", "key",
        "The key is real, but its project at Google AI Studio has this API switched off.",
        "Switch the API on for the project."),
    Row("google-ai-studio", "models", 403,
        google(403, "PERMISSION_DENIED", "Your project has been denied access."), "restricted", "key",
        "The key is real, but Google AI Studio has denied its project access.",
        "Write to the support of Google AI Studio, or use a key of another project."),
    Row("google-ai-studio", "models", 400,
        google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), "region_blocked", "key",
        "Google AI Studio does not answer requests from this country or region.",
        "Use a provider that serves your region."),
    Row("google-ai-studio", "ask", 429,
        google(429, "RESOURCE_EXHAUSTED", "Quota exceeded for free_tier_requests, limit: 0"), "no_credit", "answer",
        "The key is good, but the free tier of Google AI Studio does not include gemini-3.8-flash.",
        "Set up billing for the key’s project, or use another model."),
    Row("google-ai-studio", "ask", 429,
        google(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", quota={"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "GenerateRequestsPerDayPerProject-FreeTier"}]}), "rate_limited", "answer",
        "The key is good, but Google AI Studio has given it all it gives in a day.",
        "Try again tomorrow, or use another model."),
    Row("google-ai-studio", "models", 503,
        google(503, "UNAVAILABLE", "The model is overloaded."), "server_down", "key",
        "Google AI Studio is overloaded at the moment.",
        "Try again later."),
    # groq
    Row("groq", "models", 401, openai("Invalid API Key", "invalid_api_key"), "invalid", "key",
        "Groq does not know this key.",
        "Check that it was copied whole, or create another at https://console.groq.com/keys."),
    Row("groq", "models", 401, openai("API key expired", "expired_api_key"), "revoked", "key",
        "This key has expired at Groq.",
        "Create another at https://console.groq.com/keys."),
    Row("groq", "models", 403, openai("Forbidden"), "network_blocked", "key",
        "A firewall, proxy or VPN answered instead of Groq; this says nothing about the key.",
        "Try another network, or turn the VPN off."),
    Row("groq", "*", 403, PAGE, "network_blocked", "api",
        "A firewall, proxy or VPN answered instead of Groq; this says nothing about the key.",
        "Try another network, or turn the VPN off."),
    Row("groq", "ask", 403,
        openai("The model is blocked at the project level.", "model_permission_blocked_project"), "restricted", "answer",
        "The key is good, but Groq does not offer it the model gpt-6-luna.",
        "Allow the model at Groq, or use another one."),
    Row("groq", "ask", 400, openai("API access is blocked.", "blocked_api_access"), "no_credit", "answer",
        "The key is good, but Groq reports a problem with the payment.",
        "Settle it at Groq."),
    Row("groq", "models", 429,
        openai("Rate limit reached. Please try again in 5.289s.", "rate_limit_exceeded", "tokens"), "rate_limited", "key",
        "The key is good, but Groq asks to slow down for now.",
        "Try again in 5 s."),
    # cerebras
    Row("cerebras", "models", 401,
        {"message": "Wrong API Key", "type": "invalid_request_error", "param": "api_key", "code": "wrong_api_key"}, "invalid", "key",
        "Cerebras does not know this key.",
        "Check that it was copied whole, or create another at https://cloud.cerebras.ai."),
    Row("cerebras", "models", 402,
        {"message": "Payment required", "type": "payment_error", "param": None, "code": None}, "no_credit", "key",
        "The key is good, but Cerebras reports a problem with the payment.",
        "Settle it at Cerebras."),
    Row("cerebras", "models", 429,
        {"message": "Too many requests", "type": "too_many_requests_error", "param": "quota", "code": "request_quota_exceeded"}, "rate_limited", "key",
        "The key is good, but Cerebras asks to slow down for now.",
        "Try again later."),
    Row("cerebras", "models", 403, PAGE, "network_blocked", "key",
        "A firewall, proxy or VPN answered instead of Cerebras; this says nothing about the key.",
        "Try another network, or turn the VPN off."),
    # together
    Row("together", "models", 401,
        openai("Invalid API key provided. You can find your API key at https://api.together.xyz/settings/api-keys.", "invalid_api_key"), "invalid", "key",
        "Together AI does not know this key.",
        "Check that it was copied whole, or create another at https://api.together.ai/settings/api-keys."),
    Row("together", "models", 402, openai("Credit limit reached."), "no_credit", "key",
        "The key is good, but its account has no credit at Together AI.",
        "Add credit at Together AI."),
    Row("together", "ask", 400,
        openai("Unable to access non-serverless model.", "model_not_available"), "restricted", "answer",
        "The key is good, but Together AI does not offer it the model openai/gpt-oss-120b.",
        "Allow the model at Together AI, or use another one."),
    Row("together", "models", 520,
        b"<html><title>520: Web server is returning an unknown error</title></html>", "server_down", "key",
        "Together AI has a fault of its own at the moment.",
        "Try again later; the key may well be good."),
    # openrouter
    Row("openrouter", "/key", 401, openrouter(401, "User not found."), "invalid", "key",
        "OpenRouter does not know this key.",
        "Check that it was copied whole, or create another at https://openrouter.ai/settings/keys."),
    Row("openrouter", "/key", 200,
        {"data": {"label": "work", "limit": 10, "limit_remaining": 0, "is_free_tier": False}}, "spend_limit", "key",
        "The key is good, but the spending limit set for it at OpenRouter is used up.",
        "Raise the key’s limit at https://openrouter.ai/settings/keys."),
    Row("openrouter", "/key", 200, {"data": {"label": "admin", "is_provisioning_key": True}}, "wrong_type", "key",
        "This is an admin key of OpenRouter: it manages the account and cannot ask models.",
        "Create an ordinary API key at https://openrouter.ai/settings/keys."),
    Row("openrouter", "/key", 200, {"data": {"label": "old", "expires_at": "2026-01-01T00:00:00Z"}}, "revoked", "key",
        "This key has expired at OpenRouter.",
        "Create another at https://openrouter.ai/settings/keys."),
    Row("openrouter", "/key", 200,
        {"data": {"label": "work", "limit": None, "limit_remaining": None}}, "ready", "models",
        "OpenRouter accepts the key.",
        ""),
    Row("openrouter", "ask", 402, openrouter(402, "Insufficient credits."), "no_credit", "answer",
        "The key is good, but its account has no credit at OpenRouter.",
        "Add credit at OpenRouter."),
    Row("openrouter", "ask", 403,
        {"error": {"code": 403, "message": "Flagged", "metadata": {"reasons": ["violence"], "flagged_input": "OK"}}}, "ready", "answer",
        "OpenRouter accepts the key.",
        ""),
    # mistral
    Row("mistral", "models", 401, {"detail": "Invalid API Key"}, "invalid", "key",
        "Mistral does not know this key.",
        "Check that it was copied whole, or create another at https://console.mistral.ai/api-keys."),
    Row("mistral", "models", 401, {"message": "Unauthorized", "request_id": "r2"}, "invalid", "key",
        "Mistral does not know this key.",
        "Check that it was copied whole, or create another at https://console.mistral.ai/api-keys."),
    Row("mistral", "models", 429, {"message": "Requests rate limit exceeded"}, "rate_limited", "key",
        "The key is good, but Mistral asks to slow down for now.",
        "Try again later."),
    # deepseek
    Row("deepseek", "/user/balance", 401,
        openai("Authentication Fails, Your api key: ****abcd is invalid", "invalid_request_error", "authentication_error"), "invalid", "key",
        "DeepSeek does not know this key.",
        "Check that it was copied whole, or create another at https://platform.deepseek.com/api_keys."),
    Row("deepseek", "/user/balance", 200,
        {"is_available": False, "balance_infos": [{"currency": "USD", "total_balance": "0.00"}]}, "no_credit", "key",
        "The key is good, but its account has no credit at DeepSeek.",
        "Add credit at DeepSeek."),
    Row("deepseek", "ask", 402,
        openai("Insufficient Balance", "invalid_request_error", "unknown_error"), "no_credit", "answer",
        "The key is good, but its account has no credit at DeepSeek.",
        "Add credit at DeepSeek."),
    # grok
    Row("grok", "/api-key", 400,
        grok("Client specified an invalid argument", "Incorrect API key provided: xa***en. You can obtain an API key from https://console.x.ai."), "invalid", "key",
        "xAI (Grok) does not know this key.",
        "Check that it was copied whole, or create another at https://console.x.ai."),
    Row("grok", "/api-key", 401, grok("Unauthenticated", "The API key was revoked."), "revoked", "key",
        "xAI (Grok) has revoked or blocked this key.",
        "Create another at https://console.x.ai."),
    Row("grok", "/api-key", 200, {"api_key_blocked": True, "acls": ["api-key:model:*"]}, "revoked", "key",
        "This key is switched off at xAI (Grok).",
        "Switch it on at xAI (Grok), or create another."),
    Row("grok", "/api-key", 200, {"api_key_disabled": True, "acls": ["api-key:model:*"]}, "revoked", "key",
        "This key is switched off at xAI (Grok).",
        "Switch it on at xAI (Grok), or create another."),
    Row("grok", "/api-key", 200, {"team_blocked": True, "acls": ["api-key:model:*"]}, "revoked", "key",
        "xAI (Grok) has blocked the team this key belongs to.",
        "Ask the team’s owner, or xAI (Grok)."),
    Row("grok", "/api-key", 200, {"acls": ["api-key:endpoint:files"]}, "restricted", "key",
        "The key is real, but was made without the permission to ask models at xAI (Grok).",
        "Give it that permission at https://console.x.ai."),
    Row("grok", "ask", 403,
        grok("The caller does not have permission", "Your newly created teams doesn't have any credits yet."), "no_credit", "answer",
        "The key is good, but its account has no credit at xAI (Grok).",
        "Add credit at xAI (Grok)."),
    # ollama
    Row("ollama", "*", 404, {"error": "not found"}, "wrong_base_url", "api",
        "{base_url} is up, but Ollama’s API is not at this path.",
        "Check the path in the base URL."),
    Row("ollama", "*", 200, NONE, "ready", "models",
        "Ollama answers, but has no model yet.",
        "Get one: ollama pull NAME."),
    # lm-studio
    Row("lm-studio", "*", 200, NONE, "ready", "models",
        "LM Studio answers, but lists no model that chats.",
        "Load a model in LM Studio."),
    # llama-cpp
    Row("llama-cpp", "*", 503,
        {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, "server_down", "api",
        "llama.cpp is still loading its model.",
        "Try again in a moment."),
    Row("llama-cpp", "*", 401,
        {"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}}, "invalid", "models",
        "llama.cpp asks for a key, and there is none for it.",
        "Add a key for llama.cpp."),
]
# fmt: on


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row.provider}-{row.status}-{row.verdict}-{row.stage}"
)
async def test_each_thing_a_provider_says_has_its_verdict_its_sentence_and_its_fix(
    http: Http, row: Row
) -> None:
    end = ASKED.get(row.provider, "/chat/completions") if row.at == "ask" else row.at
    html = isinstance(row.body, bytes)
    headers = {"content-type": "text/html"} if html else {"content-type": "application/json"}
    reply = Reply(row.status, headers, row.body) if html else json_reply(row.body, row.status)
    reply.headers |= row.headers
    server = Scripted(row.provider, to_all=reply) if row.at == "*" else Scripted(row.provider, {end: reply})
    async with server:
        keyless = {"secret": None} if row.provider in KEYLESS else {}
        result, provider = await checked(http, server, answer=row.at == "ask", **keyless)
    says, fix = verdict_words(result, provider)
    known = {"base_url": server.base_url, "host": server.origin.partition("//")[2]}
    assert (result.verdict, result.stage) == (row.verdict, row.stage), result.error
    assert says == row.says.format(**known)
    assert fix == row.fix.format(**known)
    assert server.key not in repr(result)


def test_the_table_has_every_provider_and_a_fix_for_all_but_what_is_ready() -> None:
    real = {id for id, block in documents()[0]["providers"].items() if not block.get("simulated")}
    assert {row.provider for row in ROWS} == real
    assert len(ROWS) >= 60
    assert all(row.fix for row in ROWS if row.verdict != "ready")
