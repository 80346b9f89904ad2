"""Route → answer: asks one deployment after the other until one begins to answer, and keeps the record. The
only retry loop."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import date
from typing import TYPE_CHECKING, TypeVar, cast

from vibedesk.engine.dialects import Call, Decoder, Dialect, dialect_of
from vibedesk.engine.dialects.adapting import without
from vibedesk.engine.dialects.demo import Demo
from vibedesk.engine.errors import Cut, EngineError, Interrupted, TimedOut, UnknownRoute
from vibedesk.engine.gate import Ticket
from vibedesk.engine.http import REFUSAL_CAP, Body, Http, Timers
from vibedesk.engine.http import headers_of as answered_headers
from vibedesk.engine.ladder import Ladder
from vibedesk.engine.pace import Pace
from vibedesk.engine.policy import ATTEMPTS_CAP, Step, droppable, step_after
from vibedesk.engine.record import SHOWN, Record, Trial
from vibedesk.engine.rungs import rungs_of
from vibedesk.engine.transport import assert_may_send, headers_of, scrubbed, speaks, url_of
from vibedesk.engine.types import (
    ApiKey,
    Deployment,
    Event,
    Finished,
    Piece,
    Request,
    Rung,
    Secret,
    Started,
)

if TYPE_CHECKING:
    import httpx

__all__ = ["Answer", "Router", "rungs_of"]

AFTER_END_S = 2.0
"""How long a stream whose end was told may go on, for late usage (wire.md §12.3)."""
AFTER_ALL_S = 0.25
"""How long the body of a stream that has nothing more to say may stay open, so that its socket can be used
again."""
REFUSAL_S = 10.0
"""How long an error's body may take."""

SecretOf = Callable[[ApiKey], Awaitable[Secret]]
T = TypeVar("T")


class Router:
    """Remembers which model refused which parameter, so that it is asked without it from then on."""

    def __init__(
        self,
        http: Http,
        secret_of: SecretOf,
        *,
        timers: Timers = Timers(),  # noqa: B008  a frozen value
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], date] = date.today,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.http = http
        self.secret_of = secret_of
        self.timers = timers
        self.clock = clock
        self.today = today
        self.pause = pause
        self.refused: dict[str, tuple[str, ...]] = {}

    def ask(self, request: Request, rungs: Sequence[Rung], ticket: Ticket | None = None) -> Answer:
        """Asks nothing yet: the answer's `events` do. With a `ticket` its first request leaves with the others'."""
        return Answer(self, request, rungs, ticket)


class Answer:
    """One ask. Iterate `events` once, inside `contextlib.aclosing`."""

    def __init__(
        self, router: Router, request: Request, rungs: Sequence[Rung], ticket: Ticket | None = None
    ) -> None:
        self._router = router
        self._ticket = ticket
        self._request = request
        self._rungs = tuple(rungs)
        self._record = Record(rungs, router.clock, router.today())
        self._secrets: list[Secret] = []

    @property
    def text(self) -> str:
        """All text said so far."""
        return self._record.text

    def stopped(self) -> Finished:
        """The record so far, once whoever listened is gone. An answer that had ended keeps its outcome."""
        return self._record.finish("stopped", None)

    async def events(self) -> AsyncGenerator[Event, None]:
        """What happens, in order; the last is the one `Finished`. Never raises `EngineError`."""
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for event in batch:
                    yield event

    async def batches(self) -> AsyncGenerator[Sequence[Event], None]:
        """The same events, those of one read together: cheaper where many come at once. None is empty."""
        if not self._rungs:
            yield (self._record.finish("failed", UnknownRoute("there is nothing to ask")),)
            return
        ladder = Ladder(self._rungs)
        while True:
            error, call = ladder.rung.obstacle, None
            if error is None:
                ladder.tries += 1
                trial = self._record.begin(ladder.rung.deployment, ladder.position, ladder.rule)
                yield (Started(trial.deployment, len(self._record.attempts) + 1),)
                try:
                    call = self._call(trial.deployment, ladder.dropped)
                    async with aclosing(self._listen(trial, call)) as reads:
                        async for pieces in reads:
                            if shown := self._record.hear(pieces):
                                yield shown
                except EngineError as exc:
                    error = self._facts(exc, trial.deployment)
            if self._ticket is not None:
                self._ticket.give_back()
            if error is None or self._record.committed:
                # What had begun and broke is cut, whatever broke it: the text kept is true, and not whole.
                yield (self._record.finish("complete" if error is None else "cut", error),)
                return
            step = self._step(error, call, ladder)
            if step.move == "stop":
                yield (self._record.finish("failed", error),)
                return
            self._record.end("failed", error)
            self._remember(ladder.rung.deployment, step.parameter)
            if told := tuple(ladder.take(step, error)):
                yield told
            if step.wait_s:
                await self._router.pause(step.wait_s)

    def _step(self, error: EngineError, call: Call | None, ladder: Ladder) -> Step:
        parameter = droppable(error, call) if call is not None else ""
        step = step_after(
            error,
            tries=ladder.tries,
            others=ladder.onward is not None,
            dropped=ladder.dropped,
            parameter=parameter,
        )
        left_s = self._router.timers.total_s - self._record.now
        spent = len(self._record.attempts) + 1 >= ATTEMPTS_CAP or step.wait_s >= left_s or left_s <= 0
        return Step("stop") if spent else step

    def _call(self, deployment: Deployment, dropped: tuple[str, ...]) -> Call:
        """The dialect's call, without what this model has been seen to refuse."""
        if deployment.provider.dialect == "demo":
            return Call(method="POST", path="/")
        call = dialect_of(speaks(deployment)).ask(self._request, deployment.model, deployment.provider)
        for parameter in dict.fromkeys((*self._router.refused.get(deployment.name, ()), *dropped)):
            call = without(call, parameter) or call
        return call

    def _remember(self, deployment: Deployment, parameter: str) -> None:
        if not parameter:
            return
        known = self._router.refused.get(deployment.name, ())
        self._router.refused[deployment.name] = tuple(dict.fromkeys((*known, parameter)))

    def _facts(self, error: EngineError, deployment: Deployment) -> EngineError:
        error.provider = error.provider or deployment.provider.id
        error.key = error.key or deployment.key_name
        error.facts.setdefault("model", deployment.model.id)
        return scrubbed(error, self._secrets)

    def _listen(self, trial: Trial, call: Call) -> AsyncGenerator[Sequence[Piece], None]:
        if trial.deployment.provider.dialect == "demo":
            return self._rehearsed(trial)
        return self._stream(trial, call)

    async def _rehearsed(self, trial: Trial) -> AsyncGenerator[Sequence[Piece], None]:
        await self._leave()
        async with aclosing(_one_by_one(Demo().stream(self._request, trial.deployment.model))) as reads:
            async for pieces in reads:
                yield pieces

    async def _leave(self) -> None:
        """Everything is ready: waits at the start line, where there is one, and goes."""
        if self._ticket is not None:
            await self._ticket.leave()
        self._record.sent()

    async def _stream(self, trial: Trial, call: Call) -> AsyncGenerator[Sequence[Piece], None]:
        """One request over the wire: the pieces of each read as they come. Raises `EngineError`."""
        deployment, timers = trial.deployment, self._router.timers
        trial.notes += call.notes
        dialect = dialect_of(speaks(deployment))
        url = url_of(deployment, call.path)
        assert_may_send(deployment, url)
        headers = headers_of(deployment, *await self._keys(deployment), call)
        clock = _Deadlines(self._router, self._record)
        async with AsyncExitStack() as stack:
            opened = self._router.http.stream(
                call.method, url, headers, call.body, timers=timers, before_sending=self._leave
            )
            response = await clock.within(stack.enter_async_context(opened))
            fields = answered_headers(response)
            trial.answered(response.status_code, fields, self._record.now)
            if response.status_code >= 300:
                raise await self._refusal(dialect, deployment, response)
            decoder = dialect.decoder(deployment.provider, deployment.model, fields.get("content-type", ""))
            try:
                async with aclosing(_decoded(Body(response), decoder, clock)) as reads:
                    async for pieces in reads:
                        yield pieces
            finally:
                trial.notes += decoder.notes

    async def _keys(self, deployment: Deployment) -> tuple[Secret | None, Secret | None]:
        """The provider's secret and the gateway's, fetched at the last moment."""
        key = deployment.key
        secret = await self._router.secret_of(key) if key is not None else None
        token = None
        if deployment.via == "gateway" and deployment.gateway is not None:
            token = await self._router.secret_of(deployment.gateway.token)
        self._secrets += [one for one in (secret, token) if one is not None]
        return secret, token

    async def _refusal(
        self, dialect: Dialect, deployment: Deployment, response: httpx.Response
    ) -> EngineError:
        body = await Body(response).read_upto(REFUSAL_CAP, REFUSAL_S)
        headers = answered_headers(response)
        error = dialect.refusal(response.status_code, headers, body, deployment.provider)
        error.status = error.status or response.status_code
        return error


class _Deadlines:
    """The timers of one attempt. Each read is bounded on its own: no cancel scope is held while the caller
    works."""

    def __init__(self, router: Router, record: Record) -> None:
        self._timers = router.timers
        self._record = record
        self._total = router.timers.total_s
        self._next = record.now + router.timers.first_token_s
        self._timer = "first_token"
        self._end = math.inf

    def heard(self) -> None:
        """Words came. Called once the caller is back for more: its own time does not count as the provider's
        silence."""
        if self._timer != "end":
            self._next, self._timer = self._record.now + self._timers.idle_s, "idle"

    def ended(self, grace_s: float) -> None:
        """The end was told: only a late usage report, or the end of the body, may still come."""
        self._next, self._timer = min(self._end, self._record.now + grace_s), "end"
        self._end = self._next

    async def within(self, step: Awaitable[T]) -> T:
        """Awaits it, at most until the nearest deadline. Raises `TimedOut` naming the timer."""
        until = min(self._next, self._total)
        try:
            async with asyncio.timeout(max(0.0, until - self._record.now)):
                return await step
        except TimeoutError as exc:
            timer = "total" if self._total <= self._next else self._timer
            raise TimedOut(_SILENCES[timer], timer=timer, **self._limit_of(timer)) from exc

    def _limit_of(self, timer: str) -> dict[str, float]:
        limits = {
            "first_token": self._timers.first_token_s,
            "idle": self._timers.idle_s,
            "total": self._timers.total_s,
        }
        return {"limit_s": round(limits[timer], 1)} if timer in limits else {}


_SILENCES = {
    "first_token": "no first word in time",
    "idle": "nothing useful came for too long",
    "total": "the whole answer took too long",
    "end": "the end had come",
}


async def _decoded(body: Body, decoder: Decoder, clock: _Deadlines) -> AsyncGenerator[Sequence[Piece], None]:
    """The pieces of a stream to its end, those of one read together. Raises what the decoder finds, or why reading
    failed."""
    pace = Pace(asyncio.get_running_loop().time)
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


async def _one_by_one(pieces: AsyncIterator[Piece]) -> AsyncGenerator[Sequence[Piece], None]:
    async with aclosing(cast(AsyncGenerator[Piece, None], pieces)):
        async for piece in pieces:
            yield (piece,)
