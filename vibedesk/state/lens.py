"""Answers laid side by side: the words two of them differ in, and what only some of many say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal

from msgspec import Struct

Kind = Literal["same", "removed", "added"]
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_ENDS = re.compile(r"(?<=[.!?。！？])\s+")
_FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_MARKUP = re.compile(r"^(?:[#>\s]+|[-*+]\s+|\d+[.)]\s+)+")
ALIKE = 0.5
"""Two sentences say the same when they share this part of their words."""
LONG = 8_000
"""Characters of both texts together from which on comparing them is work for a thread."""
_FEWEST_WORDS = 3


class Piece(Struct, frozen=True):
    kind: Kind
    text: str


class Difference(Struct, frozen=True, kw_only=True):
    """`left` holds the pieces of the first text, `right` those of the second; joined they are the texts."""

    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
    same: float
    """Part of the words that both have, 0–1."""


class Point(Struct, frozen=True, kw_only=True):
    """A sentence, as the first who says it words it; `says` and `silent` are the places of the answers."""

    text: str
    says: tuple[int, ...]
    silent: tuple[int, ...]


def word_diff(one: str, other: str) -> Difference:
    """Word by word; blanks belong to the words around them. Thousands of words take seconds: not for the loop."""
    left, right = _WORDS.findall(one), _WORDS.findall(other)
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    lefts: list[Piece] = []
    rights: list[Piece] = []
    shared = 0
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            shared += sum(not word.isspace() for word in left[i:j])
            _put(lefts, "same", left[i:j])
            _put(rights, "same", right[k:m])
        else:
            _put(lefts, "removed", left[i:j])
            _put(rights, "added", right[k:m])
    words = sum(not word.isspace() for word in (*left, *right))
    return Difference(left=tuple(lefts), right=tuple(rights), same=2 * shared / words if words else 1.0)


def disagreements(answers: Sequence[str]) -> tuple[Point, ...]:
    """What not all say, the loneliest first, then in the order it is said. Code counts as one sentence."""
    said = [[(sentence, _bag(sentence)) for sentence in sentences(answer)] for answer in answers]
    taken: list[tuple[str, frozenset[str], set[int]]] = []
    for place, spoken in enumerate(said):
        for sentence, bag in spoken:
            if len(bag) < _FEWEST_WORDS or any(_alike(bag, known) for _, known, _ in taken):
                continue
            says = {other for other, theirs in enumerate(said) if any(_alike(bag, one) for _, one in theirs)}
            taken.append((sentence, bag, says | {place}))
    everyone = set(range(len(answers)))
    points = [
        Point(text=text, says=tuple(sorted(says)), silent=tuple(sorted(everyone - says)))
        for text, _, says in taken
        if says != everyone
    ]
    return tuple(sorted(points, key=lambda point: len(point.says)))


def sentences(text: str) -> list[str]:
    """The sentences of an answer without their list marks and headings; a block of code is one."""
    found: list[str] = []
    at = 0
    for fence in _FENCE.finditer(text):
        found += _plain(text[at : fence.start()])
        found.append(fence.group(0).strip())
        at = fence.end()
    return found + _plain(text[at:])


def _plain(text: str) -> list[str]:
    lines = (_MARKUP.sub("", line).strip() for line in text.splitlines())
    return [part for line in lines for part in _ENDS.split(line) if part]


def _bag(sentence: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in re.findall(r"\w+", sentence))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Numbers are never alike: "in 1998" and "in 1989" are what one looks for."""
    if {word for word in one if word.isdigit()} != {word for word in other if word.isdigit()}:
        return False
    return len(one & other) >= ALIKE * len(one | other)


def _put(pieces: list[Piece], kind: Kind, words: Sequence[str]) -> None:
    if words:
        pieces.append(Piece(kind, "".join(words)))
