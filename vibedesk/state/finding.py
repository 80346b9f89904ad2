"""Where words stand in what the lanes of one conversation show: pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

MOST = 9_999
"""Places that are counted."""


class Found(Struct, frozen=True):
    """One place: the lane, which of the things said there, and which of the places in it; all from 0."""

    lane: int
    entry: int
    nth: int


def places_of(words: str, lanes: Sequence[Sequence[str]]) -> list[Found]:
    """Every place of `words` (as they stand, case aside), lane by lane; `lanes` are the texts of the things said."""
    looked_for = words.casefold()
    found: list[Found] = []
    if not looked_for.strip():
        return found
    for lane, texts in enumerate(lanes):
        for entry, text in enumerate(texts):
            count = text.casefold().count(looked_for)
            found += [Found(lane, entry, nth) for nth in range(count)]
            if len(found) >= MOST:
                return found[:MOST]
    return found
