"""Sets of lanes to open together: those that were saved, and a few made of what is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Model
from vibedesk.state.notices import Notices
from vibedesk.state.playground import Playground
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.history import LaneSpec
from vibedesk.store.lane_sets import LaneSet


class LaneSets(QObject):
    """`saved` by name, `offered` from the models there are keys for; `changed` after each look."""

    changed = Signal()

    def __init__(
        self,
        desk: Desk,
        tasks: Tasks,
        notices: Notices,
        playground: Playground,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk, self._tasks, self._notices, self._playground = desk, tasks, notices, playground
        self._in_turn = asyncio.Lock()
        self.saved: tuple[LaneSet, ...] = ()
        self.offered: tuple[LaneSet, ...] = ()

    def refresh(self) -> None:
        self._do(lambda: None)

    def save(self, name: str) -> None:
        """Keeps the lanes that are shown under `name`, instead of what it held."""
        lanes = [lane.spec for lane in self._playground.lanes]
        self._do(lambda: self._desk.lane_sets.save(name, lanes))

    def remove(self, one: LaneSet) -> None:
        """Forgets a set; it can be had back for a while."""
        self._do(lambda: self._desk.lane_sets.remove(one.name))
        again = lambda: self._do(lambda: self._desk.lane_sets.save(one.name, one.lanes))  # noqa: E731
        self._notices.add(f"Removed the set “{one.name}”.", action_label="Undo", action=again)

    def open(self, one: LaneSet) -> None:
        """A new conversation with these lanes."""
        self._playground.open_lanes(one.lanes)

    def _do(self, work: Callable[[], None]) -> None:
        if not self._tasks.closed:
            self._tasks.start(self._load(work), name="look at the sets of lanes", to_the_end=True)

    async def _load(self, work: Callable[[], None]) -> None:
        spec = self._playground.lanes[0].spec
        async with self._in_turn:
            try:
                await asyncio.to_thread(work)
                self.saved = await asyncio.to_thread(self._desk.lane_sets.all)
                self.offered = await asyncio.to_thread(offers, self._desk, spec)
            except DatabaseProblem as problem:
                self._notices.add(str(problem), "bad")
        self.changed.emit()


def offers(desk: Desk, spec: LaneSpec) -> tuple[LaneSet, ...]:
    """What could be compared: two models by price, one model both ways, one model at two temperatures."""
    found = []
    models = _usable(desk)
    if len(models) > 1:
        fast, smart = models[0].full_id, models[-1].full_id
        found.append(LaneSet(name="Fast against smart", lanes=(_lane(fast), _lane(smart))))
    if not spec.model or spec.route:
        return tuple(found)
    try:
        model = desk.catalog.model(spec.model)
    except EngineError:
        return tuple(found)
    if desk.gateway() is not None and desk.catalog.provider(model.provider).gateway_slug:
        ways = tuple(replace(spec, via=via) for via in ("direct", "gateway"))
        found.append(LaneSet(name=f"Direct against gateway: {model.name}", lanes=ways))
    if model.traits.temperature != "never":
        warm = tuple(
            replace(spec, parameters=replace(spec.parameters, temperature=degree)) for degree in (0.0, 1.0)
        )
        found.append(LaneSet(name=f"Two temperatures: {model.name}", lanes=warm))
    return tuple(found)


def _usable(desk: Desk) -> list[Model]:
    """The current models with a price and a key, cheapest answers first."""
    found = []
    for provider in desk.catalog.providers.values():
        if not provider.simulated and desk.can_ask(provider.id):
            models = desk.catalog.models(provider.id)
            found += [model for model in models if model.price is not None and model.state == "current"]
    return sorted(found, key=lambda model: (model.price.output if model.price else 0, model.full_id))


def _lane(model: str) -> LaneSpec:
    return LaneSpec(id="", model=model)
