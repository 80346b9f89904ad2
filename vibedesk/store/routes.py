"""The named routes (model configs) in `config/routes.toml`: only what differs from the default is written."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vibedesk.engine import route_table
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.route_table import FIELDS, refusals, unknown
from vibedesk.engine.types import Route
from vibedesk.store.document import Document, table_path

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


class RoutesFile:
    """Reads `path` when built. A route that cannot be read keeps its last good form, and `problems` says why."""

    def __init__(self, path: Path) -> None:
        self._document = Document(path)
        self._routes: dict[str, Route] = {}
        self.problems: tuple[str, ...] = ()
        self.reload()

    def routes(self) -> tuple[Route, ...]:
        """In the order of the file."""
        return tuple(self._routes.values())

    def reload(self) -> tuple[str, ...]:
        """Reads the file again. The problems, one sentence each, naming line or route and field."""
        problem = self._document.read()
        self.problems = (problem,) if problem else self._take()
        return self.problems

    def changed(self) -> bool:
        """Whether the file was edited since it was last read or written."""
        return self._document.changed()

    def save(self, route: Route, replacing: str | None = None) -> None:
        """Writes `route` under its name; `replacing` is the name it had. Raises `Misconfigured`."""
        table = route_table.written(route)
        if wrong := refusals(table):
            raise Misconfigured(f"Route {route.name}: {wrong[0]}.", route=route.name)
        if not route.name.strip():
            raise Misconfigured("A route needs a name.")
        if replacing not in (None, route.name) and route.name in self._routes:
            raise Misconfigured(f"There is a route called {route.name} already.", route=route.name)
        if replacing not in (None, route.name):
            self._document.rewrite(lambda text: _renamed(text, str(replacing), route.name))
        self._document.edit(lambda document: _put(document, route.name, table))
        self.problems = self._take()

    def remove(self, name: str) -> None:
        """Takes the route out of the file; one that is not there is no error."""
        self._document.rewrite(lambda text: _without(text, name))
        self.problems = self._take()

    def _take(self) -> tuple[str, ...]:
        tables = self._document.tables.get("routes", {})
        if not isinstance(tables, dict):
            return (f"{self._document.path.name}: routes is written as tables, [routes.NAME].",)
        problems: list[str] = []
        routes: dict[str, Route] = {}
        for name, table in tables.items():
            wrong = refusals(table)
            problems += [self._problem(name, refusal) for refusal in wrong]
            problems += [
                self._problem(name, f"{field} is not a field of a route") for field in unknown(table)
            ]
            if not wrong:
                routes[name] = route_table.read(name, table)
            elif name in self._routes:
                routes[name] = self._routes[name]
        self._routes = routes
        return tuple(problems)

    def _problem(self, name: str, refusal: str) -> str:
        line = self._document.line_of(("routes", name), refusal.partition(" ")[0])
        place = f", line {line}" if line else ""
        return f"{self._document.path.name}{place}: route {name}: {refusal}."


def _put(document: TOMLDocument, name: str, table: dict[str, Any]) -> None:
    """Only what differs is touched, so that a person's comments and spelling stay."""
    import tomlkit

    if not isinstance(document.get("routes"), dict):
        document["routes"] = tomlkit.table(is_super_table=True)
    routes: Any = document["routes"]
    if not isinstance(routes.get(name), dict):
        routes[name] = tomlkit.table()
    kept = routes[name]
    for field in FIELDS:
        if field not in table:
            kept.pop(field, None)
        elif not _same(kept.get(field), table[field]):
            kept[field] = table[field]


def _renamed(text: str, before: str, name: str) -> str:
    """Only the header is another: the route keeps its place and its comments."""
    import tomlkit

    header = f"[routes.{tomlkit.key([name]).as_string()}]"
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if table_path(line) == ("routes", before):
            lines[number] = header + line[line.rindex("]") + 1 :]
    return _if_it_means("\n".join(lines), text, before, name)


def _without(text: str, name: str) -> str:
    """Without the route's header and fields; a comment above the next header stays."""
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if table_path(line)] + [len(lines)]
    for start, end in reversed(list(pairwise(starts))):
        if table_path(lines[start]) == ("routes", name):
            said = [
                number
                for number in range(start, end)
                if lines[number].strip() and lines[number].strip()[0] != "#"
            ]
            del lines[start : said[-1] + 1]
    return _if_it_means("\n".join(lines), text, name, None)


def _if_it_means(edited: str, text: str, before: str, name: str | None) -> str:
    """`edited`, where it says what was meant; where lines mislead (a header inside a long text) tomlkit's own edit."""
    import tomlkit

    document = tomlkit.parse(text)
    routes: Any = document.get("routes", {})
    if before not in routes:
        return text
    route = routes.pop(before)
    if name is not None:
        routes[name] = route
    try:
        meant = tomllib.loads(edited).get("routes", {}) == document.unwrap().get("routes", {})
    except tomllib.TOMLDecodeError:
        meant = False
    return edited if meant else tomlkit.dumps(document)


def _same(old: object, new: object) -> bool:
    """Whether the file says it already: one fallback may stand as a string."""
    if isinstance(new, list) and isinstance(old, str):
        return [str(old)] == new
    return old is not None and old == new
