"""Reading one answer: its pieces as they come, each wait bounded by the nearest deadline."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import aclosing, closing
from typing import TypeVar, cast

from vibedesk.engine.dialects import Decoder
from vibedesk.engine.errors import Cut, EngineError, Interrupted, TimedOut
from vibedesk.engine.http import Body
from vibedesk.engine.pace import Pace
from vibedesk.engine.record import SHOWN, Record
from vibedesk.engine.timers import Timers
from vibedesk.engine.types import Piece

AFTER_END_S = 2.0
"""How long a stream whose end was told may go on, for late usage (wire.md §12.3)."""
AFTER_ALL_S = 0.25
"""How long the body of a stream that has nothing more to say may stay open, so that its socket can be used
again."""

T = TypeVar("T")


class Deadlines:
    """The timers of one attempt. Each read is bounded on its own: no cancel scope is held while the caller
    works."""

    def __init__(self, timers: Timers, total_s: float, record: Record) -> None:
        self._timers = timers
        self._record = record
        self._total = total_s
        self._next = record.now + timers.connect_s + timers.first_token_s
        self._timer = "connect"
        self._end = math.inf
        self._opening: asyncio.Timeout | None = None

    @property
    def left_s(self) -> float:
        """What is left of the whole ask's time."""
        return max(0.0, self._total - self._record.now)

    def connected(self) -> None:
        """The connection stands: to wait at the start line for others is nobody's silence."""
        self._wait(math.inf, "first_token")

    def sent(self) -> None:
        """The request has left: from here on its first word is waited for (routing.md §2.6)."""
        self._wait(self._record.now + self._timers.first_token_s, "first_token")

    def _wait(self, until: float, timer: str) -> None:
        self._next, self._timer = until, timer
        if self._opening is not None:
            left_s = max(0.0, min(until, self._total) - self._record.now)
            self._opening.reschedule(asyncio.get_running_loop().time() + left_s)

    def heard(self) -> None:
        """Words came. Called once the caller is back for more: its own time does not count as the provider's
        silence."""
        if self._timer != "end":
            self._next, self._timer = self._record.now + self._timers.idle_s, "idle"

    def ended(self, grace_s: float) -> None:
        """The end was told: only a late usage report, or the end of the body, may still come."""
        self._next, self._timer = min(self._end, self._record.now + grace_s), "end"
        self._end = self._next

    async def opening(self, step: Awaitable[T]) -> T:
        """Like `within`, for the way to the answer's headers: `connected` and `sent` are called on it."""
        until = min(self._next, self._total)
        try:
            async with asyncio.timeout(max(0.0, until - self._record.now)) as self._opening:
                return await step
        except TimeoutError as exc:
            raise self._silence() from exc
        finally:
            self._opening = None

    async def within(self, step: Awaitable[T]) -> T:
        """Awaits it, at most until the nearest deadline. Raises `TimedOut` naming the timer."""
        until = min(self._next, self._total)
        try:
            async with asyncio.timeout(max(0.0, until - self._record.now)):
                return await step
        except TimeoutError as exc:
            raise self._silence() from exc

    def _silence(self) -> TimedOut:
        timer = "total" if self._total <= self._next else self._timer
        return TimedOut(_SILENCES[timer], timer=timer, **self._limit_of(timer))

    def _limit_of(self, timer: str) -> dict[str, float]:
        limits = {
            "connect": self._timers.connect_s + self._timers.first_token_s,
            "first_token": self._timers.first_token_s,
            "idle": self._timers.idle_s,
            "total": self._total,
        }
        return {"limit_s": round(limits[timer], 1)} if timer in limits else {}


_SILENCES = {
    "connect": "no connection in time",
    "first_token": "no first word in time",
    "idle": "nothing useful came for too long",
    "total": "the whole answer took too long",
    "end": "the end had come",
}


async def decoded(
    body: Body, decoder: Decoder, clock: Deadlines, *, framed: bool
) -> AsyncGenerator[Sequence[Piece], None]:
    """The pieces of a stream to its end, those of one read together. Raises what the decoder finds, or why reading
    failed. `framed`: the body says itself where it ends."""
    with closing(Pace(asyncio.get_running_loop().time)) as pace:
        while True:
            broken: EngineError | None = None
            try:
                chunk = await clock.within(body.read())
            except (Cut, TimedOut) as exc:
                chunk, broken = b"", exc
            pieces, failure = _pieces_of(decoder.feed(chunk) if chunk else decoder.close())
            if pieces:
                yield pieces
            said = any(type(piece) in SHOWN for piece in pieces)
            if said:
                clock.heard()
            if isinstance(failure, Interrupted):
                # A connection that broke explains more than what the decoder then misses.
                failure.facts["clean"] = framed and broken is None and isinstance(failure, Cut)
                raise broken or failure from failure
            if failure is not None:
                raise failure
            if not chunk:
                if broken is not None and not decoder.finished:
                    raise broken
                return
            if decoder.finished:
                clock.ended(AFTER_ALL_S if decoder.done else AFTER_END_S)
            elif said:
                await pace.rest(len(chunk))


def _pieces_of(read: Iterable[Piece]) -> tuple[list[Piece], EngineError | None]:
    """What was read, and the failure that came after it."""
    pieces: list[Piece] = []
    try:
        for piece in read:
            pieces.append(piece)
    except EngineError as exc:
        return pieces, exc
    return pieces, None


async def one_by_one(pieces: AsyncIterator[Piece]) -> AsyncGenerator[Sequence[Piece], None]:
    async with aclosing(cast(AsyncGenerator[Piece, None], pieces)):
        async for piece in pieces:
            yield (piece,)
