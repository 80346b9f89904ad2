"""The catalog: every provider whole, every model there, its state by the day, its traits by rule."""

from __future__ import annotations

import re
import time
import tomllib
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.catalog import Catalog, origin_of
from vibedesk.engine.errors import Misconfigured, UnknownProvider
from vibedesk.engine.types import Model, Price, Traits

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "catalog"
TODAY = date(2026, 11, 22)

LISTED = {
    "openai": """
        gpt-6.1-sol gpt-6.1-terra gpt-6-astra gpt-6-sol gpt-6-luna gpt-5.6 gpt-5.6-sol gpt-5.6-terra
        gpt-5.6-luna gpt-5.5 gpt-5.5-pro gpt-5.4 gpt-5.4-mini gpt-5.4-nano gpt-5.4-pro gpt-5.3-codex
        gpt-5.2 gpt-5.2-pro gpt-5.1 gpt-5 gpt-5-mini gpt-5-nano gpt-5-pro gpt-5-search-api chat-latest
        o3 o3-pro gpt-4.1 gpt-4.1-mini gpt-4o gpt-4o-mini gpt-4 gpt-4-turbo gpt-4-32k gpt-3.5-turbo
        gpt-4o-2024-05-13 gpt-4.1-nano gpt-4.5-preview o1 o1-mini o1-preview o1-pro o3-mini o4-mini
        o3-deep-research o4-mini-deep-research gpt-5-chat-latest gpt-5-codex gpt-5.1-codex
        gpt-5.1-codex-max gpt-5.1-codex-mini gpt-5.1-chat-latest gpt-5.2-codex gpt-5.2-chat-latest
        gpt-5.3-chat-latest chatgpt-4o-latest gpt-4o-search-preview
    """,
    "anthropic": """
        claude-fable-5-2 claude-mythos-5-2 claude-fable-5-1 claude-mythos-5-1 claude-fable-5
        claude-mythos-5 claude-opus-5-5 claude-opus-5 claude-opus-4-8 claude-opus-4-7 claude-opus-4-6
        claude-opus-4-5 claude-sonnet-5-5 claude-sonnet-5 claude-sonnet-4-6 claude-sonnet-4-5
        claude-haiku-5-5 claude-haiku-4-5
    """,
    "google-ai-studio": """
        gemini-4-argon gemini-3.8-flash gemini-3.7-flash gemini-3.6-flash gemini-3.5-flash
        gemini-3.5-flash-lite gemini-3.1-pro-preview gemini-3.1-flash-lite gemini-3-flash-preview
        gemini-2.5-pro gemini-2.5-flash gemini-2.5-flash-lite gemini-pro-latest gemini-flash-latest
        gemini-flash-lite-latest gemini-omni-1.1-flash gemma-4-31b-it gemma-4-26b-a4b-it
    """,
    "groq": """
        openai/gpt-oss-120b openai/gpt-oss-20b openai/gpt-oss-safeguard-20b qwen/qwen3.8-27b
        meta-llama/llama-prompt-guard-2-22m meta-llama/llama-prompt-guard-2-86m llama-3.3-70b-versatile
        llama-3.1-8b-instant
    """,
    "cerebras": """
        gpt-oss-120b qwen-3.8-27b gemma-4-31b zai-glm-4.7 llama-3.3-70b llama3.1-8b qwen-3-32b
    """,
    "together": """
        deepseek-ai/DeepSeek-V4.1-Flash deepseek-ai/DeepSeek-V4.1-Flash-1017
        deepseek-ai/DeepSeek-V4-Pro-0813 openai/gpt-oss-120b moonshotai/Kimi-K3 moonshotai/Kimi-K3.1-Pro
        zai-org/GLM-5.3 zai-org/GLM-5.3-Flash zai-org/GLM-5.2 Qwen/Qwen3.8-2.4T-A95B Qwen/Qwen3.8-Flash
        Qwen/Qwen3.7-Max Qwen/Qwen3.7-Plus Qwen/Qwen3.6-Plus Qwen/Qwen3.5-9B MiniMaxAI/MiniMax-M3
        MiniMaxAI/MiniMax-M3.1-Flash nvidia/NVIDIA-Nemotron-3.5-Super-VL thinkingmachines/Inkling
        meta-models/Muse-Spark-Open-816B-A42B meta-models/Muse-Glimmer-30B reflection/Beam-1.0-501B-A23B
        deepseek-ai/DeepSeek-V3 deepseek-ai/DeepSeek-V3.1 deepseek-ai/DeepSeek-R1-0528
        deepseek-ai/DeepSeek-V4-Flash-0731 meta-llama/Meta-Llama-3-70B-Instruct-Turbo
        meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo meta-llama/Llama-3.3-70B-Instruct-Turbo
        meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo mistralai/Mixtral-8x7B-Instruct-v0.1
        mistralai/Mixtral-8x22B-Instruct-v0.1 Qwen/Qwen2.5-Coder-32B-Instruct
        Qwen/Qwen2.5-72B-Instruct-Turbo Qwen/Qwen2.5-7B-Instruct-Turbo
        Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8 openai/gpt-oss-20b google/gemma-4-31B-it zai-org/GLM-5.1
        moonshotai/Kimi-K2.6
    """,
    "grok": """
        grok-4.7 grok-4.6 grok-4.5 grok-4.3 grok-4.20 grok-4.20-0309-reasoning
        grok-4.20-0309-non-reasoning grok-4.20-multi-agent-0309 grok-build-0.1
    """,
    "deepseek": """
        deepseek-flash deepseek-v4-flash deepseek-v4-pro
    """,
    "mistral": """
        mistral-large-4 mistral-large-2512 mistral-medium-3-5 mistral-small-2603 ministral-14b-2512
        ministral-8b-2512 ministral-3b-2512 codestral-2508 zai-glm-5-3
    """,
}
"""Every id of the reference's price tables, by provider."""

SEED_FAMILIES = {
    "GPT-4": (
        "openai/gpt-4",
        "openai/gpt-4-turbo",
        "openai/gpt-4o",
        "openai/gpt-4.1",
        "openai/chatgpt-4o-latest",
    ),
    "GPT-5": (
        "openai/gpt-5",
        "openai/gpt-5-mini",
        "openai/gpt-5.1",
        "openai/gpt-5.2",
        "openai/gpt-5.1-codex",
    ),
    "O-series": ("openai/o1", "openai/o3", "openai/o3-mini", "openai/o4-mini"),
    "Claude 3.5": ("anthropic/claude-3-5-sonnet-latest", "anthropic/claude-3-5-haiku"),
    "Claude 3.7": ("anthropic/claude-3-7-sonnet-20250219",),
    "Claude 4": (
        "anthropic/claude-sonnet-4-20250514",
        "anthropic/claude-opus-4-20250514",
        "anthropic/claude-sonnet-4-5",
        "anthropic/claude-opus-4-5",
        "anthropic/claude-haiku-4-5",
    ),
    "Gemini 1.5 and 2.0": ("google-ai-studio/gemini-1.5-flash-8b", "google-ai-studio/gemini-2.0-flash"),
    "Gemini 2.5": ("google-ai-studio/gemini-2.5-pro", "google-ai-studio/gemini-2.5-flash-lite"),
    "Gemini 3": ("google-ai-studio/gemini-3-pro-preview", "google-ai-studio/gemini-3-flash-preview"),
    "Cerebras": ("cerebras/gpt-oss-120b", "cerebras/llama-3.3-70b", "cerebras/qwen-3-coder-480b"),
    "Groq": ("groq/llama-3.3-70b-versatile", "groq/mixtral-8x7b-32768", "groq/llama3-70b-8192"),
    "Together": (
        "together/deepseek-ai/DeepSeek-V3",
        "together/meta-llama/Meta-Llama-3-70B-Instruct-Turbo",
        "together/mistralai/Mixtral-8x7B-Instruct-v0.1",
        "together/Qwen/Qwen2.5-Coder-32B-Instruct",
    ),
    "Grok": (
        "grok/grok-code-fast-1",
        "grok/grok-4-fast",
        "grok/grok-4-1-fast-reasoning",
        "grok/grok-4-1-fast-non-reasoning",
    ),
}

KEYS = {
    "anthropic": "sk-ant-api03-" + "x" * 93 + "AA",
    "openrouter": "sk-or-v1-" + "0a" * 32,
    "openai": "sk-proj-" + "x" * 74 + "T3Blbk" + "FJ" + "y" * 74,
    "groq": "gsk_" + "x" * 52,
    "cerebras": "csk-" + "x" * 48,
    "together": "tgp_v1_" + "x" * 43,
    "google-ai-studio": "AQ.Ab8RN6" + "x" * 44,
    "grok": "xai-" + "x" * 80,
    "deepseek": "sk-" + "0a" * 16,
    "mistral": "Xy" * 16,
    "cloudflare-ai-gateway": "cfut_" + "x" * 40 + "0a" * 4,
}


@cache
def documents() -> tuple[dict[str, Any], dict[str, Any]]:
    return tuple(  # type: ignore[return-value]
        tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"), parse_float=Decimal)
        for name in ("providers", "models")
    )


def read(user: str = "", today: date = TODAY) -> Catalog:
    return Catalog.read(*documents(), tomllib.loads(user), today=today)


@cache
def bundled() -> Catalog:
    return read()


def ids(models: tuple[Model, ...]) -> list[str]:
    return [model.full_id for model in models]


# Providers


def test_every_provider_stands_in_its_place() -> None:
    assert list(bundled().providers) == [
        *("openai", "anthropic", "google-ai-studio", "cerebras", "groq", "together", "openrouter", "mistral"),
        *("deepseek", "grok", "ollama", "lm-studio", "llama-cpp", "demo"),
    ]


@pytest.mark.parametrize("id", [id for id in KEYS if id != "cloudflare-ai-gateway"])
def test_a_provider_block_is_whole(id: str) -> None:
    provider = bundled().provider(id)
    assert provider.base_url.startswith("https://")
    assert provider.env[0].endswith("_API_KEY")
    assert provider.key_url.startswith("https://")
    assert all((provider.name, provider.key_steps, provider.key_placeholder, provider.key_pattern))
    assert len(provider.letter) == 1
    assert re.fullmatch("#[0-9a-f]{6}", provider.colour)
    assert provider.bundled
    assert bundled().preferred(id) is not None
    assert id == "together" or (
        provider.gateway_slug and provider.base_url.startswith(provider.gateway_strips)
    )


@pytest.mark.parametrize("id", ["ollama", "lm-studio", "llama-cpp"])
def test_a_local_server_needs_no_key_and_is_on_this_machine(id: str) -> None:
    provider = bundled().provider(id)
    assert provider.keyless
    assert provider.local
    assert provider.base_url.startswith("http://127.0.0.1:")
    assert provider.gateway_slug is None


def test_the_demo_says_that_it_is_a_simulation() -> None:
    provider = bundled().provider("demo")
    assert provider.simulated
    assert provider.keyless
    assert "simulation" in provider.name
    assert all("simulation" in model.name for model in bundled().models("demo"))
    assert ids(bundled().models("demo")) == ["demo/quick", "demo/thoughtful", "demo/long"]


@pytest.mark.parametrize("id", list(KEYS))
def test_a_placeholder_begins_as_the_keys_do(id: str) -> None:
    provider = bundled().provider(id)
    start = provider.key_placeholder.partition("…")[0]
    assert KEYS[id].startswith(start) or id == "mistral"
    assert re.fullmatch(provider.key_pattern, KEYS[id])


def test_every_preference_is_a_bundled_model_that_is_not_gone() -> None:
    for id, provider in bundled().providers.items():
        for wished in provider.preferences:
            assert bundled().model(f"{id}/{wished}").state in ("current", "retiring"), (id, wished)


def test_no_two_providers_share_letter_and_colour() -> None:
    tiles = [(provider.letter, provider.colour) for provider in bundled().providers.values()]
    assert len(set(tiles)) == len(tiles)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("xai", "grok"),
        ("gemini", "google-ai-studio"),
        ("google", "google-ai-studio"),
        ("claude", "anthropic"),
        ("together-ai", "together"),
        ("lmstudio", "lm-studio"),
        ("openia", "openai"),
        ("anthropics", "anthropic"),
    ],
)
def test_a_mistaken_provider_is_answered_with_the_one_meant(said: str, meant: str) -> None:
    with pytest.raises(UnknownProvider) as caught:
        bundled().provider(said)
    assert caught.value.facts["suggestion"] == meant
    assert meant in caught.value.detail


def test_between_groq_and_grok_both_are_suggested() -> None:
    with pytest.raises(UnknownProvider) as caught:
        bundled().provider("gro")
    assert set(caught.value.facts["suggestions"]) >= {"groq", "grok"}
    assert bundled().provider("groq").name == "Groq"
    assert bundled().provider("grok").name == "xAI (Grok)"


def test_the_gateway_is_known_but_is_no_provider_of_models() -> None:
    assert bundled().provider("cloudflare-ai-gateway").base_url == "https://gateway.ai.cloudflare.com/v1"
    assert "cloudflare-ai-gateway" not in bundled().providers
    assert bundled().models("cloudflare-ai-gateway") == ()
    with pytest.raises(Misconfigured):
        bundled().model("cloudflare-ai-gateway/some-model")


# Models


@pytest.mark.parametrize("provider", list(LISTED))
def test_every_listed_model_has_its_row(provider: str) -> None:
    known = {model.id for model in bundled().models(provider)}
    assert set(LISTED[provider].split()) <= known


@pytest.mark.parametrize("family", list(SEED_FAMILIES))
def test_every_family_people_ask_for_is_there_and_says_what_to_use_instead(family: str) -> None:
    for full_id in SEED_FAMILIES[family]:
        model = bundled().model(full_id)
        assert model.state != "unlisted", full_id
        if model.state == "retired":
            assert model.replacement, full_id
            assert bundled().model(f"{model.provider}/{model.replacement}").state in (
                "current",
                "retiring",
            ), full_id


def test_every_replacement_is_a_bundled_model_that_is_not_gone() -> None:
    for model in bundled().models():
        if model.replacement is not None:
            instead = bundled().model(f"{model.provider}/{model.replacement}")
            assert instead.state in ("current", "retiring"), (model.full_id, instead.full_id)
        elif model.state in ("retired", "retiring"):
            pytest.fail(f"{model.full_id} names no replacement")


def test_every_price_is_exact_and_says_where_it_is_from() -> None:
    for model in bundled().models():
        if model.price is not None:
            assert isinstance(model.price.input, Decimal), model.full_id
            assert "22 Nov 2026" in model.price.source
            assert (model.price.threshold is None) == (model.price.long_input is None)


def test_a_price_has_its_tiers_its_cache_and_its_announced_change() -> None:
    sol = bundled().model("openai/gpt-6.1-sol").price
    assert sol == Price(
        input=Decimal(2),
        output=Decimal(10),
        cached=Decimal("0.1"),
        cache_write=Decimal("2.5"),
        threshold=272_000,
        long_input=Decimal(4),
        long_output=Decimal(15),
        long_cached=Decimal("0.2"),
        source="genai-prices 0.2.3 and litellm 1.106.2 price maps, 22 Nov 2026",
    )
    argon = bundled().model("google-ai-studio/gemini-4-argon").price
    assert argon is not None
    assert argon.then is not None
    assert (argon.starts, argon.then.input, argon.then.output) == (date(2026, 12, 1), Decimal(4), Decimal(20))


@pytest.mark.parametrize(
    ("full_id", "input", "output", "window", "most"),
    [
        ("anthropic/claude-haiku-5-5", "0.1", "0.5", 1_000_000, 128_000),
        ("openai/gpt-5", "1.25", "10", 400_000, 128_000),
        ("groq/openai/gpt-oss-120b", "0.15", "0.6", 131_072, 65_536),
        ("cerebras/gpt-oss-120b", "0.35", "0.75", 131_072, 32_768),
        ("together/deepseek-ai/DeepSeek-V4.1-Flash", "0.3", "1.2", 1_048_576, None),
        ("google-ai-studio/gemini-2.5-flash", "0.3", "2.5", 1_048_576, 65_536),
        ("deepseek/deepseek-flash", "0.15", "0.6", 1_000_000, 393_216),
    ],
)
def test_the_numbers_are_those_of_the_tables(
    full_id: str, input: str, output: str, window: int, most: int | None
) -> None:
    model = bundled().model(full_id)
    assert model.price is not None
    assert (model.price.input, model.price.output) == (Decimal(input), Decimal(output))
    assert (model.context_window, model.max_output) == (window, most)


def test_capabilities_are_read_from_their_letters() -> None:
    assert bundled().model("openai/gpt-6-sol").capabilities == {"vision", "reasoning", "tools", "json"}
    assert bundled().model("openai/gpt-4").capabilities == {"tools"}


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2026, 11, 22), "retiring"),
        (date(2026, 11, 29), "retiring"),
        (date(2026, 11, 30), "retired"),
        (date(2027, 6, 1), "retired"),
    ],
)
def test_a_model_retires_on_its_day(today: date, state: str) -> None:
    model = read(today=today).model("anthropic/claude-sonnet-4-5")
    assert model.state == state
    assert model.retires == date(2026, 11, 30)
    assert model.replacement == "claude-sonnet-5-5"


def test_only_the_first_segment_is_the_provider() -> None:
    model = bundled().model("together/deepseek-ai/DeepSeek-V4.1-Flash")
    assert (model.provider, model.id) == ("together", "deepseek-ai/DeepSeek-V4.1-Flash")


@pytest.mark.parametrize("full_id", ["openai", "openai/", "anthropic"])
def test_a_provider_alone_is_no_model(full_id: str) -> None:
    with pytest.raises(Misconfigured):
        bundled().model(full_id)


def test_a_model_nobody_described_is_unlisted_and_still_has_its_traits() -> None:
    model = bundled().model("openai/gpt-6.2-nova")
    assert model.state == "unlisted"
    assert model.price is None
    assert model.context_window is None
    assert model.traits.temperature == "never"


def test_a_dated_snapshot_nobody_described_has_the_facts_of_its_model() -> None:
    dated = bundled().model("anthropic/claude-opus-5-5-20260901")
    assert dated.id == "claude-opus-5-5-20260901"
    assert dated.state == "unlisted"
    assert dated.price == bundled().model("anthropic/claude-opus-5-5").price
    assert bundled().model("anthropic/claude-3-5-sonnet-20241022").state == "retired"
    assert bundled().model("openai/gpt-5-2025-08-07").state == "retiring"


def test_a_model_asked_of_the_wrong_provider_is_pointed_out() -> None:
    assert "grok/grok-4.7" in bundled().model("groq/grok-4.7").note


# Traits


def trait(full_id: str) -> Traits:
    return bundled().model(full_id).traits


@pytest.mark.parametrize(
    ("full_id", "temperature"),
    [
        ("openai/gpt-4o", "free"),
        ("openai/gpt-4.1-mini-2025-04-14", "free"),
        ("openai/gpt-5", "never"),
        ("openai/gpt-5-mini-2025-08-07", "never"),
        ("openai/gpt-5.1", "without_reasoning"),
        ("openai/gpt-5.4-nano", "without_reasoning"),
        ("openai/gpt-5.5", "without_reasoning"),
        ("openai/gpt-5.5-pro", "never"),
        ("openai/gpt-6-luna", "without_reasoning"),
        ("openai/gpt-6-astra", "never"),
        ("openai/gpt-6.1-terra", "never"),
        ("openai/chat-latest", "free"),
        ("openai/gpt-5.2-chat-latest", "free"),
        ("openai/gpt-5.3-codex", "never"),
        ("openai/o3", "never"),
        ("openai/o4-mini-2025-04-16", "never"),
        ("anthropic/claude-sonnet-5-5", "never"),
        ("anthropic/claude-opus-4-7", "never"),
        ("anthropic/claude-opus-4-6", "without_reasoning"),
        ("anthropic/claude-haiku-4-5-20251001", "without_reasoning"),
        ("anthropic/claude-3-5-sonnet-20241022", "free"),
        ("anthropic/claude-saga-7", "never"),
        ("google-ai-studio/gemini-2.5-pro", "free"),
        ("google-ai-studio/gemini-3.8-flash", "never"),
        ("google-ai-studio/gemini-5-neon", "never"),
        ("google-ai-studio/gemma-4-31b-it", "free"),
        ("groq/openai/gpt-oss-120b", "free"),
        ("deepseek/deepseek-flash", "without_reasoning"),
    ],
)
def test_temperature_goes_only_where_it_is_taken(full_id: str, temperature: str) -> None:
    assert trait(full_id).temperature == temperature


@pytest.mark.parametrize(
    ("full_id", "efforts", "default"),
    [
        ("openai/gpt-4o", "", None),
        ("openai/o3", "low medium high", "medium"),
        ("openai/o3-deep-research", "", "medium"),
        ("openai/gpt-5", "minimal low medium high", "medium"),
        ("openai/gpt-5.1", "none low medium high", "none"),
        ("openai/gpt-5.4", "none low medium high xhigh", "none"),
        ("openai/gpt-5.4-pro", "low medium high xhigh", None),
        ("openai/gpt-5.5-pro", "medium high xhigh", None),
        ("openai/gpt-5.5", "none low medium high xhigh", None),
        ("openai/gpt-6-sol", "none low medium high xhigh max", None),
        ("openai/gpt-6.1-sol", "low medium high xhigh max", None),
        ("openai/chat-latest", "", None),
        ("anthropic/claude-opus-5-5", "low medium high xhigh max", "high"),
        ("anthropic/claude-opus-4-6", "none low medium high max", "none"),
        ("google-ai-studio/gemini-3-flash-preview", "minimal low medium high", "high"),
        ("google-ai-studio/gemini-3.1-pro-preview", "low medium high", "high"),
        ("google-ai-studio/gemini-3.8-flash", "low medium high", "medium"),
        ("google-ai-studio/gemini-2.5-flash-lite", "none low medium high", "none"),
        ("google-ai-studio/gemini-2.0-flash", "", None),
        ("groq/openai/gpt-oss-20b", "low medium high", "medium"),
        ("groq/qwen/qwen3.8-27b", "none low medium high", None),
        ("cerebras/qwen-3.8-27b", "none low medium high", None),
        ("together/openai/gpt-oss-120b", "low medium high", "medium"),
        ("grok/grok-4.7", "", None),
        ("grok/grok-4-1-fast-reasoning", "", None),
    ],
)
def test_efforts_are_those_the_model_knows(full_id: str, efforts: str, default: str | None) -> None:
    assert trait(full_id).efforts == tuple(efforts.split())
    assert trait(full_id).default_effort == default


@pytest.mark.parametrize(
    ("full_id", "thinking"),
    [
        ("anthropic/claude-haiku-4-5", "budget"),
        ("anthropic/claude-sonnet-4-6", "adaptive"),
        ("anthropic/claude-haiku-5-5", "adaptive"),
        ("anthropic/claude-sonnet-5", "adaptive"),
        ("anthropic/claude-sonnet-5-5", "adaptive_always"),
        ("anthropic/claude-fable-5-2", "adaptive_always"),
        ("google-ai-studio/gemini-2.5-flash", "budget"),
        ("google-ai-studio/gemini-4-argon", "level"),
        ("openai/gpt-6-luna", "effort"),
        ("mistral/codestral-2508", None),
    ],
)
def test_reasoning_is_asked_for_as_the_model_wants_it(full_id: str, thinking: str | None) -> None:
    assert trait(full_id).thinking == thinking


def test_budgets_have_the_limits_of_their_model() -> None:
    pro = trait("google-ai-studio/gemini-2.5-pro")
    assert (pro.budget_min, pro.budget_max) == (128, 32_768)
    assert trait("google-ai-studio/gemini-2.5-flash").budget_min == 0
    assert trait("google-ai-studio/gemini-2.5-flash-lite").budget_min == 512


def test_a_model_that_answers_on_another_api_is_asked_there() -> None:
    assert trait("openai/gpt-5-search-api").dialect == "openai-chat"
    assert trait("openai/gpt-4o-search-preview").dialect == "openai-chat"
    assert trait("grok/grok-4.20-multi-agent-0309").dialect == "openai-responses"
    assert trait("openai/gpt-6-sol").dialect is None


def test_who_cannot_stream_is_not_asked_to() -> None:
    assert not trait("openai/gpt-5-pro-2025-10-06").streams
    assert not trait("openai/o1-pro").streams
    assert trait("openai/o3-pro").streams


def test_prefill_is_for_older_models() -> None:
    assert trait("anthropic/claude-haiku-4-5").prefill
    assert not trait("anthropic/claude-opus-4-6").prefill
    assert trait("google-ai-studio/gemini-3.5-flash").prefill
    assert not trait("google-ai-studio/gemini-3.5-flash-lite").prefill
    assert not trait("google-ai-studio/gemini-3.6-flash").prefill


def test_the_limit_has_the_name_and_temperature_the_range_of_its_provider() -> None:
    fields = {
        id: trait(f"{id}/some-model").max_tokens_field for id in ("groq", "cerebras", "together", "ollama")
    }
    assert fields == {
        "groq": "max_completion_tokens",
        "cerebras": "max_completion_tokens",
        "together": "max_tokens",
        "ollama": "max_tokens",
    }
    assert trait("together/some-model").temperature_max == 1.0
    assert trait("mistral/mistral-large-4").temperature_max == 1.5
    assert trait("anthropic/claude-haiku-4-5").temperature_max == 1.0


def test_every_set_of_efforts_is_weakest_first() -> None:
    order = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]
    for model in bundled().models():
        places = [order.index(effort) for effort in model.traits.efforts]
        assert all(a < b for a, b in pairwise(places)), model.full_id


# The user's own providers


LAB = """
[providers.lab]
name = "Lab server"
dialect = "openai-chat"
base_url = "http://127.0.0.1:8000/v1/"
env = ["LAB_API_KEY"]
"""


def test_a_block_of_toml_adds_a_provider() -> None:
    catalog = read(LAB)
    lab = catalog.provider("lab")
    assert (lab.name, lab.base_url, lab.env) == ("Lab server", "http://127.0.0.1:8000/v1", ("LAB_API_KEY",))
    assert not lab.bundled
    assert lab.local
    assert lab.letter == "L"
    assert list(catalog.providers)[-1] == "lab"
    assert catalog.model("lab/any/model").state == "unlisted"
    assert catalog.model("lab/any/model").traits.max_tokens_field == "max_tokens"
    assert catalog.warnings == ()


def test_a_provider_of_ones_own_gets_the_traits_of_its_dialect() -> None:
    block = '[providers.proxy]\ndialect = "anthropic"\nbase_url = "https://llm.example.com"'
    traits = read(block).model("proxy/claude-sonnet-5-5").traits
    assert (traits.temperature, traits.thinking) == ("never", "adaptive_always")


def test_fields_of_a_bundled_provider_can_be_changed() -> None:
    openai = read('[providers.openai]\npreferences = ["gpt-6-luna"]\nname = "Work"').provider("openai")
    assert openai.bundled
    assert (openai.name, openai.preferences) == ("Work", ("gpt-6-luna",))
    assert openai.env == ("OPENAI_API_KEY",)
    assert openai.gateway_slug == "openai"


def test_another_base_url_takes_the_environment_key_and_the_gateway_path_away() -> None:
    openai = read('[providers.openai]\nbase_url = "https://evil.example.com/v1"').provider("openai")
    assert not openai.bundled
    assert openai.env == ()
    assert openai.gateway_slug is None


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "gemini_api_key", "CLOUDFLARE_AI_GATEWAY_TOKEN"])
def test_a_variable_of_a_bundled_provider_is_refused_to_another_origin_and_that_is_said(name: str) -> None:
    catalog = read(LAB.replace('"LAB_API_KEY"', f'"{name}", "LAB_API_KEY"'))
    assert name.upper() in catalog.variable_origins
    assert catalog.provider("lab").env == ("LAB_API_KEY",)
    assert name in catalog.warnings[0]
    assert "providers.lab" in catalog.warnings[0]


def test_the_same_origin_may_use_the_variable() -> None:
    block = '[providers.eu]\ndialect = "openai-chat"\nbase_url = "https://api.openai.com/v1"\nenv = ["OPENAI_API_KEY"]'
    assert read(block).provider("eu").env == ("OPENAI_API_KEY",)


def test_a_custom_provider_on_the_gateway_opens_a_path_for_together() -> None:
    together = read('[providers.together]\ngateway_slug = "custom-together"').provider("together")
    assert (together.gateway_slug, together.gateway_strips) == ("custom-together", "https://api.together.ai")
    assert together.bundled


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ('dialect = "openai"', "dialect", "openai-chat, openai-responses, anthropic or gemini"),
        ('dialect = "demo"', "dialect", "openai-chat, openai-responses, anthropic or gemini"),
        ('base_url = "http://192.168.1.5/v1"', "base_url", "allow_http"),
        ('base_url = "http://127.0.0.1.example.com/v1"', "base_url", "allow_http"),
        ('base_url = "https://user:word@example.com/v1"', "base_url", "user name or password"),
        ('base_url = "https://example.com/v1?key=abc"', "base_url", "“?”"),
        ('base_url = "example.com/v1"', "base_url", "not a web address"),
        ('base_url = "ftp://example.com"', "base_url", "not a web address"),
        ('base_url = "http://[::1"', "base_url", "not a web address"),
        ("base_url = 5", "base_url", "text in quotes"),
        ('env = "LAB_API_KEY"', "env", "list"),
        ('env = ["sk-not-a-name"]', "env", "names, not keys"),
        ('keyless = "yes"', "keyless", "true or false"),
        ('base_ulr = "x"', "base_ulr", "base_url"),
        ('headers = { Authorization = "Bearer x" }', "headers", "Keys"),
        ('key_pattern = "("', "key_pattern", "regular expression"),
        ("simulated = true", "simulated", "not a field"),
    ],
)
def test_a_fault_names_its_table_its_field_and_its_fix(change: str, field: str, said: str) -> None:
    block = {"dialect": 'dialect = "openai-chat"', "base_url": 'base_url = "https://example.com/v1"'}
    block[change.partition(" ")[0]] = change
    with pytest.raises(Misconfigured) as caught:
        read("[providers.lab]\n" + "\n".join(block.values()))
    assert caught.value.facts["table"] == "providers.lab"
    assert caught.value.facts["field"] == field
    assert said in caught.value.detail
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize("missing", ["dialect", "base_url"])
def test_what_a_provider_cannot_do_without_is_asked_for(missing: str) -> None:
    block = {"dialect": 'dialect = "gemini"', "base_url": 'base_url = "https://example.com"'}
    del block[missing]
    with pytest.raises(Misconfigured, match=f"{missing} is missing"):
        read("[providers.lab]\n" + "\n".join(block.values()))


@pytest.mark.parametrize(
    "text",
    [
        "[provider.lab]\nname = 'x'",
        "providers = 3",
        "[providers]\nlab = 3",
        "[providers.'A b']",
        "[providers.cloudflare-ai-gateway]",
    ],
)
def test_another_shape_of_file_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured):
        read(text)


@pytest.mark.parametrize(
    "url", ["http://localhost:1/v1", "http://127.8.9.1:1", "http://[::1]:1/v1", "http://10.0.0.1/v1"]
)
def test_plain_http_stays_on_this_machine_unless_allowed(url: str) -> None:
    block = f'[providers.lab]\ndialect = "openai-chat"\nbase_url = "{url}"\nallow_http = {str("10." in url).lower()}'
    assert read(block).provider("lab").base_url == url


# Live lists


def live(id: str, **fields: Any) -> Model:
    return Model(provider="groq", id=id, name=fields.pop("name", id), **fields)


def test_a_live_list_wins_where_it_speaks_and_the_bundle_where_it_is_silent() -> None:
    catalog = bundled().with_live("groq", [live("openai/gpt-oss-120b", context_window=99)])
    model = catalog.model("groq/openai/gpt-oss-120b")
    assert model.context_window == 99
    assert model.listed_live
    assert model.max_output == 65_536
    assert model.price == bundled().model("groq/openai/gpt-oss-120b").price
    assert model.name == "gpt-oss 120B"
    assert model.traits.efforts == ("low", "medium", "high")


def test_a_live_model_nobody_bundled_comes_last_with_traits_by_rule() -> None:
    catalog = bundled().with_live("groq", [live("qwen/qwen4-1t", name="Qwen 4")])
    assert catalog.models("groq")[-1].id == "qwen/qwen4-1t"
    assert catalog.model("groq/qwen/qwen4-1t").traits.reasoning_format == "parsed"
    assert catalog.model("groq/qwen/qwen4-1t").state == "current"


def test_a_bundled_model_missing_from_the_list_stays_unlisted_live() -> None:
    catalog = bundled().with_live("groq", [live("openai/gpt-oss-20b")])
    model = catalog.model("groq/openai/gpt-oss-120b")
    assert (model.state, model.listed_live) == ("current", False)


def test_a_retired_model_that_is_listed_after_all_is_not_retired() -> None:
    model = bundled().with_live("groq", [live("llama-3.1-8b-instant")]).model("groq/llama-3.1-8b-instant")
    assert (model.state, model.retires) == ("current", None)


def test_a_later_list_replaces_an_earlier_one() -> None:
    first = bundled().with_live("groq", [live("new-one"), live("llama-3.1-8b-instant")])
    second = first.with_live("groq", [])
    assert second.model("groq/new-one").state == "unlisted"
    assert second.model("groq/llama-3.1-8b-instant").state == "retired"
    assert first.model("groq/new-one").listed_live


def test_a_list_that_repeats_the_price_keeps_its_tiers_and_another_price_wins() -> None:
    repeated = Price(input=Decimal(2), output=Decimal(10), source="the list")
    other = Price(input=Decimal(3), output=Decimal(10), source="the list")
    for price, source in ((repeated, "genai-prices"), (other, "the list")):
        told = Model(provider="openai", id="gpt-6-sol", name="x", price=price)
        kept = bundled().with_live("openai", [told]).model("openai/gpt-6-sol").price
        assert kept is not None
        assert kept.source.startswith(source)


def test_the_preferred_model_is_the_first_that_the_list_has() -> None:
    assert bundled().preferred("groq") == bundled().model("groq/openai/gpt-oss-120b")
    preferred = bundled().with_live("groq", [live("x"), live("qwen/qwen3.8-27b")]).preferred("groq")
    assert preferred is not None
    assert preferred.id == "qwen/qwen3.8-27b"


def test_a_local_server_prefers_what_it_has() -> None:
    assert bundled().preferred("ollama") is None
    own = (
        bundled()
        .with_live("ollama", [Model(provider="ollama", id="llama3.2", name="llama3.2")])
        .preferred("ollama")
    )
    assert own is not None
    assert own.id == "llama3.2"


# Search


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("gpt oss groq", "groq/openai/gpt-oss-120b"),
        ("groq oss", "groq/openai/gpt-oss-120b"),
        ("son55", "anthropic/claude-sonnet-5-5"),
        ("claude", "anthropic/claude-sonnet-5-5"),
        ("g4o", "openai/gpt-4o"),
        ("gpt-5", "openai/gpt-5"),
        ("haiku", "anthropic/claude-haiku-5-5"),
        ("xai", "grok/grok-4.7"),
        ("gem38", "google-ai-studio/gemini-3.8-flash"),
        ("gmini", "google-ai-studio/gemini-3.8-flash"),
        ("SIMULATION", "demo/quick"),
        ("openai/gpt-6-luna", "openai/gpt-6-luna"),
    ],
)
def test_typing_finds_what_one_expects(query: str, first: str) -> None:
    assert ids(bundled().search(query))[0] == first


def test_claude_finds_claudes_only_and_the_retired_last() -> None:
    found = bundled().search("claude")
    assert all("claude" in model.id for model in found)
    states = [model.state == "retired" for model in found]
    assert states == sorted(states)
    assert states[-1]


def test_groq_and_grok_are_not_taken_for_one_another() -> None:
    assert {model.provider for model in bundled().search("groq")} == {"groq"}
    assert "groq" not in {model.provider for model in bundled().search("grok")[:15]}


def test_nothing_typed_is_every_model_and_nonsense_none() -> None:
    assert len(bundled().search("")) == len(bundled().search("  ")) == len(bundled().models())
    assert bundled().search("qqqqzzz") == ()


@given(st.text(max_size=30))
def test_any_text_can_be_typed(query: str) -> None:
    assert set(bundled().search(query)) <= set(bundled().models())


@given(st.sampled_from(bundled().models()))
def test_a_whole_id_finds_its_model_first_among_those_of_its_kind(model: Model) -> None:
    found = [
        other
        for other in bundled().search(model.full_id)
        if (other.state == "retired") == (model.state == "retired")
    ]
    assert found[0] == model


# Recognition


@pytest.mark.parametrize("id", list(KEYS))
def test_a_key_is_recognised_by_its_shape(id: str) -> None:
    assert bundled().recognise(KEYS[id])[0] == id


@pytest.mark.parametrize(
    ("key", "ranked"),
    [
        ("sk-" + "Ab1" * 16, ("openai", "deepseek")),
        ("sk-" + "0a" * 16, ("deepseek", "openai")),
        ("sk-" + "x" * 20 + "T3Blbk" + "FJ" + "x" * 20, ("openai", "deepseek")),
        ("sk-ant-short", ("anthropic",)),
        ("sk-ant-admin01-" + "x" * 93 + "AA", ("anthropic",)),
        ("sk-svcacct-" + "x" * 60, ("openai",)),
        ("AIza" + "x" * 35, ("google-ai-studio",)),
        ("gsk_short", ("groq",)),
        ("0a" * 32, ("together",)),
        ("Xy" * 20, ("cloudflare-ai-gateway",)),
        ("hello", ()),
        ("", ()),
    ],
)
def test_an_ambiguous_key_is_a_ranked_guess(key: str, ranked: tuple[str, ...]) -> None:
    assert bundled().recognise(key) == ranked


def test_a_provider_of_ones_own_is_recognised_by_its_own_pattern() -> None:
    assert read(LAB + "key_pattern = 'lab-[a-z]{8}'").recognise("lab-abcdefgh") == ("lab",)


@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    known = {*bundled().providers, "cloudflare-ai-gateway"}
    assert set(bundled().recognise(text)) <= known


# Addresses and time


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTPS://API.OpenAI.com:443/v1", "https://api.openai.com"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000"),
        ("http://host:80", "http://host"),
        ("https://host:80/x", "https://host:80"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
        ("https://user:word@host/v1", "https://host"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url", ["", "host/v1", "ftp://host", "https://", "http://host:port", "http://host:99999"]
)
def test_what_has_no_origin_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured):
        origin_of(url)


def test_the_catalog_is_read_in_a_moment() -> None:
    started = time.thread_time()
    Catalog.read(*documents(), today=TODAY)
    assert time.thread_time() - started < 0.25  # about 4 ms; the rest is for a busy machine
