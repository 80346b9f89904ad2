"""The answer cache over the router: exactly the same question to the same model gets the answer it got before.

A layer of its own, so that the router knows nothing of it. Opt-in by the route: what it says travels with the rungs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from vibedesk.engine.gate import Ticket
from vibedesk.engine.kept import Kept, Spoken, key_of, why_not
from vibedesk.engine.types import (
    CacheUse,
    Cost,
    Event,
    FellBack,
    Finished,
    Outcome,
    ReasoningDelta,
    Request,
    Restarted,
    Rung,
    Started,
    TextDelta,
    Waiting,
)

if TYPE_CHECKING:
    from vibedesk.engine.router import Answer, Router

Find = Callable[[str, int], Awaitable[Kept | None]]
"""Key and the age in seconds it may have → the answer kept under it."""
Keep = Callable[[str, Kept], Awaitable[bool]]
"""Whether it was kept: a full disk costs no answer."""

SOURCE = "answer cache"
_OF_THE_LEADER = (Started, Waiting, FellBack, Finished)
"""Events about who is asked: whoever only listens in has no attempts of its own."""


class Cache:
    """Gives an answer like the router's `ask` does; where the route does not cache, it is the router's own."""

    def __init__(
        self,
        router: Router,
        find: Find,
        keep: Keep,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.router, self.find, self.keep = router, find, keep
        self.clock, self.now, self.pause = clock, now, pause
        self.flights: dict[tuple[str, ...], Flight] = {}
        """Questions under way, by their key and whom they may be put to."""

    def ask(
        self,
        request: Request,
        rungs: Sequence[Rung],
        *,
        fresh: bool = False,
        ticket: Ticket | None = None,
    ) -> Answer | CachedAnswer:
        """Asks nothing yet. `fresh`: the user wants another answer, which then replaces the one that is kept."""
        first = next((rung for rung in rungs if rung.obstacle is None), None)
        if first is None or not first.cache.on:
            return self.router.ask(request, rungs, ticket)
        return CachedAnswer(self, request, rungs, first, fresh=fresh, ticket=ticket)


class Flight:
    """One question under way: what was said so far, for everybody who asked the same meanwhile."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.kept: Kept | None = None
        self.from_store = False
        self.over = False
        self.news = asyncio.Event()

    def tell(self, events: Sequence[Event]) -> None:
        self.events += [event for event in events if not isinstance(event, _OF_THE_LEADER)]
        self._wake()

    def end(self, kept: Kept | None) -> None:
        if not self.over:
            self.kept, self.over = kept, True
            self._wake()

    def _wake(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


class CachedAnswer:
    """One ask of a route that caches. Iterate `batches` or `events` once, inside `contextlib.aclosing`."""

    def __init__(
        self,
        cache: Cache,
        request: Request,
        rungs: Sequence[Rung],
        first: Rung,
        *,
        fresh: bool,
        ticket: Ticket | None = None,
    ) -> None:
        self._ticket = ticket
        self._cache, self._request, self._rungs, self._first = cache, request, tuple(rungs), first
        self._fresh = fresh
        self._key = key_of(request, first.deployment)
        self._course = (self._key, *(rung.deployment.name for rung in rungs))
        self._began = cache.clock()
        self._first_s: float | None = None
        self._text, self._reasoning = "", ""
        self._asked: Answer | None = None
        self._result: Finished | None = None

    @property
    def text(self) -> str:
        """All text said so far."""
        return self._asked.text if self._asked is not None else self._text

    @property
    def first_s(self) -> float | None:
        """Seconds from the first request being sent to the first token, reasoning included; None before it."""
        return self._asked.first_s if self._asked is not None else self._first_s

    def stopped(self) -> Finished:
        """The record so far, once whoever listened is gone. An answer that had ended keeps its outcome."""
        if self._result is None:
            self._result = self._asked.stopped() if self._asked is not None else self._told("stopped", None)
        return self._result

    async def events(self) -> AsyncGenerator[Event, None]:
        """What happens, in order; the last is the one `Finished`. Never raises `EngineError`."""
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for event in batch:
                    yield event

    async def batches(self) -> AsyncGenerator[Sequence[Event], None]:
        """The same events, those of one moment together."""
        flight = None if self._fresh else self._cache.flights.get(self._course)
        if flight is not None:
            self._send_nothing()
        way = self._lead() if flight is None else self._follow(flight)
        async with aclosing(way) as batches:
            async for batch in batches:
                if batch and isinstance(batch[-1], Finished):
                    self._result = batch[-1]
                yield batch

    def _send_nothing(self) -> None:
        """The other lanes need not wait for this one's request to leave."""
        if self._ticket is not None:
            self._ticket.give_back()

    # First to ask

    async def _lead(self) -> AsyncGenerator[Sequence[Event], None]:
        flight = Flight()
        if not self._fresh:  # what the user wants anew is nobody else's answer
            self._cache.flights[self._course] = flight
        try:
            kept = None
            if not self._fresh:
                kept = await self._cache.find(self._key, self._first.cache.ttl_s)
            if kept is not None:
                self._send_nothing()
                flight.from_store = True
                flight.end(kept)
                way = self._replay(kept, "hit")
            else:
                way = self._ask(flight)
            async with aclosing(way) as batches:
                async for batch in batches:
                    yield batch
        finally:
            flight.end(None)
            if self._cache.flights.get(self._course) is flight:
                del self._cache.flights[self._course]

    async def _ask(self, flight: Flight | None = None) -> AsyncGenerator[Sequence[Event], None]:
        """Asks, tells those who listen in, and keeps what came."""
        self._asked = self._cache.router.ask(self._request, self._rungs, self._ticket)
        spoken: list[Spoken] = []
        async with aclosing(self._asked.batches()) as batches:
            async for batch in batches:
                self._note(spoken, batch)
                if not isinstance(batch[-1], Finished):
                    if flight is not None:
                        flight.tell(batch)
                    yield batch
                    continue
                why, kept = self._worth_keeping(batch[-1], spoken)
                if flight is not None:  # before it is written down: nobody else depends on that
                    flight.tell(batch)
                    flight.end(kept)
                use = CacheUse(verdict="not_kept", why=why) if kept is None else await self._write(kept)
                yield (*batch[:-1], replace(batch[-1], cache=use))

    def _note(self, spoken: list[Spoken], batch: Sequence[Event]) -> None:
        """What was said, with its time; what is taken back is forgotten with its time."""
        at_s = self._asked.elapsed_s if self._asked is not None else 0.0
        for event in batch:
            match event:
                case TextDelta(text):
                    spoken.append(Spoken(at_s, "text", text))
                case ReasoningDelta(text):
                    spoken.append(Spoken(at_s, "reasoning", text))
                case Restarted(discard_from):
                    spoken[:] = _shortened(spoken, discard_from)

    def _worth_keeping(self, finished: Finished, spoken: Sequence[Spoken]) -> tuple[str, Kept | None]:
        """The answer as it is kept, or why it is not."""
        if why := why_not(finished):
            return why, None
        return "", Kept(
            deployment=finished.deployment,
            model=finished.model,
            finish_reason=finished.finish_reason,
            usage=finished.usage,
            cost=finished.cost,
            took_s=finished.took_s,
            reasoning_s=finished.reasoning_s,
            spoken=tuple(spoken),
            at=self._cache.now(),
        )

    async def _write(self, kept: Kept) -> CacheUse:
        by = (rung.deployment for rung in self._rungs if rung.deployment.name == kept.deployment)
        key = key_of(self._request, next(by, self._first.deployment))  # of whoever answered
        if not await self._cache.keep(key, kept):
            return CacheUse(verdict="not_kept", why="it could not be written")
        return CacheUse(verdict="passed_by" if self._fresh else "kept")

    # Later ones

    async def _follow(self, flight: Flight) -> AsyncGenerator[Sequence[Event], None]:
        """Listens in on the same question; where its asker fails or leaves, asks for itself."""
        place = 0
        while True:
            news = flight.news
            if heard := tuple(flight.events[place:]):
                place += len(heard)
                self._hear(heard)
                yield heard
            elif flight.over:
                break
            else:
                await news.wait()
        if flight.kept is not None and not flight.from_store:
            yield (self._told("complete", flight.kept, "shared"),)
            return
        if flight.kept is None and (self._text or self._reasoning):
            self._text = self._reasoning = ""
            yield (Restarted(0),)
        async with aclosing(self._replay(flight.kept, "hit") if flight.kept else self._ask()) as batches:
            async for batch in batches:
                yield batch

    # What was kept

    async def _replay(self, kept: Kept, verdict: str) -> AsyncGenerator[Sequence[Event], None]:
        """At once, or at the pace it came the first time."""
        if self._first.cache.replay == "at_once":
            batch = tuple(one.delta for one in _joined(kept.spoken))
            self._hear(batch)
            yield batch
        else:
            for one in kept.spoken:
                wait_s = one.at_s - (self._cache.clock() - self._began)
                if wait_s > 0:
                    await self._cache.pause(wait_s)
                self._hear((one.delta,))
                yield (one.delta,)
        yield (self._told("complete", kept, verdict),)

    def _hear(self, batch: Sequence[Event]) -> None:
        for event in batch:
            match event:
                case TextDelta(text):
                    self._text += text
                case ReasoningDelta(text):
                    self._reasoning += text
                case Restarted(discard_from):
                    self._text = self._text[:discard_from]
                    self._reasoning = self._reasoning if discard_from else ""
        if self._first_s is None and (self._text or self._reasoning):
            self._first_s = self._cache.clock() - self._began

    def _told(self, outcome: Outcome, kept: Kept | None, verdict: str = "hit") -> Finished:
        """The end of an ask that nothing was sent for."""
        whole = outcome == "complete" and kept is not None
        return Finished(
            outcome=outcome,
            finish_reason=kept.finish_reason if kept else None,
            text=self._text,
            reasoning=self._reasoning,
            deployment=kept.deployment if kept else self._first.deployment.name,
            model=kept.model if kept else self._first.deployment.model.id,
            usage=kept.usage if kept else None,
            cost=Cost(usd=Decimal(0), source=SOURCE) if whole else None,
            ttft_s=self._first_s,
            tokens_per_s=None,
            reasoning_s=kept.reasoning_s if kept else None,
            took_s=self._cache.clock() - self._began,
            cached=whole,
            error=None,
            attempts=(),
            not_needed=tuple(dict.fromkeys(rung.deployment.name for rung in self._rungs)),
            cache=_use(kept, verdict) if whole and kept else None,
        )


def _use(kept: Kept, verdict: str) -> CacheUse:
    return CacheUse(
        verdict="shared" if verdict == "shared" else "hit",
        kept_at=kept.at,
        saved=kept.cost,
        saved_s=kept.took_s,
    )


def _joined(spoken: Sequence[Spoken]) -> list[Spoken]:
    """Pieces of one kind in a row as one."""
    found: list[list[Spoken]] = []
    for one in spoken:
        if found and found[-1][0].kind == one.kind:
            found[-1].append(one)
        else:
            found.append([one])
    return [Spoken(run[0].at_s, run[0].kind, "".join(one.text for one in run)) for run in found]


def _shortened(spoken: Sequence[Spoken], discard_from: int) -> list[Spoken]:
    """The first `discard_from` characters of the text, and the reasoning unless nothing stays."""
    left, found = discard_from, []
    for one in spoken:
        if one.kind == "reasoning":
            found += [one] if discard_from else []
        elif left > 0:
            found.append(Spoken(one.at_s, one.kind, one.text[:left]))
            left -= len(one.text)
    return found
