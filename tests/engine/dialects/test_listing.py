"""Live lists of models, as the providers' documentation shows them (wire facts §3.4 to §9.7)."""

# ruff: noqa: E501 - samples and tables: one row, one line

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from vibedesk.engine import errors
from vibedesk.engine.dialects import dialect_of
from vibedesk.engine.types import Model, Provider

Named = Callable[[str], Provider]


def listed(owner: Provider, document: object) -> dict[str, Model]:
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    models = dialect_of(owner.dialect).read_models(payload, owner)
    assert all(model.provider == owner.id and model.listed_live for model in models)
    return {model.id: model for model in models}


def test_openai_keeps_what_chats(provider: Named) -> None:
    ids = [
        "gpt-6-luna", "gpt-4o", "o3", "chatgpt-4o-latest", "chat-latest", "ft:gpt-4o:org:name:1", "text-embedding-3-small",
        "whisper-1", "tts-1", "gpt-4o-transcribe", "gpt-realtime", "gpt-audio", "gpt-image-1", "omni-moderation-latest",
        "dall-e-3", "sora-2", "gpt-3.5-turbo-instruct", "gpt-4o-search-preview", "babbage-002", "davinci-002", "codex-mini-latest",
    ]  # fmt: skip
    models = listed(
        provider("openai"), {"object": "list", "data": [{"id": id, "object": "model"} for id in ids]}
    )
    assert list(models) == ids[:6]
    assert models["gpt-4o"].price is None
    assert models["gpt-4o"].context_window is None


def test_anthropic_tells_windows_lifecycle_and_thinking(provider: Named) -> None:
    def leaf(**types: bool) -> dict[str, Any]:
        return {"supported": True, "types": {name: {"supported": there} for name, there in types.items()}}

    effort = {"supported": True, "low": {"supported": True}, "high": {"supported": True}, "xhigh": None}
    models = listed(
        provider("anthropic"),
        {
            "data": [
                {
                    "id": "claude-sonnet-5-5", "display_name": "Claude Sonnet 5.5", "lifecycle": "active",
                    "max_input_tokens": 1_000_000, "max_tokens": 128_000,
                    "capabilities": {"image_input": {"supported": True}, "effort": effort,
                                     "thinking": leaf(adaptive=True, enabled=False, disabled=False)},
                },
                {"id": "claude-opus-5", "capabilities": {"thinking": leaf(adaptive=True, disabled=True), "effort": effort}},
                {
                    "id": "claude-haiku-4-5", "lifecycle": "deprecated", "retires_at": "2026-11-30T00:00:00Z",
                    "capabilities": {"thinking": leaf(adaptive=False, enabled=True, disabled=True)},
                },
                {"id": "claude-plain", "capabilities": None},
                {"id": "claude-gone", "lifecycle": "retired"},
            ]
        },
    )  # fmt: skip
    sonnet, opus, haiku = models["claude-sonnet-5-5"], models["claude-opus-5"], models["claude-haiku-4-5"]
    assert (sonnet.name, sonnet.context_window, sonnet.max_output) == (
        "Claude Sonnet 5.5",
        1_000_000,
        128_000,
    )
    assert sonnet.capabilities == {"vision", "reasoning", "tools"}
    assert (sonnet.traits.thinking, sonnet.traits.efforts, sonnet.traits.temperature) == (
        "adaptive_always",
        ("low", "high"),
        "never",
    )
    assert opus.traits.thinking == "adaptive"
    assert (haiku.traits.thinking, haiku.traits.temperature) == ("budget", "free")
    assert (haiku.state, haiku.retires) == ("retiring", date(2026, 11, 30))
    assert models["claude-plain"].capabilities == frozenset()
    assert models["claude-gone"].state == "retired"


def test_gemini_keeps_what_generates_text(provider: Named) -> None:
    generates = ["generateContent", "countTokens"]
    models = listed(
        provider("google-ai-studio"),
        {
            "models": [
                {"name": "models/gemini-3.8-flash", "displayName": "Gemini 3.8 Flash", "inputTokenLimit": 1_048_576,
                 "outputTokenLimit": 65_536, "supportedGenerationMethods": generates, "thinking": True},
                {"name": "models/gemini-embedding-001", "supportedGenerationMethods": ["embedContent"]},
                {"name": "models/gemini-3-flash-tts", "supportedGenerationMethods": generates},
                {"name": "models/gemini-3-flash-image", "supportedGenerationMethods": generates},
            ]
        },
    )  # fmt: skip
    assert list(models) == ["gemini-3.8-flash"]
    flash = models["gemini-3.8-flash"]
    assert (flash.name, flash.context_window, flash.max_output) == ("Gemini 3.8 Flash", 1_048_576, 65_536)
    assert flash.capabilities == {"reasoning"}


def test_groq_tells_windows_and_which_are_active(provider: Named) -> None:
    models = listed(
        provider("groq"),
        {
            "data": [
                {
                    "id": "openai/gpt-oss-120b",
                    "active": True,
                    "context_window": 131_072,
                    "max_completion_tokens": 65_536,
                },
                {"id": "old", "active": False},
                {"id": "whisper-large-v3", "active": True},
                {"id": "canopylabs/orpheus-v1-english", "active": True},
                {"id": "meta-llama/llama-prompt-guard-2-22m", "active": True},
            ]
        },
    )
    assert list(models) == ["openai/gpt-oss-120b"]
    assert (models["openai/gpt-oss-120b"].context_window, models["openai/gpt-oss-120b"].max_output) == (
        131_072,
        65_536,
    )


def test_cerebras_both_forms(provider: Named) -> None:
    assert list(listed(provider("cerebras"), {"data": [{"id": "gpt-oss-120b", "created": 0}]})) == [
        "gpt-oss-120b"
    ]
    rich = {
        "id": "cerebras/gpt-oss-120b", "name": "GPT OSS 120B", "context_length": 131_072, "max_output_length": 32_768,
        "pricing": {"prompt": "0.00000035", "completion": "0.00000075"}, "input_modalities": ["text"],
        "output_modalities": ["text"], "supported_features": ["tools", "reasoning"],
    }  # fmt: skip
    model = listed(provider("cerebras"), {"data": [rich]})["gpt-oss-120b"]
    assert (model.name, model.context_window, model.max_output) == ("GPT OSS 120B", 131_072, 32_768)
    assert model.price is not None
    assert (model.price.input, model.price.output) == (Decimal("0.35"), Decimal("0.75"))
    assert model.capabilities == {"tools", "reasoning"}


@pytest.mark.parametrize("wrapped", [False, True])
def test_together_bare_or_wrapped(provider: Named, wrapped: bool) -> None:
    items = [
        {"id": "openai/gpt-oss-120b", "type": "chat", "display_name": "gpt-oss-120B", "context_length": 131_072,
         "pricing": {"hourly": 0, "input": 0.15, "output": 0.6, "cached_input": 0.075}},
        {"id": "dedicated/only", "type": "chat", "pricing": {"input": 0, "output": 0}},
        {"id": "some/image", "type": "image"},
        {"id": "some/embedder", "type": "embedding"},
    ]  # fmt: skip
    models = listed(provider("together"), {"data": items} if wrapped else items)
    assert list(models) == ["openai/gpt-oss-120b", "dedicated/only"]
    price = models["openai/gpt-oss-120b"].price
    assert price is not None
    assert (price.input, price.output, price.cached) == (Decimal("0.15"), Decimal("0.6"), Decimal("0.075"))
    assert models["dedicated/only"].price is None


def test_openrouter_prices_are_per_token_and_may_vary(provider: Named) -> None:
    def item(id: str, prompt: str, outputs: list[str]) -> dict[str, Any]:
        return {
            "id": id, "name": "N", "context_length": 8192, "pricing": {"prompt": prompt, "completion": "0.000002"},
            "architecture": {"input_modalities": ["text", "image"], "output_modalities": outputs},
            "top_provider": {"max_completion_tokens": 4096}, "supported_parameters": ["tools", "reasoning", "structured_outputs"],
        }  # fmt: skip

    models = listed(
        provider("openrouter"),
        {
            "data": [
                item("a/b", "0.000001", ["text"]),
                item("openrouter/auto", "-1", ["text"]),
                item("c/d", "0", ["image"]),
            ]
        },
    )
    assert list(models) == ["a/b", "openrouter/auto"]
    price = models["a/b"].price
    assert price is not None
    assert (price.input, price.output) == (Decimal(1), Decimal(2))
    assert models["openrouter/auto"].price is None
    assert (models["a/b"].max_output, models["a/b"].capabilities) == (
        4096,
        {"vision", "tools", "reasoning", "json"},
    )


def test_mistral_capabilities_and_deprecation(provider: Named) -> None:
    models = listed(
        provider("mistral"),
        {
            "data": [
                {"id": "mistral-large-4", "capabilities": {"completion_chat": True, "vision": True, "function_calling": True},
                 "max_context_length": 1_048_576, "type": "base"},
                {"id": "old", "capabilities": {"completion_chat": True}, "deprecation": "2027-01-31T12:00:00Z"},
                {"id": "mistral-embed", "capabilities": {"completion_chat": False}},
            ]
        },
    )  # fmt: skip
    assert list(models) == ["mistral-large-4", "old"]
    assert models["mistral-large-4"].capabilities == {"vision", "tools"}
    assert (models["old"].state, models["old"].retires) == ("retiring", date(2027, 1, 31))


def test_local_servers(provider: Named) -> None:
    owner = provider("ollama")
    assert list(
        listed(owner, {"object": "list", "data": [{"id": "llama3.2:latest"}, {"id": "nomic-embed-text"}]})
    ) == ["llama3.2:latest"]
    assert list(listed(owner, {"models": [{"name": "llama3.2", "model": "llama3.2"}]})) == ["llama3.2"]
    assert listed(owner, {"object": "list", "data": None}) == {}
    lms = {
        "data": [
            {"id": "qwen", "type": "vlm", "max_context_length": 4096},
            {"id": "bge", "type": "embeddings"},
        ]
    }
    assert listed(provider("lab"), lms)["qwen"].capabilities == {"vision"}
    assert list(listed(provider("lab"), lms)) == ["qwen"]
    llama = {"data": [{"id": "m.gguf", "meta": {"n_ctx_train": 131_072}}]}
    assert listed(provider("lab"), llama)["m.gguf"].context_window == 131_072


def test_hostile_entries_are_left_out_and_doubles_counted_once(provider: Named) -> None:
    items = [
        {"id": "good", "context_length": -5, "pricing": {"input": "NaN", "output": 1}}, {"id": "good"}, {"id": "a b"}, {"id": ""},
        {"id": "x" * 301}, {"id": "evil\u0000"}, {"id": 7}, "text", None, {"id": "ctx", "context_length": 1e400},
    ]  # fmt: skip
    models = listed(provider("lab"), {"data": items})
    assert list(models) == ["good", "ctx"]
    assert models["ctx"].context_window is None


@pytest.mark.parametrize("who", ["openai", "anthropic", "google-ai-studio"])
@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b"<html><title>Sign in</title></html>", errors.NotThisApi),
        (b"not json", errors.NotThisApi),
        (b"", errors.Malformed),
        (b'{"status":"ok"}', errors.Malformed),
        (b"7", errors.Malformed),
        (b'{"error":{"message":"m","code":"invalid_api_key"}}', errors.InvalidKey),
        (b'{"success":false,"errors":[{"code":2009,"message":"Unauthorized"}]}', errors.GatewayError),
    ],
)
def test_what_is_no_list_says_what_it_is(
    provider: Named, who: str, payload: bytes, kind: type[Exception]
) -> None:
    with pytest.raises(kind) as caught:
        listed(provider(who), payload)
    assert type(caught.value) is kind
