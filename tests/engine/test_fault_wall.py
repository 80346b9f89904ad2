"""The fault wall: every row of the matrix and every way to break off, over real sockets, each with its outcome, its
requests and a bound on its time."""

from __future__ import annotations

import asyncio
import time
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from tests.engine.asking import CALM, ask, events_of, provider_of, router_of, rung_of, timers_beside
from tests.providers import TEXT, Anthropic, Behaviour, OpenAI
from tests.providers.continuing import ContinuingAnthropic, ContinuingOpenAI
from tests.providers.server import Event as SentEvent
from vibedesk.engine.http import Http
from vibedesk.engine.timers import Timers
from vibedesk.engine.types import (
    Continued,
    Event,
    FellBack,
    Finished,
    Restarted,
    Rung,
    Started,
    Terms,
    TextDelta,
    Traits,
)

GPT, HAIKU = "gpt-4.1-mini", "claude-haiku-4-5"
BOUND_S = 20.0
"""No row may take longer: far less than any timer of a row that is not about silence."""


def error(message: str, code: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code, **more}}


class Row(NamedTuple):
    """What the primary does, what that is called, how often it is asked beside somebody else and alone."""

    name: str
    fault: Behaviour
    kind: str
    beside: int
    alone: int
    carried_on: bool = True


def refused(code: str, status: int = 400) -> Behaviour:
    """The provider's own code for it."""
    return Behaviour(status=status, body=error("no", code))


def page(status: int) -> Behaviour:
    return Behaviour(status=status, body=b"<html><title>Not what you asked for</title></html>")


HINT = {"retry-after": "2"}
LONG_HINT = {"retry-after": "3600"}
WALL = [
    Row("401", Behaviour(status=401), "invalid_key", 1, 1),
    Row("402", Behaviour(status=402), "no_credit", 1, 1),
    Row("429 of money", refused("insufficient_quota", 429), "no_credit", 1, 1),
    Row("429 of a spend limit", refused("organization_spend_limit_exceeded", 429), "spend_limit", 1, 1),
    Row("429 with a hint", Behaviour(status=429, headers=HINT), "rate_limited", 1, 3),
    Row("429 without one", refused("rate_limit_exceeded", 429), "rate_limited", 1, 3),
    Row("429 for an hour", Behaviour(status=429, headers=LONG_HINT), "rate_limited", 1, 1),
    Row("slow_down", refused("slow_down", 429), "rate_limited", 1, 3),
    Row("529", refused("overloaded_error", 529), "overloaded", 2, 3),
    Row("503", Behaviour(status=503), "overloaded", 2, 3),
    Row("500", Behaviour(status=500), "server_error", 2, 3),
    Row("502 in HTML", page(502), "server_error", 2, 3),
    Row("504", Behaviour(status=504), "server_error", 2, 3),
    Row("522", Behaviour(status=522), "server_error", 2, 3),
    Row("408", Behaviour(status=408), "server_error", 2, 3),
    Row("409", Behaviour(status=409), "server_error", 2, 3),
    Row("hung up", Behaviour(hang_up_before_headers=True), "connection_lost", 2, 3),
    Row("no headers", Behaviour(stall_before_headers=True), "timed_out", 1, 1),
    Row("no first token", Behaviour(stall_after=0), "timed_out", 1, 1),
    Row("only pings", Behaviour(ping_only=True), "timed_out", 1, 1),
    Row("cut before a word", Behaviour(cut="chunked", cut_after=0), "cut", 2, 2),
    Row("a clean end before a word", Behaviour(cut="eof", cut_after=0), "cut", 2, 2),
    Row("reset before a word", Behaviour(cut="reset", cut_after=0), "cut", 2, 2),
    Row("an error inside", Behaviour(error_after=0), "server_error", 2, 3),
    Row("an error as JSON", Behaviour(instead="json_error"), "server_error", 2, 3),
    Row("nothing said", Behaviour(instead="only_done"), "empty_answer", 2, 2),
    Row("an empty body", Behaviour(instead="empty"), "empty_answer", 2, 2),
    Row("too long a prompt", refused("context_length_exceeded"), "context_overflow", 1, 1),
    Row("policy", refused("content_policy_violation"), "content_blocked", 1, 1, carried_on=False),
    Row("a bad request", refused(""), "bad_request", 1, 1, carried_on=False),
    Row("no such model", Behaviour(status=404), "model_not_found", 1, 1),
    Row("no such path", page(404), "not_this_api", 1, 1, carried_on=False),
    Row("a portal", Behaviour(instead="html"), "not_this_api", 1, 1),
    Row("a redirect", Behaviour(redirect_to="https://login.test/"), "not_this_api", 1, 1),
    Row("too large", refused("request_too_large", 413), "too_large", 1, 1),
    Row("region", Behaviour(status=403), "region_blocked", 1, 1),
]  # fmt: skip


def primary(server: OpenAI, **more: Any) -> Rung:
    return rung_of(server, "openai-chat", GPT, id="openai", context_window=8_000, **more)


def second(server: Anthropic, **more: Any) -> Rung:
    return rung_of(server, "anthropic", HAIKU, id="anthropic", context_window=200_000, **more)


@pytest.mark.parametrize("row", WALL, ids=[row.name for row in WALL])
async def test_beside_somebody_else(http: Http, row: Row) -> None:
    async with OpenAI(row.fault) as one, Anthropic() as other:
        began = time.monotonic()
        finished = await ask(router_of(http, timers=timers_beside(row.fault)), [primary(one), second(other)])
        assert time.monotonic() - began < BOUND_S
        assert (len(one.asked), len(other.asked)) == (row.beside, int(row.carried_on))
    assert {attempt.kind for attempt in finished.attempts[: row.beside]} == {row.kind}
    assert finished.outcome == ("complete" if row.carried_on else "failed")
    assert finished.text == (TEXT if row.carried_on else "")


@pytest.mark.parametrize("row", WALL, ids=[row.name for row in WALL])
async def test_alone(http: Http, row: Row) -> None:
    slept: list[float] = []
    async with OpenAI(row.fault) as one:
        router = router_of(http, timers=timers_beside(row.fault))

        async def pause(seconds: float) -> None:
            slept.append(seconds)

        router.pause = pause
        began = time.monotonic()
        finished = await ask(router, [primary(one)])
        assert time.monotonic() - began < BOUND_S
        asked = len(one.asked)
    assert asked == row.alone
    assert len(slept) < asked
    assert (finished.outcome, finished.error and finished.error.kind) == ("failed", row.kind)


async def test_nobody_listens(http: Http) -> None:
    async with OpenAI() as gone:
        rung = primary(gone)
    async with Anthropic() as other:
        began = time.monotonic()
        finished = await ask(router_of(http, timers=CALM), [rung, second(other)])
        assert time.monotonic() - began < BOUND_S
    assert [attempt.kind for attempt in finished.attempts] == ["refused", "refused", None]
    assert finished.outcome == "complete"


class Mumbling(OpenAI):
    """Most of its events cannot be read, and it counts them all."""

    def _events(self, model: str, behaviour: Behaviour, include_usage: bool) -> list[SentEvent]:
        events = super()._events(model, behaviour, include_usage)
        lost = [SentEvent("delta", b"data: {lost\n\n")] * 60
        return [*events[:4], *lost, *events[64:]]


async def test_many_words_that_were_counted_and_never_came_are_a_cut(http: Http) -> None:
    async with Mumbling(Behaviour(text="and so it goes on " * 20)) as server:
        finished = await ask(router_of(http, timers=CALM), [primary(server)])
    assert (finished.outcome, finished.error and finished.error.kind) == ("cut", "cut")
    assert finished.usage is not None


async def test_one_bad_event_is_skipped(http: Http) -> None:
    async with OpenAI(Behaviour(malformed_after=2)) as server:
        finished = await ask(router_of(http, timers=CALM), [primary(server)])
    assert (finished.outcome, finished.text) == ("complete", TEXT)
    assert any("unreadable" in note for note in finished.attempts[0].notes)


async def test_the_total_time_ends_waits_and_retries_too(http: Http) -> None:
    async with OpenAI(Behaviour(status=503)) as server:
        router = router_of(http, timers=Timers(total_s=0.6, first_token_s=0.4, idle_s=0.4))
        router.pause = asyncio.sleep
        began = time.monotonic()
        finished = await ask(router, [primary(server)])
        assert time.monotonic() - began < 5
    assert finished.outcome == "failed"
    assert len(finished.attempts) <= 2


def as_told(rung: Rung, terms: Terms) -> Rung:
    return replace(rung, terms=terms)


# After the first words

WHOLE = "There was once a desk that spoke to many models. It kept its keys to itself, and when a line broke in the middle of a sentence it said so, asked for the rest, and joined the two halves where they met."  # noqa: E501
BREAKS = {
    "a clean end": Behaviour(cut="eof", cut_after=9, text=WHOLE),
    "a chunk that breaks": Behaviour(cut="chunked", cut_after=9, text=WHOLE),
    "a reset": Behaviour(cut="reset", cut_after=9, text=WHOLE),
    "an error inside": Behaviour(error_after=9, text=WHOLE),
    "a stall": Behaviour(stall_after=9, text=WHOLE),
}
KINDS = {"an error inside": "server_error", "a stall": "timed_out"}


def texts(events: list[Event]) -> str:
    """What a screen would show in the end."""
    shown = ""
    for event in events:
        match event:
            case TextDelta(text):
                shown += text
            case Restarted(discard_from):
                shown = shown[:discard_from]
    return shown


@pytest.mark.parametrize("way", BREAKS)
async def test_what_broke_is_kept_and_called_cut_unless_the_route_says_otherwise(
    http: Http, way: str
) -> None:
    async with OpenAI(BREAKS[way]) as one, Anthropic() as other:
        began = time.monotonic()
        router = router_of(http, timers=timers_beside(BREAKS[way]))
        finished = await ask(router, [primary(one), second(other)])
        assert time.monotonic() - began < BOUND_S
        assert (len(one.asked), len(other.asked)) == (1, 0)
    assert finished.outcome == "cut"
    assert finished.error is not None
    assert finished.error.kind == KINDS.get(way, "cut")
    assert WHOLE.startswith(finished.text)
    assert len(finished.text) > 20


@pytest.mark.parametrize("way", BREAKS)
async def test_what_broke_is_taken_back_in_so_many_words_where_the_route_says_restart(
    http: Http, way: str
) -> None:
    terms = Terms(on_cut="restart")
    async with OpenAI(BREAKS[way]) as one, Anthropic() as other:
        rungs = [as_told(primary(one), terms), as_told(second(other), terms)]
        events = await events_of(router_of(http, timers=timers_beside(BREAKS[way])), rungs)
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert (finished.outcome, finished.text, finished.restarts) == ("complete", TEXT, 1)
    assert finished.deployment == f"anthropic/{HAIKU}"
    assert texts(events) == TEXT
    kinds = [type(event) for event in events if type(event) is not TextDelta]
    assert kinds == [Started, FellBack, Started, Restarted, Finished]
    assert [attempt.outcome for attempt in finished.attempts] == ["cut", "complete"]


async def test_what_nobody_could_say_anew_stays_as_it_was(http: Http) -> None:
    terms = Terms(on_cut="restart")
    async with OpenAI(BREAKS["a clean end"]) as one, Anthropic(Behaviour(status=500)) as other:
        rungs = [as_told(primary(one), terms), as_told(second(other), terms)]
        events = await events_of(router_of(http, timers=CALM), rungs)
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.outcome == "cut"
    assert finished.error is not None
    assert finished.error.kind == "cut"
    assert texts(events) == finished.text
    assert finished.text
    assert not any(isinstance(event, Restarted) for event in events)


ECHOES: dict[str, Any] = {
    "the last words": lambda said, rest: said[-80:] + rest,
    "everything": lambda said, rest: said + rest,
}


@pytest.mark.parametrize("cut", ["eof", "chunked", "reset"])
@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("words", [12, 25, 37])
async def test_the_rest_is_asked_of_the_same_model_and_joined(
    http: Http, cut: str, echo: str, words: int
) -> None:
    terms = Terms(on_cut="continue")
    async with ContinuingOpenAI(WHOLE, words, ECHOES[echo], cut=cut) as one, Anthropic() as other:
        events = await events_of(
            router_of(http, timers=CALM), [as_told(primary(one), terms), as_told(second(other), terms)]
        )
        assert (len(one.asked), len(other.asked)) == (2, 0)
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert (finished.outcome, finished.text, finished.error) == ("complete", WHOLE, None)
    assert texts(events) == WHOLE
    [continued] = [event for event in events if isinstance(event, Continued)]
    assert finished.joined_at == (continued.at,)
    assert continued.how == "overlap"
    assert [attempt.outcome for attempt in finished.attempts] == ["cut", "complete"]
    assert any("joined" in note for note in finished.attempts[1].notes)
    assert finished.usage is None, "nobody told what the first half took"


@pytest.mark.parametrize("words", [10, 25, 40])
async def test_by_prefill_where_the_model_takes_one(http: Http, words: int) -> None:
    async with ContinuingAnthropic(WHOLE, words, lambda said, rest: rest) as server:
        rung = as_told(second(server, traits=Traits(prefill=True)), Terms(on_cut="continue"))
        events = await events_of(router_of(http, timers=CALM), [rung])
        assert server.asked[1].body["messages"][-1]["role"] == "assistant"
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert (finished.outcome, finished.text) == ("complete", WHOLE)
    assert [event.how for event in events if isinstance(event, Continued)] == ["prefill"]


@pytest.mark.parametrize(
    "echo",
    [lambda said, rest: rest, lambda said, rest: "Of course! " + rest, lambda said, rest: said[-9:] + rest],
)
async def test_a_rest_that_may_not_fit_is_not_shown_and_the_answer_stays_cut(http: Http, echo: Any) -> None:
    async with ContinuingOpenAI(WHOLE, 25, echo) as server:
        finished = await ask(
            router_of(http, timers=CALM), [as_told(primary(server), Terms(on_cut="continue"))]
        )
        assert len(server.asked) == 3
    assert finished.outcome == "cut"
    assert WHOLE.startswith(finished.text)
    assert finished.joined_at == ()


async def test_a_model_that_begins_again_from_the_top_is_told_to_have_done_so(http: Http) -> None:
    again = WHOLE[:100] + " and then it told the story in other words."
    async with ContinuingOpenAI(WHOLE, 30, lambda said, rest: again) as server:
        events = await events_of(
            router_of(http, timers=CALM), [as_told(primary(server), Terms(on_cut="continue"))]
        )
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert (finished.outcome, finished.text, finished.restarts) == ("complete", again, 1)
    assert texts(events) == again


# Unknown hosts


async def test_a_host_that_never_names_an_end_is_believed_only_after_it_has_done_so_often(http: Http) -> None:
    async with Silent(Behaviour(text=WHOLE)) as server:
        router = router_of(http, timers=CALM)
        rung = rung_of(server, "openai-chat", GPT, id="lab", provider=lab(server))
        outcomes = [(await ask(router, [rung])).outcome for _ in range(5)]
    assert outcomes == ["cut", "cut", "cut", "complete", "complete"]


async def test_a_host_that_has_named_an_end_once_has_to_do_so_ever_after(http: Http) -> None:
    async with Silent(Behaviour(text=WHOLE)) as server:
        router = router_of(http, timers=CALM)
        rung = rung_of(server, "openai-chat", GPT, id="lab", provider=lab(server))
        server.silent = False
        assert (await ask(router, [rung])).outcome == "complete"
        server.silent = True
        assert {(await ask(router, [rung])).outcome for _ in range(5)} == {"cut"}


def lab(server: OpenAI) -> Any:
    return provider_of(server, "openai-chat", id="lab", bundled=False)


class Silent(OpenAI):
    """Closes its body properly, and never says that it has finished."""

    silent = True

    def _last(self, *given: Any) -> list[bytes]:
        return [] if self.silent else super()._last(*given)
