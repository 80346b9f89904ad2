"""Going on with an answer that ended early: what is asked, and how the halves are joined."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import pytest
from msgspec.structs import replace

from vibedesk.engine.climb import Resume
from vibedesk.engine.continuing import Continued, further, way_of
from vibedesk.engine.errors import NoKey
from vibedesk.engine.types import (
    Deployment,
    Event,
    Finished,
    Model,
    Provider,
    Restarted,
    Rung,
    TextDelta,
    Traits,
    never_asked,
    request_of,
)

HOST = Provider(id="lab", name="Lab", dialect="openai-chat", base_url="http://127.0.0.1/v1", keyless=True)
SAID = "The quick brown fox jumps over the lazy dog, and then it"


def rung(prefill: bool) -> Rung:
    model = Model(provider="lab", id="m", name="m", traits=Traits(prefill=prefill))
    deployment = Deployment(provider=HOST, model=model, key=None, via="direct")
    return Rung(deployment=deployment, reason="first choice")


class Said:
    """An ask whose events are known."""

    first_s = None

    def __init__(self, *events: Event) -> None:
        self._events = events

    async def batches(self) -> AsyncGenerator[Sequence[Event], None]:
        for event in self._events:
            yield (event,)

    def stopped(self) -> Finished:
        return replace(never_asked(NoKey("none")), outcome="stopped", error=None)


def ended(text: str) -> Finished:
    return replace(never_asked(NoKey("none")), outcome="complete", error=None, text=text)


async def heard(way: Resume, *pieces: Event) -> tuple[str, Finished]:
    continued = Continued(Said(*pieces), SAID, way, rung(way == "prefill"))
    text, last = SAID, None
    async for batch in continued.batches():
        for event in batch:
            match event:
                case TextDelta(piece):
                    text += piece
                case Restarted(at):
                    text = text[:at]
                case Finished():
                    last = event
    assert last is not None
    return text, last


async def test_what_is_repeated_is_not_doubled() -> None:
    pieces = [
        TextDelta(piece) for piece in ("brown fox jumps over the lazy dog, an", "d then it", " sleeps.")
    ]
    text, last = await heard("overlap", *pieces, ended("…"))
    assert text == last.text == SAID + " sleeps."
    assert last.joined_at == (len(SAID),)


async def test_after_a_prefill_it_goes_straight_on() -> None:
    text, last = await heard("prefill", TextDelta(" sleeps."), ended(" sleeps."))
    assert text == last.text == SAID + " sleeps."


async def test_halves_that_do_not_fit_are_two_paragraphs_and_nothing_is_lost() -> None:
    text, last = await heard(
        "overlap", TextDelta("Something else entirely."), ended("Something else entirely.")
    )
    assert text == last.text == SAID + "\n\nSomething else entirely."


async def test_a_rest_that_is_taken_back_leaves_what_stood_before() -> None:
    pieces = (TextDelta("and then it "), TextDelta("ran"), Restarted(0), TextDelta("and then it slept"))
    text, last = await heard("overlap", *pieces, ended("and then it slept"))
    assert text.startswith(SAID)
    assert last.text.startswith(SAID)


async def test_stopped_in_between_keeps_both_halves() -> None:
    continued = Continued(Said(TextDelta(" sl")), SAID, "prefill", rung(True))
    async for _ in continued.batches():
        pass
    assert continued.stopped().text == continued.text == SAID + " sl"


@pytest.mark.parametrize(
    ("prefill", "way"), [([True], "prefill"), ([True, False], "overlap"), ([], "overlap")]
)
def test_prefill_needs_every_model_to_take_it(prefill: list[bool], way: str) -> None:
    assert way_of([rung(one) for one in prefill]) == way


def test_the_question_ends_in_what_was_said() -> None:
    request = request_of("Tell me", reasoning_effort="low")
    prefilled = further(request, SAID + "\n", "prefill")
    assert (prefilled.messages[-1].role, prefilled.messages[-1].text) == ("assistant", SAID)
    assert prefilled.parameters.reasoning_effort is None
    asked = further(request, SAID, "overlap")
    assert [one.role for one in asked.messages] == ["user", "assistant", "user"]
    assert asked.messages[-1].text.endswith(SAID[-30:])
