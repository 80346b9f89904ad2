"""Lanes kept under a name, to be opened together again; and the lanes that were open last."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from vibedesk.store.database import Database, packed
from vibedesk.store.history import LaneSpec, new_id

LONGEST_NAME = 60
_LAST = ""
"""The name nobody can give: what was open last."""


class LaneSet(Struct, frozen=True, kw_only=True):
    name: str
    lanes: tuple[LaneSpec, ...]


class LaneSets:
    """The sets in `database`; `last` is read once, when this is built."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.last = self._load(_LAST)

    def all(self) -> tuple[LaneSet, ...]:
        """By name."""
        rows = self._database.execute(
            "SELECT name FROM lane_sets WHERE name <> '' ORDER BY name COLLATE NOCASE"
        )
        return tuple(LaneSet(name=name, lanes=self._load(name)) for (name,) in rows)

    def save(self, name: str, lanes: Sequence[LaneSpec]) -> None:
        """Keeps the lanes under `name`, instead of what it held. `ValueError` for an empty name or no lanes."""
        name = " ".join(name.split())[:LONGEST_NAME]
        if not name or not lanes:
            raise ValueError("a set has a name and at least one lane")
        self._put(name, lanes)

    def keep_last(self, lanes: Sequence[LaneSpec]) -> None:
        """These were open last."""
        self.last = tuple(lanes)
        self._put(_LAST, lanes)

    def remove(self, name: str) -> None:
        """Forgets a set; one that is not there is no error."""
        if name != _LAST:
            self._database.execute("DELETE FROM lane_sets WHERE name = ?", (name,))

    def _put(self, name: str, lanes: Sequence[LaneSpec]) -> None:
        self._database.execute(
            """INSERT INTO lane_sets (name, lanes) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET lanes = excluded.lanes""",
            (name, packed(tuple(lanes))),
        )

    def _load(self, name: str) -> tuple[LaneSpec, ...]:
        rows = self._database.execute("SELECT lanes FROM lane_sets WHERE name = ?", (name,))
        return msgspec.json.decode(rows[0][0], type=tuple[LaneSpec, ...]) if rows else ()


def fresh(lanes: Sequence[LaneSpec]) -> list[LaneSpec]:
    """The same lanes as new ones: shown, with ids of their own."""
    return [replace(lane, id=new_id(), aside=False, leaf="") for lane in lanes]
