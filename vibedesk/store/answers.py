"""The answer cache as SQLite keeps it: by the question's hash, no older than wanted, the longest unused go first."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from vibedesk.engine.kept import Kept
from vibedesk.store.database import Database, packed, stamp

CAP_BYTES = 256 * 1024 * 1024
"""Of all kept answers together, compressed."""


class Held(Struct, frozen=True):
    """How many answers are kept, and how many bytes they take."""

    answers: int
    size: int


class Answers:
    """The kept answers in `database`. The question itself is not kept, only its hash."""

    def __init__(self, database: Database, *, cap: int = CAP_BYTES) -> None:
        self._database, self._cap = database, cap

    def find(self, key: str, ttl_s: int, now: datetime | None = None) -> Kept | None:
        """The answer kept under `key`, if it is not older than `ttl_s` seconds."""
        now = now or datetime.now(UTC)
        oldest = stamp(now - timedelta(seconds=ttl_s))
        rows = self._database.execute(
            "SELECT answer FROM kept_answers WHERE key = ? AND at >= ?", (key, oldest)
        )
        if not rows:
            return None
        try:
            kept = msgspec.json.decode(zlib.decompress(rows[0][0]), type=Kept)
        except (zlib.error, msgspec.DecodeError):  # of another version, or damaged: as good as none
            self._database.execute("DELETE FROM kept_answers WHERE key = ?", (key,))
            return None
        self._database.execute("UPDATE kept_answers SET used = ? WHERE key = ?", (stamp(now), key))
        return kept

    def keep(self, key: str, kept: Kept) -> None:
        """Keeps it in place of an earlier one; the longest unused make room for it."""
        answer = zlib.compress(packed(kept).encode())
        with self._database.transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO kept_answers (key, at, used, size, answer) VALUES (?, ?, ?, ?, ?)",
                (key, stamp(kept.at), stamp(kept.at), len(answer), answer),
            )
            self._database.execute(
                """DELETE FROM kept_answers WHERE key IN (SELECT key FROM (
                    SELECT key, sum(size) OVER (ORDER BY used DESC, rowid DESC) AS so_far FROM kept_answers
                ) WHERE so_far > ?)""",
                (self._cap,),
            )

    def held(self) -> Held:
        [(answers, size)] = self._database.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM kept_answers"
        )
        return Held(answers, size)

    def clear(self) -> None:
        """Forgets every answer."""
        self._database.execute("DELETE FROM kept_answers")
        self._database.purge()
