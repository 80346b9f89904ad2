"""The playground: one to eight lanes, one question to all of them, one conversation that is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from time import monotonic

from msgspec.structs import replace
from PySide6.QtCore import QObject, QTimer, Signal

from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError
from vibedesk.engine.pricing import estimate_tokens, price_on
from vibedesk.engine.types import Image, Request, Rung
from vibedesk.state.autosave import Autosave
from vibedesk.state.curl import curl_of
from vibedesk.state.frames import Frames
from vibedesk.state.lane import Lane
from vibedesk.state.notices import Notices
from vibedesk.state.story import Exchange
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.history import Conversation, LaneSpec, StoredAnswer, StoredTurn, new_id, title_of

MOST_LANES = 8
AUTOSAVE_MS = 1_000
UNDO_S = 8.0
ANSWER_TOKENS = 500
"""Output tokens an estimate of the cost reckons with, where no limit is set."""


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
        self._saver.setInterval(AUTOSAVE_MS)
        self._saver.timeout.connect(self._save_running)
        self._was_running = False
        self._asking = asyncio.Lock()
        self._planning = self._plan_again = False
        self.lanes: list[Lane] = []
        self.conversation = ""
        self.title = ""
        self.turns = 0
        self.spread_s: float | None = None
        """Time between the first and the last lane being asked, the last time."""
        self._fill(self._first_lanes())

    # What is there

    @property
    def running(self) -> bool:
        return any(lane.running for lane in self.lanes)

    @property
    def desk(self) -> Desk:
        return self._desk

    def setting(self, key: str) -> object:
        return self._desk.settings.get(key)

    def targets(self) -> list[Lane]:
        """The lanes the composer speaks to."""
        return [lane for lane in self.lanes if lane.spec.linked]

    def last_message(self) -> str:
        """What the user said last in this conversation."""
        turns = [exchange.turn for lane in self.lanes for exchange in lane.exchanges]
        return max(turns, key=lambda turn: turn.created).text if turns else ""

    def estimate(self, text: str) -> tuple[int, Decimal | None]:
        """About how many tokens go in over all linked lanes, and what they cost with an answer; None = unknown."""
        tokens, cost, known = 0, Decimal(0), True
        for lane in self.targets():
            if not (lane.spec.model or lane.spec.route):
                continue
            own = estimate_tokens(lane.spec.system) + estimate_tokens(text) + _history_tokens(lane)
            tokens += own
            price = self._price(lane)
            known = known and price is not None
            if price is not None:
                out = lane.spec.parameters.max_tokens or ANSWER_TOKENS
                cost += (price[0] * own + price[1] * min(out, ANSWER_TOKENS)) / 1_000_000
        return tokens, cost if known and tokens else None

    def _price(self, lane: Lane) -> tuple[Decimal, Decimal] | None:
        try:
            model = self._desk.catalog.model(lane.spec.model)
        except EngineError:
            return None
        if model.price is None:
            return None
        price = price_on(model.price, datetime.now(UTC).date())
        return price.input, price.output

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

    def ask(self, text: str, images: Sequence[Image] = ()) -> None:
        """Asks all linked lanes that have a model; what is still running there is stopped first."""
        lanes = [lane for lane in self.targets() if lane.spec.model or lane.spec.route]
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

    def stop(self, index: int) -> None:
        self.lanes[index].stop()

    def stop_all(self) -> None:
        """Stops every lane; what was said stays."""
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
            for lane in lanes:
                lane.add_turn(shown)
            self._name_after(text)
            self.turn_asked.emit()
            await self._ensure_conversation()
            turn = await self._autosave.turn(self.conversation, shown)
            for lane in lanes:
                lane.take_turn(turn)
                lane.set_spec(leaf="")
            await self._send(lanes)

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
        asked = []
        for lane, request, rungs in ready:  # no await from here on: all leave in one tick
            asked.append(monotonic())
            lane.start(request, rungs)
        self.spread_s = asked[-1] - asked[0] if asked else None
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
        specs = [_fresh(lane.spec) for lane in self.lanes] or self._first_lanes()
        self._tasks.start(self._leave_for(None, specs), name="new conversation")

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
        except KeyError:
            self._notices.add("This conversation is no longer there.", "warn")
            return
        except DatabaseProblem as problem:
            self._notices.add(str(problem), "bad")
            return
        await self._leave_for(conversation, list(conversation.lanes))

    async def _leave_for(self, conversation: Conversation | None, specs: list[LaneSpec]) -> None:
        async with self._asking:
            await self._halt(self.lanes)
            self.conversation = conversation.id if conversation else ""
            self.title = conversation.title if conversation else ""
            self.turns = len(conversation.turns) if conversation else 0
            self._fill(specs)
            if conversation is not None:
                for lane in self.lanes:
                    lane.conversation = conversation.id
                    lane.restore(_exchanges(conversation, lane.spec.id))
            self.lanes_changed.emit()
            self.title_changed.emit(self.title)
            self.conversation_opened.emit()

    async def _ensure_conversation(self) -> None:
        if not self.conversation:
            self.conversation = await self._autosave.create([lane.spec for lane in self.lanes], self.title)

    def _name_after(self, text: str) -> None:
        if not self.title:
            self.title = title_of(text)
            self.title_changed.emit(self.title)

    # Lanes

    def add_lane(self, model: str = "") -> int:
        """One more lane, of `model` or as the last one; its place, or -1 when there are eight."""
        if len(self.lanes) >= MOST_LANES:
            self._notices.add(f"There are {MOST_LANES} lanes already.", "info")
            return -1
        like = self.lanes[-1].spec if self.lanes else None
        self._add(LaneSpec(id=new_id(), model=model or (like.model if like else "")))
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
        for lane in self.lanes:
            lane.deleteLater()
        self.lanes = []
        for spec in specs[:MOST_LANES] or [LaneSpec(id=new_id(), model="")]:
            self._add(spec)

    def _add(self, spec: LaneSpec, index: int | None = None) -> Lane:
        lane = Lane(self._desk, self._tasks, self._autosave, spec, self)
        lane.text_arrived.connect(self._frames.wake)
        lane.phase_changed.connect(self._look)
        lane.spec_changed.connect(self.lanes_changed)
        self.lanes.insert(len(self.lanes) if index is None else index, lane)
        return lane

    def _lanes_changed(self) -> None:
        self.lanes_changed.emit()
        self._save_lanes()
        self._look()

    def _first_lanes(self) -> list[LaneSpec]:
        models = [str(model) for model in self._desk.settings.get("lanes.last")] or [""]
        return [LaneSpec(id=new_id(), model=model) for model in models[:MOST_LANES]]

    def _save_lanes(self) -> None:
        specs = [lane.spec for lane in self.lanes]
        self._tasks.start(self._autosave.lanes(self.conversation, specs), name="save the lanes")
        self.plan()

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

    def _save_running(self) -> None:
        for lane in self.lanes:
            lane.autosave()


def best_of(results: Sequence[StoredAnswer | None]) -> dict[int, set[str]]:
    """Which lanes were the best at what: place → of "fastest", "first", "cheapest". Nothing to compare, no praise."""
    good = [
        (place, one)
        for place, one in enumerate(results)
        if one is not None and one.outcome == "complete" and not _from_cache(one)
    ]
    best: dict[int, set[str]] = {}
    if len(good) < 2:
        return best
    speeds = {place: -one.tokens_per_s for place, one in good if one.tokens_per_s is not None}
    firsts = {place: one.ttft_s for place, one in good if one.ttft_s is not None}
    costs = {place: one.cost.usd for place, one in good if one.cost is not None}
    for word, values in (("fastest", speeds), ("first", firsts), ("cheapest", costs)):
        ranked = sorted(values, key=values.__getitem__)
        if len(ranked) > 1 and _clearly_less(values[ranked[0]], values[ranked[1]]):
            best.setdefault(ranked[0], set()).add(word)
    return best


def _from_cache(answer: StoredAnswer) -> bool:
    """What a cache gives is no race: it was not asked."""
    ours = answer.cache is not None and answer.cache.spared
    notes = (note for attempt in answer.attempts for note in attempt.notes)
    return ours or any(note.lower() == "gateway cache hit" for note in notes)


def _clearly_less(one: float | Decimal, other: float | Decimal) -> bool:
    """By two per cent at least: less is chance."""
    return float(other) - float(one) > abs(float(other)) * 0.02


async def _retire(lane: Lane) -> None:
    lane.stop()
    await lane.settle()
    lane.deleteLater()


def _history_tokens(lane: Lane) -> int:
    return sum(exchange.tokens for exchange in lane.exchanges)


def _exchanges(conversation: Conversation, lane_id: str) -> list[Exchange]:
    answers: dict[str, list[StoredAnswer]] = {}
    for answer in conversation.answers:
        if answer.lane_id == lane_id:
            answers.setdefault(answer.turn_id, []).append(answer)
    found = [
        Exchange(turn, answers.get(turn.id, []))
        for turn in conversation.turns
        if lane_id in turn.lanes or turn.id in answers
    ]
    for exchange in found:
        standing = [place for place, answer in enumerate(exchange.answers) if not answer.replaced]
        exchange.chosen = standing[-1] if standing else -1
    return found


def _fresh(spec: LaneSpec) -> LaneSpec:
    return replace(spec, id=new_id())
