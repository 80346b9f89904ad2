"""The demo provider never poses as a real one, and says the same every time."""

from __future__ import annotations

import asyncio

import pytest

from vibedesk.engine.dialects import Demo
from vibedesk.engine.errors import Unsupported
from vibedesk.engine.types import (
    FinishReported,
    Image,
    Model,
    ModelReported,
    Piece,
    ReasoningDelta,
    Request,
    TextDelta,
    UsageReported,
    request_of,
)

MODEL = Model(provider="demo", id="fast", name="Fast")


def heard(request: Request, model: Model = MODEL) -> list[Piece]:
    async def listen() -> list[Piece]:
        return [piece async for piece in Demo().stream(request, model)]

    return asyncio.run(listen())


def test_its_first_sentence_says_it_is_a_simulation_and_it_shows_markdown() -> None:
    pieces = heard(request_of("What is {a} “quote”?"))
    text = "".join(piece.text for piece in pieces if isinstance(piece, TextDelta))
    assert text.startswith("This is a simulation: ")
    assert "What is {a} “quote”?" in text
    assert "```python" in text
    assert any(isinstance(piece, ReasoningDelta) for piece in pieces)
    assert pieces[0] == ModelReported("fast")
    assert isinstance(pieces[-2], UsageReported)
    assert pieces[-1] == FinishReported("stop", "stop")


def test_the_same_request_gets_the_same_pieces() -> None:
    assert heard(request_of("Hi")) == heard(request_of("Hi"))


def test_it_keeps_to_the_limit_and_to_the_effort() -> None:
    pieces = heard(request_of("Hi", max_tokens=5, reasoning_effort="none"))
    assert sum(isinstance(piece, TextDelta) for piece in pieces) == 5
    assert not any(isinstance(piece, ReasoningDelta) for piece in pieces)
    assert pieces[-1] == FinishReported("length", "length")
    usage = pieces[-2]
    assert isinstance(usage, UsageReported)
    assert (usage.usage.output_tokens, usage.usage.reasoning_tokens) == (5, 0)


def test_it_refuses_images_like_any_model_that_sees_none() -> None:
    blind = Model(provider="demo", id="fast", name="Fast", capabilities=frozenset({"tools"}))
    with pytest.raises(Unsupported):
        heard(request_of("Hi", images=[Image("image/png", b"x")]), blind)


def test_its_models_answer_each_in_its_own_manner() -> None:
    told = {}
    for id in ("quick", "thoughtful", "long"):
        pieces = heard(request_of("Hi"), Model(provider="demo", id=id, name=id))
        thoughts = sum(isinstance(piece, ReasoningDelta) for piece in pieces)
        told[id] = (thoughts, sum(isinstance(piece, TextDelta) for piece in pieces))
    assert told["thoughtful"][0] > told["quick"][0] > told["long"][0] == 0
    assert told["long"][1] > told["quick"][1] == told["thoughtful"][1]
