"""Finding conversations by their words: whole words, and the beginnings of words, in questions and answers."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from vibedesk.store.database import Database

MARK, END_MARK = "\x02", "\x03"
"""What stands around a found word in an excerpt."""
EXCERPT_WORDS = 12
MOST_HITS = 4_000
"""The latest so many places are looked at: a common word stands everywhere."""

_WORD = re.compile(r"\w+")
# Scripts without spaces between words: a whole sentence is one word to the index.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


class Hit(Struct, frozen=True):
    """The latest place in a conversation; `turn_id` and `answer_id` are "" where it is the title."""

    conversation_id: str
    turn_id: str = ""
    answer_id: str = ""
    excerpt: str = ""
    """A piece of the text, the found words between `MARK` and `END_MARK`."""


class Search:
    """Looks in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, words: str, limit: int = 200) -> dict[str, Hit]:
        """The latest hit of each conversation that says all the words: conversation → hit, at most `limit`.

        Every word is the beginning of one; case and accents do not matter. Titles are searched for the text as it
        stands.
        """
        query = query_of(words)
        if not words.strip():
            return {}
        found: dict[str, Hit] = {}
        if query and not _UNSPACED.search(words):
            for hit in (*self._answers(query, limit), *self._turns(query, limit), *self._growing(words)):
                found.setdefault(hit.conversation_id, hit)
        else:
            found |= self._anywhere(words, limit)
        for hit in self._titles(words, limit):
            found.setdefault(hit.conversation_id, hit)
        return found

    def _answers(self, query: str, limit: int) -> list[Hit]:
        rows = self._database.execute(
            """SELECT a.conversation_id, a.turn_id, a.id, w.rowid
            FROM answer_words w JOIN answers a ON a.rowid = w.rowid
            WHERE answer_words MATCH ? ORDER BY w.rowid DESC LIMIT ?""",
            (query, MOST_HITS),
        )
        return self._excerpted("answer_words", query, _first_of_each(rows, limit))

    def _turns(self, query: str, limit: int) -> list[Hit]:
        rows = self._database.execute(
            """SELECT t.conversation_id, t.id, '', w.rowid FROM turn_words w JOIN turns t ON t.rowid = w.rowid
            WHERE turn_words MATCH ? ORDER BY w.rowid DESC LIMIT ?""",
            (query, MOST_HITS),
        )
        return self._excerpted("turn_words", query, _first_of_each(rows, limit))

    def _excerpted(self, index: str, query: str, rows: list[tuple[Any, ...]]) -> list[Hit]:
        """Only what will be shown is cut out: an excerpt costs a reading of the whole text."""
        hits = []
        for conversation_id, turn_id, answer_id, rowid in rows:
            [(excerpt,)] = self._database.execute(
                f"SELECT snippet({index}, 0, ?, ?, '…', ?) FROM {index} WHERE {index} MATCH ? AND rowid = ?",
                (MARK, END_MARK, EXCERPT_WORDS, query, rowid),
            )
            hits.append(Hit(conversation_id, turn_id, answer_id, " ".join(excerpt.split())))
        return hits

    def _growing(self, words: str) -> list[Hit]:
        """Answers that have not ended, or were left so by a program that died: not in the index yet."""
        rows = self._database.execute(
            """SELECT conversation_id, turn_id, id, text FROM answers
            WHERE outcome IS NULL AND text LIKE ? ESCAPE '\\'""",
            (_pattern(words),),
        )
        return [_hit(words, *row) for row in rows]

    def _anywhere(self, words: str, limit: int) -> dict[str, Hit]:
        """The slow way, for what no index of words knows."""
        pattern = _pattern(words)
        rows = self._database.execute(
            """SELECT conversation_id, id, '', text FROM turns WHERE text LIKE ?1 ESCAPE '\\'
            UNION ALL SELECT conversation_id, turn_id, id, text FROM answers WHERE text LIKE ?1 ESCAPE '\\'
            LIMIT ?2""",
            (pattern, limit),
        )
        return {row[0]: _hit(words, *row) for row in rows}

    def _titles(self, words: str, limit: int) -> list[Hit]:
        rows = self._database.execute(
            "SELECT id FROM conversations WHERE title LIKE ? ESCAPE '\\' ORDER BY updated DESC LIMIT ?",
            (_pattern(words), limit),
        )
        return [Hit(id) for (id,) in rows]


def query_of(words: str) -> str:
    """What the index is asked: all the words, each as the beginning of one; "" when there is none.

    Nothing a person types is syntax: every word is quoted.
    """
    return " ".join(f'"{word}"*' for word in _WORD.findall(words.replace("_", " ")))


def _first_of_each(rows: list[tuple[Any, ...]], limit: int) -> list[tuple[Any, ...]]:
    first: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        first.setdefault(row[0], row)
    return list(first.values())[:limit]


def _pattern(text: str) -> str:
    text = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{text}%"


def _hit(words: str, conversation_id: str, turn_id: str, answer_id: str, text: str) -> Hit:
    return Hit(conversation_id, turn_id, answer_id, _around(text, words.strip()))


def _around(text: str, words: str, width: int = 40) -> str:
    at = text.casefold().find(words.casefold())
    if at < 0:
        return ""
    start, end = max(0, at - width), at + len(words)
    piece = f"{'…' if start else ''}{text[start:at]}{MARK}{text[at:end]}{END_MARK}{text[end : end + width]}"
    return " ".join(piece.split())
