"""The playground: one to eight lanes, one question to all of them, one conversation that is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from msgspec import Struct
from PySide6.QtCore import QObject, Qt, Signal

from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError
from vibedesk.engine.gate import Gate
from vibedesk.engine.types import Image, Request, Rung
from vibedesk.state.contest import Contest
from vibedesk.state.draft import Draft, shown
from vibedesk.state.estimate import differing
from vibedesk.state.heap import give_back
from vibedesk.state.lane import Lane
from vibedesk.state.lanes import Lanes
from vibedesk.state.notices import Notices
from vibedesk.state.prompts import Prompts
from vibedesk.state.reopened import exchanges_of
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.history import Conversation, LaneSpec, StoredTurn, new_id, title_of
from vibedesk.store.lane_sets import fresh

MOST_REPEATS = 10
UNDO_S = 8.0


class Going(Struct, frozen=True, eq=False):
    """A wish to see another conversation, by its id; "" = a new one. The last one is fulfilled."""

    to: str


class Rounds(Struct, eq=False):
    """How often a question is still asked again."""

    left: int


class Playground(Lanes):
    """`ask` asks every linked lane, in the same tick; each lane goes on by itself from there."""

    title_changed = Signal(str)
    turn_asked = Signal()
    conversation_opened = Signal()
    conversation_saved = Signal(str)

    def __init__(self, desk: Desk, tasks: Tasks, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(desk, tasks, notices, parent)
        self._autosave.saved.connect(self.conversation_saved)
        self.draft = Draft(tasks, self)
        self.prompts = Prompts(desk.prompts, tasks, self)
        self.asking = asyncio.Lock()
        """Held by whoever asks, leaves or changes what was asked, one after the other."""
        self.title = ""
        self.turns = 0
        self._gate: Gate | None = None
        self._rounds = Rounds(0)
        self._removed = ""
        self._going: Going | None = None
        self.presets.changed.connect(self._begin_as_preset, Qt.ConnectionType.SingleShotConnection)
        self.contest = Contest(self, self)

    # What is there

    @property
    def running(self) -> bool:
        return bool(self._rounds.left) or super().running

    @property
    def spread_s(self) -> float | None:
        """Time between the first and the last request being sent, the last time several were."""
        return self._gate.spread_s if self._gate is not None else None

    def last_turn(self) -> StoredTurn | None:
        """What the user said last in this conversation."""
        turns = [exchange.turn for lane in self.lanes for exchange in lane.exchanges]
        return max(turns, key=lambda turn: turn.created, default=None)

    def last_message(self) -> str:
        """Its words."""
        turn = self.last_turn()
        return turn.text if turn else ""

    # Asking

    def ask(self, text: str, images: Sequence[Image] = (), without: Collection[str] = ()) -> None:
        """Asks all linked lanes that have a model, but those left out by id; what still runs there is stopped first."""
        lanes = self._addressed(without)
        if lanes and (text.strip() or images):
            whom = lambda: self._left_of(lanes) or self._addressed(without)  # noqa: E731
            self._tasks.start(self._ask(text, tuple(images), whom), name="ask all lanes")

    def ask_lane(self, index: int, text: str, images: Sequence[Image] = ()) -> None:
        """Asks one lane alone."""
        whom = partial(self._left_of, [self.lanes[index]])
        self._tasks.start(self._ask(text, tuple(images), whom), name="ask one lane")

    def regenerate(self, index: int) -> None:
        """Asks the lane's last question again; the answer so far is kept as replaced."""
        lane = self.lanes[index]
        if lane.exchanges:
            self._tasks.start(self._again(lane, lane.story.leaf), name="regenerate")

    def continue_answer(self, index: int) -> None:
        """Asks for the rest of the lane's last answer, which had ended early."""
        lane = self.lanes[index]
        if lane.can_continue:
            self._tasks.start(self._go_on(lane, lane.story.leaf), name="go on with an answer")

    def repeat(self, times: int) -> None:
        """Asks the last question of all linked lanes again, one round after the other, until it was asked `times`."""
        lanes = [lane for lane in self.targets() if lane.exchanges]
        if lanes and not self.running and not self.contest.hidden:
            self._rounds = Rounds(max(0, min(times, MOST_REPEATS) - 1))
            self._tasks.start(self._repeat(lanes, self._rounds), name="repeat")

    def stop(self, index: int) -> None:
        self.lanes[index].stop()

    def stop_all(self) -> None:
        """Stops every lane; what was said stays."""
        self._rounds.left = 0
        for lane in self.lanes:
            lane.stop()

    def edit(self, turn_id: str, text: str, images: Sequence[Image] = ()) -> None:
        """Asks another version of a question, in every lane that shows it: a branch; the first version is kept."""
        whom = partial(self._showing, turn_id)
        if whom() and (text.strip() or images):
            self._tasks.start(self._ask(text, tuple(images), whom, instead_of=turn_id), name="ask it anew")

    def show_version(self, turn_id: str, place: int) -> None:
        """Another version of a question and what followed it, in every lane that shows it; not while one is asked."""
        if self.asking.locked():
            return
        for lane in self.lanes:
            lane.show_version(turn_id, place)
        self._save_lanes()

    def choose_answer(self, index: int, turn_id: str, place: int) -> None:
        """Another of the answers to a turn counts in this lane, and is shown."""
        self.lanes[index].choose(turn_id, place)

    def remove_turn(self, turn_id: str) -> None:
        """Takes a question and its answers out of all lanes and of what is kept."""
        if not self._is_answering(turn_id):
            self._tasks.start(self._remove_turn(turn_id), name="remove a turn")

    async def _remove_turn(self, turn_id: str) -> None:
        async with self.asking:
            if self._is_answering(turn_id) or not self._showing(turn_id):
                return
            kept = await self._autosave.whole(self.conversation)
            for lane in (*self.lanes, *self.aside):
                lane.forget_turn(turn_id)
            await self._autosave.remove_turn(self.conversation, turn_id)
        if kept is not None:
            undo = lambda: self._put_back(kept, turn_id)  # noqa: E731
            self._notices.add("Removed a turn.", action_label="Undo", action=undo, seconds=UNDO_S)

    def _is_answering(self, turn_id: str) -> bool:
        """Whether a lane is answering this turn, which is told then."""
        answering = any(lane.running for lane in self._showing(turn_id))
        if answering:
            self._notices.add("This turn is still being answered. Stop it first.", "info")
        return answering

    def _put_back(self, before: Conversation, turn_id: str) -> None:
        async def put_back() -> None:
            async with self.asking:
                await self._autosave.put_turn_back(before, turn_id)
                if self.conversation == before.id and self._going is None:
                    await self._open(before.id)

        self._tasks.start(put_back(), name="put a turn back")

    async def _ask(
        self, text: str, images: tuple[Image, ...], whom: Callable[[], list[Lane]], *, instead_of: str = ""
    ) -> None:
        """`whom` is called when it is this question's turn: the lanes may be others by then."""
        self._rounds.left = 0
        async with self.asking:
            await self._halt(lanes := whom())
            lanes = self._left_of(lanes)
            if not lanes:
                return
            ids = [lane.spec.id for lane in lanes]
            parents = {
                lane.spec.id: lane.rewind(instead_of) if instead_of else lane.story.leaf for lane in lanes
            }
            shown = StoredTurn(
                id=new_id(),
                position=self.turns,
                text=text,
                images=images,
                created=datetime.now(UTC),
                lanes=tuple(ids),
                parents=parents,
            )
            self.turns += 1
            self.contest.before_question()
            for lane in lanes:
                lane.add_turn(shown)
            self._name_after(text)
            self.turn_asked.emit()
            await self._ensure_conversation()
            turn = await self._autosave.turn(self.conversation, shown)
            for lane in self._left_of(lanes):
                lane.take_turn(turn)
                lane.set_spec(leaf="")
            await self._send(lanes)
            self.contest.look()

    async def _again(self, lane: Lane, turn_id: str) -> None:
        self._rounds.left = 0
        async with self.asking:
            if lane in self.lanes and lane.story.leaf == turn_id:
                await self._halt([lane])
                await self._send([lane])

    async def _go_on(self, lane: Lane, turn_id: str) -> None:
        self._rounds.left = 0
        async with self.asking:
            if lane not in self.lanes or lane.story.leaf != turn_id or not lane.can_continue:
                return
            await self._halt([lane])
            try:
                rungs = await asyncio.to_thread(lane.rungs)
            except EngineError as error:
                if lane in self.lanes:
                    lane.refuse(error)
            except DatabaseProblem as problem:
                self._notices.add(str(problem), "bad")
            else:
                if lane in self.lanes:
                    lane.go_on(rungs)
                    self._look()

    async def _repeat(self, lanes: list[Lane], rounds: Rounds) -> None:
        try:
            while rounds.left:
                async with self.asking:
                    if rounds.left:  # nobody asked, stopped or left meanwhile
                        await self._halt(lanes)
                        await self._send(lanes)
                for lane in lanes:
                    await lane.settle()
                rounds.left = max(0, rounds.left - 1)
        finally:
            rounds.left = 0
            self._look()

    async def _halt(self, lanes: list[Lane]) -> None:
        """A new answer waits until the old one has run its `finally`."""
        for lane in lanes:
            lane.stop()
        for lane in lanes:
            await lane.settle()

    async def _send(self, lanes: list[Lane]) -> None:
        found: dict[Lane, tuple[Rung, ...] | EngineError] = {}
        for lane in lanes:
            try:
                found[lane] = await asyncio.to_thread(lane.rungs)
            except EngineError as error:
                found[lane] = error
            except DatabaseProblem as problem:
                self._notices.add(str(problem), "bad")
        ready: list[tuple[Lane, Request, tuple[Rung, ...]]] = []
        for lane in self._left_of(found):
            lane.conversation = self.conversation
            if isinstance(rungs := found[lane], EngineError):
                lane.refuse(rungs)
            else:
                ready.append((lane, lane.request(), rungs))
        self._gate = Gate() if len(ready) > 1 else None
        tickets = [self._gate.ticket() if self._gate is not None else None for _ in ready]
        for (lane, request, rungs), ticket in zip(ready, tickets, strict=True):
            lane.start(request, rungs, ticket)
        self._look()

    def _addressed(self, without: Collection[str]) -> list[Lane]:
        return [
            lane
            for lane in self.targets()
            if (lane.spec.model or lane.spec.route) and lane.spec.id not in without
        ]

    def _showing(self, turn_id: str) -> list[Lane]:
        return [lane for lane in self.lanes if lane.story.exchange(turn_id) is not None]

    def _left_of(self, lanes: Iterable[Lane]) -> list[Lane]:
        """Those that were neither closed nor set aside meanwhile."""
        return [lane for lane in lanes if lane in self.lanes]

    # The conversation

    def new_conversation(self) -> None:
        """Leaves this one, which is kept, and begins with the same models."""
        self.open_lanes([lane.spec for lane in self.lanes] or self._first_lanes())

    def open_lanes(self, specs: Sequence[LaneSpec]) -> None:
        """Leaves this conversation, which is kept, and begins one with lanes like these."""
        self._go("", partial(self._show, None, fresh(specs)), "new conversation")

    def open_conversation(self, id: str) -> None:
        """Shows a kept conversation, lanes, turns and answers as they were."""
        self._go(id, partial(self._open, id), "open a conversation")

    def leave_removed(self, id: str) -> None:
        """The conversation that is open, or about to be, is being removed: nothing more is written into it."""
        if id == (self.conversation if self._going is None else self._going.to):
            self._removed = id
            self.new_conversation()

    def take_back(self, id: str) -> None:
        """A removal was undone: the conversation is open again where it was, unless another one was begun since."""

        async def look() -> None:
            async with self.asking:
                begun = bool(self.turns) or self._going is not None
            if not begun:
                self.open_conversation(id)

        if id == self._removed:
            self._tasks.start(look(), name="take a conversation back")

    def set_title(self, title: str) -> None:
        """Names the conversation; an empty name changes nothing."""
        title = title.strip()
        if title and title != self.title:
            self.title = title
            self.title_changed.emit(title)
            self._autosave.title(self.conversation, title)

    def _go(self, to: str, way: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Leaves for another conversation, unless by then one more is wished for."""
        self._rounds.left = 0
        going = self._going = Going(to)

        async def go() -> None:
            async with self.asking:
                if self._going is going:
                    try:
                        await way()
                    finally:
                        if self._going is going:
                            self._going = None

        self._tasks.start(go(), name=name)

    async def _open(self, id: str) -> None:
        going = self._going
        if id == self.conversation:
            await self._halt([*self.lanes, *self.aside])  # what is said until then belongs to what is shown
        try:
            conversation = await asyncio.to_thread(self._desk.history.load, id)
            since = await asyncio.to_thread(self._desk.votes.hidden_since, id)
        except KeyError:
            self._notices.add("This conversation is no longer there.", "warn")
        except DatabaseProblem as problem:
            self._notices.add(str(problem), "bad")
        else:
            if self._going is going:
                await self._show(conversation, list(conversation.lanes), since)

    async def _show(
        self, conversation: Conversation | None, specs: list[LaneSpec], since: int | None = None
    ) -> None:
        await self._halt([*self.lanes, *self.aside])
        if self.turns:
            self._tasks.start(give_back(), name="give memory back")
        self.conversation = conversation.id if conversation else ""
        self.title = conversation.title if conversation else ""
        self.turns = len(conversation.turns) if conversation else 0
        self._fill(specs)
        if conversation is not None:
            for lane in (*self.lanes, *self.aside):
                lane.conversation = conversation.id
                lane.restore(exchanges_of(conversation, lane.spec.id))
        self.contest.opened(since)
        self.lanes_changed.emit()
        self.title_changed.emit(self.title)
        self.conversation_opened.emit()

    def _begin_as_preset(self) -> None:
        """The first lanes too begin with the default preset, once it is read."""
        for lane in [] if self.turns else self.lanes:
            if not differing(lane.spec.parameters):
                lane.set_spec(parameters=self.presets.beginning())

    async def _ensure_conversation(self) -> None:
        """There is one, and it is written down where it is blind."""
        if self.conversation:
            await self.contest.keep()
            return
        since = self.contest.since if self.contest.hidden else None
        title, specs = self.title, self._specs()
        self.conversation = await self._autosave.create(specs, title, since)
        if title != self.title:
            self._autosave.title(self.conversation, self.title)
        if specs != self._specs():
            self._save_lanes()

    def _name_after(self, text: str) -> None:
        if not self.title:
            self.title = title_of(shown(text))
            self.title_changed.emit(self.title)

    # For those who belong to it

    def write(self, coro: Coroutine[Any, Any, None], name: str) -> None:
        """Runs it to the end, whoever leaves meanwhile."""
        self._tasks.start(coro, name=name, to_the_end=True)

    def complain(self, sentence: str) -> None:
        self._notices.add(sentence, "bad")
