"""What comes in for one answer: all that was said so far, and what of it waits to be drawn or to be written down."""

from __future__ import annotations

from time import monotonic

from vibedesk.engine.pricing import estimate_tokens
from vibedesk.engine.record import Words

LONGEST_PIECE = 1_536
"""Characters drawn at a time at most: three to four milliseconds. A lane that is behind is let speak again at once."""
FAR_BEHIND = 16_384
"""Characters waiting from which on they are given at once: the screen then leaves out what nobody would see."""
VERY_LONG = 65_536
"""Characters up to which an answer is written down whole each time something came: at most a second of it is lost."""
MOST_PASSED = 5
"""So often a very long answer is not written down again while it has not grown by a twentieth."""


class Channel:
    """Text of one kind, the words or the reasoning. Lengths are in characters."""

    __slots__ = ("_said", "_undrawn", "size", "waiting")

    def __init__(self) -> None:
        self._said = Words()
        self._undrawn: list[str] = []
        self.size = self.waiting = 0

    def __str__(self) -> str:
        return str(self._said)

    def hear(self, text: str) -> None:
        self._said.add((text,))
        self._undrawn.append(text)
        self.size += len(text)
        self.waiting += len(text)

    def take(self, *, whole: bool) -> str:
        """The next piece to be drawn, or all that waits."""
        text = "".join(self._undrawn)
        if whole or len(text) <= LONGEST_PIECE or len(text) > FAR_BEHIND:
            self._undrawn.clear()
        else:
            self._undrawn[:] = [text[LONGEST_PIECE:]]
            text = text[:LONGEST_PIECE]
        self.waiting -= len(text)
        return text

    def keep(self, size: int) -> None:
        """Only the first `size` characters were meant. All of it must have been drawn."""
        kept = str(self._said)[:size]
        self._said = Words()
        self._said.add((kept,))
        self.size = len(kept)


class Incoming:
    """Both channels of one answer. `said` was said before it was asked for: drawn, but neither timed nor counted."""

    def __init__(self, said: str = "") -> None:
        self.words, self.reasoning = Channel(), Channel()
        self.first_at: float | None = None
        """When the first of it came, on the monotonic clock."""
        self.tokens = 0.0
        """About how many have come."""
        self.behind = False
        """Whether the last piece drawn was not all there was."""
        self._saved = self._passed = 0
        if said:
            self.words.hear(said)

    @property
    def waiting(self) -> bool:
        """Whether something is to be drawn."""
        return bool(self.words.waiting or self.reasoning.waiting)

    def hear(self, channel: Channel, text: str) -> None:
        if self.first_at is None:
            self.first_at = monotonic()
        self.tokens += len(text) / 4 if text.isascii() else estimate_tokens(text)
        channel.hear(text)

    def take_back(self, discard_from: int) -> None:
        """The words from this character on were not meant, nor the reasoning where none are left."""
        self.words.keep(discard_from)
        if not discard_from:
            self.reasoning = Channel()
        self._saved = 0

    def worth_saving(self) -> bool:
        """Whether enough has come since it said so the last time that all of it should be written down again."""
        size = self.words.size + self.reasoning.size
        if size > VERY_LONG and size <= self._saved * 1.05 and self._passed < MOST_PASSED:
            self._passed += 1
            return False
        grown = size != self._saved
        if grown:
            self._saved, self._passed = size, 0
        return grown
