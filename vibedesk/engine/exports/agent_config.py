"""The seed's AGENT_CONFIG block, in both directions: the model configs of the system that routes are made for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vibedesk.engine import route_table
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.exports.literal import Missing, Source, Unknown
from vibedesk.engine.exports.own import route_of
from vibedesk.engine.exports.parcel import Export, Import, one_line, unsaid
from vibedesk.engine.types import Gateway, Route

_FIELDS = {
    "name": "name",
    "providerOverride": "provider_override",
    "reasoning_effort": "reasoning_effort",
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "fallbackModel": "fallback_model",
}
"""The seed's word → ours."""
_CARRIED = ("reasoning_effort", "max_tokens", "temperature")
_BLOCK = re.compile(r"\bAGENT_CONFIG\b\s*(?::[^={;]*)?=\s*\{")
_TABLES = ("AGENT_CONFIG", "DEFAULT_AGENT_CONFIG", "PLATFORM_AGENT_CONFIG")
"""Where the configs stand, in the seed's document and in the system itself."""
DISABLED = "disabled"
_KNOWN = {
    "DISABLED": DISABLED,
    "GEMINI_2_5_PRO": "google-ai-studio/gemini-2.5-pro",
    "GEMINI_2_5_FLASH": "google-ai-studio/gemini-2.5-flash",
    "GEMINI_2_5_FLASH_LITE": "google-ai-studio/gemini-2.5-flash-lite",
    "GEMINI_2_5_FLASH_LATEST": "google-ai-studio/gemini-2.5-flash-latest",
    "GEMINI_2_5_FLASH_LITE_LATEST": "google-ai-studio/gemini-2.5-flash-lite-latest",
    "GEMINI_2_5_PRO_LATEST": "google-ai-studio/gemini-2.5-pro-latest",
    "GEMINI_3_PRO_PREVIEW": "google-ai-studio/gemini-3-pro-preview",
    "GEMINI_3_FLASH_PREVIEW": "google-ai-studio/gemini-3-flash-preview",
    "CLAUDE_3_7_SONNET_20250219": "anthropic/claude-3-7-sonnet-20250219",
    "CLAUDE_4_SONNET": "anthropic/claude-sonnet-4-20250514",
    "CLAUDE_4_5_SONNET": "anthropic/claude-sonnet-4-5",
    "CLAUDE_4_5_OPUS": "anthropic/claude-opus-4-5",
    "CLAUDE_4_5_HAIKU": "anthropic/claude-haiku-4-5",
    "OPENAI_5": "openai/gpt-5",
    "OPENAI_5_1": "openai/gpt-5.1",
    "OPENAI_5_2": "openai/gpt-5.2",
    "OPENAI_5_MINI": "openai/gpt-5-mini",
    "GROK_CODE_FAST_1": "grok/grok-code-fast-1",
    "GROK_4_FAST": "grok/grok-4-fast",
    "GROK_4_1_FAST": "grok/grok-4-1-fast-reasoning",
    "GROK_4_1_FAST_NON_REASONING": "grok/grok-4-1-fast-non-reasoning",
    "VERTEX_GPT_OSS_120": "google-vertex-ai/openai/gpt-oss-120b-maas",
    "VERTEX_KIMI_THINKING": "google-vertex-ai/moonshotai/kimi-k2-thinking-maas",
    "QWEN_3_CODER_480B": "google-vertex-ai/qwen/qwen3-coder-480b-a35b-instruct-maas",
    "TOGETHER_DEEPSEEK_V3": "together/deepseek-ai/DeepSeek-V3",
}
"""The models that system knows by a constant: its config file names them without saying what they are."""


def write(routes: Sequence[Route], catalog: Catalog, gateway: Gateway | None = None) -> Export:
    """It knows one fallback a config: what is lost stands as a comment where it was."""
    blocks = "".join(f"  {_property(route.name)}: {{\n{_fields(route)}  }},\n" for route in routes)
    text = f"export const AGENT_CONFIG: AgentConfig = {{\n{blocks}}}\n"
    lost = tuple(f"{route.name}: {line}." for route in routes for line in _lost(route))
    return Export(format="agent-config", file="config.ts", text=text, lost=lost)


def _lost(route: Route) -> list[str]:
    further = route.fallback_models[1:]
    said = [f"further fallbacks, not known here: {', '.join(further)}"] if further else []
    return said + [f"{words}, not known here" for words in unsaid(route, *_CARRIED)]


def _fields(route: Route) -> str:
    values = route_table.written(route)
    if route.fallback_models:
        values["fallback_model"] = route.fallback_models[0]
    comments = "".join(f"    // {one_line(line)}\n" for line in _lost(route))
    lines = (
        f"    {seed}: {json.dumps(values[ours], ensure_ascii=False)},\n"
        for seed, ours in _FIELDS.items()
        if ours in values
    )
    return comments + "".join(lines)


def _property(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_$][\w$]*", name) else json.dumps(name, ensure_ascii=False)


# In


def read(text: str) -> Import:
    """The configs of an AGENT_CONFIG literal. Raises `Misconfigured` where there is none that can be read."""
    source = Source(text, {f"AIModels.{name}": model for name, model in _KNOWN.items()} | _masters(text))
    routes: list[Route] = []
    lost: list[str] = []
    for name, config in _configs(text, source).items():
        if not isinstance(config, dict):
            lost.append(f"{name} is left out: it is not written as plain values.")
            continue
        route, missing = _route(name, config)
        routes += [route] if route else []
        lost += missing
    return Import(routes=tuple(routes), lost=tuple(lost))


def _configs(text: str, source: Source) -> dict[str, Any]:
    if block := _BLOCK.search(text):
        return source.object_at(block.end() - 1)
    for name in _TABLES:
        try:
            return source.constant(name)
        except Missing:
            continue
    raise Misconfigured("There is no AGENT_CONFIG = { … } in this.")


def _masters(text: str) -> dict[str, str]:
    """`MODELS_MASTER = { NAME: { id: 'provider/model' } }` beside the config, as `AIModels.NAME`."""
    try:
        models = Source(text).constant("MODELS_MASTER")
    except Misconfigured:
        return {}
    ids = {name: model.get("id") for name, model in models.items() if isinstance(model, dict)}
    return {f"AIModels.{name}": id for name, id in ids.items() if isinstance(id, str)}


def _route(name: str, config: Mapping[str, Any]) -> tuple[Route | None, list[str]]:
    table: dict[str, Any] = {}
    lost: list[str] = []
    for seed, value in config.items():
        ours = _FIELDS.get(seed)
        if ours is None:
            lost.append(f"{name}: {seed} is no field of a route.")
        elif isinstance(value, Unknown):
            lost.append(f"{name}: {seed} is “{value.words}”, which this file does not say.")
        elif value is not None:
            table[ours] = value
    if table.get("fallback_model") == DISABLED:
        del table["fallback_model"]
    if table.get("name") == DISABLED:
        return None, [*lost, f"{name} is switched off there, and left out."]
    if wrong := route_table.refusals(table):
        return None, [*lost, f"{name} is left out: {wrong[0]}."]
    return route_of(name, table), lost
