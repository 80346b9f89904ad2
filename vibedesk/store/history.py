"""Conversations: what was asked, and what every lane answered, as SQLite keeps them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from vibedesk.engine.types import Attempt, CacheUse, Cost, Finished, Image, Parameters, Usage
from vibedesk.store.database import Database, packed, stamp
from vibedesk.store.search import Hit, Search

LONGEST_TITLE = 80


class LaneSpec(Struct, frozen=True, kw_only=True):
    """A lane as the conversation remembers it. `model` is PROVIDER/MODEL, or "" where `route` names a route.

    `via` is "" (as the route or the gateway says), "gateway" or "direct".
    `leaf` is the last turn of the branch it shows, "" = the latest.
    """

    id: str
    model: str
    route: str = ""
    via: str = ""
    system: str = ""
    parameters: Parameters = Parameters()
    linked: bool = True
    aside: bool = False
    """Kept with the conversation, and not shown in it now."""
    leaf: str = ""


class StoredTurn(Struct, frozen=True, kw_only=True):
    """One message of the user's; `lanes` are the ids of the lanes that were asked."""

    id: str
    position: int
    text: str
    images: tuple[Image, ...] = ()
    created: datetime
    lanes: tuple[str, ...] = ()
    parents: dict[str, str] | None = None
    """Lane → the turn it was asked after, "" = the first; None = after the one before. Two turns with one parent are
    two versions of a question."""


class StoredAnswer(Struct, frozen=True, kw_only=True):
    """What one lane answered to one turn. `outcome` None = still streaming; `replaced` = a later one stands for it."""

    id: str
    turn_id: str
    lane_id: str
    text: str = ""
    reasoning: str = ""
    outcome: str | None = None
    finish_reason: str | None = None
    model: str = ""
    deployment: str = ""
    reasoning_s: float | None = None
    ttft_s: float | None = None
    tokens_per_s: float | None = None
    took_s: float | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    error_kind: str = ""
    error_title: str = ""
    error_text: str = ""
    attempts: tuple[Attempt, ...] = ()
    cache: CacheUse | None = None
    not_needed: tuple[str, ...] = ()
    created: datetime
    replaced: bool = False
    held: str | None = None
    """None = no JSON schema was asked for, "" = the answer follows it, else why it does not."""
    left_s: float | None = None
    """Asked together with others: how long after the first of them its request was sent."""


def ended(answer: StoredAnswer, finished: Finished, title: str, text: str) -> StoredAnswer:
    """The answer with how it ended; `title` and `text` are its failure in words, "" when there was none."""
    return replace(
        answer,
        text=finished.text,
        reasoning=finished.reasoning,
        outcome=finished.outcome,
        finish_reason=finished.finish_reason,
        model=finished.model,
        deployment=finished.deployment,
        reasoning_s=finished.reasoning_s,
        ttft_s=finished.ttft_s,
        tokens_per_s=finished.tokens_per_s,
        took_s=finished.took_s,
        usage=finished.usage,
        cost=finished.cost,
        error_kind=finished.error.kind if finished.error is not None else "",
        error_title=title,
        error_text=text,
        attempts=finished.attempts,
        cache=finished.cache,
        not_needed=finished.not_needed,
    )


class Conversation(Struct, frozen=True, kw_only=True):
    """All of one conversation, turns by position and answers by time."""

    id: str
    title: str
    created: datetime
    updated: datetime
    lanes: tuple[LaneSpec, ...]
    turns: tuple[StoredTurn, ...]
    answers: tuple[StoredAnswer, ...]
    pinned: bool = False
    tags: tuple[str, ...] = ()


class ConversationSummary(Struct, frozen=True, kw_only=True):
    """A line of the list. `models` are the lanes' models (a route by its name), none while they are blind."""

    id: str
    title: str
    updated: datetime
    models: tuple[str, ...]
    turns: int
    pinned: bool = False
    tags: tuple[str, ...] = ()
    hit: Hit | None = None
    """Where the words that were looked for stand."""


# Of an answer these have columns of their own; everything else is one JSON value, `rest`.
_COLUMNS = ("id", "turn_id", "lane_id", "created", "replaced", "outcome", "text")


# What is said blind is not found either: which answer can be found first would tell who was fast.
_AMONG_HITS = """AND id IN (SELECT value FROM json_each(?3))
                AND id NOT IN (SELECT conversation_id FROM contests)"""


class History:
    """The conversations of `database`. `KeyError` for one that is not there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._search = Search(database)
        self._streaming: set[str] = set()

    def list(self, limit: int = 200, search: str = "", tag: str = "") -> tuple[ConversationSummary, ...]:
        """Pinned ones first, then latest first. `search` as in `Search.find`; `tag` leaves those that carry it."""
        hits = self._search.find(search, limit) if search.strip() else None
        rows = self._database.execute(
            f"""SELECT id, title, updated,
                CASE WHEN id IN (SELECT conversation_id FROM contests) THEN '[]' ELSE lanes END, pinned, tags,
                (SELECT count(*) FROM turns WHERE conversation_id = c.id)
            FROM conversations c
            WHERE (?2 = '' OR EXISTS (SELECT 1 FROM json_each(c.tags) WHERE value = ?2))
                {"" if hits is None else _AMONG_HITS}
            ORDER BY pinned DESC, updated DESC, rowid DESC LIMIT ?1""",
            (limit, tag, packed(tuple(hits))) if hits is not None else (limit, tag),
        )
        return tuple(
            ConversationSummary(
                id=id,
                title=title,
                updated=_time(updated),
                models=_models(_lanes(lanes)),
                turns=turns,
                pinned=bool(pinned),
                tags=_tags(tags),
                hit=hits.get(id) if hits else None,
            )
            for id, title, updated, lanes, pinned, tags, turns in rows
        )

    def tags(self) -> tuple[str, ...]:
        """All tags there are, by name."""
        rows = self._database.execute(
            "SELECT DISTINCT value FROM conversations, json_each(conversations.tags) ORDER BY value"
        )
        return tuple(tag for (tag,) in rows)

    def create(self, lanes: Iterable[LaneSpec], title: str = "") -> str:
        """A new, empty conversation's id."""
        id, now = new_id(), _now()
        self._database.execute(
            "INSERT INTO conversations (id, title, created, updated, lanes) VALUES (?, ?, ?, ?, ?)",
            (id, title, now, now, packed(tuple(lanes))),
        )
        return id

    def load(self, id: str) -> Conversation:
        """All of it. An answer that was streaming when the program died is "cut"."""
        rows = self._database.execute(
            "SELECT title, created, updated, lanes, pinned, tags FROM conversations WHERE id = ?", (id,)
        )
        if not rows:
            raise KeyError(id)
        title, created, updated, lanes, pinned, tags = rows[0]
        return Conversation(
            id=id,
            title=title,
            created=_time(created),
            updated=_time(updated),
            lanes=_lanes(lanes),
            turns=self._turns(id),
            answers=self._answers(id),
            pinned=bool(pinned),
            tags=_tags(tags),
        )

    def set_title(self, id: str, title: str) -> None:
        self._database.execute("UPDATE conversations SET title = ? WHERE id = ?", (title, id))

    def set_pinned(self, id: str, pinned: bool) -> None:
        """A pinned conversation stands before the others."""
        self._database.execute("UPDATE conversations SET pinned = ? WHERE id = ?", (pinned, id))

    def set_tags(self, id: str, tags: Iterable[str]) -> None:
        """Each once, without blanks around it, in the order given."""
        kept = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
        self._database.execute("UPDATE conversations SET tags = ? WHERE id = ?", (packed(kept), id))

    def set_lanes(self, id: str, lanes: Iterable[LaneSpec]) -> None:
        self._database.execute("UPDATE conversations SET lanes = ? WHERE id = ?", (packed(tuple(lanes)), id))

    def add_turn(
        self,
        conversation_id: str,
        text: str,
        images: Sequence[Image],
        lanes: Iterable[str],
        parents: dict[str, str] | None = None,
        *,
        id: str = "",
    ) -> StoredTurn:
        """Adds what the user said, under `id` where one is given; the first turn names a conversation without title."""
        with self._database.transaction():
            [(position,)] = self._database.execute(
                "SELECT coalesce(max(position) + 1, 0) FROM turns WHERE conversation_id = ?",
                (conversation_id,),
            )
            turn = StoredTurn(
                id=id or new_id(),
                position=position,
                text=text,
                images=tuple(images),
                created=datetime.now(UTC),
                lanes=tuple(lanes),
                parents=parents,
            )
            self._insert_turn(conversation_id, turn)
        return turn

    def save_answer(self, conversation_id: str, answer: StoredAnswer) -> None:
        """Writes the answer, or writes it again: while it streams as often as wished."""
        if answer.outcome is None:
            self._streaming.add(answer.id)
        else:
            self._streaming.discard(answer.id)
        rest = {field: getattr(answer, field) for field in answer.__struct_fields__ if field not in _COLUMNS}
        with self._database.transaction():
            self._database.execute(
                """INSERT INTO answers
                    (id, conversation_id, turn_id, lane_id, created, replaced, outcome, text, rest)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET
                    replaced = excluded.replaced, outcome = excluded.outcome, text = excluded.text,
                    rest = excluded.rest""",
                (
                    answer.id,
                    conversation_id,
                    answer.turn_id,
                    answer.lane_id,
                    stamp(answer.created),
                    answer.replaced,
                    answer.outcome,
                    answer.text,
                    packed(rest),
                ),
            )
            self._touch(conversation_id)

    def remove_turn(self, conversation_id: str, turn_id: str) -> None:
        """A question with its images and answers; what followed it follows the one before."""
        [turn] = [one for one in self._turns(conversation_id) if one.id == turn_id]
        with self._database.transaction():
            for other in self._turns(conversation_id):
                if other.parents and turn_id in other.parents.values():
                    before = turn.parents or {}
                    moved = {
                        lane: before.get(lane, "") if parent == turn_id else parent
                        for lane, parent in other.parents.items()
                    }
                    self._database.execute(
                        "UPDATE turns SET parents = ? WHERE id = ?", (packed(moved), other.id)
                    )
            self._database.execute("DELETE FROM turns WHERE id = ?", (turn_id,))
        self._leave_no_trace()

    def put_turn_back(self, before: Conversation, turn_id: str) -> None:
        """A turn that was removed, with its answers, as it stood in `before`. What was asked since stays, after it."""
        turn = next(one for one in before.turns if one.id == turn_id)
        known = {one.id: one for one in before.turns}
        with self._database.transaction():
            there = self._database.execute("SELECT 1 FROM conversations WHERE id = ?", (before.id,))
            if not there or any(one.id == turn_id for one in self._turns(before.id)):
                return
            self._insert_turn(before.id, turn)
            for answer in before.answers:
                if answer.turn_id == turn_id:
                    self.save_answer(before.id, answer)
            for other in self._turns(before.id):
                moved = _after(turn, other, known.get(other.id))
                if moved != other.parents:
                    self._database.execute(
                        "UPDATE turns SET parents = ? WHERE id = ?", (packed(moved), other.id)
                    )

    def keep(self, conversation: Conversation) -> None:
        """Writes a whole conversation under its own ids; one that is there already is replaced."""
        with self._database.transaction():
            self._database.execute("DELETE FROM conversations WHERE id = ?", (conversation.id,))
            self._database.execute(
                """INSERT INTO conversations (id, title, created, updated, lanes, pinned, tags)
                VALUES (?, ?, ?, ?, ?, ?, ?)""",
                (
                    conversation.id,
                    conversation.title,
                    stamp(conversation.created),
                    stamp(conversation.updated),
                    packed(conversation.lanes),
                    conversation.pinned,
                    packed(conversation.tags),
                ),
            )
            for turn in conversation.turns:
                self._insert_turn(conversation.id, turn)
            for answer in conversation.answers:
                self.save_answer(conversation.id, answer)
            self._database.execute(
                "UPDATE conversations SET updated = ? WHERE id = ?",
                (stamp(conversation.updated), conversation.id),
            )

    def remove(self, id: str) -> None:
        """The conversation with all its turns, images and answers, out of every page of the file."""
        self._database.execute("DELETE FROM conversations WHERE id = ?", (id,))
        self._leave_no_trace()

    def _leave_no_trace(self) -> None:
        """An index of words keeps what was deleted until it is written anew."""
        for index in ("turn_words", "answer_words"):
            self._database.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")
        self._database.purge()

    def _insert_turn(self, conversation_id: str, turn: StoredTurn) -> None:
        self._database.execute(
            """INSERT INTO turns (id, conversation_id, position, text, created, lanes, parents)
            VALUES (?, ?, ?, ?, ?, ?, ?)""",
            (
                turn.id,
                conversation_id,
                turn.position,
                turn.text,
                stamp(turn.created),
                packed(turn.lanes),
                packed(turn.parents) if turn.parents is not None else "",
            ),
        )
        for position, image in enumerate(turn.images):
            self._database.execute(
                "INSERT INTO images (turn_id, position, media_type, data) VALUES (?, ?, ?, ?)",
                (turn.id, position, image.media_type, image.data),
            )
        self._database.execute(
            "UPDATE conversations SET title = ? WHERE id = ? AND title = ''",
            (title_of(turn.text), conversation_id),
        )
        self._touch(conversation_id)

    def _touch(self, id: str) -> None:
        self._database.execute("UPDATE conversations SET updated = ? WHERE id = ?", (_now(), id))

    def _turns(self, id: str) -> tuple[StoredTurn, ...]:
        images: dict[str, list[Image]] = {}
        for turn_id, media_type, data in self._database.execute(
            """SELECT turn_id, media_type, data FROM images JOIN turns ON turns.id = turn_id
            WHERE conversation_id = ? ORDER BY turn_id, images.position""",
            (id,),
        ):
            images.setdefault(turn_id, []).append(Image(media_type, data))
        rows = self._database.execute(
            """SELECT id, position, text, created, lanes, parents FROM turns
            WHERE conversation_id = ? ORDER BY position, created""",
            (id,),
        )
        return tuple(
            StoredTurn(
                id=turn_id,
                position=position,
                text=text,
                images=tuple(images.get(turn_id, ())),
                created=_time(created),
                lanes=msgspec.json.decode(lanes, type=tuple[str, ...]),
                parents=msgspec.json.decode(parents, type=dict[str, str]) if parents else None,
            )
            for turn_id, position, text, created, lanes, parents in rows
        )

    def _answers(self, id: str) -> tuple[StoredAnswer, ...]:
        rows = self._database.execute(
            f"SELECT {', '.join(_COLUMNS)}, rest FROM answers WHERE conversation_id = ? ORDER BY created, rowid",
            (id,),
        )
        return tuple(self._answer(dict(zip(_COLUMNS, row[:-1], strict=True)), row[-1]) for row in rows)

    def _answer(self, columns: dict[str, Any], rest: str) -> StoredAnswer:
        if columns["outcome"] is None and columns["id"] not in self._streaming:
            columns["outcome"] = "cut"
        columns["replaced"] = bool(columns["replaced"])
        return msgspec.convert(msgspec.json.decode(rest) | columns, StoredAnswer)


def new_id() -> str:
    """An id nobody else has, 32 hexadecimal characters."""
    return uuid.uuid4().hex


def title_of(text: str) -> str:
    """The first line that says something, shortened to `LONGEST_TITLE` characters at a space."""
    line = next((" ".join(line.split()) for line in text.split("\n") if line.strip()), "")
    if len(line) <= LONGEST_TITLE:
        return line
    cut = line[: LONGEST_TITLE - 1]
    return (cut.rpartition(" ")[0] or cut).rstrip() + "…"


def _lanes(text: str) -> tuple[LaneSpec, ...]:
    return msgspec.json.decode(text, type=tuple[LaneSpec, ...])


def _tags(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def _models(lanes: Iterable[LaneSpec]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lane.model or lane.route for lane in lanes))


def _now() -> str:
    return stamp(datetime.now(UTC))


def _time(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)


def _after(turn: StoredTurn, other: StoredTurn, before: StoredTurn | None) -> dict[str, str] | None:
    """Whom `other` follows once `turn` is back: it again where it did (`before`), or where it was asked since in the
    place of it."""
    if other.parents is None or other.id == turn.id:
        return other.parents
    asked_after = turn.parents or {}

    def follows(lane: str, parent: str) -> bool:
        if before is not None:
            return (before.parents or {}).get(lane) == turn.id
        return lane in turn.lanes and parent == asked_after.get(lane, "")

    return {lane: turn.id if follows(lane, parent) else parent for lane, parent in other.parents.items()}
