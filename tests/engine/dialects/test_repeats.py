"""Events that differ in their words alone are told at a glance, and nobody can tell that they were."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.engine.dialects.conftest import provider_named
from vibedesk.engine.dialects.chat_stream import ChatInterpreter, around_words
from vibedesk.engine.dialects.decoding import StreamDecoder
from vibedesk.engine.dialects.repeats import Repeats
from vibedesk.engine.types import Model, Piece, TextDelta

ABOUT = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "fast"}


def document(said: object, *, compact: bool = True, **more: object) -> bytes:
    delta = {"content": said}
    body = {**ABOUT, "choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None, **more}
    return json.dumps(body, separators=(",", ":") if compact else None, ensure_ascii=False).encode()


def event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


def heard(reads: Sequence[bytes], *, quick: bool) -> tuple[list[Piece], str, list[str]]:
    """All that came of a stream, its failure, and the notes."""
    owner = provider_named("groq")
    interpreter = ChatInterpreter(owner, Model(provider="groq", id="m", name="m"))
    decoder = StreamDecoder(interpreter, owner, "text/event-stream", around_words if quick else None)
    pieces: list[Piece] = []
    failure = ""
    try:
        for read in reads:
            pieces += decoder.feed(read)
        pieces += decoder.close()
    except Exception as exc:
        failure = repr(exc)
    return pieces, failure, decoder.notes


def cut(data: bytes, at: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted({place % (len(data) + 1) for place in at}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges) if a < b]


words = some.one_of(
    some.text(max_size=8),
    some.sampled_from(
        ['"', "\\", '"}}', "\n\n", "data: ", "<think>", "</think>", "`", "é", "\U0001f600", "", " the", " a"]
    ),
)
odd_events = some.sampled_from(
    [
        b": a comment\n\n",
        b'data: {"choices":[{"delta":{"reasoning":"hm"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"x","reasoning":"hm"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n',
        b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n',
        b'data: {"error":{"message":"no"}}\n\n',
        b"data: nonsense\n\n",
        b"data: [DONE]\n\n",
        b"event: error\ndata: {}\n\n",
        b'data:{"choices":[{"delta":{"content":"tight"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"crlf"}}]}\r\n\r\n',
    ]
)
streams = some.lists(
    some.one_of(
        words.map(lambda said: event(document(said))),
        words.map(lambda said: event(document(said))),
        words.map(lambda said: event(document(said))),
        words.map(lambda said: event(document(said, compact=False))),
        words.map(lambda said: event(document(said, obfuscation="x" * len(said)))),
        odd_events,
    ),
    max_size=40,
)


@given(streams, some.lists(some.integers(0, 20_000), max_size=6))
def test_nothing_is_heard_otherwise(events: list[bytes], at: list[int]) -> None:
    body = b"".join(events)
    assert heard(cut(body, at), quick=True) == heard(cut(body, at), quick=False)


@given(some.lists(words, min_size=1, max_size=20))
def test_each_event_stays_a_delta_of_its_own(said: list[str]) -> None:
    body = [event(document("Hello")), b"".join(event(document(one)) for one in said)]
    told = [piece.text for piece in heard(body, quick=True)[0] if type(piece) is TextDelta]
    assert "".join(told) == "".join(
        piece.text for piece in heard(body, quick=False)[0] if type(piece) is TextDelta
    )


def learned(data: bytes) -> Repeats:
    repeats = Repeats(around_words)
    repeats.learn(data, event(data))
    return repeats


@pytest.mark.parametrize("compact", [True, False])
def test_the_words_of_a_read_are_told(compact: bool) -> None:
    repeats = learned(document("Hi", compact=compact))
    said = [" there", ' "you"', "\n", "é", "\\", ""]
    read = b"".join(event(document(one, compact=compact)) for one in said)
    assert repeats.words(read) == said


@pytest.mark.parametrize(
    "data",
    [
        document(""),
        document("Hi", usage={"prompt_tokens": 1}),
        document("Hi", error={"message": "no"}),
        document(None),
        b'{"choices":[{"delta":{"content":"Hi","tool_calls":[{"index":0}]}}]}',
        b'{"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}',
        b'{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}',
        b'{"choices":[{"delta":{"content":"\\u0048i"}}]}',
        b"[DONE]",
    ],
)
def test_an_event_that_does_more_teaches_nothing(data: bytes) -> None:
    repeats = learned(data)
    assert repeats.words(event(data) * 2) is None


@pytest.mark.parametrize(
    "read",
    [
        event(document("a")) + b": a comment\n\n" + event(document("b")),
        event(document("a")) + event(b"[DONE]"),
        event(document("a")).replace(b'"a"', b'"a" "b"'),
        event(document("a")).replace(b'"a"', b'"a\\"'),
        event(document("a")).replace(b'"a"', b'"\xff"'),
    ],
)
def test_a_read_with_anything_else_in_it_is_read_properly(read: bytes) -> None:
    assert learned(document("Hi")).words(read) is None
