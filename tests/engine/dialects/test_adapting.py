"""Learning from a refusal which parameter to leave out (wire facts §11.1, "adaptive fallback")."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from vibedesk.engine import errors
from vibedesk.engine.dialects import Call, dialect_of, parameter_named, without
from vibedesk.engine.types import Provider


def refused(owner: Provider, message: str, param: str | None = None) -> errors.BadRequest:
    body = {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": None}}
    error = dialect_of(owner.dialect).refusal(400, {}, json.dumps(body).encode(), owner)
    assert isinstance(error, errors.BadRequest)
    return error


@pytest.mark.parametrize(
    ("message", "param", "name"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported with this model.", "max_tokens", "max_tokens"),
        ("Unsupported parameter: 'max_tokens' is not supported with this model.", None, "max_tokens"),
        ("Unsupported value: 'temperature' does not support 0.2 with this model.", None, "temperature"),
        ("`temperature` is deprecated for this model.", None, "temperature"),
        ("`temperature` and `top_p` cannot both be specified for this model.", None, None),
        ("property 'reasoning_effort' is unsupported", None, "reasoning_effort"),
        ("property 'stream_options' is unsupported, did you mean 'stream'?", None, "stream_options"),
        (
            "Unsupported value: 'reasoning.effort' does not support 'minimal'",
            "reasoning.effort",
            "reasoning_effort",
        ),
        (
            "Your organization must be verified to generate reasoning summaries.",
            "reasoning.summary",
            "reasoning.summary",
        ),
        ("Your organization must be verified to stream this model.", "stream", "stream"),
        (
            "Unsupported value: 'messages[0].role' does not support 'developer'",
            "messages[0].role",
            "messages[0].role",
        ),
        ("thinking: Extra inputs are not permitted", None, "thinking"),
        ("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024", None, "thinking"),
        ("Thinking level is not supported for this model.", None, "thinking"),
        ("Reasoning is mandatory for this endpoint and cannot be disabled.", None, "reasoning_effort"),
        ("Encrypted content is not supported with this model.", None, "include"),
        (
            "Invalid JSON payload received. Unknown name \"thinkingLevel\" at 'generation_config.thinking_config'",
            None,
            "thinking",
        ),
        ("Argument not supported on this model: reasoning_effort", None, "reasoning_effort"),
        ("Unrecognized request argument supplied: reasoning_effort", None, "reasoning_effort"),
        ("The user wrote about temperature and thinking", None, None),
        ("Invalid value", "messages", None),
        ("Something else", None, None),
    ],
)
def test_the_parameter_is_named_from_the_field_or_the_words(
    provider: Callable[[str], Provider], message: str, param: str | None, name: str | None
) -> None:
    found = parameter_named(refused(provider("lab"), message, param))
    if "cannot both" in message:
        assert found in (None, "temperature", "top_p")
    else:
        assert found == name


def call(**body: Any) -> Call:
    return Call(
        method="POST",
        path="/chat/completions",
        body={"model": "m", "messages": [], **body},
        notes=("before",),
    )


def test_a_parameter_is_left_out_once_and_noted() -> None:
    first = call(temperature=0.2, stream=True)
    second = without(first, "temperature")
    assert second is not None
    assert second.body == {"model": "m", "messages": [], "stream": True}
    assert second.notes == ("before", "temperature left out: the provider refused it")
    assert first.body is not None
    assert first.body["temperature"] == 0.2, "the first call is as it was"
    assert without(second, "temperature") is None


def test_one_limit_is_swapped_for_the_other_and_then_dropped() -> None:
    swapped = without(call(max_tokens=9), "max_tokens")
    assert swapped is not None
    assert swapped.body == {"model": "m", "messages": [], "max_completion_tokens": 9}
    assert swapped.notes[-1] == "max_tokens sent as max_completion_tokens: the provider refused the first"
    dropped = without(swapped, "max_completion_tokens")
    assert dropped is not None
    assert dropped.body == {"model": "m", "messages": []}


def test_what_is_required_stays() -> None:
    required = Call(method="POST", path="/v1/messages", body={"model": "m", "max_tokens": 9, "messages": []})
    assert without(required, "max_tokens") is None
    assert without(call(), "model") is None
    assert without(call(), "messages") is None
    assert without(Call(method="GET", path="/models"), "temperature") is None


@pytest.mark.parametrize(
    ("parameter", "body", "left"),
    [
        ("thinking", {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}, {}),
        (
            "temperature",
            {"generationConfig": {"temperature": 1, "maxOutputTokens": 2}},
            {"generationConfig": {"maxOutputTokens": 2}},
        ),
        (
            "reasoning_effort",
            {"reasoning": {"effort": "low", "summary": "auto"}},
            {"reasoning": {"summary": "auto"}},
        ),
        (
            "reasoning.summary",
            {"reasoning": {"effort": "low", "summary": "auto"}},
            {"reasoning": {"effort": "low"}},
        ),
        (
            "reasoning_effort",
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            {"thinking": {"type": "adaptive"}},
        ),
        ("stream", {"stream": True, "stream_options": {"include_usage": True}}, {"stream": False}),
        ("include", {"include": ["reasoning.encrypted_content"]}, {}),
    ],
)
def test_every_dialects_own_place_is_found(
    parameter: str, body: dict[str, Any], left: dict[str, Any]
) -> None:
    after = without(Call(method="POST", path="/x", body=body), parameter)
    assert after is not None
    assert after.body == left


def test_a_developer_becomes_the_system() -> None:
    messages = [{"role": "developer", "content": "S"}, {"role": "user", "content": "Hi"}]
    after = without(
        Call(method="POST", path="/chat/completions", body={"messages": messages}), "messages[0].role"
    )
    assert after is not None
    assert after.body is not None
    assert [message["role"] for message in after.body["messages"]] == ["system", "user"]
    assert without(after, "messages[0].role") is None
