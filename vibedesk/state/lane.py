"""One column of a comparison: its model, its own history, and the answer that is coming in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError
from vibedesk.engine.gate import Ticket
from vibedesk.engine.splice import LEAST
from vibedesk.engine.types import (
    Continued,
    Deployment,
    Event,
    FellBack,
    Finished,
    Message,
    Model,
    Provider,
    ReasoningDelta,
    Request,
    Restarted,
    Route,
    Rung,
    Started,
    Text,
    TextDelta,
    Waiting,
    never_asked,
)
from vibedesk.state.autosave import Autosave
from vibedesk.state.held import fault_of
from vibedesk.state.incoming import Channel, Incoming
from vibedesk.state.story import Exchange, Story
from vibedesk.state.tasks import Tasks
from vibedesk.store.history import LaneSpec, StoredAnswer, StoredTurn, ended, new_id
from vibedesk.wording import words_for

if TYPE_CHECKING:
    from vibedesk.engine.continuing import Asked

Phase = Literal["idle", "asked", "thinking", "answering", "complete", "stopped", "cut", "failed"]
RUNNING = ("asked", "thinking", "answering")


class Lane(QObject):
    """Asks one model and keeps what it said. What arrives waits in a list until the playground's frame draws it."""

    phase_changed = Signal(str)
    spec_changed = Signal()
    turn_added = Signal(object)
    answer_begun = Signal()
    text_appended = Signal(str)
    reasoning_appended = Signal(str)
    text_taken_back = Signal(int)
    deployment_changed = Signal(object)
    fell_back = Signal(object)
    waited = Signal(float)
    """Seconds until it asks again; why stands in `waiting`."""
    continued = Signal(int)
    """Character of the answer from which on it was continued."""
    finished = Signal(object)
    restored = Signal()
    planned_changed = Signal()
    text_arrived = Signal()

    def __init__(
        self, desk: Desk, tasks: Tasks, autosave: Autosave, spec: LaneSpec, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._desk, self._tasks, self._autosave = desk, tasks, autosave
        self.spec = spec
        self._copied: Route | None = None
        """The named route as it was when the lane took its parameters over."""
        self.phase: Phase = "idle"
        self.story = Story(spec.id)
        self.planned: tuple[Rung, ...] = ()
        """Where the next question would go, as far as is known."""
        self.deployment: Deployment | None = None
        self.fallback: FellBack | None = None
        self.waiting: Waiting | None = None
        """What it waits for now, until it asks again or ends."""
        self.resumes_at = 0.0
        """When the wait is over, on the monotonic clock."""
        self.result: Finished | None = None
        self.conversation = ""
        self.spoke_at: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._schema = ""
        self._answer: Asked | None = None
        self._ticket: Ticket | None = None
        self._keeping: asyncio.Future[None] | None = None
        self._listen()

    def _listen(self, said: str = "") -> None:
        """To a new answer; `said` is what it goes on from."""
        self._coming = Incoming(said)
        self._ended: Finished | None = None

    # What it is

    @property
    def exchanges(self) -> list[Exchange]:
        """The questions that are shown, with their answers."""
        return self.story.path

    @property
    def running(self) -> bool:
        return self.phase in RUNNING

    @property
    def text(self) -> str:
        """The latest answer so far, as it was received."""
        if self.running:
            return str(self._coming.words)
        answer = self.exchanges[-1].answer if self.exchanges else None
        return answer.text if answer else ""

    @property
    def tokens_so_far(self) -> int:
        """About how many tokens have arrived, reasoning included."""
        return round(self._coming.tokens)

    @property
    def first_at(self) -> float | None:
        """When the first word or thought came, on the monotonic clock."""
        return self._coming.first_at

    @property
    def first_s(self) -> float | None:
        """Seconds from the first request being sent to the first word or thought; None before it."""
        return self._answer.first_s if self._answer is not None else None

    @property
    def model(self) -> Model | None:
        """The chosen model; None when none is chosen or its provider is not known."""
        try:
            return self._desk.catalog.model(self.spec.model) if self.spec.model else None
        except EngineError:
            return None

    @property
    def provider(self) -> Provider | None:
        """The chosen model's provider."""
        return self._desk.catalog.providers.get(self.spec.model.partition("/")[0])

    @property
    def obstacle(self) -> EngineError | None:
        """Why nobody could be asked now; None = somebody can, or it is not known yet."""
        if not self.planned or any(rung.obstacle is None for rung in self.planned):
            return None
        return self.planned[0].obstacle

    @property
    def last_key(self) -> str:
        """The id of the key that the last answer was asked for with, or its request would have been; "" = none."""
        attempts = self.result.attempts if self.result else ()
        sent = [attempt.key_id for attempt in attempts if attempt.key_id]
        if sent:
            return sent[-1]
        key = self.planned[0].deployment.key if self.planned else None
        return key.id if key else ""

    def provider_name(self, id: str) -> str:
        """What people call the provider."""
        provider = self._desk.catalog.providers.get(id)
        return provider.name if provider else id

    def plan(self, rungs: tuple[Rung, ...]) -> None:
        """Where the next question would go."""
        if rungs != self.planned:
            self.planned = rungs
            self.planned_changed.emit()

    def set_spec(self, **changes: object) -> None:
        """Another model, system prompt, parameters, …; holds from the next question on."""
        spec = replace(self.spec, **changes)
        if spec != self.spec:
            if (spec.model, spec.route, spec.via) != (self.spec.model, self.spec.route, self.spec.via):
                self.deployment = self.fallback = None
                self.planned = ()
            self.spec = spec
            self.spec_changed.emit()

    def rungs(self) -> tuple[Rung, ...]:
        """Where the next question would go. Reads keys from the disk: not for the loop's thread."""
        return self._desk.rungs(self.route())

    def route(self) -> Route:
        """The route it asks by: the named one as it stands now, or its own model."""
        named = next((route for route in self._desk.routes.routes() if route.name == self.spec.route), None)
        return named or self._desk.route_for(
            self.spec.model,
            via=self.spec.via or None,
            parameters=self.spec.parameters,
            system=self.spec.system,
        )

    def follow_route(self, route: Route) -> None:
        """Asks by this route from the next question on, with its parameters for as long as it has no others."""
        spec, before = self.spec, self._copied
        own = before is not None and before.name == route.name == spec.route
        parameters = spec.parameters if own and before and spec.parameters != before.parameters else None
        system = spec.system if own and before and spec.system != before.system else None
        self._copied = route
        self.set_spec(
            route=route.name,
            model=route.model,
            parameters=route.parameters if parameters is None else parameters,
            system=route.system if system is None else system,
        )

    def _catch_up(self) -> None:
        """The route was edited since: what the lane took from it is what it says now."""
        named = next((route for route in self._desk.routes.routes() if route.name == self.spec.route), None)
        if named is not None and self._copied is not None and named != self._copied:
            self.follow_route(named)

    def request(self) -> Request:
        """The lane's whole history with its own answers, ending in the last turn."""
        self._catch_up()
        messages: list[Message] = []
        for exchange in self.exchanges:
            _say(messages, Message("user", (*exchange.turn.images, Text(exchange.turn.text))))
            answer = exchange.answer
            if answer is not None and answer.text and exchange is not self.exchanges[-1]:
                _say(messages, Message("assistant", (Text(answer.text),)))
        return Request(messages=tuple(messages), system=self.spec.system, parameters=self.spec.parameters)

    @property
    def can_continue(self) -> bool:
        """Whether the last answer broke off, and somebody could go on from there."""
        answer = self.exchanges[-1].answer if self.exchanges else None
        if answer is None or self.running or len(answer.text.strip()) < LEAST:
            return False
        return answer.outcome in ("cut", "stopped") or answer.finish_reason == "length"

    # Asking

    def add_turn(self, turn: StoredTurn) -> None:
        """The user's words, before anybody is asked."""
        self.story.add(turn)
        self.turn_added.emit(turn)

    def take_turn(self, turn: StoredTurn) -> None:
        """The same turn, now that it is kept."""
        self.exchanges[-1].turn = turn

    def start(self, request: Request, rungs: Sequence[Rung], ticket: Ticket | None = None) -> None:
        """Asks, now; with a `ticket` its request leaves with the others'. The lane must not be running."""
        again = self._begin_answer()
        self._schema = request.parameters.json_schema
        self._ticket = ticket
        self._answer = self._desk.cache.ask(request, rungs, fresh=again, ticket=ticket)
        self._task = self._tasks.start(
            self._run(self._answer), name=f"ask {self.spec.model or self.spec.route}"
        )
        self._task.add_done_callback(self._gone)

    def go_on(self, rungs: Sequence[Rung]) -> None:
        """Asks for the rest of the last answer, now. The answer as it was stays as an earlier version."""
        from vibedesk.engine.continuing import Continued, further, way_of

        said = self.text
        way = way_of(rungs)
        request = further(self.request(), said, way)
        first = next((rung for rung in rungs if rung.obstacle is None), rungs[0])
        self._begin_answer()
        self._listen(said)
        self.text_arrived.emit()
        self._answer = Continued(self._desk.router.ask(request, rungs), said, way, first)
        self._task = self._tasks.start(self._run(self._answer), name=f"go on with {self.spec.model}")
        self._task.add_done_callback(self._gone)

    def refuse(self, error: EngineError) -> None:
        """Ends the turn without asking anybody."""
        self._begin_answer()
        self._ticket = None
        self._end(never_asked(error, self.spec.model))
        self.drain(whole=True)

    def _begin_answer(self) -> bool:
        """Makes room for an answer; whether there was one already, which it replaces."""
        exchange = self.exchanges[-1]
        again = bool(exchange.answers)
        for before in exchange.choose(len(exchange.answers)):
            self._keep(before)
        self._listen()
        self.result = self.fallback = self.waiting = self._keeping = None
        self.spoke_at = None
        exchange.answers.append(
            StoredAnswer(
                id=new_id(), turn_id=exchange.turn.id, lane_id=self.spec.id, created=datetime.now(UTC)
            )
        )
        exchange.chosen = len(exchange.answers) - 1
        self._keep(exchange.answers[-1])
        self._set_phase("asked")
        self.answer_begun.emit()
        return again

    async def _run(self, answer: Asked) -> None:
        try:
            async with aclosing(answer.batches()) as batches:
                async for batch in batches:
                    for event in _joined(batch):
                        if isinstance(event, Finished):
                            await self._hold(event)
                        self._take(event)
        except asyncio.CancelledError:
            if self._ended is None and self.result is None:
                self._end(answer.stopped())
            raise
        finally:
            self._give_ticket_back()
            await self._kept()

    async def _hold(self, finished: Finished) -> None:
        """Looks whether a whole answer follows the schema it was asked to follow."""
        if self._schema and finished.outcome == "complete":
            fault = await asyncio.to_thread(fault_of, self._schema, finished.text)
            self.exchanges[-1].answers[-1] = replace(self.exchanges[-1].answers[-1], held=fault)

    def _give_ticket_back(self) -> None:
        if self._ticket is not None:
            self._ticket.give_back()

    def _gone(self, task: asyncio.Task[None]) -> None:
        """A task that was cancelled before its first step has told nothing yet."""
        self._give_ticket_back()
        if task.cancelled() and self._ended is None and self.result is None and self._answer is not None:
            self._end(self._answer.stopped())
        if task.cancelled():
            self.drain(whole=True)

    def stop(self) -> None:
        """Keeps what was said, and marks it stopped."""
        if self._task is not None and not self._task.done():
            self._task.cancel()

    async def settle(self) -> None:
        """Waits until the answer's last word is written down and drawn."""
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task])
            await asyncio.sleep(0)
        await self._kept()
        self.drain(whole=True)

    def _take(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self._hear(self._coming.words, text)
            case ReasoningDelta(text):
                self._hear(self._coming.reasoning, text)
            case Started(deployment, _):
                self.deployment, self.waiting = deployment, None
                self.deployment_changed.emit(deployment)
            case FellBack():
                self.fallback = event
                self.fell_back.emit(event)
            case Waiting(seconds, _):
                self.waiting, self.resumes_at = event, monotonic() + seconds
                self.waited.emit(seconds)
            case Restarted(discard_from):
                self.drain(whole=True)
                self._coming.take_back(discard_from)
                self.text_taken_back.emit(discard_from)
            case Continued(at):
                self.drain(whole=True)
                self.continued.emit(at)
            case Finished():
                self._end(event)

    def _hear(self, channel: Channel, text: str) -> None:
        if text:
            self._coming.hear(channel, text)
            self.text_arrived.emit()

    def _end(self, finished: Finished) -> None:
        self._ended, self.waiting = finished, None
        answer = _stored(self.exchanges[-1].answers[-1], finished, self.provider_name)
        left_s = self._ticket.after_first_s if self._ticket is not None else None
        answer = self.exchanges[-1].answers[-1] = replace(answer, left_s=left_s)
        self._keeping = self._autosave.finished(self.conversation, answer, finished)
        self.text_arrived.emit()

    # Drawing

    @property
    def waiting_to_be_drawn(self) -> bool:
        return self._coming.waiting or self._ended is not None

    @property
    def behind(self) -> bool:
        """Whether the last piece was not all there was."""
        return self._coming.behind and self._coming.waiting

    def drain(self, *, whole: bool = False) -> None:
        """Gives the screen what has arrived: one piece a call, or everything."""
        while self.waiting_to_be_drawn:
            self._drain_once(whole)
            if not whole:
                return

    def _drain_once(self, whole: bool) -> None:
        coming = self._coming
        if coming.reasoning.waiting:
            if self.phase == "asked":
                self._set_phase("thinking")
            self.reasoning_appended.emit(coming.reasoning.take(whole=whole))
        elif coming.words.waiting:
            if self.phase != "answering":
                self.spoke_at = monotonic()
                self._set_phase("answering")
            self.text_appended.emit(coming.words.take(whole=whole))
        coming.behind = coming.waiting
        if not coming.behind and self._ended is not None:
            self.result, self._ended = self._ended, None
            self._set_phase(self.result.outcome)
            self.finished.emit(self.result)

    def _set_phase(self, phase: Phase) -> None:
        if phase != self.phase:
            self.phase = phase
            self.phase_changed.emit(phase)

    # Keeping

    def autosave(self) -> None:
        """Writes down what has arrived since the last time, once it is worth writing all of it again."""
        writing = self.running and self._ended is None and not self._tasks.closed
        if writing and self._coming.worth_saving():
            answer, coming = self.exchanges[-1].answers[-1], self._coming
            self._keep(replace(answer, text=str(coming.words), reasoning=str(coming.reasoning)))

    def _keep(self, answer: StoredAnswer) -> None:
        self._autosave.answer(self.conversation, answer)

    async def _kept(self) -> None:
        """Waits until the answer that has ended is written down."""
        if self._keeping is not None:
            await asyncio.shield(self._keeping)

    def restore(self, exchanges: Sequence[Exchange]) -> None:
        """Shows what was kept: the branch that was shown then."""
        self.story = Story(self.spec.id, exchanges, self.spec.leaf)
        self._look_again()

    def take_over(self, exchanges: Sequence[Exchange]) -> None:
        """Shows these, of which nothing is kept yet, and keeps them."""
        self.restore(exchanges)
        for exchange in exchanges:
            for answer in exchange.answers:
                self._keep(answer)

    def _look_again(self) -> None:
        """Another path is shown."""
        self._listen()
        self.result = self.deployment = self.fallback = None
        last = self.exchanges[-1].answer if self.exchanges else None
        self.phase = _PHASES.get(last.outcome or "", "idle") if last else "idle"
        self.restored.emit()

    # Versions. None of these while it is running.

    def choose(self, turn_id: str, place: int) -> None:
        """Another of the answers to this turn counts, and is shown."""
        exchange = self.story.exchange(turn_id)
        if exchange is not None and not self.running and 0 <= place < len(exchange.answers):
            for changed in exchange.choose(place):
                self._keep(changed)
            self._look_again()

    def show_version(self, turn_id: str, place: int) -> None:
        """Another version of this question, and what followed it."""
        exchange = self.story.exchange(turn_id)
        if exchange is None or self.running:
            return
        versions = self.story.versions(exchange)
        if 0 <= place < len(versions):
            self.story.show(versions[place])
            self._look_again()
            self.set_spec(leaf=self.story.leaf)

    def rewind(self, turn_id: str) -> str:
        """Goes back to before this turn, so that another version of it can be asked; the id of the turn before it."""
        exchange = self.story.exchange(turn_id)
        if exchange is None:
            return self.story.leaf
        before = self.story.parent(exchange)
        self.story.rewind(exchange)
        self._look_again()
        return before

    def forget_turn(self, turn_id: str) -> None:
        """Takes a question and its answers off the screen."""
        exchange = self.story.exchange(turn_id)
        if exchange is not None and not self.running:
            self.story.remove(exchange)
            self._look_again()


_PHASES: dict[str, Phase] = {"complete": "complete", "stopped": "stopped", "cut": "cut", "failed": "failed"}


def _joined(batch: Sequence[Event]) -> Iterator[Event]:
    """What one read brought: words that follow one another are one piece."""
    words: list[str] = []
    for event in batch:
        if type(event) is TextDelta:
            words.append(event.text)
            continue
        if words:
            yield TextDelta("".join(words))
            words = []
        yield event
    if words:
        yield TextDelta("".join(words))


def _say(messages: list[Message], message: Message) -> None:
    """Two messages of one role in a row become one: some providers refuse the other thing."""
    if messages and messages[-1].role == message.role:
        messages[-1] = Message(message.role, (*messages[-1].parts, Text("\n\n"), *message.parts))
    else:
        messages.append(message)


def _stored(answer: StoredAnswer, finished: Finished, name_of: Callable[[str], str]) -> StoredAnswer:
    error = finished.error
    words = words_for(error, provider_name=name_of(error.provider)) if error is not None else None
    title, text = (words.title, f"{words.sentence} {words.fix}".strip()) if words else ("", "")
    return ended(answer, finished, title, text)
