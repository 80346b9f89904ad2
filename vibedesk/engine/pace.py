"""How long to leave a fast stream alone between two reads, so that one read brings several events.

A read costs as much as ten events do: waking the loop, the socket, httpx's layers. What is shown is drawn at most 30
times a second, so nobody sees the difference. The first token is never delayed, nor is a stream at reading speed; and a
rest is short against the time the answer has been coming, so that its measured speed stays true.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable

BEAT_S = 0.012
"""Streams that are not so fast wake on the same beat, all in one turn of the loop."""
BEATS = 3
"""Beats between two reads of a stream that is not so fast."""
SHARE = 0.03
"""A rest is at most this part of the time since the first words: so far off can a speed be."""
WORTH_IT = 16_000
"""Bytes a second from which resting pays: some 60 events."""
FAST = 128_000
"""Bytes a second from which two beats are long enough: some 500 events."""
FULL = 32 * 1024
"""A read of that size had more behind it: resting would only hold the rest up."""


PHASES = 8
"""Fast streams wake one after the other within a beat."""
_turns = itertools.count()


class Pace:
    """One stream. Times in seconds on the loop's clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began: float | None = None
        self._bytes = 0
        self._phase = next(_turns) % PHASES * BEAT_S / PHASES

    def rest_s(self, size: int) -> float:
        """How long to wait after a read of `size` bytes with words in it; 0 = not at all."""
        now = self._clock()
        if self._began is None:
            self._began = now
            return 0.0
        self._bytes += size
        elapsed = now - self._began
        beats = min(BEATS, int(elapsed * SHARE / BEAT_S))
        if not beats or size >= FULL or self._bytes < WORTH_IT * elapsed:
            return 0.0
        if self._bytes < FAST * elapsed:
            return (math.floor(now / BEAT_S) + beats) * BEAT_S - now
        # Each read brings much: several streams' at once would hold the window up.
        beats = min(beats, 2)
        return (math.floor((now - self._phase) / BEAT_S) + beats) * BEAT_S + self._phase - now

    async def rest(self, size: int) -> None:
        """Waits so long."""
        seconds = self.rest_s(size)
        if seconds > 0:
            await asyncio.sleep(seconds)
