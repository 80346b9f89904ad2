"""Blind comparisons: which conversation has one open, and every vote that was cast."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from vibedesk.store.database import Database, packed, stamp
from vibedesk.store.history import new_id

TIE, BOTH_BAD = -1, -2


class Vote(Struct, frozen=True, kw_only=True):
    """`choice` is the place of the best in `contenders`, `TIE`, or `BOTH_BAD`. `tag` "" = none."""

    id: str
    at: datetime
    tag: str = ""
    contenders: tuple[str, ...]
    choice: int


class Votes:
    """The votes in `database`. They hold names of models and nothing of what was said, and outlive the conversation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cast(self, contenders: tuple[str, ...], choice: int, tag: str = "") -> Vote:
        """Keeps a vote. `ValueError` for fewer than two contenders, or a choice that is none of them."""
        if len(contenders) < 2 or not BOTH_BAD <= choice < len(contenders):
            raise ValueError(f"no choice among {len(contenders)}: {choice}")
        vote = Vote(
            id=new_id(), at=datetime.now(UTC), tag=tag.strip()[:40], contenders=contenders, choice=choice
        )
        self._database.execute(
            "INSERT INTO votes (id, at, tag, contenders, choice) VALUES (?, ?, ?, ?, ?)",
            (vote.id, stamp(vote.at), vote.tag, packed(vote.contenders), vote.choice),
        )
        return vote

    def all(self) -> tuple[Vote, ...]:
        """Oldest first."""
        rows = self._database.execute("SELECT id, at, tag, contenders, choice FROM votes ORDER BY at, rowid")
        return tuple(
            Vote(
                id=id,
                at=datetime.fromisoformat(at),
                tag=tag,
                contenders=msgspec.json.decode(contenders, type=tuple[str, ...]),
                choice=choice,
            )
            for id, at, tag, contenders, choice in rows
        )

    def remove(self, id: str) -> None:
        """Takes a vote back."""
        self._database.execute("DELETE FROM votes WHERE id = ?", (id,))

    def tags(self) -> tuple[str, ...]:
        """Every tag in use, the most used first."""
        rows = self._database.execute(
            "SELECT tag FROM votes WHERE tag <> '' GROUP BY tag ORDER BY count(*) DESC, tag"
        )
        return tuple(tag for (tag,) in rows)

    def hide(self, conversation_id: str, since: int) -> None:
        """From turn `since` on, nobody may see who answered in this conversation."""
        self._database.execute(
            """INSERT INTO contests (conversation_id, since) VALUES (?, ?)
            ON CONFLICT (conversation_id) DO UPDATE SET since = excluded.since""",
            (conversation_id, since),
        )

    def reveal(self, conversation_id: str) -> None:
        """It may be seen again."""
        self._database.execute("DELETE FROM contests WHERE conversation_id = ?", (conversation_id,))

    def hidden_since(self, conversation_id: str) -> int | None:
        """The first turn nobody may see the names of; None = all may be seen."""
        rows = self._database.execute(
            "SELECT since FROM contests WHERE conversation_id = ?", (conversation_id,)
        )
        return rows[0][0] if rows else None
