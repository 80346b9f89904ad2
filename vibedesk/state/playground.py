"""The playground: one to eight lanes, one question to all of them, one conversation that is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError
from vibedesk.engine.gate import Gate
from vibedesk.engine.types import Image, Request, Rung
from vibedesk.state.autosave import Autosave
from vibedesk.state.contest import Contest
from vibedesk.state.curl import curl_of
from vibedesk.state.draft import Draft, shown
from vibedesk.state.estimate import Estimate, differing, estimates, in_sum, sees_none
from vibedesk.state.frames import Frames
from vibedesk.state.heap import give_back
from vibedesk.state.lane import Lane
from vibedesk.state.notices import Notices
from vibedesk.state.prompts import Presets, Prompts
from vibedesk.state.reopened import exchanges_of
from vibedesk.state.story import Exchange
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.history import Conversation, LaneSpec, StoredTurn, new_id, title_of
from vibedesk.store.lane_sets import fresh

MOST_LANES = 8
AUTOSAVE_MS = 1_000
MOST_REPEATS = 10
UNDO_S = 8.0


class Playground(QObject):
    """`ask` asks every linked lane, in the same tick; each lane goes on by itself from there."""

    lanes_changed = Signal()
    title_changed = Signal(str)
    turn_asked = Signal()
    running_changed = Signal(bool)
    all_finished = Signal()
    conversation_opened = Signal()
    conversation_saved = Signal(str)
    planned = Signal()
    explained = Signal(str, object)
    """(lane’s id, explanation) after `explain`."""

    def __init__(self, desk: Desk, tasks: Tasks, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._tasks, self._notices = desk, tasks, notices
        self._autosave = Autosave(desk, notices, self)
        self._autosave.saved.connect(self.conversation_saved)
        self._frames = Frames(lambda: self.lanes, parent=self)
        self._saver = QTimer(self)
        self._saver.setInterval(AUTOSAVE_MS // MOST_LANES)
        self._saver.timeout.connect(self._save_next)
        self._saves_next = 0
        self.draft = Draft(tasks, self)
        self.prompts, self.presets = Prompts(desk.prompts, tasks, self), Presets(desk.presets, tasks, self)
        self._was_running = False
        self._asking = asyncio.Lock()
        self._planning = self._plan_again = False
        self.lanes: list[Lane] = []
        self.conversation = ""
        self.title = ""
        self.turns = 0
        self.aside: list[Lane] = []
        """Lanes that are kept with the conversation and not shown now."""
        self._gate: Gate | None = None
        self._repeats = 0
        self._fill(self._first_lanes())
        self.presets.changed.connect(self._begin_as_preset, Qt.ConnectionType.SingleShotConnection)
        self.contest = Contest(self, self)

    # What is there

    @property
    def running(self) -> bool:
        return bool(self._repeats) or any(lane.running for lane in self.lanes)

    @property
    def spread_s(self) -> float | None:
        """Time between the first and the last request being sent, the last time several were."""
        return self._gate.spread_s if self._gate is not None else None

    @property
    def desk(self) -> Desk:
        return self._desk

    @property
    def tasks(self) -> Tasks:
        return self._tasks

    @property
    def notices(self) -> Notices:
        return self._notices

    def setting(self, key: str) -> object:
        return self._desk.settings.get(key)

    def targets(self) -> list[Lane]:
        """The lanes the composer speaks to."""
        return [lane for lane in self.lanes if lane.spec.linked]

    def last_turn(self) -> StoredTurn | None:
        """What the user said last in this conversation."""
        turns = [exchange.turn for lane in self.lanes for exchange in lane.exchanges]
        return max(turns, key=lambda turn: turn.created, default=None)

    def last_message(self) -> str:
        """Its words."""
        turn = self.last_turn()
        return turn.text if turn else ""

    def estimates(self, text: str, attached_tokens: int = 0, without: Collection[str] = ()) -> list[Estimate]:
        """About what each linked lane would be sent and cost, without those left out (by id)."""
        asked = [lane for lane in self.targets() if lane.spec.id not in without]
        return estimates(self.lanes, asked, text, attached_tokens)

    def estimate(self, text: str) -> tuple[int, Decimal | None]:
        """About how many tokens go in over all linked lanes, and what they cost with an answer; None = unknown."""
        return in_sum(self.estimates(text))

    def blind(self) -> list[Lane]:
        """The linked lanes whose models are known to see no pictures."""
        return [lane for lane in self.targets() if sees_none(lane)]

    def obstacle(self) -> EngineError | str:
        """Why asking would lead nowhere now: a failure, a sentence, or "" when it would not."""
        lanes = self.targets()
        if not lanes:
            return "Link a lane to ask it."
        chosen = [lane for lane in lanes if lane.spec.model or lane.spec.route]
        if not chosen:
            return "Choose a model first."
        return "" if any(lane.obstacle is None for lane in chosen) else chosen[0].obstacle or ""

    def plan(self) -> None:
        """Looks where each lane's next question would go; `planned` follows."""
        if self._planning or self._tasks.closed:
            self._plan_again = True
            return
        self._planning = True
        self._tasks.start(self._plan(), name="look ahead")

    async def _plan(self) -> None:
        try:
            for lane in [lane for lane in self.lanes if lane.spec.model or lane.spec.route]:
                try:
                    lane.plan(await asyncio.to_thread(lane.rungs))
                except (EngineError, DatabaseProblem):
                    lane.plan(())  # asking will say it, with a card
        finally:
            self._planning = False
        self.planned.emit()
        if self._plan_again:
            self._plan_again = False
            self.plan()

    # Asking

    def ask(self, text: str, images: Sequence[Image] = (), without: Collection[str] = ()) -> None:
        """Asks all linked lanes that have a model, but those left out by id; what still runs there is stopped first."""
        lanes = [
            lane
            for lane in self.targets()
            if (lane.spec.model or lane.spec.route) and lane.spec.id not in without
        ]
        if lanes and (text.strip() or images):
            self._tasks.start(self._ask(text, tuple(images), lanes), name="ask all lanes")

    def ask_lane(self, index: int, text: str, images: Sequence[Image] = ()) -> None:
        """Asks one lane alone."""
        self._tasks.start(self._ask(text, tuple(images), [self.lanes[index]]), name="ask one lane")

    def regenerate(self, index: int) -> None:
        """Asks the lane's last question again; the answer so far is kept as replaced."""
        lane = self.lanes[index]
        if lane.exchanges:
            self._tasks.start(self._again(lane), name="regenerate")

    def continue_answer(self, index: int) -> None:
        """Asks for the rest of the lane's last answer, which had ended early."""
        lane = self.lanes[index]
        if lane.can_continue:
            self._tasks.start(self._go_on(lane), name="go on with an answer")

    def repeat(self, times: int) -> None:
        """Asks the last question of all linked lanes again, one round after the other, until it was asked `times`."""
        lanes = [lane for lane in self.targets() if lane.exchanges]
        if lanes and not self.running and not self.contest.hidden:
            self._repeats = max(0, min(times, MOST_REPEATS) - 1)
            self._tasks.start(self._repeat(lanes), name="repeat")

    def stop(self, index: int) -> None:
        self.lanes[index].stop()

    def stop_all(self) -> None:
        """Stops every lane; what was said stays."""
        self._repeats = 0
        for lane in self.lanes:
            lane.stop()

    def edit(self, turn_id: str, text: str, images: Sequence[Image] = ()) -> None:
        """Asks another version of a question, in every lane that shows it: a branch; the first version is kept."""
        lanes = [lane for lane in self.lanes if lane.story.exchange(turn_id) is not None]
        if lanes and (text.strip() or images):
            self._tasks.start(self._ask(text, tuple(images), lanes, instead_of=turn_id), name="ask it anew")

    def show_version(self, turn_id: str, place: int) -> None:
        """Another version of a question and what followed it, in every lane that shows it."""
        for lane in self.lanes:
            lane.show_version(turn_id, place)
        self._save_lanes()

    def choose_answer(self, index: int, turn_id: str, place: int) -> None:
        """Another of the answers to a turn counts in this lane, and is shown."""
        self.lanes[index].choose(turn_id, place)

    def remove_turn(self, turn_id: str) -> None:
        """Takes a question and its answers out of all lanes and of what is kept."""
        if any(lane.running and lane.story.exchange(turn_id) for lane in self.lanes):
            self._notices.add("This turn is still being answered. Stop it first.", "info")
            return
        self._tasks.start(self._remove_turn(turn_id), name="remove a turn")

    async def _remove_turn(self, turn_id: str) -> None:
        async with self._asking:
            kept = await self._autosave.whole(self.conversation)
            for lane in self.lanes:
                lane.forget_turn(turn_id)
            await self._autosave.remove_turn(self.conversation, turn_id)
        if kept is not None:
            self._notices.add(
                "Removed a turn.", action_label="Undo", action=lambda: self._put_back(kept), seconds=UNDO_S
            )

    def _put_back(self, kept: Conversation) -> None:
        async def put_back() -> None:
            await self._autosave.put_back(kept)
            if self.conversation == kept.id:
                await self._open(kept.id)

        self._tasks.start(put_back(), name="put a turn back")

    async def _ask(
        self, text: str, images: tuple[Image, ...], lanes: list[Lane], *, instead_of: str = ""
    ) -> None:
        async with self._asking:
            await self._halt(lanes)
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
            for lane in lanes:
                lane.take_turn(turn)
                lane.set_spec(leaf="")
            await self.contest.keep()
            await self._send(lanes)
            self.contest.look()

    async def _again(self, lane: Lane) -> None:
        async with self._asking:
            await self._halt([lane])
            await self._send([lane])

    async def _go_on(self, lane: Lane) -> None:
        async with self._asking:
            try:
                rungs = await asyncio.to_thread(lane.rungs)
            except EngineError as error:
                lane.refuse(error)
            except DatabaseProblem as problem:
                self._notices.add(str(problem), "bad")
            else:
                lane.go_on(rungs)
                self._look()

    async def _repeat(self, lanes: list[Lane]) -> None:
        try:
            while self._repeats:
                async with self._asking:
                    await self._send([lane for lane in lanes if lane in self.lanes])
                    for lane in lanes:
                        await lane.settle()
                self._repeats = max(0, self._repeats - 1)
        finally:
            self._repeats = 0
            self._look()

    async def _halt(self, lanes: list[Lane]) -> None:
        """A new answer waits until the old one has run its `finally`."""
        for lane in lanes:
            lane.stop()
        for lane in lanes:
            await lane.settle()

    async def _send(self, lanes: list[Lane]) -> None:
        ready: list[tuple[Lane, Request, tuple[Rung, ...]]] = []
        for lane in lanes:
            lane.conversation = self.conversation
            try:
                rungs = await asyncio.to_thread(lane.rungs)
            except EngineError as error:
                lane.refuse(error)
            except DatabaseProblem as problem:
                self._notices.add(str(problem), "bad")
            else:
                ready.append((lane, lane.request(), rungs))
        self._gate = Gate() if len(ready) > 1 else None
        tickets = [self._gate.ticket() if self._gate is not None else None for _ in ready]
        for (lane, request, rungs), ticket in zip(ready, tickets, strict=True):
            lane.start(request, rungs, ticket)
        self._look()

    def explain(self, index: int, faults: Mapping[str, str] | None = None) -> None:
        """Where the lane's next question would go, or would if `faults` came about; `explained` follows."""
        self._tasks.start(self._explain(index, dict(faults or {})), name="explain a lane")

    async def _explain(self, index: int, faults: dict[str, str]) -> None:
        lane = self.lanes[index]
        try:
            explanation = await asyncio.to_thread(self._desk.explain, lane.route(), faults)
        except EngineError as error:
            self._notices.add(error.detail, "bad")
            return
        self.explained.emit(lane.spec.id, explanation)

    def curl(self, index: int) -> str:
        """The lane's last question as a command, secrets left out; "" while nobody was asked."""
        lane = self.lanes[index]
        deployment = lane.deployment or next(
            (rung.deployment for rung in lane.planned if rung.obstacle is None), None
        )
        return curl_of(deployment, lane.request()) if deployment and lane.exchanges else ""

    # The conversation

    def new_conversation(self) -> None:
        """Leaves this one, which is kept, and begins with the same models."""
        self.open_lanes([lane.spec for lane in self.lanes] or self._first_lanes())

    def open_lanes(self, specs: Sequence[LaneSpec]) -> None:
        """Leaves this conversation, which is kept, and begins one with lanes like these."""
        self._tasks.start(self._leave_for(None, fresh(specs)), name="new conversation")

    def open_conversation(self, id: str) -> None:
        """Shows a kept conversation, lanes, turns and answers as they were."""
        self._tasks.start(self._open(id), name="open a conversation")

    def set_title(self, title: str) -> None:
        """Names the conversation; an empty name changes nothing."""
        title = title.strip()
        if title and title != self.title:
            self.title = title
            self.title_changed.emit(title)
            self._tasks.start(self._autosave.title(self.conversation, title), name="save the title")

    async def _open(self, id: str) -> None:
        try:
            conversation = await asyncio.to_thread(self._desk.history.load, id)
            since = await asyncio.to_thread(self._desk.votes.hidden_since, id)
        except KeyError:
            self._notices.add("This conversation is no longer there.", "warn")
            return
        except DatabaseProblem as problem:
            self._notices.add(str(problem), "bad")
            return
        await self._leave_for(conversation, list(conversation.lanes), since)

    async def _leave_for(
        self, conversation: Conversation | None, specs: list[LaneSpec], since: int | None = None
    ) -> None:
        self._repeats = 0
        async with self._asking:
            await self._halt(self.lanes)
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

    async def _ensure_conversation(self) -> None:
        if not self.conversation:
            self.conversation = await self._autosave.create(self._specs(), self.title)

    def _name_after(self, text: str) -> None:
        if not self.title:
            self.title = title_of(shown(text))
            self.title_changed.emit(self.title)

    # Lanes

    def add_lane(self, model: str = "") -> int:
        """One more lane, of `model` or as the last one; its place, or -1 when there are eight."""
        if len(self.lanes) >= MOST_LANES:
            self._notices.add(f"There are {MOST_LANES} lanes already.", "info")
            return -1
        like = self.lanes[-1].spec if self.lanes else None
        chosen = model or (like.model if like else "")
        self._add(LaneSpec(id=new_id(), model=chosen, parameters=self.presets.beginning()))
        self._lanes_changed()
        return len(self.lanes) - 1

    def duplicate_lane(self, index: int) -> int:
        """The same model, parameters and history once more, beside it."""
        if len(self.lanes) >= MOST_LANES:
            return self.add_lane()
        original = self.lanes[index]
        lane = self._add(replace(original.spec, id=new_id()), index + 1)
        lane.conversation = self.conversation
        lane.restore(
            [
                Exchange(exchange.turn, [*exchange.answers], exchange.chosen)
                for exchange in original.exchanges
                if exchange.answer is not None
            ]
        )
        self._lanes_changed()
        return index + 1

    def move_lane(self, index: int, to: int) -> None:
        """Takes the lane out and puts it in at `to`; beyond the ends it stops there."""
        to = max(0, min(len(self.lanes) - 1, to))
        if to != index:
            order = [place for place in range(len(self.lanes)) if place != index]
            order.insert(to, index)
            self.put_in_order(order)

    def put_in_order(self, order: Sequence[int]) -> None:
        """`order` names the lanes by the places they have now."""
        self.lanes = [self.lanes[place] for place in order]
        self._lanes_changed()

    def promote(self, index: int) -> None:
        """Goes on with this lane alone; the others are kept aside and not asked."""
        chosen = self.lanes[index]
        for lane in [lane for lane in self.lanes if lane is not chosen]:
            lane.stop()
            lane.set_spec(aside=True)
            self.aside.append(lane)
        self.lanes = [chosen]
        chosen.set_spec(linked=True)
        self._lanes_changed()

    def bring_back(self) -> None:
        """Shows the lanes that were set aside again."""
        for lane in self.aside:
            lane.set_spec(aside=False)
        self.lanes, self.aside = (
            (self.lanes + self.aside)[:MOST_LANES],
            (self.lanes + self.aside)[MOST_LANES:],
        )
        self._lanes_changed()

    def close_lane(self, index: int) -> None:
        """Stops it and takes it away; the last one stays, empty."""
        if len(self.lanes) == 1:
            return
        lane = self.lanes.pop(index)
        self._tasks.start(_retire(lane), name="close a lane")
        self._lanes_changed()

    def set_model(self, index: int, model: str) -> None:
        """The lane asks `model` (PROVIDER/MODEL) from the next question on."""
        self.lanes[index].set_spec(model=model, route="")
        self._save_lanes()

    set_lane_model = set_model

    def set_route(self, index: int, route: str) -> None:
        """The lane asks by a named route from the next question on."""
        named = next((one for one in self._desk.routes.routes() if one.name == route), None)
        if named is not None:
            self.lanes[index].follow_route(named)
            self._save_lanes()

    def configure(self, index: int, **changes: object) -> None:
        """Changes the lane's `system`, `parameters`, `via`, `linked`."""
        self.lanes[index].set_spec(**changes)
        self._save_lanes()

    def set_system(self, system: str) -> None:
        """One system prompt for all linked lanes."""
        for lane in self.targets():
            lane.set_spec(system=system)
        self._save_lanes()

    def _fill(self, specs: Sequence[LaneSpec]) -> None:
        for lane in (*self.lanes, *self.aside):
            lane.deleteLater()
        self.lanes, self.aside = [], []
        shown = [spec for spec in specs if not spec.aside][:MOST_LANES] or [LaneSpec(id=new_id(), model="")]
        for spec in shown:
            self._add(spec)
        self.aside = [self._made(spec) for spec in specs if spec.aside]

    def _add(self, spec: LaneSpec, index: int | None = None) -> Lane:
        lane = self._made(spec)
        self.lanes.insert(len(self.lanes) if index is None else index, lane)
        return lane

    def _made(self, spec: LaneSpec) -> Lane:
        lane = Lane(self._desk, self._tasks, self._autosave, spec, self)
        lane.text_arrived.connect(self._frames.wake)
        lane.phase_changed.connect(self._look)
        lane.spec_changed.connect(self.lanes_changed)
        return lane

    def _lanes_changed(self) -> None:
        self.lanes_changed.emit()
        self._save_lanes()
        self._look()

    def _first_lanes(self) -> list[LaneSpec]:
        models = [str(model) for model in self._desk.settings.get("lanes.last")]
        last = self._desk.lane_sets.last
        if [spec.model for spec in last if spec.model] == models and last:
            return fresh(last)
        return [LaneSpec(id=new_id(), model=model) for model in models[:MOST_LANES] or [""]]

    def _begin_as_preset(self) -> None:
        """The first lanes too begin with the default preset, once it is read."""
        for lane in [] if self.turns else self.lanes:
            if not differing(lane.spec.parameters):
                lane.set_spec(parameters=self.presets.beginning())

    def _save_lanes(self) -> None:
        if not self._tasks.closed:
            self._tasks.start(self._autosave.lanes(self.conversation, self._specs()), name="save the lanes")
        self.plan()

    def _specs(self) -> list[LaneSpec]:
        return [lane.spec for lane in (*self.lanes, *self.aside)]

    # For those who belong to it

    def start(self, coro: Coroutine[Any, Any, None], name: str) -> None:
        """Runs it as a task of the playground's."""
        if self._tasks.closed:
            coro.close()
        else:
            self._tasks.start(coro, name=name)

    def complain(self, sentence: str) -> None:
        self._notices.add(sentence, "bad")

    # Watching

    def _look(self) -> None:
        """Tells when the first lane begins and the last one ends."""
        running = self.running
        if running == self._was_running:
            return
        self._was_running = running
        self.running_changed.emit(running)
        if running:
            self._saver.start()
        else:
            self._saver.stop()
            QTimer.singleShot(0, self, self.all_finished.emit)

    def _save_next(self) -> None:
        """Each lane in its turn, once a second: all at once would be felt."""
        if self._saves_next < len(self.lanes):
            self.lanes[self._saves_next].autosave()
        self._saves_next = (self._saves_next + 1) % MOST_LANES


async def _retire(lane: Lane) -> None:
    lane.stop()
    await lane.settle()
    lane.deleteLater()
