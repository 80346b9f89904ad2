"""One ask under way: does what the ladder decides, hears what comes, and keeps the record. Decides nothing itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from vibedesk.engine.allowance import UNLIMITED, Use
from vibedesk.engine.climb import (
    Begun,
    Completed,
    Effect,
    Failed,
    Fall,
    Finish,
    Happening,
    Left,
    Remember,
    Send,
    Sleep,
    State,
    Woke,
    climb_of,
)
from vibedesk.engine.dialects import Call, Dialect, dialect_of
from vibedesk.engine.dialects.adapting import without
from vibedesk.engine.dialects.demo import Demo
from vibedesk.engine.errors import Cut, EngineError, UnknownRoute
from vibedesk.engine.gate import Ticket
from vibedesk.engine.http import REFUSAL_CAP, Body
from vibedesk.engine.http import headers_of as answered_headers
from vibedesk.engine.ladder import decide
from vibedesk.engine.policy import droppable
from vibedesk.engine.pricing import estimate_tokens
from vibedesk.engine.reading import Deadlines, decoded, one_by_one
from vibedesk.engine.record import SHOWN, Record, Trial
from vibedesk.engine.resuming import rest_of, splice_for, way_to_resume
from vibedesk.engine.splice import Splice
from vibedesk.engine.timers import Timers, timers_for, tokens_in
from vibedesk.engine.transport import assert_may_send, headers_of, scrubbed, speaks, url_of
from vibedesk.engine.types import (
    Continued,
    Deployment,
    Event,
    FellBack,
    Finished,
    Piece,
    Request,
    Restarted,
    Rung,
    Secret,
    Started,
    Terms,
    TextDelta,
    Waiting,
)
from vibedesk.engine.world import heard, host_of

if TYPE_CHECKING:
    import httpx

    from vibedesk.engine.router import Router

REFUSAL_S = 2.0
"""How long an error's body may take, and at most half of what is left of the whole: somebody else may answer."""
ENDINGS = 3
"""After so many streams that ended without a word of it, an unknown host is taken to end them so."""
OUTPUT_TOKENS = 1_000
"""What an answer is taken to need where nobody said."""


class Answer:
    """One ask. Iterate `events` once, inside `contextlib.aclosing`."""

    def __init__(
        self, router: Router, request: Request, rungs: Sequence[Rung], ticket: Ticket | None = None
    ) -> None:
        self._router = router
        self._ticket = ticket
        self._request = request
        self._rungs = tuple(rungs)
        self._terms = rungs[0].terms if rungs else Terms()
        self._record = Record(rungs, router.clock, router.today())
        self._secrets: list[Secret] = []
        self._total_s = self._timers(self._rungs[0].deployment).total_s if rungs else 0.0
        taken = tokens_in(request) if any(_limited(rung) for rung in rungs) else 0
        given = request.parameters.max_tokens or OUTPUT_TOKENS
        self._climb = climb_of(self._rungs, total_s=self._total_s, tokens=(taken, given))
        self._splice: Splice | None = None
        self._call: Call | None = None

    @property
    def text(self) -> str:
        """All text said so far."""
        return self._record.text

    @property
    def elapsed_s(self) -> float:
        """Seconds since the first request was sent; before that, since it was asked."""
        return self._record.now

    @property
    def first_s(self) -> float | None:
        """Seconds from the first request being sent to the first token, reasoning included; None before it."""
        return self._record.first_s

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
        await self._router.prepare(self._rungs)
        effects = self._decide(Begun(**self._moment()))
        try:
            while True:
                told = [event for effect in effects[:-1] if (event := self._told(effect)) is not None]
                match effects[-1]:
                    case Finish(outcome, error):
                        finished = self._record.finish(outcome, error)
                        await self._router.keep()
                        yield (*told, finished)
                        return
                    case Sleep(seconds, error, known):
                        if shown := (*told, *(() if known else (Waiting(seconds, error),))):
                            yield shown
                        await self._router.pause(seconds)
                        effects = self._decide(Woke(**self._moment()))
                    case Send() as send:
                        if told:
                            yield told
                        async with aclosing(self._ask(send)) as asked:
                            async for batch in asked:
                                yield batch
                        self._give_ticket_back()
                        effects = self._decide(self._ended)
        finally:
            self._give_ticket_back()
            if self._record.result is None:
                self._decide(Left(**self._moment(), use=self._use()))

    def _told(self, effect: Effect) -> Event | None:
        """What there is to say of a step that sends nothing."""
        match effect:
            case Fall(error, left, onto):
                self._record.pass_over(left)
                return FellBack(error, self._rungs[left].deployment, self._rungs[onto].deployment)
            case Remember(position, parameter):
                name = self._rungs[position].deployment.name
                known = self._router.refused.get(name, ())
                self._router.refused[name] = tuple(dict.fromkeys((*known, parameter)))
        return None

    def _decide(self, event: Happening) -> tuple[Effect, ...]:
        state, effects = decide(State(self._router.world, self._climb), event)
        self._router.world, self._climb = state.world, state.climb
        return effects

    def _moment(self) -> dict[str, Any]:
        router = self._router
        return {"now": router.wall(), "elapsed_s": self._record.now, "luck": router.luck()}

    def _timers(self, deployment: Deployment) -> Timers:
        return timers_for(deployment, self._request, self._terms.timeouts, self._router.timers)

    # One request

    async def _ask(self, send: Send) -> AsyncGenerator[Sequence[Event], None]:
        """Sends it and hands on what is said; how it ended is left in `_ended`."""
        record = self._record
        deployment = self._rungs[send.position].deployment
        trial = record.begin(deployment, send.position, send.rule)
        yield (Started(deployment, len(record.attempts) + 1),)
        stands = record.text if send.resume else ""
        replaces = record.committed and not send.resume
        self._splice = splice_for(stands, send.resume, deployment) if send.resume else None
        self._call = None
        heard_any = False
        try:
            request = rest_of(self._request, stands, send.resume) if send.resume else self._request
            trial.request = request
            self._call = self._called(request, deployment, send.dropped)
            async with aclosing(self._listen(trial, self._call, request)) as reads:
                async for pieces in reads:
                    if replaces and any(type(piece) in SHOWN for piece in pieces):
                        replaces = False
                        record.take_back()
                        yield (Restarted(0),)
                    if self._splice is None:
                        if shown := record.hear(pieces):
                            heard_any = True
                            yield shown
                    elif joined := self._joined(pieces, self._splice):
                        heard_any = True
                        yield joined
            if self._splice is not None and (rest := self._join_rest(self._splice)):
                heard_any = True
                yield rest
        except EngineError as exc:
            error = self._facts(exc, deployment)
            if not self._unsaid_end(error, trial):
                record.end("cut" if heard_any else "failed", error)
                self._ended: Happening = self._failure(error, trial, spoke=heard_any)
                return
        self._known_end(deployment, trial)
        record.end("complete", None)
        self._ended = Completed(**self._moment(), use=self._use())

    def _failure(self, error: EngineError, trial: Trial, *, spoke: bool) -> Failed:
        parameter = droppable(error, self._call) if self._call is not None else ""
        record, model = self._record, trial.deployment.model
        way = way_to_resume(self._request, record.text, model, thought=record.thought)
        return Failed(
            **self._moment(),
            error=error,
            shown=record.committed,
            parameter=parameter,
            use=self._use(),
            spoke=spoke,
            resumable=way,
        )

    def _joined(self, pieces: Sequence[Piece], splice: Splice) -> list[Event]:
        """The pieces of the second half, without what stands there already."""
        before = splice.seam
        kept: list[Piece] = []
        for piece in pieces:
            if type(piece) is not TextDelta:
                kept.append(piece)
            elif text := splice.feed(piece.text):
                kept.append(TextDelta(text))
        return [*self._seam(before, splice), *self._record.hear(kept)]

    def _join_rest(self, splice: Splice) -> list[Event]:
        """What was held back to the end. Raises `Cut` where the halves do not fit together."""
        before = splice.seam
        rest = splice.close()
        if splice.seam in ("lost", "open"):
            raise Cut("its rest could not be joined to what was said", joined=False)
        events = self._seam(before, splice)
        return [*events, *self._record.hear([TextDelta(rest)])] if rest else events

    def _seam(self, before: str, splice: Splice) -> list[Event]:
        if splice.seam == before:
            return []
        match splice.seam:
            case "joined":
                return [Continued(self._record.join(), self._climb.resume or "overlap")]
            case "anew":
                self._record.take_back()
                return [Restarted(0)]
        return []

    def _called(self, request: Request, deployment: Deployment, dropped: tuple[str, ...]) -> Call:
        """The dialect's call, without what this model has been seen to refuse."""
        if deployment.provider.dialect == "demo":
            return Call(method="POST", path="/")
        call = dialect_of(speaks(deployment)).ask(request, deployment.model, deployment.provider)
        for parameter in dict.fromkeys((*self._router.refused.get(deployment.name, ()), *dropped)):
            call = without(call, parameter) or call
        return call

    def _facts(self, error: EngineError, deployment: Deployment) -> EngineError:
        error.provider = error.provider or deployment.provider.id
        error.key = error.key or deployment.key_name
        error.facts.setdefault("model", deployment.model.id)
        return scrubbed(error, self._secrets)

    def _use(self) -> Use | None:
        """What the request under way, or just ended, came to; None where nobody answered, or asked to come later."""
        trial, now = self._record.trial, self._router.wall()
        if trial is None or trial.status is None or trial.status == 429:
            return None
        count, cost = self._record.count(), trial.cost(self._router.today())
        tokens = count.input_tokens + count.output_tokens if count is not None else 0
        return Use(now, tokens, cost.usd if cost is not None else Decimal(0))

    # How a stream of a host that nobody knows ends

    def _unsaid_end(self, error: EngineError, trial: Trial) -> bool:
        """A host that has never named an end, and always closed its bodies properly, is taken to end so."""
        host = host_of(trial.deployment)
        if trial.deployment.provider.bundled or not error.facts.get("clean") or not self._record.committed:
            return False
        known = self._router.world.endings.get(host, 0)
        if known < 0:
            return False
        endings = {**self._router.world.endings, host: known + 1}
        self._router.world = replace(self._router.world, endings=endings)
        if known < ENDINGS:
            return False
        trial.notes.append("this server never names an end: that of its connection is taken for it")
        return True

    def _known_end(self, deployment: Deployment, trial: Trial) -> None:
        """This host says when an answer ends: from now on one without is cut."""
        if deployment.provider.bundled or trial.finish is None:
            return
        host = host_of(deployment)
        if self._router.world.endings.get(host) != -1:
            endings = {**self._router.world.endings, host: -1}
            self._router.world = replace(self._router.world, endings=endings)

    # Over the wire

    def _listen(self, trial: Trial, call: Call, request: Request) -> AsyncGenerator[Sequence[Piece], None]:
        if trial.deployment.provider.dialect == "demo":
            return self._rehearsed(trial.deployment, request)
        return self._stream(trial, call)

    async def _rehearsed(
        self, deployment: Deployment, request: Request
    ) -> AsyncGenerator[Sequence[Piece], None]:
        await self._leave()
        async with aclosing(one_by_one(Demo().stream(request, deployment.model))) as reads:
            async for pieces in reads:
                yield pieces

    async def _leave(self, clock: Deadlines | None = None) -> None:
        """Everything is ready: waits at the start line, where there is one, and goes."""
        if clock is not None:
            clock.connected()
        waited_s = await self._ticket.leave() if self._ticket is not None else 0.0
        self._record.sent(waited_s)
        if clock is not None:
            clock.sent()

    def _give_ticket_back(self) -> None:
        if self._ticket is not None:
            self._ticket.give_back()

    async def _stream(self, trial: Trial, call: Call) -> AsyncGenerator[Sequence[Piece], None]:
        """One request over the wire: the pieces of each read as they come. Raises `EngineError`."""
        deployment, router = trial.deployment, self._router
        timers = self._timers(deployment)
        trial.notes += call.notes
        dialect = dialect_of(speaks(deployment))
        url = url_of(deployment, call.path)
        assert_may_send(deployment, url)
        headers = headers_of(deployment, *await self._keys(deployment), call)
        clock = Deadlines(timers, self._total_s, self._record)
        async with AsyncExitStack() as stack:
            opened = router.http.stream(
                call.method,
                url,
                headers,
                call.body,
                timers=timers,
                before_sending=partial(self._leave, clock),
            )
            response = await clock.opening(stack.enter_async_context(opened))
            fields = answered_headers(response)
            trial.answered(response.status_code, fields, self._record.now)
            router.world = heard(router.world, deployment, fields, router.wall())
            if response.status_code >= 300:
                raise await self._refusal(dialect, deployment, response, clock)
            decoder = dialect.decoder(deployment.provider, deployment.model, fields.get("content-type", ""))
            framed = "transfer-encoding" in fields or "content-length" in fields
            try:
                async with aclosing(decoded(Body(response), decoder, clock, framed=framed)) as reads:
                    async for pieces in reads:
                        yield pieces
            finally:
                trial.notes += decoder.notes
            if _fell_short(trial, self._record):
                raise Cut("events were unreadable, and much of the text that was counted is missing")

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
        self, dialect: Dialect, deployment: Deployment, response: httpx.Response, clock: Deadlines
    ) -> EngineError:
        body = await Body(response).read_upto(REFUSAL_CAP, min(REFUSAL_S, clock.left_s / 2))
        headers = answered_headers(response)
        error = dialect.refusal(response.status_code, headers, body, deployment.provider)
        error.status = error.status or response.status_code
        return error


def _limited(rung: Rung) -> bool:
    key = rung.deployment.key
    return key is not None and key.limits != UNLIMITED


def _fell_short(trial: Trial, record: Record) -> bool:
    """Events were lost, and less than half of the tokens that were counted can have been shown (routing.md §2.1)."""
    if trial.usage is None or not any("unreadable events" in note for note in trial.notes):
        return False
    counted = trial.usage.output_tokens - trial.usage.reasoning_tokens
    return counted > 20 and estimate_tokens(record.text) * 2 < counted
