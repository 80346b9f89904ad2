"""Portkey configs (routing.md §7.2), one a route. Keys are placeholders: put them in, or use virtual keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.exports.parcel import Export, Place, places, sentence, unsaid, variable_of
from vibedesk.engine.types import Gateway, Route

_NAMES = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google-ai-studio": "google",
    "cerebras": "cerebras",
    "groq": "groq",
    "together": "together-ai",
    "openrouter": "openrouter",
    "mistral": "mistral-ai",
    "deepseek": "deepseek",
    "grok": "x-ai",
}
_DIALECTS = {
    "openai-chat": "openai",
    "openai-responses": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
}
_STATUSES = [408, 429, 500, 502, 503, 504, 529]
_RETRIED = [429, 500, 502, 503, 504, 529]
_CARRIED = ("reasoning_effort", "max_tokens", "temperature", "first_token_s", "cache")
_CUTS = "An answer that breaks off looks whole behind Portkey: its end is not checked there."
_KEYS = "Every $NAME stands for a key: Portkey takes the value itself, or a virtual_key."


def write(routes: Sequence[Route], catalog: Catalog, gateway: Gateway | None = None) -> Export:
    configs: dict[str, Any] = {}
    lost: list[str] = []
    for route in routes:
        there, missing = places(route, catalog)
        if there:
            configs[route.name] = _config(route, there)
        lost += [*missing, *sentence(route, unsaid(route, *_CARRIED))]
    lost += [_KEYS, _CUTS] if configs else []
    text = json.dumps(configs, indent=2, ensure_ascii=False) + "\n"
    return Export(format="portkey", file="portkey.json", text=text, lost=tuple(lost))


def _config(route: Route, there: Sequence[Place]) -> dict[str, Any]:
    first_token_s = route.timeouts.first_token_s
    config: dict[str, Any] = {
        "strategy": {"mode": "fallback", "on_status_codes": _STATUSES},
        "retry": {"attempts": 2, "on_status_codes": _RETRIED, "use_retry_after_header": True},
        "targets": [_target(place, route) for place in there],
    }
    if first_token_s is not None:
        config["request_timeout"] = max(1, round(first_token_s * 1000))
    if route.cache.on:
        config["cache"] = {"mode": "simple", "max_age": route.cache.ttl_s}
    return config


def _target(place: Place, route: Route) -> dict[str, Any]:
    provider, model = place.provider, place.model
    own = provider.bundled and provider.id in _NAMES
    parameters = {
        "model": model.id,
        "max_tokens": route.parameters.max_tokens,
        "temperature": route.parameters.temperature,
        "reasoning_effort": route.parameters.reasoning_effort,
    }
    target: dict[str, Any] = {
        "provider": _NAMES[provider.id] if own else _DIALECTS[model.traits.dialect or provider.dialect]
    }
    if not own:
        target["custom_host"] = provider.base_url
    if not provider.keyless:
        target["api_key"] = f"${variable_of(provider)}"
    target["override_params"] = {name: value for name, value in parameters.items() if value is not None}
    return target
