"""Joins UTF-16 surrogate pairs that were split over two deltas; a lone half becomes U+FFFD."""

from __future__ import annotations

import re

_HALF = re.compile("[\ud800-\udfff]")


class SurrogateJoiner:
    """One per channel of text. What it gives can always be encoded, stored and drawn."""

    __slots__ = ("_high",)

    def __init__(self) -> None:
        self._high = ""

    @property
    def waiting(self) -> bool:
        """A half is kept for its other one."""
        return bool(self._high)

    def feed(self, text: str) -> str:
        """The text with whole characters only; a high half at its end waits for the next call."""
        if not self._high and (text.isascii() or not _HALF.search(text)):
            return text
        text = self._high + text
        self._high = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._high = text[-1]
            text = text[:-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def flush(self) -> str:
        """At the end: a half that never met its other."""
        left, self._high = self._high, ""
        return "\ufffd" if left else ""


def whole(text: str) -> str:
    """A text that came in one piece, lone halves replaced."""
    joiner = SurrogateJoiner()
    return joiner.feed(text) + joiner.flush()
