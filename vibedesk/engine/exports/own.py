"""Our own file, `config/routes.toml`: carries everything."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from typing import Any

from vibedesk.engine import route_table
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.exports.parcel import Export, Import
from vibedesk.engine.types import Gateway, Route


def write(routes: Sequence[Route], catalog: Catalog, gateway: Gateway | None = None) -> Export:
    return Export(format="toml", file="routes.toml", text="\n".join(map(table_of, routes)))


def table_of(route: Route) -> str:
    """The route as its table in the file, with only what differs from the default."""
    lines = [f"{field} = {_value(value)}" for field, value in route_table.written(route).items()]
    return "\n".join([f"[routes.{_key(route.name)}]", *lines]) + "\n"


def looks_like(text: str) -> bool:
    """Whether a table of a route begins one of its lines: the words of a prompt may hold anything."""
    return re.search(r"^\s*\[routes\.", text, re.MULTILINE) is not None


def read(text: str) -> Import:
    """Raises `Misconfigured` for a text that is no TOML, or a route that is wrong."""
    try:
        tables = tomllib.loads(text).get("routes", {})
    except tomllib.TOMLDecodeError as problem:
        raise Misconfigured(
            f"This is neither a routes.toml nor a file with AGENT_CONFIG: {problem}."
        ) from problem
    found = tables.items() if isinstance(tables, dict) else ()
    lost = [
        f"{name}: {field} is not a field of a route." for name, table in found for field in _unknown(table)
    ]
    return Import(routes=tuple(route_of(name, table) for name, table in found), lost=tuple(lost))


def _unknown(table: object) -> list[str]:
    return route_table.unknown(table)


def route_of(name: str, table: object) -> Route:
    """Raises `Misconfigured` with what is wrong."""
    wrong = route_table.refusals(table)
    if wrong or not isinstance(table, dict):
        raise Misconfigured(f"Route {name}: {wrong[0]}.", route=name)
    return route_table.read(name, table)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    """JSON is TOML for all that a route says, but for what TOML wants escaped beside."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
