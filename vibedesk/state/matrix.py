"""Which key answers for which model, and how fast: what would be asked and cost, then each answer as it comes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct
from PySide6.QtCore import QObject, Signal

from vibedesk.amounts import duration
from vibedesk.desk import Desk
from vibedesk.engine.types import ApiKey, Deployment, Model, Provider
from vibedesk.state.check import SHORT, role_of
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem

if TYPE_CHECKING:
    from vibedesk.engine.health import Cell, Estimate

_log = logging.getLogger(__name__)

MODELS = 3
"""How many of a provider's models are offered: those asked last and liked, then those the catalog puts first."""


class Block(Struct, frozen=True, kw_only=True):
    """A provider's keys and the models they can be asked for."""

    provider: Provider
    keys: tuple[ApiKey, ...]
    models: tuple[Model, ...]


class Spot(Struct, frozen=True, kw_only=True):
    """One key and one model, in a word: `0.41 s`, `refused`. `told` is the whole of it."""

    text: str
    role: str = "neutral"
    told: str = ""


class Matrix(QObject):
    """`changed` at every step. Nothing is asked before `run`, and what it costs at most is in `estimate` before."""

    changed = Signal()

    def __init__(
        self,
        desk: Desk,
        tasks: Tasks,
        keys: Callable[[], tuple[ApiKey, ...]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk, self._tasks, self._keys = desk, tasks, keys
        self.blocks: tuple[Block, ...] = ()
        self.estimate: Estimate | None = None
        self.spent_usd = Decimal(0)
        self._left_out: set[str] = set()
        self._pairs: tuple[Deployment, ...] = ()
        self._cells: dict[tuple[str, str], Cell] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    @property
    def progress(self) -> tuple[int, int]:
        """How many have answered, of how many."""
        return len(self._cells), len(self._pairs)

    def prepare(self) -> None:
        """Looks which keys and models there are now; what an earlier run found is forgotten."""
        if not self.running:
            self._cells.clear()
            self._left_out.clear()
            self.spent_usd = Decimal(0)
            self.blocks = tuple(self._blocks())
            self._tasks.start(self._count(), name="estimate the health check")

    def is_chosen(self, full_id: str) -> bool:
        """Whether this model would be asked."""
        return full_id not in self._left_out

    def choose(self, full_id: str, wanted: bool) -> None:
        """Asks this model too, or leaves it out."""
        if wanted:
            self._left_out.discard(full_id)
        else:
            self._left_out.add(full_id)
        self._tasks.start(self._count(), name="estimate the health check")

    def run(self) -> None:
        """Asks every key for every chosen model once."""
        pairs = tuple(pair for pair in self._pairs if self.is_chosen(pair.model.full_id))
        if not self.running and pairs:
            self._pairs = pairs
            self._cells.clear()
            self.spent_usd = Decimal(0)
            self._task = self._tasks.start(self._run(pairs), name="ask keys and models for their health")
            self.changed.emit()

    def stop(self) -> None:
        """Ends what is under way at once; what has answered stays."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self.changed.emit()

    def spot(self, key_id: str, full_id: str) -> Spot:
        """What is known of this key with this model."""
        cell = self._cells.get((key_id, full_id))
        if cell is None:
            if not self.is_chosen(full_id):
                return Spot(text="", told="left out")
            return Spot(text="asking…", role="accent") if self.running else Spot(text="—", told="not asked")
        if cell.verdict == "ready":
            first = f", first word after {duration(cell.ttft_s)}" if cell.ttft_s is not None else ""
            return Spot(
                text=duration(cell.took_s), role="ok", told=f"answered in {duration(cell.took_s)}{first}"
            )
        word = SHORT.get(cell.verdict, cell.verdict)
        said = cell.error.provider_message if cell.error else ""
        return Spot(text=word, role=role_of(cell.verdict), told=f"{word}: {said}" if said else word)

    # How it is done

    def _blocks(self) -> list[Block]:
        catalog, blocks = self._desk.catalog, []
        for provider in catalog.providers.values():
            keys = tuple(key for key in self._keys() if key.provider == provider.id and key.enabled)
            models = self._models_of(provider)
            if keys and models:
                blocks.append(Block(provider=provider, keys=keys, models=models))
        return blocks

    def _models_of(self, provider: Provider) -> tuple[Model, ...]:
        models = {
            model.full_id: model
            for model in self._desk.catalog.models(provider.id)
            if model.state != "retired"
        }
        liked = (*self._desk.settings.get("models.recent"), *self._desk.settings.get("models.favourites"))
        first = (f"{provider.id}/{name}" for name in provider.preferences)
        order = dict.fromkeys([*(name for name in (*liked, *first) if name in models), *models])
        return tuple(models[name] for name in list(order)[:MODELS])

    async def _count(self) -> None:
        from vibedesk.engine.health import cost_of_pairs, pairs_of

        gateway = await asyncio.to_thread(self._desk.gateway)
        keys = [key for block in self.blocks for key in block.keys]
        models = [model for block in self.blocks for model in block.models if self.is_chosen(model.full_id)]
        self._pairs = pairs_of(keys, models, self._desk.catalog, gateway)
        self.estimate = cost_of_pairs(self._pairs, on=date.today())
        self.changed.emit()

    async def _run(self, pairs: Sequence[Deployment]) -> None:
        from vibedesk.engine.health import health

        async with aclosing(health(pairs, self._desk.http, self._desk.secret_of)) as cells:
            async for cell in cells:
                try:
                    await asyncio.to_thread(self._desk.ledger.record, cell.finished, datetime.now(UTC))
                except DatabaseProblem as problem:
                    # What it found holds, and is shown, also where it is not kept.
                    _log.warning("what a key answered was not kept: %s", problem)
                self._cells[cell.key_id, cell.model] = cell
                self.spent_usd += cell.cost.usd if cell.cost else Decimal(0)
                self.changed.emit()
        self._task = None
        self.changed.emit()
