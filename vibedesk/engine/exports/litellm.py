"""A LiteLLM proxy's config.yaml (routing.md §7.1); `tests/benchmarks/litellm_boots.py` boots one by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.exports.parcel import (
    Export,
    Place,
    one_line,
    places,
    sentence,
    unsaid,
    variable_of,
)
from vibedesk.engine.types import Gateway, Route

_PREFIXES = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google-ai-studio": "gemini",
    "cerebras": "cerebras",
    "groq": "groq",
    "together": "together_ai",
    "openrouter": "openrouter",
    "mistral": "mistral",
    "deepseek": "deepseek",
    "grok": "xai",
}
"""Provider → LiteLLM's own name for it; others are asked by their dialect, at their address."""
_DIALECTS = {
    "openai-chat": "openai",
    "openai-responses": "openai/responses",
    "anthropic": "anthropic",
    "gemini": "gemini",
}
_CARRIED = ("reasoning_effort", "max_tokens", "temperature", "first_token_s", "total_s", "fallback_on_policy")
_SETTINGS = """\
router_settings:
  num_retries: 2
  retry_after: 0
  allowed_fails: 3
  cooldown_time: 30
  enable_pre_call_checks: true
  fallbacks: {fallbacks}
litellm_settings:
  drop_params: true
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""


def write(routes: Sequence[Route], catalog: Catalog, gateway: Gateway | None = None) -> Export:
    entries: list[str] = []
    fallbacks: list[dict[str, list[str]]] = []
    lost: list[str] = []
    for route in routes:
        there, missing = places(route, catalog)
        names = [route.name, *(f"{route.name}/fallback-{n}" for n in range(1, len(there)))]
        entries += [_entry(name, place, route) for name, place in zip(names, there, strict=False)]
        fallbacks += [{names[0]: names[1:]}] if len(there) > 1 else []
        lost += [*missing, *_lost(route, gateway)]
    comments = "".join(f"# Not carried over: {one_line(line)}\n" for line in lost)
    said = "\n" + "".join(entries) if entries else " []\n"
    settings = _SETTINGS.format(fallbacks=f"[{', '.join(map(_flow, fallbacks))}]")
    text = f"{comments}model_list:{said}{settings}"
    return Export(format="litellm", file="config.yaml", text=text, lost=tuple(lost))


def _entry(name: str, place: Place, route: Route) -> str:
    lines = "".join(f"      {key}: {_yaml(value)}\n" for key, value in _parameters(place, route).items())
    return f"  - model_name: {_yaml(name)}\n    litellm_params:\n{lines}"


def _parameters(place: Place, route: Route) -> dict[str, Any]:
    provider, model = place.provider, place.model
    dialect = model.traits.dialect or provider.dialect
    own = provider.bundled and provider.id in _PREFIXES
    prefix = _PREFIXES[provider.id] if own else _DIALECTS[dialect]
    parameters, timeouts = route.parameters, route.timeouts
    found = {
        "model": f"{prefix}/{model.id}",
        "api_base": None if own else provider.base_url,
        "api_key": "none" if provider.keyless else f"os.environ/{variable_of(provider)}",
        "max_tokens": parameters.max_tokens,
        "temperature": parameters.temperature,
        "reasoning_effort": parameters.reasoning_effort,
        "timeout": timeouts.total_s,
        "stream_timeout": timeouts.first_token_s,
    }
    return {key: value for key, value in found.items() if value is not None}


def _lost(route: Route, gateway: Gateway | None) -> list[str]:
    lost = sentence(route, unsaid(route, *_CARRIED))
    if gateway is not None and route.provider_override is None:
        lost.append(f"{route.name}: the way through the AI gateway; LiteLLM asks the providers directly.")
    if not route.fallback_on_policy and route.fallback_models:
        lost.append(f"{route.name}: stopping at a refusal by policy; LiteLLM asks the fallback then too.")
    return lost


def _flow(mapping: dict[str, list[str]]) -> str:
    [(name, names)] = mapping.items()
    return f"{{{_yaml(name)}: [{', '.join(map(_yaml, names))}]}}"


def _yaml(value: str | float) -> str:
    """A scalar. Double-quoted like JSON, with the escapes that YAML has where JSON's make two halves of a character."""
    if not isinstance(value, str):
        return json.dumps(value)
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
