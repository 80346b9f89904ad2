"""The shape of what is sent: per dialect, per provider, per model (wire facts §3.5 to §3.9, §4.5, §4.8, §5.5, §5.6)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from vibedesk.engine import errors
from vibedesk.engine.dialects import Call, dialect_of
from vibedesk.engine.types import (
    Effort,
    Image,
    Message,
    Model,
    Parameters,
    Provider,
    Request,
    Secret,
    Text,
    Traits,
    request_of,
)

Named = Callable[[str], Provider]

PNG = Image("image/png", b"\x89PNG")
PNG64 = base64.b64encode(PNG.data).decode()

GPT4 = Traits()
REASONING = Traits(
    temperature="never",
    stop=False,
    efforts=("low", "medium", "high", "xhigh"),
    default_effort="medium",
    thinking="effort",
)
SWITCHABLE = Traits(
    temperature="without_reasoning", efforts=("none", "low", "medium", "high"), thinking="effort"
)
HAIKU_45 = Traits(temperature_max=1.0, thinking="budget", budget_min=1024, budget_max=63_999)
SONNET_46 = Traits(
    temperature_max=1.0, thinking="adaptive", efforts=("low", "medium", "high"), default_effort="none"
)
SONNET_5 = Traits(
    temperature="never", thinking="adaptive", efforts=("low", "medium", "high", "max"), default_effort="high"
)
SONNET_55 = Traits(
    temperature="never", thinking="adaptive_always", efforts=("low", "medium", "high"), default_effort="high"
)
FLASH_25 = Traits(thinking="budget", budget_min=0, budget_max=24_576)
PRO_25 = Traits(thinking="budget", budget_min=128, budget_max=32_768)
FLASH_38 = Traits(
    temperature="never", thinking="level", efforts=("low", "medium", "high"), default_effort="medium"
)


def model(traits: Traits = GPT4, *, id: str = "m", **more: Any) -> Model:
    return Model(provider="p", id=id, name="M", traits=traits, **more)


def asked(owner: Provider, request: Request, traits: Traits = GPT4, **more: Any) -> Call:
    return dialect_of(owner.dialect).ask(request, model(traits, **more), owner)


def body_of(call: Call) -> dict[str, Any]:
    """The body as it travels."""
    body: dict[str, Any] = json.loads(json.dumps(call.body))
    return body


def test_openai_chat_asks_as_the_documentation_shows(provider: Named) -> None:
    request = request_of("Hi", system="Be brief.", max_tokens=512, reasoning_effort="low")
    call = asked(provider("openai"), request, REASONING, id="gpt-6-luna")
    assert (call.method, call.path, call.notes) == ("POST", "/chat/completions", ())
    assert body_of(call) == {
        "model": "gpt-6-luna",
        "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "max_completion_tokens": 512,
        "reasoning_effort": "low",
        "stream": True,
        "stream_options": {"include_usage": True, "include_obfuscation": False},
    }


def test_an_unknown_host_gets_the_plainest_request(provider: Named) -> None:
    call = asked(
        provider("lab"), request_of("Hi", system="S", max_tokens=9), Traits(max_tokens_field="max_tokens")
    )
    assert body_of(call) == {
        "model": "m",
        "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}],
        "max_tokens": 9,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_images_travel_as_data_urls_in_openai_chat(provider: Named) -> None:
    content = body_of(asked(provider("groq"), request_of("What?", images=[PNG])))["messages"][0]["content"]
    assert content == [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG64}"}},
        {"type": "text", "text": "What?"},
    ]


@pytest.mark.parametrize(
    ("who", "effort", "fields"),
    [
        ("groq", "high", {"reasoning_effort": "high"}),
        ("openrouter", "high", {"reasoning": {"effort": "high"}}),
        ("together", "none", {"reasoning": {"enabled": False}}),
        ("together", "low", {"reasoning_effort": "low"}),
        ("deepseek", "none", {"thinking": {"type": "disabled"}}),
        ("deepseek", "high", {"thinking": {"type": "enabled"}, "reasoning_effort": "high"}),
    ],
)
def test_each_provider_is_asked_to_reason_in_its_own_words(
    provider: Named, who: str, effort: Effort, fields: dict[str, Any]
) -> None:
    body = body_of(asked(provider(who), request_of("Hi", reasoning_effort=effort), SWITCHABLE))
    sent = {name: body[name] for name in ("reasoning", "reasoning_effort", "thinking") if name in body}
    assert sent == fields


def test_reasoning_format_is_sent_where_the_model_has_one(provider: Named) -> None:
    assert (
        body_of(asked(provider("groq"), request_of("Hi"), Traits(reasoning_format="parsed")))[
            "reasoning_format"
        ]
        == "parsed"
    )
    body = body_of(asked(provider("groq"), request_of("Hi"), Traits(reasoning_format="include_reasoning")))
    assert body["include_reasoning"] is True
    assert "reasoning_format" not in body


def test_mistral_is_not_asked_for_usage_and_is_told_of_a_prefix(provider: Named) -> None:
    request = Request(messages=(Message("user", (Text("Hi"),)), Message("assistant", (Text("He"),))))
    body = body_of(asked(provider("mistral"), request))
    assert "stream_options" not in body
    assert body["messages"][-1] == {"role": "assistant", "content": "He", "prefix": True}


@pytest.mark.parametrize(
    ("who", "most", "sent"), [("cerebras", 65_536, 16_384), ("together", None, 8_192), ("cerebras", 900, 900)]
)
def test_some_providers_are_better_asked_with_a_limit(
    provider: Named, who: str, most: int | None, sent: int
) -> None:
    call = asked(provider(who), request_of("Hi"), max_output=most)
    assert body_of(call)["max_completion_tokens"] == sent
    assert call.notes[0].startswith(f"max tokens set to {sent}: ")


def test_a_model_that_does_not_stream_is_asked_in_one_piece(provider: Named) -> None:
    body = body_of(asked(provider("openai"), request_of("Hi"), Traits(streams=False)))
    assert body["stream"] is False
    assert "stream_options" not in body


def test_responses_asks_as_the_documentation_shows_and_stores_nothing(provider: Named) -> None:
    request = request_of("Hi", system="Be brief.", images=[PNG], max_tokens=4096, reasoning_effort="low")
    call = asked(provider("openai-responses"), request, REASONING, id="gpt-6.1-sol")
    assert call.path == "/responses"
    assert body_of(call) == {
        "model": "gpt-6.1-sol",
        "instructions": "Be brief.",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_image", "image_url": f"data:image/png;base64,{PNG64}", "detail": "auto"},
                    {"type": "input_text", "text": "Hi"},
                ],
            }
        ],
        "reasoning": {"effort": "low", "summary": "auto"},
        "max_output_tokens": 4096,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "stream": True,
        "stream_options": {"include_obfuscation": False},
    }


def test_responses_asks_a_plain_model_for_no_reasoning_and_gives_history_as_output(provider: Named) -> None:
    request = Request(
        messages=(
            Message("user", (Text("a"),)),
            Message("assistant", (Text("b"),)),
            Message("user", (Text("c"),)),
        ),
        parameters=Parameters(max_tokens=3, temperature=0.5),
    )
    call = asked(provider("openai-responses"), request)
    body = body_of(call)
    assert body["input"][1] == {"role": "assistant", "content": [{"type": "output_text", "text": "b"}]}
    assert "reasoning" not in body
    assert "include" not in body
    assert (body["max_output_tokens"], body["temperature"], body["store"]) == (16, 0.5, False)
    assert call.notes == ("max tokens 3 sent as 16: the least this API takes",)


def test_anthropic_asks_as_the_documentation_shows(provider: Named) -> None:
    request = request_of("Hi", system="Be brief.", max_tokens=1024, temperature=0.7)
    call = asked(provider("anthropic"), request, HAIKU_45, id="claude-haiku-4-5")
    assert (call.path, call.headers) == ("/v1/messages", {"anthropic-version": "2023-06-01"})
    assert body_of(call) == {
        "model": "claude-haiku-4-5",
        "max_tokens": 1024,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.7,
        "stream": True,
    }


def test_anthropic_adaptive_models_think_aloud_at_the_effort_asked_for(provider: Named) -> None:
    request = request_of("What is it?", images=[PNG], max_tokens=16000, reasoning_effort="medium")
    body = body_of(asked(provider("anthropic"), request, SONNET_55))
    assert body["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG64}},
        {"type": "text", "text": "What is it?"},
    ]
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert body["output_config"] == {"effort": "medium"}


@pytest.mark.parametrize(
    ("traits", "effort", "thinking", "config", "notes"),
    [
        (HAIKU_45, None, None, None, 0),
        (HAIKU_45, "none", None, None, 0),
        (HAIKU_45, "low", {"type": "enabled", "budget_tokens": 2048}, None, 0),
        (SONNET_46, None, None, None, 0),
        (SONNET_46, "none", {"type": "disabled"}, None, 0),
        (SONNET_46, "high", {"type": "adaptive", "display": "summarized"}, {"effort": "high"}, 0),
        (SONNET_5, None, {"type": "adaptive", "display": "summarized"}, None, 0),
        (SONNET_5, "none", {"type": "disabled"}, None, 0),
        (SONNET_55, None, {"type": "adaptive", "display": "summarized"}, None, 0),
        (SONNET_55, "none", {"type": "adaptive", "display": "summarized"}, {"effort": "low"}, 1),
        (SONNET_55, "minimal", {"type": "adaptive", "display": "summarized"}, {"effort": "low"}, 1),
        (Traits(), "high", None, None, 1),
    ],
)
def test_anthropic_thinking_by_model(
    provider: Named, traits: Traits, effort: Effort | None, thinking: object, config: object, notes: int
) -> None:
    call = asked(provider("anthropic"), request_of("Hi", reasoning_effort=effort), traits)
    body = body_of(call)
    assert (body.get("thinking"), body.get("output_config"), len(call.notes)) == (thinking, config, notes)


def test_anthropic_always_has_a_limit_and_a_thinking_budget_stays_under_it(provider: Named) -> None:
    owner = provider("anthropic")
    assert body_of(asked(owner, request_of("Hi"), max_output=64_000))["max_tokens"] == 32_000
    assert body_of(asked(owner, request_of("Hi"), max_output=4_096))["max_tokens"] == 4_096
    assert body_of(asked(owner, request_of("Hi"), state="unlisted"))["max_tokens"] == 8_192
    call = asked(owner, request_of("Hi", max_tokens=4000, reasoning_effort="high"), HAIKU_45)
    assert body_of(call)["thinking"]["budget_tokens"] == 3000
    assert call.notes == ("thinking budget 16384 sent as 3000: it has to stay under max tokens 4000",)
    call = asked(owner, request_of("Hi", max_tokens=1100, reasoning_effort="low"), HAIKU_45)
    assert body_of(call)["thinking"]["budget_tokens"] == 1024
    call = asked(owner, request_of("Hi", max_tokens=1024, reasoning_effort="low"), HAIKU_45)
    assert "thinking" not in body_of(call)
    assert call.notes == ("reasoning left out: max tokens 1024 leaves no room for 1024 thinking tokens",)


def test_anthropic_takes_no_temperature_while_it_thinks(provider: Named) -> None:
    call = asked(provider("anthropic"), request_of("Hi", temperature=0.2, reasoning_effort="low"), HAIKU_45)
    assert "temperature" not in body_of(call)
    assert call.notes == ("temperature left out: not taken together with thinking",)
    call = asked(provider("anthropic"), request_of("Hi", temperature=1.7), HAIKU_45)
    assert body_of(call)["temperature"] == 1.0
    assert call.notes == ("temperature 1.7 sent as 1: the range ends there",)


def test_gemini_asks_as_the_documentation_shows(provider: Named) -> None:
    request = Request(
        messages=(
            Message("user", (Text("What is this?"), PNG)),
            Message("assistant", (Text("A cat."),)),
            Message("user", (Text("Sure?"),)),
        ),
        system="Be brief.",
        parameters=Parameters(max_tokens=1024, reasoning_effort="low"),
    )
    call = asked(provider("google-ai-studio"), request, FLASH_38, id="gemini-3.8-flash")
    assert call.path == "/models/gemini-3.8-flash:streamGenerateContent?alt=sse"
    assert body_of(call) == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "What is this?"},
                    {"inlineData": {"mimeType": "image/png", "data": PNG64}},
                ],
            },
            {"role": "model", "parts": [{"text": "A cat."}]},
            {"role": "user", "parts": [{"text": "Sure?"}]},
        ],
        "generationConfig": {
            "maxOutputTokens": 1024,
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
        },
    }


@pytest.mark.parametrize(
    ("traits", "effort", "thinking", "notes"),
    [
        (FLASH_25, None, {"includeThoughts": True}, 0),
        (FLASH_25, "none", {"thinkingBudget": 0}, 0),
        (FLASH_25, "high", {"includeThoughts": True, "thinkingBudget": 16_384}, 0),
        (PRO_25, "none", {"includeThoughts": True, "thinkingBudget": 128}, 1),
        (PRO_25, "minimal", {"includeThoughts": True, "thinkingBudget": 1024}, 0),
        (FLASH_38, None, {"includeThoughts": True}, 0),
        (FLASH_38, "minimal", {"includeThoughts": True, "thinkingLevel": "LOW"}, 1),
        (FLASH_38, "none", {"includeThoughts": True, "thinkingLevel": "LOW"}, 1),
        (Traits(), "high", None, 1),
        (Traits(thinking="budget", budget_min=512, efforts=("none",), default_effort="none"), None, None, 0),
    ],
)
def test_gemini_thinking_by_model(
    provider: Named, traits: Traits, effort: Effort | None, thinking: object, notes: int
) -> None:
    call = asked(provider("google-ai-studio"), request_of("Hi", reasoning_effort=effort), traits)
    assert body_of(call).get("generationConfig", {}).get("thinkingConfig") == thinking
    assert len(call.notes) == notes


def test_gemini_names_are_quoted_and_the_version_is_added_where_it_is_missing(provider: Named) -> None:
    call = asked(provider("google-ai-studio"), request_of("Hi"), id="models/a?key=b#c")
    assert call.path == "/models/a%3Fkey%3Db%23c:streamGenerateContent?alt=sse"
    bare = Provider(id="lab", name="Lab", dialect="gemini", base_url="http://127.0.0.1:8000")
    assert asked(bare, request_of("Hi")).path == "/v1beta/models/m:streamGenerateContent?alt=sse"
    lab = Provider(id="lab", name="Lab", dialect="anthropic", base_url="http://127.0.0.1:8000/v1")
    assert asked(lab, request_of("Hi")).path == "/messages"


ALL = ["openai", "openai-responses", "anthropic", "google-ai-studio"]


@pytest.mark.parametrize("who", ALL)
def test_temperature_is_left_out_where_a_model_takes_none(provider: Named, who: str) -> None:
    never = Traits(temperature="never")
    call = asked(provider(who), request_of("Hi", temperature=0), never, id="gpt-6.1-sol")
    assert "temperature" not in json.dumps(call.body)
    assert call.notes == ("temperature left out: gpt-6.1-sol takes none",)


@pytest.mark.parametrize(
    ("effort", "default", "sent"),
    [
        ("none", None, True),
        (None, "none", True),
        (None, None, False),
        (None, "medium", False),
        ("low", "none", False),
    ],
)
def test_temperature_without_reasoning_only(
    provider: Named, effort: Effort | None, default: str | None, sent: bool
) -> None:
    traits = Traits(
        temperature="without_reasoning", efforts=("none", "low"), default_effort=default, thinking="effort"
    )
    for who in ("openai", "openai-responses"):
        call = asked(provider(who), request_of("Hi", temperature=0.3, reasoning_effort=effort), traits)
        assert ("temperature" in body_of(call)) is sent
        assert bool(call.notes) is not sent


@pytest.mark.parametrize(
    ("effort", "efforts", "sent"),
    [
        ("minimal", ("low", "medium", "high"), "low"),
        ("minimal", ("none", "low"), "low"),
        ("none", ("minimal", "low"), "minimal"),
        ("high", ("none", "low"), "low"),
        ("medium", ("low", "high"), "low"),
        ("low", ("none", "high", "max"), "high"),
        ("low", ("none", "default", "low"), "low"),
        ("high", (), None),
        ("none", (), None),
    ],
)
def test_efforts_go_to_the_nearest_a_model_takes(
    provider: Named, effort: Effort, efforts: tuple[str, ...], sent: str | None
) -> None:
    call = asked(provider("openai"), request_of("Hi", reasoning_effort=effort), Traits(efforts=efforts))
    assert body_of(call).get("reasoning_effort") == sent
    assert bool(call.notes) == (sent != effort and (effort, efforts) != ("none", ()))


@pytest.mark.parametrize("who", ALL)
def test_a_limit_over_the_models_own_is_lowered(provider: Named, who: str) -> None:
    call = asked(provider(who), request_of("Hi", max_tokens=200_000), max_output=64_000)
    assert "64000" in json.dumps(call.body)
    assert call.notes == ("max tokens 200000 sent as 64000: the most m gives",)


@pytest.mark.parametrize("who", ALL)
def test_an_image_to_a_model_known_to_see_none_is_refused_before_asking(provider: Named, who: str) -> None:
    request = request_of("What?", images=[PNG])
    with pytest.raises(errors.Unsupported) as caught:
        asked(provider(who), request, capabilities=frozenset({"tools"}))
    assert caught.value.facts["part"] == "image"
    asked(provider(who), request, capabilities=frozenset({"vision"}))
    asked(provider(who), request, capabilities=frozenset())
    asked(provider(who), request, state="unlisted", capabilities=frozenset({"tools"}))


@pytest.mark.parametrize("who", ALL)
def test_turns_alternate_and_nothing_empty_is_sent(provider: Named, who: str) -> None:
    request = Request(
        messages=(
            Message("user", (Text("a"), Text(" "))),
            Message("assistant", (Text(""),)),
            Message("user", (Text("b"),)),
            Message("assistant", (Text("c"),)),
            Message("user", (PNG, Text(""))),
        )
    )
    body = body_of(asked(provider(who), request))
    turns = body.get("messages") or body.get("input") or body["contents"]
    assert [turn["role"] for turn in turns] in (["user", "assistant", "user"], ["user", "model", "user"])
    assert "a" in json.dumps(turns[0])
    assert "b" in json.dumps(turns[0])
    assert '"text": ""' not in json.dumps(turns)
    assert '"content": ""' not in json.dumps(turns)


@pytest.mark.parametrize("who", ALL)
def test_a_request_without_a_word_is_not_asked(provider: Named, who: str) -> None:
    with pytest.raises(errors.Unsupported):
        asked(provider(who), request_of("  \n"))


@pytest.mark.parametrize("who", ["anthropic", "google-ai-studio"])
def test_a_begun_answer_is_refused_where_none_is_continued(provider: Named, who: str) -> None:
    request = Request(messages=(Message("user", (Text("a"),)), Message("assistant", (Text("b "),))))
    with pytest.raises(errors.Unsupported) as caught:
        asked(provider(who), request)
    assert caught.value.facts["part"] == "prefill"
    assert asked(provider(who), request, Traits(prefill=True)).body


def test_each_dialect_carries_the_key_in_its_own_header() -> None:
    secret = Secret("k")
    assert dialect_of("openai-chat").authorise(secret) == {"Authorization": "Bearer k"}
    assert dialect_of("openai-responses").authorise(secret) == {"Authorization": "Bearer k"}
    assert dialect_of("anthropic").authorise(secret) == {"x-api-key": "k"}
    assert dialect_of("gemini").authorise(secret) == {"x-goog-api-key": "k"}


def test_each_dialect_lists_models_in_one_page(provider: Named) -> None:
    listed = {who: dialect_of(provider(who).dialect).list_models(provider(who)) for who in ALL}
    assert {call.method for call in listed.values()} == {"GET"}
    assert listed["openai"].path == "/models"
    assert listed["anthropic"].path == "/v1/models?limit=1000"
    assert listed["anthropic"].headers == {"anthropic-version": "2023-06-01"}
    assert listed["google-ai-studio"].path == "/models?pageSize=1000"
