"""The named routes as the screen sees them: each with what is wrong with it, and the ladder it would take now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct
from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError, Misconfigured
from vibedesk.engine.explain import Explanation, Told
from vibedesk.engine.exports import FORMATS, Export, Import, export, read
from vibedesk.engine.fuzzy import score
from vibedesk.engine.lint import Lint, lint
from vibedesk.engine.tryout import question_of, try_each
from vibedesk.engine.types import Finished, Route, Rung
from vibedesk.log import redact
from vibedesk.state.notices import Notices
from vibedesk.state.rows import RowsModel
from vibedesk.state.tasks import Tasks
from vibedesk.store.answers import Held
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.paths import resources, write_whole
from vibedesk.store.routes import RoutesFile

__all__ = ["FORMATS", "Explanation", "Export", "Lint", "RouteRow", "RoutesState", "Told", "Try", "starters"]

LARGEST = 1 << 20
"""Bytes of a file that routes are taken from."""
WHOLE = 70
"""Scores from here on mean that the word was found in one piece (see `engine.fuzzy`)."""


class RouteRow(Struct, frozen=True):
    """A route, by its name, and what to say beside it. `usable`: at least one of its models can be asked now."""

    route: Route
    lints: tuple[Lint, ...] = ()
    usable: bool = False

    @property
    def id(self) -> str:
        return self.route.name


class Try(Struct, frozen=True):
    """One model of a route, and how it answered the short question; None = it has not ended yet."""

    rung: Rung
    finished: Finished | None = None


class RoutesState(QObject):
    """`changed` when the list did; `saved(name)` or `refused(words)` after `save`; `explained(name, explanation)` after
    `explain`; `tried(name, tries)` again and again while `try_out` runs, `trying(running)` around it;
    `exported(export)` after `export`; `linted(route, lints)` after `lint`."""

    changed = Signal()
    saved = Signal(str)
    refused = Signal(str)
    explained = Signal(str, object)
    tried = Signal(str, object)
    trying = Signal(bool)
    exported = Signal(object)
    linted = Signal(object, object)

    def __init__(self, desk: Desk, tasks: Tasks, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._tasks, self._notices = desk, tasks, notices
        self.held = Held(0, 0)
        """How many answers the cache keeps for all routes together, and in how many bytes."""
        self.rows = RowsModel(self, text=lambda row: f"{row.route.name}: {row.route.model}")
        self._looking, self._changing = asyncio.Lock(), asyncio.Lock()
        self._is_trying = False
        self._wish = 0

    def reload(self) -> None:
        """Reads the list again and lints it; `changed` follows."""
        self._tasks.start(self._reload(), name="reload routes")

    def save(self, route: Route, replacing: str | None = None) -> None:
        """Writes the route; `saved` or `refused` follows."""
        self._change(partial(self._save, route, replacing), "save a route")

    def remove(self, name: str) -> None:
        """Takes the route away, with a notice that brings it back."""
        self._change(partial(self._remove, name), "remove a route")

    def explain(self, route: Route, faults: Mapping[str, str] | None = None) -> None:
        """Works out what would happen now, or if `faults` came about, without any network; `explained` follows."""
        self._tasks.start(self._explain(route, dict(faults or {})), name="explain a route")

    def try_out(self, route: Route) -> None:
        """Sends one short request to the model and to each fallback; `tried` tells how far they are."""
        if not self._is_trying:
            self._is_trying = True
            self.trying.emit(True)
            self._tasks.start(self._try_out(route), name="try a route")

    def export(self, format: str) -> None:
        """All routes in another tool's format, without any key; `exported` follows."""
        self._tasks.start(self._export(format), name="export routes")

    def write_export(self, export: Export, path: Path) -> None:
        """Writes what was exported to a file."""
        self._tasks.start(self._write_export(export, path), name="write an export")

    def bring_in(self, path: Path) -> None:
        """Takes the routes of a file in; a notice tells which, and what could not be taken."""
        self._change(partial(self._bring_in, path), "import routes")

    def forget_answers(self) -> None:
        """Empties the answer cache; `changed` follows."""
        self._tasks.start(self._forget_answers(), name="empty the answer cache")

    def add_starters(self) -> None:
        """Adds the starter set; routes that exist keep what they say."""
        self._change(self._add_starters, "add the starter routes")

    def lint(self, route: Route) -> None:
        """Finds what is wrong with this route, saved or not; `linted` follows."""
        self._tasks.start(self._lint(route), name="lint a route")

    def find(self, query: str = "") -> tuple[RouteRow, ...]:
        """Routes whose name, or the word route, holds what was typed; best first. Nothing typed = all."""
        rows: tuple[RouteRow, ...] = self.rows.rows()
        if not query.strip():
            return rows
        fits = [(score(query, (row.id, "route")), row) for row in rows]
        ranked = sorted((pair for pair in fits if pair[0] >= WHOLE), key=lambda pair: -pair[0])
        return tuple(row for _, row in ranked)

    def tell_given_up(self, name: str, bring_back: Callable[[], object]) -> None:
        """Says that edits were left unsaved, and offers to bring them back."""
        words = f"Edits to {name} were not saved." if name else "The new route was not saved."
        self._notices.add(words, action_label="Bring back", action=bring_back)

    def _change(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Writes to the file after what was wished for before, and to the end, whoever leaves meanwhile."""

        async def in_turn() -> None:
            async with self._changing:
                await work()

        self._tasks.start(in_turn(), name=name, to_the_end=True)

    async def _reload(self) -> None:
        async with self._looking:  # who began to look earlier has not seen more
            rows, self.held = await asyncio.to_thread(lambda: (self._read(), self._held()))
        self.rows.set_rows(rows)
        self.changed.emit()

    def _held(self) -> Held:
        try:
            return self._desk.answers.held()
        except DatabaseProblem:  # whoever writes there says so
            return Held(0, 0)

    async def _forget_answers(self) -> None:
        try:
            await asyncio.to_thread(self._desk.answers.clear)
        except DatabaseProblem as problem:
            self._notices.add(str(problem), "bad")
        await self._reload()

    def _read(self) -> list[RouteRow]:
        return [
            RouteRow(
                route, self._lints(route), any(rung.obstacle is None for rung in self._desk.rungs(route))
            )
            for route in self._desk.routes.routes()
        ]

    def _lints(self, route: Route) -> tuple[Lint, ...]:
        return lint(route, self._desk.catalog, self._desk.keys.usable, self._desk.keys.gateway())

    async def _lint(self, route: Route) -> None:
        self.linted.emit(route, await asyncio.to_thread(self._lints, route))

    async def _save(self, route: Route, replacing: str | None) -> None:
        try:
            await asyncio.to_thread(self._desk.routes.save, route, replacing)
        except EngineError as error:
            self.refused.emit(error.detail)
            return
        try:
            await self._reload()
        except DatabaseProblem as problem:
            self._notices.add(str(problem), "bad")
        self.saved.emit(route.name)

    async def _remove(self, name: str) -> None:
        if self.rows.row_of(name) < 0:
            return
        route: Route = self.rows.value(self.rows.row_of(name)).route
        before = await asyncio.to_thread(_bytes_of, self._desk.paths.routes)
        try:
            await asyncio.to_thread(self._desk.routes.remove, name)
        except EngineError as error:
            self._notices.add(error.detail, "bad")
            return
        after = await asyncio.to_thread(_bytes_of, self._desk.paths.routes)
        await self._reload()

        def undo() -> None:
            self._change(partial(self._bring_back, [route], before, after), "bring a route back")

        self._notices.add(f"Route {name} deleted.", action_label="Undo", action=undo)

    async def _bring_back(self, routes: Sequence[Route], before: bytes, after: bytes) -> None:
        """The file as it was, comments and all; where it was edited since, these routes as they were."""
        path = self._desk.paths.routes
        try:
            if await asyncio.to_thread(_bytes_of, path) == after:
                await asyncio.to_thread(write_whole, path.resolve(), before)
                await asyncio.to_thread(self._desk.routes.reload)
            else:
                for route in routes:
                    await asyncio.to_thread(self._desk.routes.save, route)
        except (EngineError, OSError) as error:
            self._notices.add(f"{_named(routes)} could not be brought back: {error}", "bad")
        await self._reload()
        for route in routes:
            self.saved.emit(route.name)

    async def _explain(self, route: Route, faults: dict[str, str]) -> None:
        self._wish = wish = self._wish + 1
        explanation = await asyncio.to_thread(self._desk.explain, route, faults)
        if wish == self._wish:  # else something else was supposed meanwhile
            self.explained.emit(route.name, explanation)

    async def _try_out(self, route: Route) -> None:
        try:
            rungs = await asyncio.to_thread(self._desk.rungs, route)
            ended = await self._try_each(route, rungs)
        except EngineError as error:
            self._notices.add(error.detail, "bad")
            return
        except DatabaseProblem as problem:
            self._notices.add(str(problem), "bad")
            return
        finally:
            self._is_trying = False
            self.trying.emit(False)
        for finished in ended:
            if finished.attempts:
                await asyncio.to_thread(self._desk.ledger.record, finished, datetime.now(UTC))

    async def _try_each(self, route: Route, rungs: Sequence[Rung]) -> Sequence[Finished]:
        tries = [Try(rung) for rung in rungs]
        self.tried.emit(route.name, tuple(tries))

        def tell(place: int, finished: Finished) -> None:
            tries[place] = Try(rungs[place], finished)
            self.tried.emit(route.name, tuple(tries))

        return await try_each(self._desk.router, question_of(route), rungs, tell=tell)

    async def _export(self, format: str) -> None:
        self.exported.emit(await asyncio.to_thread(self._exported, format))

    def _exported(self, format: str) -> Export:
        blank = partial(redact, live=self._desk.live_secrets())
        routes, gateway = self._desk.routes.routes(), self._desk.gateway()
        return export(format, routes, self._desk.catalog, gateway, redact=blank)

    async def _write_export(self, export: Export, path: Path) -> None:
        try:
            await asyncio.to_thread(write_whole, path, export.text.encode())
        except OSError as problem:
            self._notices.add(f"{path.name} could not be written: {problem.strerror}.", "bad")
        else:
            self._notices.add(f"{path.name} written. There is no key in it.", "ok")

    async def _bring_in(self, path: Path) -> None:
        try:
            found = await asyncio.to_thread(self._read_foreign, path)
            before = await asyncio.to_thread(_bytes_of, self._desk.paths.routes)
            replaced = await asyncio.to_thread(self._take_in, found.routes)
        except EngineError as error:
            self._notices.add(error.detail, "bad")
            return
        except OSError as problem:
            self._notices.add(f"{path.name} cannot be read: {problem.strerror}.", "bad")
            return
        after = await asyncio.to_thread(_bytes_of, self._desk.paths.routes)
        await self._reload()

        def undo() -> None:
            self._change(partial(self._bring_back, replaced, before, after), "undo an import")

        self._notices.add(
            _brought(found, replaced),
            "warn" if found.lost else "ok",
            action_label="Undo" if replaced else "",
            action=undo if replaced else None,
        )

    def _take_in(self, routes: Sequence[Route]) -> list[Route]:
        """Writes them; which of the user's own, as they were, had such a name and said something else."""
        self._desk.routes.reload()
        own = {route.name: route for route in self._desk.routes.routes()}
        for route in routes:
            self._desk.routes.save(route)
        return [own[route.name] for route in routes if own.get(route.name, route) != route]

    def _read_foreign(self, path: Path) -> Import:
        if path.stat().st_size > LARGEST:
            raise Misconfigured(f"{path.name} is larger than 1 MiB.")
        return read(path.read_bytes().decode("utf-8-sig", "replace"), self._desk.catalog)

    async def _add_starters(self) -> None:
        try:
            added = await asyncio.to_thread(self._write_starters)
        except EngineError as error:
            self._notices.add(error.detail, "bad")
            return
        await self._reload()
        if added:
            self._notices.add(f"{added} route{'s' if added > 1 else ''} added.", "ok")
        else:
            self._notices.add("All starter routes are there already.")

    def _write_starters(self) -> int:
        there = {route.name for route in self._desk.routes.routes()}
        new = [route for route in starters() if route.name not in there]
        for route in new:
            self._desk.routes.save(route)
        return len(new)


def starters() -> tuple[Route, ...]:
    """The starter set: one route for each action of the system the format comes from."""
    return RoutesFile(resources() / "catalog" / "routes.toml").routes()


def _brought(found: Import, replaced: Sequence[Route]) -> str:
    """What came in, what it took the place of, and what of it did not."""
    routes, keys = len(found.routes), len(found.names)
    words = f"{routes} route{'s' if routes > 1 else ''} imported." if routes else ""
    if replaced:
        words += f" {_named(replaced)} {'were' if len(replaced) > 1 else 'was'} replaced."
    if keys:
        words += (
            f" It names {keys} key{'s' if keys > 1 else ''}: {', '.join(name for name, _ in found.names)}."
        )
    return " ".join([words.strip(), *found.lost[:3]]).strip()


def _named(routes: Sequence[Route]) -> str:
    return ", ".join(route.name for route in routes)


def _bytes_of(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
