"""Finding conversations by their words: whole words, and the beginnings of words, in questions and answers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from msgspec import Struct

from vibedesk.store.database import Database

MARK, END_MARK = "\x02", "\x03"
"""What stands around a found word in an excerpt."""
BEFORE, AFTER = 40, 80
"""Characters of an excerpt on either side of the first word found."""
PAGE = 4_000
PAGES = 8
"""So many of the latest places are looked at, a page at a time: a common word stands everywhere."""

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


class _Place(Struct, frozen=True):
    conversation_id: str
    turn_id: str = ""
    answer_id: str = ""


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
        found: dict[str, _Place] = {}
        if query and not _UNSPACED.search(words):
            places = (*self._answers(query, limit), *self._turns(query, limit), *self._growing(words))
        else:
            places = (*self._anywhere(words, limit),)
        for place in (*places, *self._titles(words, limit)):
            found.setdefault(place.conversation_id, place)
        looked_for = _WORD.findall(words) or [words.strip()]
        # Only now, and not by the index: it would read the whole list of a common word for every excerpt.
        return {id: _hit(place, self._text(place), looked_for) for id, place in found.items()}

    def _answers(self, query: str, limit: int) -> list[_Place]:
        return self._latest(
            """SELECT w.rowid, a.conversation_id, a.turn_id, a.id
            FROM answer_words w JOIN answers a ON a.rowid = w.rowid
            WHERE answer_words MATCH ? AND w.rowid < ? ORDER BY w.rowid DESC LIMIT ?""",
            query,
            limit,
        )

    def _turns(self, query: str, limit: int) -> list[_Place]:
        return self._latest(
            """SELECT w.rowid, t.conversation_id, t.id, '' FROM turn_words w JOIN turns t ON t.rowid = w.rowid
            WHERE turn_words MATCH ? AND w.rowid < ? ORDER BY w.rowid DESC LIMIT ?""",
            query,
            limit,
        )

    def _latest(self, sql: str, query: str, limit: int) -> list[_Place]:
        """The latest place of each conversation."""
        found: dict[str, _Place] = {}
        before = 1 << 62
        for _ in range(PAGES):
            rows = self._database.execute(sql, (query, before, PAGE))
            for _, *place in rows:
                found.setdefault(place[0], _Place(*place))
            if len(rows) < PAGE or len(found) >= limit:
                break
            before = rows[-1][0]
        return list(found.values())[:limit]

    def _text(self, place: _Place) -> str:
        table, id = ("answers", place.answer_id) if place.answer_id else ("turns", place.turn_id)
        rows = self._database.execute(f"SELECT text FROM {table} WHERE id = ?", (id,))
        return str(rows[0][0]) if rows else ""

    def _growing(self, words: str) -> list[_Place]:
        """Answers that have not ended, or were left so by a program that died: not in the index yet."""
        rows = self._database.execute(
            """SELECT conversation_id, turn_id, id FROM answers
            WHERE outcome IS NULL AND text LIKE ? ESCAPE '\\'""",
            (_pattern(words),),
        )
        return [_Place(*row) for row in rows]

    def _anywhere(self, words: str, limit: int) -> list[_Place]:
        """The slow way, for what no index of words knows."""
        rows = self._database.execute(
            """SELECT conversation_id, id, '' FROM turns WHERE text LIKE ?1 ESCAPE '\\'
            UNION ALL SELECT conversation_id, turn_id, id FROM answers WHERE text LIKE ?1 ESCAPE '\\'
            LIMIT ?2""",
            (_pattern(words), limit),
        )
        return [_Place(*row) for row in rows]

    def _titles(self, words: str, limit: int) -> list[_Place]:
        rows = self._database.execute(
            "SELECT id FROM conversations WHERE title LIKE ? ESCAPE '\\' ORDER BY updated DESC LIMIT ?",
            (_pattern(words), limit),
        )
        return [_Place(id) for (id,) in rows]


def query_of(words: str) -> str:
    """What the index is asked: all the words, each as the beginning of one; "" when there is none.

    Nothing a person types is syntax: every word is quoted.
    """
    return " ".join(f'"{word}"*' for word in _WORD.findall(words.replace("_", " ")))


def _pattern(text: str) -> str:
    text = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{text}%"


def _hit(place: _Place, text: str, words: Sequence[str]) -> Hit:
    return Hit(place.conversation_id, place.turn_id, place.answer_id, excerpt_of(text, words))


def excerpt_of(text: str, words: Sequence[str]) -> str:
    """One line around the first of `words`, all that stand in it marked as far as typed; "" where none stands."""
    pattern = re.compile("|".join(re.escape(_bare(word)) for word in words), re.IGNORECASE)
    bare = text if text.isascii() else _bare(text)
    spans = [match.span() for match in pattern.finditer(bare)]
    # Where a word begins so; failing that, where it stands at all.
    spans = [(at, end) for at, end in spans if not at or not bare[at - 1].isalnum()] or spans
    if not spans:
        return ""
    start, end = max(0, spans[0][0] - BEFORE), min(len(text), spans[0][0] + AFTER)
    pieces, at = ["…" if start else ""], start
    for first, last in spans:
        if last <= end:
            pieces += [text[at:first].translate(_NO_MARKS), MARK, text[first:last], END_MARK]
            at = last
    pieces += [text[at:end].translate(_NO_MARKS), "…" if end < len(text) else ""]
    return " ".join("".join(pieces).split())


def _bare(text: str) -> str:
    """Every letter without its accents, as many characters as before."""
    return "".join(unicodedata.normalize("NFD", letter)[0] for letter in text)


_NO_MARKS = {ord(MARK): None, ord(END_MARK): None}
