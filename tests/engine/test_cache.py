"""The answer cache over a real router and a provider on loopback: what is given again, to whom, and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from tests.engine.asking import SHORT, key_of, router_of, rung_of
from tests.providers import Behaviour, OpenAI
from vibedesk.engine.cache import Cache
from vibedesk.engine.gate import Gate
from vibedesk.engine.http import Http
from vibedesk.engine.kept import Kept
from vibedesk.engine.kept import key_of as question_of
from vibedesk.engine.types import (
    CachePolicy,
    Event,
    Finished,
    Image,
    Price,
    Replay,
    Restarted,
    Rung,
    TextDelta,
    request_of,
)
from vibedesk.store.answers import Answers
from vibedesk.store.database import Database

ON = CachePolicy(on=True)
PRICE = Price(input=Decimal(1), output=Decimal(2), source="list")


class Shelf:
    """The answers of a real database, as the desk hands them to the cache."""

    def __init__(self, database: Database) -> None:
        self.answers = Answers(database)
        self.full = False

    async def find(self, key: str, ttl_s: int) -> Kept | None:
        return await asyncio.to_thread(self.answers.find, key, ttl_s)

    async def keep(self, key: str, kept: Kept) -> bool:
        if not self.full:
            await asyncio.to_thread(self.answers.keep, key, kept)
        return not self.full


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http()
    yield http
    await http.close()


@pytest.fixture
async def server() -> AsyncIterator[OpenAI]:
    async with OpenAI() as server:
        yield server


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    database = Database(tmp_path / "vibedesk.db")
    yield Shelf(database)
    database.close()


@pytest.fixture
def cache(http: Http, shelf: Shelf) -> Cache:
    return Cache(router_of(http, timers=replace(SHORT, first_token_s=5.0)), shelf.find, shelf.keep)


def rung(
    server: OpenAI, model: str = "gpt-4.1-mini", policy: CachePolicy = ON, id: str = "openai", **more: Any
) -> Rung:
    return replace(rung_of(server, "openai-chat", model, id=id, price=PRICE, **more), cache=policy)


async def events_of(
    cache: Cache, rungs: Sequence[Rung], text: str = "Hi", *, fresh: bool = False
) -> list[Event]:
    async with aclosing(cache.ask(request_of(text), rungs, fresh=fresh).events()) as events:
        return [event async for event in events]


async def ask(cache: Cache, rungs: Sequence[Rung], text: str = "Hi", *, fresh: bool = False) -> Finished:
    *_, last = await events_of(cache, rungs, text, fresh=fresh)
    assert isinstance(last, Finished)
    return last


async def test_the_same_question_is_answered_again_without_asking(server: OpenAI, cache: Cache) -> None:
    first = await ask(cache, [rung(server)])
    assert first.cache is not None
    assert (first.cache.verdict, first.cached) == ("kept", False)
    events = await events_of(cache, [rung(server)])
    again = events[-1]
    assert isinstance(again, Finished)
    assert len(server.asked) == 1
    assert (again.text, again.outcome, again.finish_reason) == (first.text, "complete", first.finish_reason)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == first.text
    assert (again.cached, again.attempts, again.tokens_per_s) == (True, (), None)
    assert again.cost is not None
    assert again.cost.usd == 0
    assert again.cache is not None
    assert again.cache.verdict == "hit"
    assert again.cache.saved == first.cost
    assert again.cache.saved_s == first.took_s
    assert again.not_needed == ("openai/gpt-4.1-mini",)


async def test_a_route_that_says_nothing_of_caching_is_asked_each_time(server: OpenAI, cache: Cache) -> None:
    answers = [await ask(cache, [rung(server, policy=CachePolicy())]) for _ in range(2)]
    assert len(server.asked) == 2
    assert [answer.cache for answer in answers] == [None, None]


async def test_another_question_or_model_is_another_answer(server: OpenAI, cache: Cache) -> None:
    await ask(cache, [rung(server)])
    await ask(cache, [rung(server)], "Hi ")
    await ask(cache, [rung(server, "gpt-6-luna")])
    assert len(server.asked) == 3


async def test_asking_anew_passes_the_cache_by_and_replaces_what_it_kept(
    server: OpenAI, cache: Cache
) -> None:
    await ask(cache, [rung(server)])
    server.behaviour = Behaviour(text="Another one.")
    anew = await ask(cache, [rung(server)], fresh=True)
    assert anew.cache is not None
    assert (anew.text, anew.cache.verdict) == ("Another one.", "passed_by")
    assert (await ask(cache, [rung(server)])).text == "Another one."
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("fail-402", "the answer failed"),
        ("cut-reset", "the answer was cut"),
        ("gpt-4.1-mini", "the answer ended by length"),
    ],
)
async def test_what_did_not_come_whole_is_not_kept(
    server: OpenAI, cache: Cache, shelf: Shelf, model: str, why: str
) -> None:
    if model == "gpt-4.1-mini":
        server.behaviour = Behaviour(finish="length")
    finished = await ask(cache, [rung(server, model)])
    assert finished.cache is not None
    assert (finished.cache.verdict, finished.cache.why) == ("not_kept", why)
    assert shelf.answers.held().answers == 0


async def test_a_disk_without_room_costs_no_answer(server: OpenAI, cache: Cache, shelf: Shelf) -> None:
    shelf.full = True
    finished = await ask(cache, [rung(server)])
    assert finished.outcome == "complete"
    assert finished.cache is not None
    assert finished.cache.verdict == "not_kept"


async def test_ten_equal_questions_at_once_are_one_request(server: OpenAI, cache: Cache) -> None:
    server.behaviour = Behaviour(first_token_s=0.1)
    answers = await asyncio.gather(*(ask(cache, [rung(server)]) for _ in range(10)))
    assert len(server.asked) == 1
    assert len({answer.text for answer in answers}) == 1
    verdicts = [answer.cache and answer.cache.verdict for answer in answers]
    assert sorted(map(str, verdicts)) == ["kept", *["shared"] * 9]
    assert [len(answer.attempts) for answer in answers].count(0) == 9
    assert cache.flights == {}


async def test_an_answer_under_way_is_shared_by_those_alone_who_would_ask_the_same_others(
    server: OpenAI, cache: Cache
) -> None:
    """Else one would tell of a fallback that is not on its own route."""
    server.behaviour = Behaviour(status=500, times=20, first_token_s=0.1)
    async with OpenAI() as one, OpenAI() as other:
        spare = [rung(server), rung(one, id="one")], [rung(server), rung(other, id="other")]
        first, second = await asyncio.gather(*(ask(cache, rungs) for rungs in spare))
        assert [answer.attempts[-1].deployment for answer in (first, second)] == [
            first.deployment,
            second.deployment,
        ]
        assert first.deployment != second.deployment
        assert (len(one.asked), len(other.asked)) == (1, 1)


async def test_whoever_listens_in_on_a_failure_asks_for_himself(server: OpenAI, cache: Cache) -> None:
    server.behaviour = Behaviour(status=402, times=1, first_token_s=0.1)
    first, second = await asyncio.gather(ask(cache, [rung(server)]), ask(cache, [rung(server)]))
    assert (first.outcome, second.outcome) == ("failed", "complete")
    assert len(server.asked) == 2


async def test_what_was_heard_of_an_answer_that_broke_is_taken_back(server: OpenAI, cache: Cache) -> None:
    server.behaviour = Behaviour(cut="reset", cut_after=3, times=1, first_token_s=0.1)
    first, events = await asyncio.gather(ask(cache, [rung(server)]), events_of(cache, [rung(server)]))
    second = events[-1]
    assert isinstance(second, Finished)
    assert (first.outcome, second.outcome) == ("cut", "complete")
    assert Restarted(0) in events
    taken = "".join(
        event.text for event in events[events.index(Restarted(0)) :] if isinstance(event, TextDelta)
    )
    assert taken == second.text


async def test_who_leaves_takes_nobody_along(server: OpenAI, cache: Cache) -> None:
    server.behaviour = Behaviour(first_token_s=0.3)
    leader = asyncio.create_task(ask(cache, [rung(server)]))
    follower = asyncio.create_task(ask(cache, [rung(server)]))
    third = asyncio.create_task(ask(cache, [rung(server)]))
    while not server.asked:  # noqa: ASYNC110  the server has no event to wait for
        await asyncio.sleep(0.01)
    follower.cancel()
    await asyncio.wait([follower])
    leader.cancel()
    await asyncio.wait([leader])
    assert (await third).outcome == "complete"
    assert cache.flights == {}


async def test_who_listens_in_has_the_whole_answer_though_its_asker_leaves_while_it_is_written_down(
    http: Http, server: OpenAI, shelf: Shelf
) -> None:
    writing, free = asyncio.Event(), asyncio.Event()

    async def keep(key: str, kept: Kept) -> bool:
        writing.set()
        await free.wait()
        return await shelf.keep(key, kept)

    cache = Cache(router_of(http), shelf.find, keep)
    leader = asyncio.create_task(ask(cache, [rung(server)]))
    follower = asyncio.create_task(events_of(cache, [rung(server)]))
    await asyncio.wait_for(writing.wait(), 5)
    leader.cancel()
    await asyncio.wait([leader])
    free.set()
    *said, last = await follower
    assert isinstance(last, Finished)
    assert (last.outcome, last.cache and last.cache.verdict) == ("complete", "shared")
    assert not any(isinstance(event, Restarted) for event in said)
    assert len(server.asked) == 1


async def test_a_fallbacks_answer_is_kept_under_the_fallbacks_name(server: OpenAI, cache: Cache) -> None:
    rungs = [rung(server, "fail-402"), rung(server, "gpt-4.1-mini", id="second")]
    first = await ask(cache, rungs)
    assert first.deployment == "second/gpt-4.1-mini"
    again = await ask(cache, rungs)
    assert not again.cached, "the first choice may answer by now: it is asked again"
    assert (await ask(cache, rungs[1:])).cached


@pytest.mark.parametrize(("replay", "waits"), [("at_once", False), ("as_recorded", True)])
async def test_it_comes_at_once_or_in_the_time_it_took(
    http: Http, server: OpenAI, shelf: Shelf, replay: Replay, waits: bool
) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    server.behaviour = Behaviour(first_token_s=0.1)
    policy = CachePolicy(on=True, replay=replay)
    first = await ask(Cache(router_of(http), shelf.find, shelf.keep), [rung(server, policy=policy)])
    cache = Cache(router_of(http), shelf.find, shelf.keep, pause=pause, clock=lambda: 0.0)
    events = await events_of(cache, [rung(server, policy=policy)])
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == first.text
    assert bool(waited) is waits
    kept = await shelf.find(question_of(request_of("Hi"), rung(server).deployment), 60)
    assert kept is not None
    assert all(0 < seconds <= kept.spoken[-1].at_s for seconds in waited)


async def test_nobody_waits_at_the_line_for_an_answer_that_is_kept(server: OpenAI, cache: Cache) -> None:
    await ask(cache, [rung(server)])
    gate = Gate(patience_s=600)
    kept, other = gate.ticket(), gate.ticket()
    answer = cache.ask(request_of("Hi"), [rung(server)], ticket=kept)
    async with aclosing(answer.batches()) as batches:
        await anext(batches)
        await other.leave()  # while the kept answer is still being given
    assert (kept.left_at, other.left_at is not None) == (None, True)


async def test_a_stop_while_it_is_replayed_keeps_what_was_said(
    http: Http, server: OpenAI, shelf: Shelf
) -> None:
    cache = Cache(router_of(http), shelf.find, shelf.keep)
    policy = CachePolicy(on=True, replay="as_recorded")
    await ask(cache, [rung(server, policy=policy)])
    answer = cache.ask(request_of("Hi"), [rung(server, policy=policy)])
    async with aclosing(answer.batches()) as batches:
        await anext(batches)
    stopped = answer.stopped()
    assert (stopped.outcome, stopped.text, stopped.cost) == ("stopped", answer.text, None)
    assert stopped.text


# The key


@given(
    one=some.tuples(some.text(), some.text(), some.none() | some.integers(1, 9)),
    two=some.tuples(some.text(), some.text(), some.none() | some.integers(1, 9)),
)
def test_keys_are_equal_where_questions_are(
    one: tuple[str, str, int | None], two: tuple[str, str, int | None]
) -> None:
    deployment = rung_of(OpenAI(), "openai-chat", "m").deployment
    keys = [
        question_of(request_of(text, system=system, max_tokens=most), deployment)
        for text, system, most in (one, two)
    ]
    assert (keys[0] == keys[1]) == (one == two)


def test_another_key_of_the_same_provider_asks_the_same_and_another_picture_does_not() -> None:
    deployment = rung_of(OpenAI(), "openai-chat", "m").deployment
    other = replace(deployment, key=key_of(deployment.provider, id="other", label="other"))
    assert question_of(request_of("Hi"), deployment) == question_of(request_of("Hi"), other)
    pictures = [request_of("Hi", images=[Image("image/png", data)]) for data in (b"a", b"b")]
    assert len({question_of(request, deployment) for request in pictures}) == 2
