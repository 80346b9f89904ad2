"""Where words stand in what the lanes of one conversation show: pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

MOST = 9_999
"""Places that are counted."""


class Found(Struct, frozen=True, gc=False):
    """One place: the lane, which of the things said there, and which of the places in it; all from 0."""

    lane: int
    entry: int
    nth: int


class Finder:
    """Finds words again and again in what changes seldom: every text is made ready once."""

    def __init__(self) -> None:
        self._lanes: Sequence[Sequence[str]] = ()
        self._ready: list[list[str]] = []
        self._last: tuple[str, list[Found]] | None = None

    def places_of(self, words: str, lanes: Sequence[Sequence[str]]) -> list[Found]:
        """Every place of `words`, case aside, lane by lane; `lanes` are the texts of the things said."""
        looked_for = words.casefold()
        if lanes != self._lanes:
            self._lanes, self._last = lanes, None
            self._ready = [[text.casefold() for text in texts] for texts in lanes]
        if self._last is None or self._last[0] != looked_for:
            self._last = looked_for, _places(looked_for, self._ready) if looked_for.strip() else []
        return self._last[1]


def _places(looked_for: str, lanes: list[list[str]]) -> list[Found]:
    found: list[Found] = []
    for lane, texts in enumerate(lanes):
        for entry, text in enumerate(texts):
            if looked_for not in text:
                continue
            found += [Found(lane, entry, nth) for nth in range(text.count(looked_for))]
            if len(found) >= MOST:
                return found[:MOST]
    return found
