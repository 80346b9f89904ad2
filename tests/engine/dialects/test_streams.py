"""The streams as the providers' documentation shows them, and the tables of usage and finish reasons (§11.5, §11.6)."""

# ruff: noqa: E501 - samples and tables: one row, one line

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from vibedesk.engine import errors
from vibedesk.engine.types import ModelReported, Usage, UsageReported

Hear = Callable[..., Any]


def events(*objects: object, end: bytes = b"\n") -> bytes:
    return b"".join(b"data: " + json.dumps(item).encode() + end + end for item in objects)


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "model": "m-1",
        "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}],
        **more,
    }


def test_openai_chat(hear: Hear) -> None:
    usage = {
        "prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 6},
    }  # fmt: skip
    body = events(
        chunk({"role": "assistant", "content": "", "refusal": None}, usage=None, obfuscation="a8"),
        chunk({"content": "Hel"}, usage=None),
        chunk({"content": "lo"}, usage=None),
        chunk(finish="stop", usage=None),
        {"choices": [], "usage": usage},
    )
    heard = hear("openai", body + b"data: [DONE]\n\n")
    assert (heard.text, heard.error, heard.finish.reason) == ("Hello", None, "stop")
    assert heard.pieces[0] == ModelReported("m-1", "chatcmpl-1")
    assert heard.usage == Usage(
        input_tokens=9, output_tokens=12, cached_tokens=4, cache_write_tokens=1, reasoning_tokens=6
    )


def test_groq_with_its_own_usage_and_request_id(hear: Hear) -> None:
    body = events(
        chunk({"role": "assistant", "content": ""}, x_groq={"id": "req_01", "seed": 123}),
        chunk({"reasoning": "User greets", "channel": "analysis"}),
        chunk({"content": "Hi"}),
        chunk(finish="stop", x_groq={"id": "req_01", "usage": {
            "prompt_tokens": 40, "completion_tokens": 20, "total_tokens": 60, "queue_time": 0.02,
            "completion_tokens_details": {"reasoning_tokens": 8}}}),
    )  # fmt: skip
    heard = hear("groq", body + b"data: [DONE]\n\n")
    assert (heard.text, heard.reasoning) == ("Hi", "User greets")
    assert heard.model == ModelReported("m-1", "req_01")
    assert heard.usage == Usage(input_tokens=40, output_tokens=20, reasoning_tokens=8)


def test_openrouters_cost_is_told_and_nobody_elses_is_believed(hear: Hear) -> None:
    body = events(
        chunk({"content": "Hi"}),
        chunk(finish="stop", usage={"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.00095}),
    )
    told = [piece for piece in hear("openrouter", body).pieces if isinstance(piece, UsageReported)]
    assert told[0].cost_usd == Decimal("0.00095")
    told = [piece for piece in hear("lab", body).pieces if isinstance(piece, UsageReported)]
    assert told[0].cost_usd is None


@pytest.mark.parametrize(
    ("who", "reported", "usage"),
    [
        ("deepseek", {"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 5}, Usage(input_tokens=9, output_tokens=2, cached_tokens=5)),
        (
            "xai",
            {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 18, "completion_tokens_details": {"reasoning_tokens": 7}},
            Usage(input_tokens=9, output_tokens=9, reasoning_tokens=7),
        ),
        (
            "xai",
            {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18, "completion_tokens_details": {"reasoning_tokens": 7}},
            Usage(input_tokens=9, output_tokens=9, reasoning_tokens=7),
        ),
        ("lab", {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 50}}, None),
        ("lab", {"prompt_tokens": 9}, None),
        ("lab", {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": None}, Usage(input_tokens=9, output_tokens=2)),
    ],
)  # fmt: skip
def test_usage_of_the_openai_like(hear: Hear, who: str, reported: object, usage: Usage | None) -> None:
    body = events(chunk({"content": "Hi"}), chunk(finish="stop", usage=reported))
    assert hear(who, body).usage == usage


@pytest.mark.parametrize(
    ("who", "raw", "reason"),
    [
        ("openai", "stop", "stop"), ("together", "eos", "stop"), ("openai", "length", "length"), ("mistral", "model_length", "length"),
        ("openai", "tool_calls", "tool_call"), ("openai", "function_call", "tool_call"), ("openai", "content_filter", "content_filter"),
        ("anthropic", "end_turn", "stop"), ("anthropic", "stop_sequence", "stop"), ("anthropic", "max_tokens", "length"),
        ("anthropic", "model_context_window_exceeded", "length"), ("anthropic", "tool_use", "tool_call"),
        ("anthropic", "refusal", "content_filter"), ("anthropic", "pause_turn", "length"), ("anthropic", "new_word", "stop"),
        ("google-ai-studio", "STOP", "stop"), ("google-ai-studio", "MAX_TOKENS", "length"), ("google-ai-studio", "SAFETY", "content_filter"),
        ("google-ai-studio", "RECITATION", "content_filter"), ("google-ai-studio", "PROHIBITED_CONTENT", "content_filter"),
        ("google-ai-studio", "CONTINUATION", "length"), ("google-ai-studio", "NEW_WORD", "stop"),
    ],
)  # fmt: skip
def test_finish_reasons(hear: Hear, who: str, raw: str, reason: str) -> None:
    body = {
        "anthropic": events(
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}},
            {"type": "message_delta", "delta": {"stop_reason": raw}},
        ),
        "google-ai-studio": events(
            {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": raw}]}
        ),
    }.get(who) or events(chunk({"content": "Hi"}), chunk(finish=raw))
    heard = hear(who, body)
    assert (heard.finish.reason, heard.finish.raw, heard.error) == (reason, raw, None)


@pytest.mark.parametrize(
    ("who", "raw", "kind"),
    [
        ("mistral", "error", errors.ServerError),
        ("deepseek", "insufficient_system_resource", errors.Overloaded),
        ("google-ai-studio", "MALFORMED_RESPONSE", errors.ServerError),
        ("google-ai-studio", "OTHER", errors.ServerError),
    ],
)
def test_an_end_that_is_an_error_is_never_complete(
    hear: Hear, who: str, raw: str, kind: type[Exception]
) -> None:
    google = {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": raw}]}
    usage = {"usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1}}
    body = events(google, usage) if who.startswith("google") else events(
        chunk({"content": "Hi"}), chunk(finish=raw), {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    )  # fmt: skip
    heard = hear(who, body)
    assert heard.text == "Hi"
    assert heard.usage == Usage(input_tokens=1, output_tokens=1), "the counts after it are still read"
    assert (type(heard.error), heard.error.code, heard.finish.reason) == (kind, raw, "error")


def test_a_refusal_of_openai_chat_is_text_and_a_filter(hear: Hear) -> None:
    heard = hear("openai", events(chunk({"refusal": "I cannot."}), chunk(finish="stop")))
    assert (heard.text, heard.finish.reason) == ("I cannot.", "content_filter")


def test_openai_responses(hear: Hear) -> None:
    body = events(
        {"type": "response.created", "response": {"id": "resp_1", "model": "gpt-6.1-sol"}},
        {"type": "response.in_progress", "response": {"id": "resp_1", "model": "gpt-6.1-sol"}},
        {"type": "response.output_item.added", "item": {"type": "reasoning"}},
        {"type": "response.reasoning_summary_part.added", "summary_index": 0},
        {"type": "response.reasoning_summary_text.delta", "summary_index": 0, "delta": "First."},
        {"type": "response.reasoning_summary_text.done", "text": "First."},
        {"type": "response.reasoning_summary_part.added", "summary_index": 1},
        {"type": "response.reasoning_summary_text.delta", "summary_index": 1, "delta": "Then."},
        {"type": "response.output_item.added", "item": {"type": "message", "role": "assistant"}},
        {"type": "response.output_text.delta", "delta": "Hel", "logprobs": [], "obfuscation": "x"},
        {"type": "response.output_text.delta", "delta": "lo"},
        {"type": "response.output_text.done", "text": "Hello"},
        {"type": "response.completed", "response": {
            "id": "resp_1", "model": "gpt-6.1-sol", "status": "completed",
            "output": [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "First."}], "encrypted_content": "Q"},
                {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]},
            ],
            "usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 3}, "output_tokens": 20,
                      "output_tokens_details": {"reasoning_tokens": 15}, "total_tokens": 29}}},
    )  # fmt: skip
    heard = hear("openai-responses", body)
    assert (heard.text, heard.reasoning, heard.error) == ("Hello", "First.\n\nThen.", None)
    assert heard.model == ModelReported("gpt-6.1-sol", "resp_1")
    assert heard.usage == Usage(input_tokens=9, output_tokens=20, cached_tokens=3, reasoning_tokens=15)
    assert heard.finish.reason == "stop"


def responses_end(kind: str, **response: Any) -> bytes:
    return events(
        {"type": "response.output_text.delta", "delta": "Hi"},
        {"type": f"response.{kind}", "response": {"status": kind, **response}},
    )


def test_responses_that_end_early(hear: Hear) -> None:
    heard = hear(
        "openai-responses", responses_end("incomplete", incomplete_details={"reason": "max_output_tokens"})
    )
    assert (heard.finish.reason, heard.finish.raw, heard.error) == ("length", "max_output_tokens", None)
    heard = hear(
        "openai-responses", responses_end("incomplete", incomplete_details={"reason": "content_filter"})
    )
    assert heard.finish.reason == "content_filter"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("server_error", errors.ServerError),
        ("rate_limit_exceeded", errors.RateLimited),
        ("invalid_prompt", errors.ContentBlocked),
        ("image_too_large", errors.TooLarge),
        ("something_new", errors.ServerError),
    ],
)
def test_responses_that_fail_keep_text_and_usage(hear: Hear, code: str, kind: type[Exception]) -> None:
    usage = {"input_tokens": 1, "output_tokens": 1}
    heard = hear(
        "openai-responses", responses_end("failed", error={"code": code, "message": "m"}, usage=usage)
    )
    assert (heard.text, type(heard.error), heard.error.code) == ("Hi", kind, code)
    assert heard.usage == Usage(input_tokens=1, output_tokens=1)
    for nested in ({"error": {"code": code, "message": "m"}}, {"code": code, "message": "m", "param": None}):
        heard = hear("openai-responses", events({"type": "error", "sequence_number": 3, **nested}))
        assert type(heard.error) is kind


def test_a_refusal_of_responses_is_text_and_a_filter(hear: Hear) -> None:
    body = events(
        {"type": "response.refusal.delta", "delta": "I cannot."},
        {"type": "response.completed", "response": {}},
    )
    heard = hear("openai-responses", body)
    assert (heard.text, heard.finish.reason) == ("I cannot.", "content_filter")


def test_anthropic(hear: Hear) -> None:
    body = events(
        {"type": "message_start", "message": {"id": "msg_1", "model": "claude-sonnet-5-5", "usage": {
            "input_tokens": 12, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 1000, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Let me"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "Eq"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "redacted_thinking", "data": "x"}},
        {"type": "content_block_start", "index": 2, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "citations_delta", "citation": {}}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": 57, "input_tokens": None, "output_tokens_details": {"thinking_tokens": 30}}},
        {"type": "message_stop"},
    )  # fmt: skip
    heard = hear("anthropic", body)
    assert (heard.text, heard.reasoning, heard.error) == ("Hello", "Let me", None)
    assert heard.model == ModelReported("claude-sonnet-5-5", "msg_1")
    assert heard.usage == Usage(
        input_tokens=1112, output_tokens=57, cached_tokens=1000, cache_write_tokens=100, reasoning_tokens=30
    )
    assert sum(isinstance(piece, UsageReported) for piece in heard.pieces) == 1, (
        "the count of the start is no usage"
    )


def test_an_anthropic_refusal_says_why(hear: Hear) -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Not this."}
    heard = hear(
        "anthropic",
        events({"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}}),
    )
    assert type(heard.error) is errors.ContentBlocked
    assert heard.notes == ["refused: Not this."]


def test_gemini_with_crlf_thoughts_and_a_signature_at_the_end(hear: Hear) -> None:
    def part(
        finish: str | None = None, usage: dict[str, int] | None = None, *parts: dict[str, Any]
    ) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0} | (
            {"finishReason": finish} if finish else {}
        )
        return {
            "candidates": [candidate],
            "usageMetadata": usage or {},
            "modelVersion": "gemini-3.8-flash",
            "responseId": "abc",
        }

    body = events(
        part(None, {"promptTokenCount": 8, "totalTokenCount": 30, "thoughtsTokenCount": 22}, {"text": "Thinking…", "thought": True}),
        part(None, None, {"text": "Hello"}),
        part(
            "STOP",
            {"promptTokenCount": 8, "candidatesTokenCount": 5, "thoughtsTokenCount": 22, "toolUsePromptTokenCount": 2, "cachedContentTokenCount": 3},
            {"text": "", "thoughtSignature": "SIG"},
        ),
        end=b"\r\n",
    )  # fmt: skip
    heard = hear("google-ai-studio", body)
    assert (heard.text, heard.reasoning, heard.error) == ("Hello", "Thinking…", None)
    assert heard.model == ModelReported("gemini-3.8-flash", "abc")
    assert heard.usage == Usage(input_tokens=10, output_tokens=27, cached_tokens=3, reasoning_tokens=22)


def test_gemini_without_sse_is_one_growing_array(hear: Hear) -> None:
    items = [
        {"candidates": [{"content": {"parts": [{"text": "Hel"}]}}]},
        {"candidates": [{"content": {"parts": [{"text": "lo"}]}, "finishReason": "STOP"}]},
    ]
    for content_type in ("application/json", "text/event-stream"):
        heard = hear("google-ai-studio", json.dumps(items, indent=1).encode(), content_type=content_type)
        assert (heard.text, heard.error) == ("Hello", None)


def test_a_gemini_function_call_is_told_and_not_mistaken_for_an_answer(hear: Hear) -> None:
    part = {"functionCall": {"name": "look", "args": {}}}
    heard = hear(
        "google-ai-studio", events({"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]})
    )
    assert heard.finish.reason == "tool_call"
    assert type(heard.error) is errors.EmptyAnswer
    assert heard.notes == ["the model called tools it was not given: look"]
