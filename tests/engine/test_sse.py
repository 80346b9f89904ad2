"""The decoder of server-sent events by itself: fields, strays, limits, and any cut of any bytes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.errors import AnswerTooLong
from vibedesk.engine.sse import ServerSentEvent, SseDecoder


def decode(*reads: bytes, limit: int = 1 << 20) -> list[tuple[str, bytes]]:
    decoder = SseDecoder(limit=limit)
    events = [event for read in reads for event in decoder.feed(read)] + decoder.close()
    return [(event.event, event.data) for event in events]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_ends_a_line(end: bytes) -> None:
    assert decode(b"event: x" + end + b"data: 1" + end + b"data: 2" + end + end) == [("x", b"1\n2")]


def test_a_cr_event_is_given_at_once_and_its_lf_is_not_a_second_line_end() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: 1\r\r") == [ServerSentEvent("", b"1")]
    assert decoder.feed(b"\ndata: 2\r") == []
    assert decoder.feed(b"\n\r\n") == [ServerSentEvent("", b"2")]
    assert decoder.close() == []


def test_one_space_is_taken_after_the_colon() -> None:
    assert decode(b"data:a\n\ndata: b\n\ndata:  c\n\n") == [("", b"a"), ("", b"b"), ("", b" c")]


def test_a_field_without_a_colon_is_empty_and_the_name_holds_for_the_block() -> None:
    assert decode(b"data\nevent: late\nid: 3\nretry: 9\n\ndata: 1\n\n") == [("late", b""), ("", b"1")]


def test_a_name_without_data_is_no_event_unless_it_says_error() -> None:
    assert decode(b"event: ping\n\nevent: error\n\n") == [("error", b"")]


def test_comments_give_nothing() -> None:
    assert decode(b": keep-alive\n\n:\n\n: {\n\ndata: 1\n\n") == [("", b"1")]


def test_only_a_mark_at_the_very_start_is_taken_away() -> None:
    assert decode(b"\xef", b"\xbb", b"\xbfdata: 1\n\ndata: \xef\xbb\xbf2\n\n") == [
        ("", b"1"),
        ("", b"\xef\xbb\xbf2"),
    ]


def test_the_last_event_needs_no_end() -> None:
    assert decode(b"data: 1\n\nevent: x\ndata: 2") == [("", b"1"), ("x", b"2")]
    assert decode(b"\xef\xbb") == []


def test_json_objects_under_one_another_are_events_of_their_own() -> None:
    assert decode(b'data: {"a":1}\ndata: {"b":2}\ndata: [DONE]\n\n') == [
        ("", b'{"a":1}'),
        ("", b'{"b":2}'),
        ("", b"[DONE]"),
    ]
    assert decode(b'data: {"a":\ndata: {"b":2}\ndata: }\n\n') == [("", b'{"a":\n{"b":2}\n}')]


def test_raw_json_between_events_is_gathered_until_it_balances() -> None:
    raw = b'{\n "error": {\n  "message": "a \\" } b",\n\n  "x": [1]\n }\n}'
    decoder = SseDecoder()
    events = decoder.feed(b"data: 1\n\n" + raw + b"\ndata: 2\n\n")
    assert [(event.data, event.stray) for event in events] == [
        (b"1", False),
        (raw.replace(b"\n\n", b"\n"), True),
        (b"2", False),
    ]


def test_raw_json_that_never_balances_does_not_swallow_the_stream() -> None:
    assert decode(b"{ broken\ndata: 1\n\n") == [("", b"1")]


def test_lines_that_are_nothing_are_kept_for_the_diagnosis() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"upstream connect error\n" + b"x" * 5000 + b"\n") == []
    assert decoder.noise.startswith(b"upstream connect error\n")
    assert len(decoder.noise) == 2048


@pytest.mark.parametrize("body", [b"data: " + b"x" * 200, b"data: xxxxxxxxxx\n" * 20, b'{"a":[\n' * 30])
def test_too_long_an_event_is_refused_after_those_before_it(body: bytes) -> None:
    decoder = SseDecoder(limit=100)
    assert decoder.feed(b"data: 1\n\n" + body) == [ServerSentEvent("", b"1")]
    with pytest.raises(AnswerTooLong) as caught:
        decoder.feed(b"data: 2\n\n")
    assert caught.value.facts["limit"] == 100
    with pytest.raises(AnswerTooLong):
        decoder.close()


def test_a_long_line_in_small_reads_takes_linear_time() -> None:
    def took(size: int) -> float:
        decoder = SseDecoder()
        began = time.thread_time()
        for _ in range(size // 64):
            decoder.feed(b"x" * 64)
        decoder.feed(b"\n\n")
        return time.thread_time() - began

    assert took(4_000_000) < 40 * took(400_000) + 0.2


@given(
    st.lists(
        st.sampled_from(
            [b"data: ", b"data:", b"event: e", b"error: {}", b"{", b"}", b'"', b"\\", b"[", b"]", b":", b": c", b"\n",
             b"\r",
             b"\r\n", b"x", b"\xef\xbb\xbf", "é😀".encode(), b"\xf0\x9f", b"\xe2\x80\xa8"]
        ),
        max_size=60,
    ),
    st.data(),
)  # fmt: skip
def test_any_bytes_in_any_chunking_give_the_same_events(parts: list[bytes], data: st.DataObject) -> None:
    body = b"".join(parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=20)))
    reads = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert decode(*reads) == decode(body)
