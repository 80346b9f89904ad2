"""The models as the screen sees them: which can be asked now, which are liked, and how to find one by typing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from msgspec import Struct
from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.errors import EngineError, Misconfigured
from vibedesk.engine.types import Model, Provider
from vibedesk.state.rows import RowsModel
from vibedesk.state.tasks import Tasks

_log = logging.getLogger(__name__)

RECENT = 8
"""How many models asked last are remembered."""


class ModelRow(Struct, frozen=True, kw_only=True):
    """A model and what can be done with it. `usable`: there is a key, or none is needed."""

    id: str
    model: Model
    provider: Provider
    usable: bool
    favourite: bool = False
    recent: bool = False


class CatalogState(QObject):
    """`changed` when models, keys, favourites or recents did; `refreshed(provider, error or None)` after a list."""

    changed = Signal()
    refresh_started = Signal(str)
    refreshed = Signal(str, object)

    def __init__(self, desk: Desk, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._tasks = desk, tasks
        self._with_key: frozenset[str] = frozenset()
        self._refreshing: set[str] = set()
        self._unsaved: dict[str, list[str]] = {}
        self._saving, self._looking = asyncio.Lock(), asyncio.Lock()
        self.rows = RowsModel(self, text=lambda row: f"{row.model.name} {row.provider.name}")

    @property
    def catalog(self) -> Catalog:
        return self._desk.catalog

    def reload(self) -> None:
        """Looks again at keys, settings and lists; `changed` follows."""
        self._tasks.start(self._reload(), name="reload the catalog")

    def is_usable(self, provider: Provider) -> bool:
        """Whether a model of this provider can be asked now, as far as keys go."""
        return provider.keyless or provider.id in self._with_key

    def find(self, query: str = "", *, provider: str = "", usable_only: bool = False) -> tuple[ModelRow, ...]:
        """Rows that fit `query`, best first. Without one: recent, liked, usable, the rest, retired last."""
        favourites, recent = self._list("models.favourites"), self._list("models.recent")
        rows = [
            row
            for model in self.catalog.search(query)
            if not provider or model.provider == provider
            if (row := self._row(model, favourites, recent)).usable or not usable_only
        ]
        if query.strip():
            return tuple(rows)
        order = {full_id: place for place, full_id in enumerate(recent)}
        return tuple(sorted(rows, key=lambda row: (order.get(row.id, len(order)), *_rank(row))))

    def show(self, query: str, *, provider: str = "", usable_only: bool = False) -> None:
        """Fills `rows` with what `find` finds."""
        self.rows.set_rows(self.find(query, provider=provider, usable_only=usable_only))

    def row(self, full_id: str) -> ModelRow:
        """The row of any PROVIDER/MODEL, listed or not. Raises `UnknownProvider`."""
        favourites, recent = self._list("models.favourites"), self._list("models.recent")
        return self._row(self.catalog.model(full_id), favourites, recent)

    def first_choice(self) -> str:
        """What a new lane asks when nothing was chosen: the last asked, else the first usable provider's favourite."""
        for full_id in self._list("models.recent"):
            if self._can_ask(full_id):
                return full_id
        for provider in self.catalog.providers.values():
            model = self.catalog.preferred(provider.id)
            if model is not None and provider.id in self._with_key:
                return model.full_id
        return ""

    def note_used(self, full_id: str) -> None:
        """Puts the model first among the recent ones."""
        recent = [one for one in self._list("models.recent") if one != full_id]
        self._write("models.recent", [full_id, *recent][:RECENT])

    def like(self, full_id: str, liked: bool) -> None:
        """Makes the model a favourite, or no longer."""
        favourites = [one for one in self._list("models.favourites") if one != full_id]
        self._write("models.favourites", [*favourites, full_id] if liked else favourites)

    def refresh(self, provider: str = "") -> tuple[str, ...]:
        """Asks the provider, or every one there is a key for, which models it has now; the ids of those asked."""
        providers = [self.catalog.provider(provider)] if provider else list(self.catalog.providers.values())
        asked = [one for one in providers if not one.simulated and (provider or one.id in self._with_key)]
        for one in asked:
            if one.id not in self._refreshing:
                self._refreshing.add(one.id)
                self._tasks.start(self._refresh(one.id), name=f"list models of {one.id}")
                self.refresh_started.emit(one.id)
        return tuple(one.id for one in asked)

    def refreshing(self) -> tuple[str, ...]:
        """Providers being asked now."""
        return tuple(sorted(self._refreshing))

    def _list(self, key: str) -> list[str]:
        unsaved = self._unsaved.get(key)
        return list(self._desk.settings.get(key) if unsaved is None else unsaved)

    def _row(self, model: Model, favourites: Sequence[str], recent: Sequence[str]) -> ModelRow:
        provider = self.catalog.providers[model.provider]
        return ModelRow(
            id=model.full_id,
            model=model,
            provider=provider,
            usable=self.is_usable(provider) and (model.state != "retired" or model.listed_live),
            favourite=model.full_id in favourites,
            recent=model.full_id in recent,
        )

    def _can_ask(self, full_id: str) -> bool:
        try:
            return self.row(full_id).usable
        except EngineError:
            return False

    def _write(self, key: str, value: list[str]) -> None:
        if value != self._list(key):
            self._unsaved[key] = value
            self._tasks.start(self._save(key), name=f"save {key}", to_the_end=True)
            self.changed.emit()

    async def _save(self, key: str) -> None:
        async with self._saving:
            value = self._unsaved.get(key)
            if value is None:
                return
            try:
                await asyncio.to_thread(self._desk.settings.set, key, value)
            except Misconfigured:
                return  # somebody is editing the file, which is told elsewhere; it holds until the program ends
            if self._unsaved.get(key) is value:
                del self._unsaved[key]

    async def _reload(self) -> None:
        async with self._looking:  # who began to look earlier has not seen more
            self._with_key = await asyncio.to_thread(self._providers_with_key)
        self.changed.emit()

    def _providers_with_key(self) -> frozenset[str]:
        keys = self._desk.keys
        return frozenset(
            one.id for one in self.catalog.providers.values() if not one.keyless and keys.usable(one)
        )

    async def _refresh(self, provider: str) -> None:
        error: EngineError | None = None
        try:
            await self._desk.refresh_models(provider)
        except EngineError as refused:
            error = refused
        except OSError as problem:  # they are known, and not kept for the next start
            _log.warning("the models of %s were not kept: %s", provider, problem)
        finally:
            self._refreshing.discard(provider)
        self.refreshed.emit(provider, error)
        self.changed.emit()


def _rank(row: ModelRow) -> tuple[bool, ...]:
    """Liked before unliked, then what can be asked now; what is gone comes last."""
    return (not row.favourite, row.model.state == "retired", not row.usable, row.provider.simulated)
