"""What the router knows of providers and keys from earlier runs: who rests, which key is out, what was said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from vibedesk.engine.world import Out, World, lasting
from vibedesk.store.database import Database


class Standing:
    """One row in `database`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> World:
        """What was kept; a key that a later check found good is no longer out. Nothing where it cannot be read."""
        rows = self._database.execute("SELECT world FROM router_world WHERE id = 1")
        if not rows:
            return World()
        try:
            world = msgspec.json.decode(rows[0][0], type=World)
        except msgspec.MsgspecError:
            return World()

        def still_out(entries: dict[str, Out], key_of: Callable[[str, Out], str]) -> dict[str, Out]:
            return {
                name: out for name, out in entries.items() if not self._found_good(key_of(name, out), out)
            }

        dead = still_out(world.dead, lambda name, out: name.partition("@")[0])
        return replace(world, dead=dead, cooled=still_out(world.cooled, lambda name, out: out.key))

    def save(self, world: World) -> None:
        """Keeps what lasts of it."""
        self._database.execute(
            "INSERT INTO router_world (id, world) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET world = excluded.world",
            (msgspec.json.encode(lasting(world)).decode(),),
        )

    def _found_good(self, key_id: str, out: Out) -> bool:
        rows = self._database.execute(
            "SELECT checked FROM key_notes WHERE key_id = ? AND state = 'ready' AND checked IS NOT NULL",
            (key_id,),
        )
        return bool(rows) and datetime.fromisoformat(rows[0][0]).timestamp() >= out.since
