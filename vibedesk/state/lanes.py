"""The lanes that are open: which they are, in what order, what each would ask, and whether one is being answered."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from msgspec.structs import replace
from PySide6.QtCore import QObject, QTimer, Signal

from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError
from vibedesk.state.autosave import Autosave
from vibedesk.state.curl import curl_of
from vibedesk.state.estimate import Estimate, estimates, in_sum, sees_none
from vibedesk.state.frames import Frames
from vibedesk.state.lane import Lane
from vibedesk.state.notices import Notices
from vibedesk.state.prompts import Presets
from vibedesk.state.story import Exchange
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.history import LaneSpec, StoredAnswer, new_id
from vibedesk.store.lane_sets import fresh

MOST_LANES = 8
AUTOSAVE_MS = 1_000


class Lanes(QObject):
    """One to eight, and those set aside. What changes of them is written down, and where they lead looked up anew."""

    lanes_changed = Signal()
    running_changed = Signal(bool)
    all_finished = Signal()
    planned = Signal()
    explained = Signal(str, object)
    """(lane’s id, explanation) after `explain`."""

    def __init__(self, desk: Desk, tasks: Tasks, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._tasks, self._notices = desk, tasks, notices
        self._autosave = Autosave(desk, tasks, notices, self)
        self._frames = Frames(lambda: self.lanes, parent=self)
        self._saver = QTimer(self)
        self._saver.setInterval(AUTOSAVE_MS // MOST_LANES)
        self._saver.timeout.connect(self._save_next)
        self._saves_next = 0
        self._was_running = False
        self._planning = self._plan_again = False
        self._wish = 0
        self.presets = Presets(desk.presets, tasks, self)
        self.conversation = ""
        """Its id; "" until something was asked."""
        self.lanes: list[Lane] = []
        self.aside: list[Lane] = []
        """Lanes that are kept with the conversation and not shown now."""
        self._fill(self._first_lanes())

    # What is there

    @property
    def running(self) -> bool:
        return any(lane.running for lane in self.lanes)

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
                    rungs = await asyncio.to_thread(lane.rungs)
                except (EngineError, DatabaseProblem):
                    rungs = ()  # asking will say it, with a card
                if lane in self.lanes:  # it may be gone by now
                    lane.plan(rungs)
        finally:
            self._planning = False
        self.planned.emit()
        if self._plan_again:
            self._plan_again = False
            self.plan()

    def explain(self, index: int, faults: Mapping[str, str] | None = None) -> None:
        """Where the lane's next question would go, or would if `faults` came about; `explained` follows."""
        self._tasks.start(self._explain(index, dict(faults or {})), name="explain a lane")

    async def _explain(self, index: int, faults: dict[str, str]) -> None:
        lane = self.lanes[index]
        self._wish = wish = self._wish + 1
        try:
            explanation = await asyncio.to_thread(self._desk.explain, lane.route(), faults)
        except EngineError as error:
            self._notices.add(error.detail, "bad")
            return
        if wish == self._wish:  # else something else was supposed meanwhile
            self.explained.emit(lane.spec.id, explanation)

    def curl(self, index: int) -> str:
        """The lane's last question as a command, secrets left out; "" while nobody was asked."""
        lane = self.lanes[index]
        deployment = lane.deployment or next(
            (rung.deployment for rung in lane.planned if rung.obstacle is None), None
        )
        return curl_of(deployment, lane.request()) if deployment and lane.exchanges else ""

    # Which there are

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
        """The same model, parameters and history once more, beside it. The history is its own from then on."""
        if len(self.lanes) >= MOST_LANES:
            return self.add_lane()
        original = self.lanes[index]
        lane = self._add(replace(original.spec, id=new_id()), index + 1)
        lane.conversation = self.conversation
        told = [one for one in original.exchanges if one.answer is not None and one.answer.outcome]
        lane.take_over([Exchange(one.turn, _copies(one.answers, lane.spec.id), one.chosen) for one in told])
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

    def _save_lanes(self) -> None:
        if not self._tasks.closed:
            self._autosave.lanes(self.conversation, self._specs())
        self.plan()

    def _specs(self) -> list[LaneSpec]:
        return [lane.spec for lane in (*self.lanes, *self.aside)]

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


def _copies(answers: Sequence[StoredAnswer], lane_id: str) -> list[StoredAnswer]:
    return [replace(answer, id=new_id(), lane_id=lane_id) for answer in answers]
