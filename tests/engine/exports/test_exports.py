"""Routes as other tools take them: letter for letter, complete or with what is lost, and never a key."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.engine.test_rungs import GATEWAY
from tests.store.test_routes import ROUTES
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.exports import FORMATS, export, read
from vibedesk.engine.types import CachePolicy, GatewayPolicy, Parameters, Route, Timeouts
from vibedesk.log import redact
from vibedesk.store.paths import resources

GOLDEN = Path(__file__).parent / "golden"
DAY = date(2026, 11, 22)


def catalog() -> Catalog:
    folder = resources() / "catalog"
    own = {
        "lab": {
            "name": "Lab server",
            "dialect": "openai-chat",
            "base_url": "http://127.0.0.1:8000/v1",
            "env": ["LAB_API_KEY"],
        }
    }
    bundled = tomllib.loads((folder / "providers.toml").read_text(encoding="utf-8"))
    models = tomllib.loads((folder / "models.toml").read_text(encoding="utf-8"))
    return Catalog.read({"providers": bundled["providers"] | own}, models, today=DAY)


CATALOG = catalog()
PLAIN = Route(
    name="conversationalResponse",
    model="together/deepseek-ai/DeepSeek-V4.1-Flash",
    provider_override="together",
    parameters=Parameters(max_tokens=4000, temperature=0.0, reasoning_effort="low"),
    fallback_models=("groq/openai/gpt-oss-120b", "openai/gpt-6-luna"),
)
FULL = Route(
    name="code “review”",
    model="anthropic/claude-haiku-4-5",
    parameters=Parameters(max_tokens=8000),
    fallback_models=("lab/any-model", "nobody/x", "demo/quick"),
    system="Answer briefly.",
    timeouts=Timeouts(first_token_s=20.0, total_s=120.0, idle_s=15.5),
    fallback_on_policy=True,
    on_cut="continue",
    cache=CachePolicy(on=True, ttl_s=3600, replay="as_recorded"),
    gateway=GatewayPolicy(cache_ttl_s=600),
)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_as_it_was_looked_at(format: str) -> None:
    done = export(format, [PLAIN, FULL], CATALOG, GATEWAY)
    told = done.text + "".join(f"LOST {line}\n" for line in done.lost)
    assert told == (GOLDEN / f"{format}.txt").read_text(encoding="utf-8")


def test_no_route_is_still_a_file_that_can_be_read() -> None:
    for format in FORMATS:
        export(format, [], CATALOG)
    assert json.loads(export("portkey", [], CATALOG).text) == {}
    assert json.loads(export("cloudflare", [], CATALOG).text) == []


@given(some.lists(ROUTES, max_size=3, unique_by=lambda route: route.name))
@settings(max_examples=40, deadline=None)
def test_our_own_file_carries_everything(routes: list[Route]) -> None:
    done = export("toml", routes, CATALOG)
    assert done.lost == ()
    if routes:
        assert read(done.text, CATALOG).routes == tuple(routes)


def test_words_of_a_prompt_do_not_make_another_file_of_it() -> None:
    route = Route(
        name="AGENT_CONFIG", model="demo/quick", system="Write\nconst AGENT_CONFIG = {}\nOPENAI_API_KEY=x"
    )
    assert read(export("toml", [route], CATALOG).text, CATALOG).routes == (route,)


def test_names_that_are_one_at_the_gateway_are_numbered() -> None:
    routes = [
        Route(name=name, model="groq/openai/gpt-oss-120b")
        for name in ("编码", "翻译", "My Route", "my-route")
    ]
    named = [body["name"] for body in json.loads(export("cloudflare", routes, CATALOG).text)]
    assert named == ["vibedesk-route", "vibedesk-route-2", "vibedesk-my-route", "vibedesk-my-route-2"]


@given(some.lists(ROUTES, min_size=1, max_size=3, unique_by=lambda route: route.name))
@settings(max_examples=40, deadline=None)
def test_an_agent_config_comes_back_with_what_it_knows(routes: list[Route]) -> None:
    found = read(export("agent-config", routes, CATALOG).text, CATALOG)
    assert found.lost == ()
    assert found.routes == tuple(
        Route(
            name=route.name,
            model=route.model,
            provider_override=route.provider_override,
            parameters=route.parameters,
            fallback_models=route.fallback_models[:1],
        )
        for route in routes
    )


KEYS = some.builds(
    "{}{}".format,
    some.sampled_from(["sk-", "sk-ant-api03-", "gsk_", "csk-", "AIza", "tgp_v1_", "xai-", "cfut_", ""]),
    some.text("abcdefXYZ0123456789_-", min_size=24, max_size=90),
)


@given(key=KEYS, routes=some.lists(ROUTES, min_size=1, max_size=2), data=some.data())
@settings(max_examples=150, deadline=None)
def test_no_export_of_any_route_with_any_key_has_a_keys_characters(
    key: str, routes: list[Route], data: some.DataObject
) -> None:
    """Wherever a person pasted it: into the prompt, a name, a model, the gateway's cache key."""
    place = data.draw(some.sampled_from(["", "system", "name", "model", "fallback", "cache_key"]))
    first, *others = routes
    facts: dict[str, Any] = {
        "name": first.name,
        "model": first.model,
        "fallback_models": first.fallback_models,
        "system": first.system,
    }
    match place:
        case "system" | "name":
            facts[place] = f"{facts[place]} {key} and so on"
        case "model":
            facts["model"] = f"openai/{key}"
        case "fallback":
            facts["fallback_models"] = (f"openai/{key}",)
    gateway = GatewayPolicy(cache_key=key) if place == "cache_key" else first.gateway
    route = Route(**facts, parameters=first.parameters, gateway=gateway, cache=first.cache)
    for format in FORMATS:
        done = export(format, [route, *others], CATALOG, GATEWAY, redact=partial(redact, live=[key]))
        told = done.text + " ".join(done.lost)
        assert key not in told
        assert key[-12:] not in told


# In


SYSTEM = """\
import { AgentConfig, AIModels } from "./config.types";
const COMMON = { screenshotAnalysis: { name: AIModels.DISABLED, max_tokens: 8_000, temperature: 1 } } as const;
const SHARED = {
    reasoning_effort: 'low' as const, max_tokens: 48000, temperature: 1,
    fallbackModel: AIModels.GEMINI_2_5_PRO,
};
const DEFAULT_AGENT_CONFIG: AgentConfig = {
    ...COMMON,
    templateSelection: { name: AIModels.GEMINI_2_5_FLASH_LITE, max_tokens: 2000,
        fallbackModel: AIModels.GEMINI_2_5_FLASH, temperature: 0.6 },
    /* the same twice */
    phaseGeneration: { name: AIModels.GEMINI_3_FLASH_PREVIEW, ...SHARED },
    deepDebugger: { name: pick(AIModels.OPENAI_5, { a: 1 }), max_tokens: 8000 },
    fileRegeneration: { name: `openai/gpt-5`, temperature: level, frequency_penalty: 0.1, max_tokens: 1e3 },
};
export const AGENT_CONFIG: AgentConfig = env.PLATFORM_MODEL_PROVIDERS ? PLATFORM_AGENT_CONFIG : DEFAULT_AGENT_CONFIG;
"""  # fmt: skip


def test_the_systems_own_file_is_read_without_its_constants() -> None:
    found = read(SYSTEM, CATALOG)
    assert {route.name: route for route in found.routes} == {
        "templateSelection": Route(
            name="templateSelection",
            model="google-ai-studio/gemini-2.5-flash-lite",
            parameters=Parameters(max_tokens=2000, temperature=0.6),
            fallback_models=("google-ai-studio/gemini-2.5-flash",),
        ),
        "phaseGeneration": Route(
            name="phaseGeneration",
            model="google-ai-studio/gemini-3-flash-preview",
            parameters=Parameters(max_tokens=48000, temperature=1.0, reasoning_effort="low"),
            fallback_models=("google-ai-studio/gemini-2.5-pro",),
        ),
    }
    assert "screenshotAnalysis is switched off there, and left out." in found.lost
    assert any(line.startswith("deepDebugger: name is “pick") for line in found.lost)
    assert "fileRegeneration: frequency_penalty is no field of a route." in found.lost
    assert "fileRegeneration is left out: max_tokens is a whole number, 1 or more." in found.lost


@given(some.text(alphabet="{}[]():,.\"'`/*\\ aNAME_0=.$\n", max_size=120))
@settings(max_examples=300, deadline=None)
def test_whatever_stands_there_is_read_or_refused_in_a_sentence(text: str) -> None:
    refused = "."
    try:
        read("AGENT_CONFIG = {" + text, CATALOG)
    except Misconfigured as exc:
        refused = exc.detail
    assert refused.endswith((".", "”"))


def test_a_dev_vars_gives_names_and_no_values() -> None:
    text = '# mine\nexport OPENAI_API_KEY="sk-proj-secret"\nTOGETHER_API_KEY=abc\nCLOUDFLARE_AI_GATEWAY=gw\nPATH_X=1\n'
    found = read(text, CATALOG)
    assert found.routes == ()
    assert found.names == (
        ("OPENAI_API_KEY", "openai"),
        ("TOGETHER_API_KEY", "together"),
        ("CLOUDFLARE_AI_GATEWAY", "cloudflare-ai-gateway"),
    )
    assert found.lost == ("PATH_X: no provider’s key.",)
    assert "secret" not in repr(found)
