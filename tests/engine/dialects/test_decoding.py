"""The 66 stream cases of the wire facts (§12.4), one test each and numbered as there, and any cut of any stream."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine import errors
from vibedesk.engine.dialects import dialect_of
from vibedesk.engine.dialects.toolcalls import ToolCalls
from vibedesk.engine.types import Model, Provider, ReasoningDelta, TextDelta, Traits, Usage

Hear = Callable[..., Any]

DONE = b"data: [DONE]\n\n"
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
END = STOP + DONE


def said(text: str, **delta: object) -> bytes:
    """One chunk of Chat Completions that says `text`."""
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text, **delta}}]}).encode() + b"\n\n"


def thought(**delta: object) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n"


def test_case_01_crlf_reads_like_lf(hear: Hear) -> None:
    heard = hear("openai", (said("Hi") + END).replace(b"\n", b"\r\n"))
    assert (heard.text, heard.error) == ("Hi", None)


def test_case_02_cr_alone_ends_a_line(hear: Hear) -> None:
    heard = hear("openai", (said("Hi") + END).replace(b"\n", b"\r"))
    assert (heard.text, heard.error) == ("Hi", None)


def test_case_03_crlf_split_between_reads_is_one_line_end(hear: Hear) -> None:
    heard = hear("openai", [said("Hi")[:-2] + b"\r", b"\n\r", b"\n" + END])
    assert (heard.text, heard.error) == ("Hi", None)
    assert heard.notes == []


def test_case_04_mixed_line_ends_in_one_event(hear: Hear) -> None:
    body = b'event: x\r\ndata: {"choices":[{"delta":{"content":"Hi"}}]}\n\r\n' + END
    assert hear("openai", body).text == "Hi"


def test_case_05_a_character_split_between_reads_stays_whole(hear: Hear) -> None:
    body = 'data: {"choices":[{"delta":{"content":"😀"}}]}\n\n'.encode() + END
    at = body.index(b"\x98")
    assert hear("openai", [body[:at], body[at:]]).text == "😀"


def test_case_06_invalid_utf8_is_replaced_and_the_answer_goes_on(hear: Hear) -> None:
    body = b'data: {"choices":[{"delta":{"content":"a\xff\xfeb"}}]}\n\n' + said("c") + END
    heard = hear("openai", body)
    assert (heard.text, heard.error) == ("a\ufffd\ufffdbc", None)


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_case_07_a_byte_order_mark_is_passed_over(hear: Hear, cut: int) -> None:
    body = b"\xef\xbb\xbf" + said("Hi") + END
    assert hear("openai", [body[:cut], body[cut:]]).text == "Hi"


def test_case_08_one_space_after_the_colon_is_taken_and_no_more(hear: Hear) -> None:
    body = (
        b'data:{"choices":[{"delta":{"content":"a"}}]}\n\ndata:  {"choices":[{"delta":{"content":"b"}}]}\n\n'
    )
    assert hear("openai", body + END).text == "ab"


def test_case_09_data_lines_are_joined_before_json_is_read(hear: Hear) -> None:
    body = b'data: {"choices":\ndata: [{"delta":\ndata: {"content":"Hi"}}]}\n\n' + END
    heard = hear("openai", body)
    assert (heard.text, heard.notes) == ("Hi", [])


def test_case_10_comments_are_life_but_no_progress(provider: Callable[[str], Provider]) -> None:
    owner = provider("openrouter")
    decoder = dialect_of("openai-chat").decoder(
        owner, Model(provider=owner.id, id="m", name="m"), "text/event-stream"
    )
    assert list(decoder.feed(b": OPENROUTER PROCESSING\n\n: keep-alive\n\n")) == []
    assert not decoder.progress
    assert list(decoder.feed(said("Hi"))) == [TextDelta("Hi")]
    assert decoder.progress


def test_case_11_the_last_event_needs_no_blank_line(hear: Hear) -> None:
    heard = hear("openai", said("Hi") + b"data: [DONE]")
    assert (heard.text, heard.error, heard.finished) == ("Hi", None, True)


def test_case_12_an_event_cut_in_the_middle_is_a_cut_not_bad_json(hear: Hear) -> None:
    heard = hear("openai", said("Hi") + b'data: {"choices":[{"del')
    assert heard.text == "Hi"
    assert type(heard.error) is errors.Cut
    assert heard.notes == []


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_case_13_only_cr_and_lf_end_lines(hear: Hear, separator: str) -> None:
    body = f'data: {{"choices":[{{"delta":{{"content":"a{separator}b"}}}}]}}\n\n'.encode()
    heard = hear("openai", body + END)
    if separator >= " ":
        assert heard.text == f"a{separator}b"
    assert len(heard.pieces) <= 2, "the event was torn"
    assert heard.error is None or type(heard.error) is errors.EmptyAnswer


def test_case_14_several_events_in_one_read_and_one_over_two(hear: Hear) -> None:
    heard = hear("openai", [said("a") + said("b") + b"data: [DO", b"NE]\n\n"])
    assert (heard.text, heard.error) == ("ab", None)


def test_case_15_one_byte_a_read(hear: Hear) -> None:
    body = said("Grüße, 世界 😀") + END
    assert hear("openai", [bytes([byte]) for byte in body]).text == "Grüße, 世界 😀"


def test_case_16_a_huge_line_is_joined_once_and_too_huge_is_refused(hear: Hear) -> None:
    body = said("x" * 8_000_000) + END
    began = time.thread_time()
    heard = hear("openai", [body[at : at + 4096] for at in range(0, len(body), 4096)])
    assert len(heard.text) == 8_000_000
    assert time.thread_time() - began < 2, "joining is not linear"

    tracemalloc.start()
    endless = (b"y" * 65536 for _ in range(2000))
    heard = hear("openai", (said("before") if at == 0 else read for at, read in enumerate(endless)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert heard.text == "before"
    assert type(heard.error) is errors.AnswerTooLong
    assert peak < 100_000_000


def test_case_17_an_error_event_with_status_200_keeps_the_text(hear: Hear) -> None:
    body = (
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
        b'"text":"Half"}}\n\n'
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    )
    heard = hear("anthropic", body)
    assert heard.text == "Half"
    assert type(heard.error) is errors.Overloaded
    assert heard.error.provider_message == "Overloaded"


@pytest.mark.parametrize(
    ("who", "data", "kind"),
    [
        (
            "openai",
            b'{"error":{"message":"m","type":"server_error","param":null,"code":null}}',
            errors.ServerError,
        ),
        (
            "groq",
            b'{"error":{"message":"Rate limit","type":"tokens","code":"rate_limit_exceeded"}}',
            errors.RateLimited,
        ),
        ("together", b'{"error":{"message":"m","type":"invalid_request_error"},"id":"x"}', errors.BadRequest),
        (
            "cerebras",
            b'{"error":{"message":"m","type":"t","param":null,"code":"c"},"status_code":500}',
            errors.ServerError,
        ),
        (
            "openrouter",
            b'{"id":"g","error":{"code":502,"message":"bad"},"choices":[{"delta":{"content":"!"},"finish_reason":"error"}]}',
            errors.ServerError,
        ),
        (
            "google-ai-studio",
            b'{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}',
            errors.Overloaded,
        ),
    ],
)
def test_case_18_an_error_object_as_data(hear: Hear, who: str, data: bytes, kind: type[Exception]) -> None:
    before = (
        said("Hi")
        if who != "google-ai-studio"
        else b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}\n\n'
    )
    heard = hear(who, before + b"data: " + data + b"\n\n")
    assert heard.text == ("Hi!" if who == "openrouter" else "Hi"), "what came before, or with it, is kept"
    assert type(heard.error) is kind


@pytest.mark.parametrize(
    "data",
    [
        b'{"error":"model runner has unexpectedly stopped"}',
        b'{"choices":[],"x_groq":{"id":"r","error":"model runner stopped"}}',
    ],
)
def test_case_19_an_error_may_be_a_string(hear: Hear, data: bytes) -> None:
    heard = hear("groq", said("Hi") + b"data: " + data + b"\n\n")
    assert heard.text == "Hi"
    assert type(heard.error) is errors.ServerError
    assert "model runner" in heard.error.provider_message


def test_case_20_error_null_is_no_error(hear: Hear) -> None:
    body = b'data: {"error":null,"choices":[{"delta":{"content":"Hi"}}]}\n\n' + END
    heard = hear("lab", body)
    assert (heard.text, heard.error) == ("Hi", None)


def test_case_21_raw_json_lines_in_mid_stream_are_an_error(hear: Hear) -> None:
    body = (
        b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}\r\n\r\n'
        b'{\r\n  "error": {\r\n    "code": 503,\r\n    "message": "The model is overloaded } sorry.",\r\n\r\n'
        b'    "status": "UNAVAILABLE"\r\n  }\r\n}\r\n'
    )
    heard = hear("google-ai-studio", body)
    assert heard.text == "Hi"
    assert type(heard.error) is errors.Overloaded
    assert heard.error.status == 503


@pytest.mark.parametrize("prefix", [b"", b"data: "])
def test_case_22_an_error_in_an_array_is_unwrapped(hear: Hear, prefix: bytes) -> None:
    error = b'[{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}]\n\n'
    assert type(hear("google-ai-studio", prefix + error).error) is errors.RateLimited
    assert type(hear("lab", prefix + error).error) is errors.RateLimited


def test_case_23_an_error_field_as_old_llama_cpp_sends_it(hear: Hear) -> None:
    line = b'error: {"code":500,"message":"context shift failed","type":"server_error"}\n\n'
    heard = hear("lab", said("Hi") + line)
    assert heard.text == "Hi"
    assert type(heard.error) is errors.ServerError
    assert heard.error.provider_message == "context shift failed"


@pytest.mark.parametrize("who", ["openai", "openai-responses", "anthropic", "google-ai-studio"])
def test_case_24_a_json_error_with_status_200(hear: Hear, who: str) -> None:
    body = b'{"error":{"message":"no","code":"insufficient_quota","type":"insufficient_quota"}}'
    assert type(hear(who, body, content_type="application/json").error) is errors.NoCredit
    assert type(hear(who, body, content_type="text/event-stream").error) is errors.NoCredit


WHOLE_ANSWERS = {
    "openai": {
        "object": "chat.completion",
        "model": "m-1",
        "choices": [{"message": {"content": "Hi", "reasoning": "hm"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    },
    "openai-responses": {
        "object": "response",
        "model": "m-1",
        "status": "completed",
        "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
        ],
        "usage": {"input_tokens": 3, "output_tokens": 2},
    },
    "anthropic": {
        "type": "message",
        "model": "m-1",
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2},
    },
    "google-ai-studio": {
        "candidates": [
            {"content": {"parts": [{"text": "hm", "thought": True}, {"text": "Hi"}]}, "finishReason": "STOP"}
        ],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2},
        "modelVersion": "m-1",
    },
}


@pytest.mark.parametrize("who", WHOLE_ANSWERS)
@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
@pytest.mark.parametrize("indent", [None, 2])
def test_case_25_a_whole_answer_though_a_stream_was_asked_for(
    hear: Hear, who: str, content_type: str, indent: int | None
) -> None:
    heard = hear(who, json.dumps(WHOLE_ANSWERS[who], indent=indent).encode(), content_type=content_type)
    assert heard.error is None
    assert (heard.text, heard.reasoning) == ("Hi", "hm")
    assert heard.finish.reason == "stop"
    assert heard.usage == Usage(input_tokens=3, output_tokens=2)
    assert heard.model.model == "m-1"


@pytest.mark.parametrize(
    "content_type", ["text/html; charset=utf-8", "text/event-stream", "application/json"]
)
def test_case_26_an_html_page_is_not_this_api_and_gives_its_title(hear: Hear, content_type: str) -> None:
    page = b"\n<!DOCTYPE html><html><head><title>Just a moment&hellip;</title></head><body><b>x</b></body></html>"
    for reads in (page, [page[:20], page[20:60], page[60:]]):
        heard = hear("openai", reads, content_type=content_type)
        assert type(heard.error) is errors.NotThisApi
        assert heard.error.facts["title"] == "Just a moment…"
        assert "<" not in heard.error.provider_message


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, errors.NetworkBlocked), (502, errors.ServerError), (503, errors.Overloaded)],
)
def test_case_26_an_html_page_with_an_error_status(
    provider: Callable[[str], Provider], status: int, kind: type
) -> None:
    page = b"<html><head><title>Attention Required! | Cloudflare</title></head></html>"
    error = dialect_of("openai-chat").refusal(status, {"content-type": "text/html"}, page, provider("groq"))
    assert type(error) is kind
    assert error.provider_message == "Attention Required! | Cloudflare"


@pytest.mark.parametrize("body", [b"upstream connect error or disconnect/reset before headers", b""])
def test_case_27_a_5xx_without_json_is_the_servers_error(
    provider: Callable[[str], Provider], body: bytes
) -> None:
    error = dialect_of("openai-chat").refusal(502, {}, body, provider("together"))
    assert type(error) is errors.ServerError
    assert error.provider_message == body.decode()


def test_case_28_a_redirect_is_reported_not_followed(provider: Callable[[str], Provider]) -> None:
    headers = {"Location": "https://login.example.net/portal?x=1"}
    error = dialect_of("openai-chat").refusal(
        302, headers, b"<html><title>Sign in</title></html>", provider("openai")
    )
    assert type(error) is errors.NotThisApi
    assert error.facts["host"] == "login.example.net"


def test_case_29_compressed_with_its_header_is_the_clients_affair_and_reads_like_any(hear: Hear) -> None:
    # The HTTP client unpacks what is announced; here only that its output, in odd reads, is read the same.
    body = gzip.decompress(gzip.compress(said("Hi") + END))
    assert hear("openai", [body[:7], body[7:]]).text == "Hi"


@pytest.mark.parametrize("reads", [1, 2, 64])
def test_case_30_compressed_without_saying_so_is_a_clear_error(hear: Hear, reads: int) -> None:
    packed = gzip.compress(said("Hi") + END)
    heard = hear("openai", [packed[at : at + reads] for at in range(0, len(packed), reads)])
    assert type(heard.error) is errors.NotThisApi
    assert "gzip" in heard.error.detail


def test_case_30_garbage_is_not_this_api(hear: Hear) -> None:
    heard = hear("openai", b"\x8b\x02\x80HeAllo\x03" * 40)
    assert type(heard.error) is errors.NotThisApi


def test_case_31_chunks_with_no_choices(hear: Hear) -> None:
    body = (
        b'data: {"choices":[],"model":"","prompt_filter_results":[{"prompt_index":0}]}\n\n'
        + said("Hi")
        + STOP
        + b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}}\n\n'
        + DONE
    )
    heard = hear("openai", body)
    assert heard.text == "Hi"
    assert heard.usage == Usage(input_tokens=9, output_tokens=12)


def test_case_32_chunks_without_choices_or_with_null(hear: Hear) -> None:
    body = (
        b'data: {"choices":null}\n\ndata: {"type":"ping"}\n\n'
        b'data: {"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n' + said("Hi") + END
    )
    heard = hear("cerebras", body)
    assert (heard.text, heard.usage, heard.error) == ("Hi", Usage(input_tokens=1, output_tokens=2), None)


def test_case_33_delta_missing_null_or_empty(hear: Hear) -> None:
    body = b"".join(
        b"data: " + chunk + b"\n\n"
        for chunk in (
            b'{"choices":[{}]}',
            b'{"choices":[{"delta":null}]}',
            b'{"choices":[null]}',
            b'{"choices":[{"delta":{"content":null}}]}',
            b'{"choices":[{"delta":{"content":""}}]}',
        )
    )
    heard = hear("openai", body + said("Hi") + END)
    assert (heard.text, heard.error, heard.notes) == ("Hi", None, [])


def test_case_34_a_role_says_nothing(hear: Hear) -> None:
    body = said("", role="assistant") + said("H", role="assistant") + said("i", role="assistant") + END
    heard = hear("xai", body)
    assert heard.pieces[:2] == [TextDelta("H"), TextDelta("i")]


def test_case_35_content_as_a_list_is_sorted_by_type(hear: Hear) -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "x"},
    ]
    body = b"data: " + json.dumps({"choices": [{"delta": {"content": content}}]}).encode() + b"\n\n"
    heard = hear("mistral", body + END)
    assert (heard.text, heard.reasoning) == ("x", "hm")


def test_case_36_finish_content_and_usage_in_one_chunk(hear: Hear) -> None:
    body = (
        b'data: {"choices":[{"delta":{"content":"Hi","tool_calls":[{"index":0,"function":{"name":"f"}}]},'
        b'"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n' + DONE
    )
    heard = hear("together", body)
    assert heard.text == "Hi"
    assert heard.finish.reason == "tool_call"
    assert heard.usage == Usage(input_tokens=1, output_tokens=2)


def test_case_37_content_after_the_finish_reason_is_kept(hear: Hear) -> None:
    assert hear("lab", said("Hel") + STOP + said("lo") + DONE).text == "Hello"


def test_case_38_usage_told_twice_is_not_added(hear: Hear) -> None:
    body = (
        said("Hi")
        + b'data: {"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_01","usage":{"prompt_tokens":40,'
        b'"completion_tokens":20,"total_tokens":60}}}\n\n'
        b'data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":null}\n\n'
        b'data: {"choices":[],"usage":{"prompt_tokens":40,"completion_tokens":20,"total_tokens":60}}\n\n'
        + DONE
    )
    heard = hear("groq", body)
    assert heard.usage == Usage(input_tokens=40, output_tokens=20)
    assert len(heard.pieces) == 3, "text, finish and usage, each once"


def test_case_39_done_twice_with_spaces_and_data_after_it(hear: Hear) -> None:
    body = said("Hi") + STOP + b"data: [DONE] \n\ndata: [DONE]\n\n" + said("ghost") + b"data: [DONE]"
    heard = hear("openai", body)
    assert (heard.text, heard.error) == ("Hi", None)


@pytest.mark.parametrize(
    ("who", "body"),
    [
        ("lab", said("Hi") + STOP),
        (
            "anthropic",
            b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}\n\n'
            b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n',
        ),
        (
            "google-ai-studio",
            b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}\r\n\r\n',
        ),
    ],
)
def test_case_40_a_finish_reason_ends_it_without_done(hear: Hear, who: str, body: bytes) -> None:
    heard = hear(who, body)
    assert (heard.text, heard.error, heard.finished) == ("Hi", None, True)


def test_case_41_only_done_is_an_empty_answer(hear: Hear) -> None:
    assert type(hear("openai", DONE).error) is errors.EmptyAnswer


def test_case_42_an_empty_finish_reason_is_none_and_an_unknown_one_is_stop(hear: Hear) -> None:
    def ended(reason: bytes) -> Any:
        return hear(
            "lab", said("Hi") + b'data: {"choices":[{"delta":{},"finish_reason":"' + reason + b'"}]}\n\n'
        )

    assert type(ended(b"").error) is errors.Cut
    assert (ended(b"elephant").finish.reason, ended(b"elephant").finish.raw) == ("stop", "elephant")


def test_case_43_tool_calls_are_put_together_from_any_fragments(hear: Hear) -> None:
    calls = ToolCalls()
    for fragments in (
        [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}],
        [{"index": 1, "id": "b", "function": {"name": "g", "arguments": None}}],
        [
            {"index": 0, "function": {"name": "f", "arguments": '{"x"'}},
            {"index": 1, "function": {"arguments": "{}"}},
        ],
        [{"index": 0, "function": {"arguments": ":1}"}}],
        [{"index": 0, "id": "c", "function": {"name": "h", "arguments": {"y": 2}}}],
        [{"id": "d", "function": {"name": "k"}}],
        "junk",
    ):
        calls.feed(fragments)
    assert [(call.id, call.name, call.arguments) for call in calls.calls()] == [
        ("a", "f", '{"x":1}'),
        ("b", "g", "{}"),
        ("c", "h", '{"y": 2}'),
        ("d", "k", "{}"),
    ]
    body = thought(tool_calls=[{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}])
    heard = hear(
        "groq",
        said("Let me look.") + body + b'data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\n\n',
    )
    assert heard.finish.reason == "tool_call"
    assert heard.notes == ["the model called tools it was not given: f({})"]


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning": "hm"},
        {"reasoning_content": "hm"},
        {"reasoning": "hm", "reasoning_content": "hm"},
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {
            "reasoning_details": [
                {"type": "reasoning.summary", "summary": "hm"},
                {"type": "reasoning.encrypted", "data": "Q"},
            ]
        },
        {"thinking": "hm"},
        {"content": "<think>hm</think>"},
    ],
)
def test_case_44_reasoning_comes_by_one_channel_and_once(hear: Hear, delta: dict[str, object]) -> None:
    heard = hear("openrouter", thought(**delta) + said("Hi") + END)
    assert (heard.reasoning, heard.text) == ("hm", "Hi")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 50])
def test_case_45_think_tags_cut_anywhere(hear: Hear, size: int) -> None:
    answer = "\n<think>So a < b & b </th c.</think>\n\nYes: `a < b`."
    chunks = b"".join(said(answer[at : at + size]) for at in range(0, len(answer), size))
    heard = hear("together", chunks + END)
    assert heard.reasoning == "So a < b & b </th c."
    assert heard.text == "Yes: `a < b`."


def test_case_45_think_tags_unclosed_or_only_closed(hear: Hear) -> None:
    heard = hear("together", said("<thin") + said("king>so far") + DONE)
    assert (heard.reasoning, heard.text, heard.error) == ("so far", "", None)
    known = Traits(think_tags=True)
    heard = hear("together", said("So.</thi") + said("nk>Yes.") + END, traits=known)
    assert heard.text == "So.Yes."
    whole = {"choices": [{"message": {"content": "So.\n</think>\n\nYes."}, "finish_reason": "stop"}]}
    heard = hear("together", json.dumps(whole).encode(), content_type="application/json", traits=known)
    assert (heard.reasoning, heard.text) == ("So.\n", "Yes.")


def test_case_46_surrogates_split_over_deltas_are_joined(hear: Hear) -> None:
    def escaped(text: bytes, field: bytes = b"content") -> bytes:
        return b'data: {"choices":[{"delta":{"' + field + b'":"' + text + b'"}}]}\n\n'

    body = (
        escaped(b"a\\ud83d")
        + escaped(b"\\ude00b")
        + escaped(b"\\ud83d")
        + escaped(b"x")
        + escaped(b"\\ude00")
    )
    heard = hear("openai", escaped(b"\\ud83d", b"reasoning") + body + escaped(b"\\ud83d") + END)
    assert heard.text == "a😀b\ufffdx\ufffd\ufffd"
    assert heard.reasoning == "\ufffd"
    heard.text.encode()


def test_case_47_nan_and_infinity_do_not_stop_the_text(hear: Hear) -> None:
    body = b'data: {"choices":[{"delta":{"content":"Hi"},"logprobs":[{"logprob":-Infinity},{"logprob":NaN}]}]}\n\n'
    heard = hear("openai", body + END)
    assert (heard.text, heard.notes) == ("Hi", [])


@pytest.mark.parametrize(
    "bad", [b"NaN", b"-3", b"1e999", b'"12"', b"null", b"1.5", b"9" * 5000, b"true", b"[]"]
)
@pytest.mark.parametrize("who", ["openai", "openai-responses", "anthropic", "google-ai-studio"])
def test_case_47_usage_that_cannot_be_true_is_unknown(hear: Hear, who: str, bad: bytes) -> None:
    body = {
        "openai": said("Hi")
        + STOP
        + b'data: {"choices":[],"usage":{"prompt_tokens":BAD,"completion_tokens":2}}\n\n',
        "openai-responses": b'data: {"type":"response.output_text.delta","delta":"Hi"}\n\n'
        b'data: {"type":"response.completed","response":{"usage":{"input_tokens":1,"output_tokens":BAD}}}\n\n',
        "anthropic": b'data: {"type":"message_start","message":{"usage":{"input_tokens":BAD,"output_tokens":1}}}\n\n'
        b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}\n\n'
        b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}\n\n',
        "google-ai-studio": b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}],'
        b'"usageMetadata":{"promptTokenCount":BAD,"candidatesTokenCount":2}}\n\n',
    }[who].replace(b"BAD", bad)
    heard = hear(who, body)
    assert heard.text == "Hi"
    assert heard.usage is None


def test_case_48_unknown_events_and_fields_are_passed_over(hear: Hear) -> None:
    body = (
        b'event: response.foo.bar\ndata: {"type":"response.foo.bar","sequence_number":1}\n\n'
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hi","p":"abc",'
        b'"obfuscation":"xyz","nonce":"q"}\n\n'
        b'event: response.completed\ndata: {"type":"response.completed","response":{"status":"completed"}}\n\n'
    )
    heard = hear("openai-responses", body)
    assert (heard.text, heard.error, heard.notes) == ("Hi", None, [])


def test_case_49_pings_with_and_without_data(hear: Hear) -> None:
    body = (
        b'event: ping\ndata: {"type":"ping"}\n\nevent: ping\n\n'
        b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}\n\n'
        b"event: ping\ndata:\n\n"
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )
    heard = hear("anthropic", body)
    assert (heard.pieces, heard.error) == ([TextDelta("Hi")], None)


def test_case_50_data_that_is_no_object_is_skipped_and_no_json_is_noted(hear: Hear) -> None:
    body = b'data:\n\ndata: null\n\ndata: {}\n\ndata: ""\n\ndata: 7\n\ndata: ping\n\n' + said("Hi") + END
    heard = hear("lab", body)
    assert (heard.text, heard.error) == ("Hi", None)
    assert heard.notes == ["1 unreadable events skipped, the first: ping"]


def test_case_51_ids_and_retries_and_any_order_of_fields(hear: Hear) -> None:
    body = b'id: 7\nretry: 3000\ndata: {"message":"down"}\nevent: error\n\n'
    heard = hear("lab", said("Hi") + body)
    assert heard.text == "Hi"
    assert heard.error.provider_message == "down"


def test_case_52_a_stall_keeps_what_was_said(hear: Hear, provider: Callable[[str], Provider]) -> None:
    # The timer itself is the router's; the decoder has delivered everything before the silence.
    owner = provider("openai")
    decoder = dialect_of("openai-chat").decoder(
        owner, Model(provider="openai", id="m", name="m"), "text/event-stream"
    )
    assert list(decoder.feed(said("Hi") + b'data: {"choices":[{"delta":{"con')) == [TextDelta("Hi")]
    assert not decoder.finished


def test_case_53_pings_alone_never_count_as_progress(provider: Callable[[str], Provider]) -> None:
    owner = provider("anthropic")
    decoder = dialect_of("anthropic").decoder(
        owner, Model(provider="anthropic", id="m", name="m"), "text/event-stream"
    )
    for _ in range(20):
        assert list(decoder.feed(b'event: ping\ndata: {"type":"ping"}\n\n: still here\n\n')) == []
    assert not decoder.progress


ENDINGS = {
    "openai": [said("Hi"), STOP, DONE],
    "openai-responses": [
        b'data: {"type":"response.output_text.delta","delta":"Hi"}\n\n',
        b'data: {"type":"response.completed","response":{"status":"completed"}}\n\n',
    ],
    "anthropic": [
        b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}\n\n',
        b'data: {"type":"content_block_stop","index":0}\n\n',
        b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n',
        b'data: {"type":"message_stop"}\n\n',
    ],
    "google-ai-studio": [
        b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}\r\n\r\n',
        b'data: {"candidates":[{"content":{"parts":[{"text":"!"}]},"finishReason":"STOP"}]}\r\n\r\n',
    ],
}


@pytest.mark.parametrize("who", ENDINGS)
def test_case_54_and_55_an_end_without_the_marker_is_a_cut_and_keeps_the_text(hear: Hear, who: str) -> None:
    # Chunked (an exception of the client's) and connection-close (none at all) look the same from here.
    body = b"".join(ENDINGS[who])
    marker = min(
        at
        for word in (b'"finish_reason"', b"completed", b"stop_reason", b"finishReason")
        if (at := body.find(word)) > 0
    )
    for cut in range(len(ENDINGS[who][0]), marker):
        heard = hear(who, body[:cut])
        assert type(heard.error) is errors.Cut
        assert heard.text == "Hi"
    assert hear(who, body).error is None


def test_case_56_a_reset_in_mid_character_loses_only_that_character(hear: Hear) -> None:
    body = 'data: {"choices":[{"delta":{"content":"Grü'.encode()[:-1]
    heard = hear("openai", said("Hi") + body)
    assert (heard.text, type(heard.error)) == ("Hi", errors.Cut)


def test_case_57_a_decoder_left_in_mid_event_has_already_given_the_text(
    provider: Callable[[str], Provider],
) -> None:
    # Stop: the router drops the decoder without closing it. Over a socket: the router's tests.
    owner = provider("openai")
    decoder = dialect_of("openai-chat").decoder(
        owner, Model(provider="openai", id="m", name="m"), "text/event-stream"
    )
    pieces = [piece for read in (said("Hel"), said("lo")[:-1]) for piece in decoder.feed(read)]
    assert pieces == [TextDelta("Hel")]
    assert decoder.progress


def test_case_58_a_final_chunk_with_the_whole_message_is_not_said_again(hear: Hear) -> None:
    final = (
        b'data: {"choices":[{"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}\n\n'
    )
    assert hear("lab", said("Hel") + said("lo") + final + DONE).text == "Hello"
    assert hear("lab", final + DONE).text == "Hello"


def test_case_59_responses_text_that_was_not_streamed_is_filled_in(hear: Hear) -> None:
    final = json.dumps({"type": "response.completed", "response": WHOLE_ANSWERS["openai-responses"]}).encode()
    event = b"event: response.completed\ndata: " + final + b"\n\n"
    heard = hear("openai-responses", event)
    assert (heard.text, heard.reasoning, heard.error) == ("Hi", "hm", None)
    delta = b'data: {"type":"response.output_text.delta","delta":"H"}\n\n'
    assert hear("openai-responses", delta + event).text == "Hi"


def test_case_60_a_block_may_begin_with_text(hear: Hear) -> None:
    body = (
        b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Hel"}}\n\n'
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}}\n\n'
        b'data: {"type":"message_stop"}\n\n'
    )
    assert hear("anthropic", body).text == "Hello"


def test_case_61_gemini_without_candidates_content_or_parts(hear: Hear) -> None:
    body = (
        b'data: {"usageMetadata":{"promptTokenCount":8}}\r\n\r\ndata: {"candidates":[{"index":0}]}\r\n\r\n'
        b'data: {"candidates":[{"content":{"role":"model"}}]}\r\n\r\n'
        b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}\r\n\r\n'
    )
    assert hear("google-ai-studio", body).text == "Hi"
    blocked = hear("google-ai-studio", b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\r\n\r\n')
    assert type(blocked.error) is errors.ContentBlocked
    assert blocked.finish.reason == "content_filter"
    assert blocked.error.code == "SAFETY"


OLLAMA = (
    b'{"model":"llama3.2","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}\n'
    b'{"model":"llama3.2","message":{"role":"assistant","content":"Hi"},"done":false}\n'
    b'{"model":"llama3.2","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",'
    b'"prompt_eval_count":26,"eval_count":12}\n'
)


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "text/event-stream", "application/json"])
@pytest.mark.parametrize("prefix", [b"", b"data: "])
def test_case_62_ndjson_where_events_were_expected(hear: Hear, content_type: str, prefix: bytes) -> None:
    body = b"".join(prefix + line + b"\n" for line in OLLAMA.splitlines())
    heard = hear("ollama", body, content_type=content_type)
    assert (heard.text, heard.reasoning, heard.error) == ("Hi", "hm", None)
    assert heard.usage == Usage(input_tokens=26, output_tokens=12)
    failed = hear(
        "ollama", OLLAMA.splitlines(True)[1] + b'{"error":"out of memory"}\n', content_type=content_type
    )
    assert (failed.text, type(failed.error)) == ("Hi", errors.ServerError)


def test_case_63_a_whole_stream_in_one_read(hear: Hear) -> None:
    body = b"".join(said(f"{word} ") for word in range(5000)) + END
    heard = hear("openai", body)
    assert heard.text == "".join(f"{word} " for word in range(5000))


def test_case_64_a_connection_torn_between_events_is_a_cut(hear: Hear) -> None:
    # HTTP/2 GOAWAY does not occur (the client speaks HTTP/1.1); torn connections over sockets: the router's tests.
    assert type(hear("openai", said("Hi")).error) is errors.Cut


def test_case_65_a_flood_of_tokens_is_read_faster_than_it_comes() -> None:
    owner = Provider(id="cerebras", name="C", dialect="openai-chat", base_url="https://api.cerebras.ai/v1")
    decoder = dialect_of("openai-chat").decoder(
        owner, Model(provider="cerebras", id="m", name="m"), "text/event-stream"
    )
    chunk = (
        b'data: {"id":"chatcmpl-c","object":"chat.completion.chunk","created":1,"model":"gpt-oss-120b",'
        b'"system_fingerprint":"fp","choices":[{"index":0,"delta":{"content":" token"},"finish_reason":null}]}\n\n'
    )
    reads = [chunk * 8] * 2500
    began = time.thread_time()
    tokens = sum(1 for read in reads for _ in decoder.feed(read))
    took = time.thread_time() - began
    assert tokens == 20_001, "the model's name and every token"
    assert took < 2, f"one second of 8 lanes at 2,500 tokens a second took {took:.2f} s"


def test_case_66_clocks_in_the_stream_are_not_read(hear: Hear) -> None:
    body = b"".join(
        b'data: {"created":' + clock + b',"choices":[{"delta":{"content":"."}}]}\n\n'
        for clock in (b"0", b"1790000000.12", b"1790000000123", b"null", b'"x"', b"1e400")
    )
    heard = hear("cerebras", body + END)
    assert (heard.text, heard.notes) == ("......", [])


def test_an_empty_body_is_an_empty_answer_and_comments_alone_are_a_cut(hear: Hear) -> None:
    for who in ENDINGS:
        assert type(hear(who, b"").error) is errors.EmptyAnswer
        assert type(hear(who, b"\n\n \n", content_type="application/json").error) is errors.EmptyAnswer
    assert type(hear("openrouter", b": OPENROUTER PROCESSING\n\n").error) is errors.Cut


def test_events_that_are_all_unreadable_are_malformed(hear: Hear) -> None:
    heard = hear("openai", b"data: hello\n\ndata: world\n\n")
    assert type(heard.error) is errors.Malformed
    assert "hello" in heard.error.detail


def test_plain_words_with_status_200_are_not_this_api(hear: Hear) -> None:
    heard = hear("openai", b"Ollama is running", content_type="text/plain")
    assert type(heard.error) is errors.NotThisApi
    assert heard.error.provider_message == "Ollama is running"


def test_a_long_answer_without_a_word_says_why_it_ended(hear: Hear) -> None:
    heard = hear("openai", b'data: {"choices":[{"delta":{},"finish_reason":"length"}]}\n\n' + DONE)
    assert type(heard.error) is errors.EmptyAnswer
    assert heard.error.facts["finish_reason"] == "length"


def test_text_before_an_error_in_the_same_read_is_given_first(provider: Callable[[str], Provider]) -> None:
    owner = provider("openai")
    decoder = dialect_of("openai-chat").decoder(
        owner, Model(provider="openai", id="m", name="m"), "text/event-stream"
    )
    pieces = decoder.feed(said("Hi") + b'data: {"error":{"message":"gone","code":"server_error"}}\n\n')
    assert next(iter(pieces)) == TextDelta("Hi")
    with pytest.raises(errors.ServerError):
        next(iter(pieces))
    with pytest.raises(errors.ServerError):
        list(decoder.feed(said("more")))
    with pytest.raises(errors.ServerError):
        list(decoder.close())


STREAMS: list[tuple[str, bytes]] = [
    (
        "openai",
        b"\xef\xbb\xbf"
        + (said("Grüße 😀 <th") + said("x>") + STOP + b": c\n\n" + DONE).replace(b"\n", b"\r\n"),
    ),
    ("together", said("<think>h") + said("m</think>\n\nHi") + STOP.replace(b"\n", b"\r") + said("!") + DONE),
    (
        "groq",
        said("Hi")
        + b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n'
        + said("x")
        + b"error: {}\n\n",
    ),
    ("lab", OLLAMA),
    ("openai-responses", b"".join(ENDINGS["openai-responses"])),
    ("anthropic", b"event: ping\n\n" + b"".join(ENDINGS["anthropic"])),
    (
        "google-ai-studio",
        ENDINGS["google-ai-studio"][0]
        + b'[{\r\n "error": {"code": 503,\r\n "message": "a } b \\" {"}\r\n}]\r\n',
    ),
    ("openai", b"<html><title>Login</title></html>"),
    ("openai", said("Hi") + b'data: {"choices":[{"delta":{"content":"cut'),
    ("openai", json.dumps(WHOLE_ANSWERS["openai"], indent=1).encode()),
]


def merged(pieces: list[Any]) -> list[Any]:
    """Neighbouring deltas of one kind as one: where they are divided is nobody's promise."""
    out: list[Any] = []
    for piece in pieces:
        if out and isinstance(piece, TextDelta | ReasoningDelta) and type(out[-1]) is type(piece):
            piece = type(piece)(out.pop().text + piece.text)
        out.append(piece)
    return out


@pytest.mark.parametrize("index", range(len(STREAMS)))
def test_every_single_split_gives_the_same_pieces(hear: Hear, index: int) -> None:
    who, body = STREAMS[index]
    whole = hear(who, body)
    for at in range(len(body) + 1):
        halves = hear(who, [body[:at], body[at:]])
        assert (halves.pieces, type(halves.error), halves.notes) == (
            whole.pieces,
            type(whole.error),
            whole.notes,
        ), at


@given(data=st.data(), index=st.integers(0, len(STREAMS) - 1))
def test_any_chunking_gives_the_same_pieces(data: st.DataObject, index: int) -> None:
    who, body = STREAMS[index]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=30)))
    reads = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert _heard(who, reads) == _heard(who, [body])


def _heard(who: str, reads: list[bytes]) -> tuple[list[Any], str]:
    names = {"openai-responses": "openai-responses", "anthropic": "anthropic", "google-ai-studio": "gemini"}
    owner = Provider(id=who, name=who, dialect="openai-chat", base_url="https://api.example.com/v1")
    dialect = dialect_of(names.get(who, "openai-chat"))  # type: ignore[arg-type]
    decoder = dialect.decoder(owner, Model(provider=who, id="m", name="m"), "text/event-stream")
    pieces: list[Any] = []
    try:
        for read in reads:
            pieces.extend(decoder.feed(read))
        pieces.extend(decoder.close())
    except errors.EngineError as error:
        return merged(pieces), type(error).__name__
    return merged(pieces), ""
