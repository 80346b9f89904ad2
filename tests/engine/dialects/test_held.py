"""Sampling, stop sequences, seeds and schemas: what each wire is sent, and that a server as strict takes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.asking import ask, router_of, rung_of
from tests.providers import Anthropic, Gemini, Loopback, OpenAI, Responses
from vibedesk.engine import errors
from vibedesk.engine.dialects import Call, dialect_of
from vibedesk.engine.dialects.taken import taken_by
from vibedesk.engine.http import Http
from vibedesk.engine.types import DialectName, Model, Provider, Traits, request_of

Named = Callable[[str], Provider]
PLAIN = Traits()
SCHEMA = {
    "title": "Two words",
    "type": "object",
    "properties": {
        "a": {"type": "string"},
        "b": {"type": "object", "properties": {}, "additionalProperties": False},
    },
    "required": ["a", "b"],
    "additionalProperties": False,
}
LOOSE = {"type": "object", "properties": {"a": {"type": "string"}}}
ALL = {"top_p": 0.5, "stop": ("END", " "), "seed": 7, "json_schema": json.dumps(SCHEMA)}
"""Every new parameter; the blank stop sequence is never sent."""


def call_of(owner: Provider, traits: Traits = PLAIN, *, id: str = "m", can: str = "", **asked: Any) -> Call:
    capabilities = frozenset(can.split())
    model = Model(provider=owner.id, id=id, name="M", traits=traits, capabilities=capabilities)
    return dialect_of(owner.dialect).ask(request_of("Hi", **asked), model, owner)


def body_of(call: Call) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(call.body))
    return body


def test_chat_completions_gets_them_under_their_own_names(provider: Named) -> None:
    call = call_of(provider("groq"), id="openai/gpt-oss-120b", **ALL)
    body = body_of(call)
    assert (body["top_p"], body["stop"], body["seed"], call.notes) == (0.5, ["END"], 7, ())
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "Two_words", "schema": SCHEMA, "strict": True},
    }


def test_strict_is_asked_for_only_where_it_would_be_taken(provider: Named) -> None:
    loose = body_of(call_of(provider("openai"), json_schema=json.dumps(LOOSE)))["response_format"]
    assert loose["json_schema"] == {"name": "answer", "schema": LOOSE}
    qwen = body_of(call_of(provider("groq"), id="qwen/qwen3.8-27b", json_schema=json.dumps(SCHEMA)))
    assert "strict" not in qwen["response_format"]["json_schema"]


def test_mistral_has_its_own_name_for_a_seed(provider: Named) -> None:
    owner = Provider(
        id="mistral", name="Mistral", dialect="openai-chat", base_url="https://api.mistral.ai/v1"
    )
    body = body_of(call_of(owner, seed=3))
    assert body["random_seed"] == 3
    assert "seed" not in body


def test_responses_takes_no_stop_and_no_seed(provider: Named) -> None:
    call = call_of(provider("openai-responses"), **ALL)
    body = body_of(call)
    assert body["top_p"] == 0.5
    assert body["text"] == {
        "format": {"type": "json_schema", "name": "Two_words", "schema": SCHEMA, "strict": True}
    }
    assert call.notes == ("stop left out: m takes none", "seed left out: this API takes none")


def test_anthropic_takes_temperature_or_top_p_and_the_schema_beside_the_effort(provider: Named) -> None:
    owner = provider("anthropic")
    body = body_of(call_of(owner, **ALL))
    assert (body["top_p"], body["stop_sequences"]) == (0.5, ["END"])
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    both = call_of(owner, top_p=0.5, temperature=0.3)
    assert "top_p" not in body_of(both)
    assert both.notes == ("top_p left out: not taken together with a temperature",)
    adaptive = Traits(
        temperature="never", thinking="adaptive", efforts=("low", "high"), default_effort="high"
    )
    thinking = body_of(call_of(owner, adaptive, json_schema=json.dumps(SCHEMA), reasoning_effort="low"))
    assert set(thinking["output_config"]) == {"effort", "format"}


def test_gemini_names_them_in_its_config(provider: Named) -> None:
    call = call_of(provider("google-ai-studio"), **ALL)
    assert body_of(call)["generationConfig"] == {
        "topP": 0.5,
        "stopSequences": ["END"],
        "seed": 7,
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
    }
    assert call.notes == ()


@pytest.mark.parametrize("who", ["openai", "openai-responses", "anthropic", "google-ai-studio"])
def test_what_is_not_set_is_not_sent(provider: Named, who: str) -> None:
    sent = json.dumps(call_of(provider(who)).body)
    for word in ("top_p", "topP", "stop", "seed", "format", "schema"):
        assert f'"{word}' not in sent


@pytest.mark.parametrize("who", ["openai", "openai-responses", "anthropic", "google-ai-studio"])
def test_top_p_goes_where_a_temperature_goes(provider: Named, who: str) -> None:
    call = call_of(provider(who), Traits(temperature="never"), top_p=0.5)
    assert call.notes == ("top_p left out: m takes none",)
    reasoning = Traits(
        temperature="without_reasoning", efforts=("low",), default_effort="low", thinking="effort"
    )
    if who.startswith("openai"):
        assert call_of(provider(who), reasoning, top_p=0.5).notes == (
            "top_p left out: m takes one only without reasoning",
        )
    assert call_of(provider(who), top_p=1.4).notes == ("top_p 1.4 sent as 1: the range ends there",)


def test_stop_sequences_beyond_the_limit_are_named(provider: Named) -> None:
    call = call_of(provider("openai"), stop=("a", "b", "c", "d", "e"))
    assert body_of(call)["stop"] == ["a", "b", "c", "d"]
    assert call.notes == ("stop: the first 4 of 5 sent, more are not taken",)
    call = call_of(provider("openai"), Traits(stop=False), stop=("a",))
    assert call.notes == ("stop left out: m takes none",)


@pytest.mark.parametrize("who", ["openai", "openai-responses", "anthropic", "google-ai-studio"])
def test_a_schema_is_never_quietly_left_out(provider: Named, who: str) -> None:
    with pytest.raises(errors.Unsupported) as caught:
        call_of(provider(who), can="vision tools", json_schema=json.dumps(SCHEMA))
    assert caught.value.facts["part"] == "json_schema"
    for text in ("{", "[1]", "[" * 100_000, '{"a": "' + "x" * 70_000 + '"}'):
        with pytest.raises(errors.Misconfigured):
            call_of(provider(who), json_schema=text)


@pytest.mark.parametrize(
    ("server", "dialect", "name"),
    [
        (OpenAI, "openai-chat", "gpt-4.1-mini"),
        (Responses, "openai-responses", "gpt-4.1-mini"),
        (Anthropic, "anthropic", "claude-haiku-4-5"),
        (Gemini, "gemini", "gemini-2.5-flash"),
    ],
)
@pytest.mark.parametrize("schema", [SCHEMA, LOOSE])
async def test_a_server_as_strict_as_the_real_one_takes_them_all(
    http: Http, server: type[Loopback], dialect: DialectName, name: str, schema: dict[str, Any]
) -> None:
    request = request_of("Hi", top_p=0.9, stop=("END",), seed=1, json_schema=json.dumps(schema))
    async with server() as loopback:
        finished = await ask(router_of(http), [rung_of(loopback, dialect, name)], request)
    assert finished.outcome == "complete"
    assert [attempt.status for attempt in finished.attempts] == [200]


def test_what_a_model_takes_is_told_with_its_range_and_default(provider: Named) -> None:
    def taken(who: str, traits: Traits = PLAIN, **more: Any) -> Any:
        return taken_by(Model(provider=who, id="m", name="M", traits=traits, **more), provider(who))

    claude = taken("anthropic", max_output=64_000)
    assert (claude.temperature, claude.together, claude.stops, claude.seed) == (1.0, False, 16, False)
    assert (claude.default_max_tokens, claude.most_tokens) == (32_000, 64_000)
    responses = taken("openai-responses", Traits(temperature="without_reasoning"))
    assert (responses.warmth, responses.stops, responses.seed, responses.least_tokens) == (
        "reasoning",
        0,
        False,
        16,
    )
    groq = taken("groq", Traits(temperature="never", stop=False), capabilities=frozenset({"tools"}))
    assert (groq.temperature, groq.top_p, groq.stops, groq.seed, groq.json_schema) == (
        None,
        False,
        0,
        True,
        False,
    )
