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

BEAT_S = 0.009
"""Streams that are not so fast wake on the same beat, all in one turn of the loop."""
BEATS = 3
"""Beats between two reads of a stream that is not so fast."""
FAST_BEATS, CROWD_BEATS, CROWD = 2, 4, 4
"""Beats between two reads of a fast one, and of each where so many of them are read: as long as a frame of each then
lasts, so that what is read is drawn at once and a frame is read for once."""
SHARE = 0.03
"""A rest is at most this part of the time since the first words: so far off can a speed be."""
WORTH_IT = 16_000
"""Bytes a second from which resting pays: some 60 events."""
FAST = 128_000
"""Bytes a second from which fewer beats are long enough: some 500 events."""
FULL = 60 * 1024
"""A read of that size had more behind it: resting would only hold the rest up."""
PHASES = 8
"""Fast streams wake one after the other."""
_turns = itertools.count()


class Pace:
    """One stream. Times in seconds on the loop's clock. `close` it when it has ended."""

    fast = 0
    """How many fast streams there are now."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began: float | None = None
        self._bytes = 0
        self._phase = next(_turns) % PHASES / PHASES
        self._is_fast = False

    def rest_s(self, size: int) -> float:
        """How long to wait after a read of `size` bytes with words in it; 0 = not at all."""
        now = self._clock()
        if self._began is None:
            self._began = now
            return 0.0
        self._bytes += size
        elapsed = now - self._began
        beats = int(elapsed * SHARE / BEAT_S)
        if not beats or size >= FULL or self._bytes < WORTH_IT * elapsed:
            return 0.0
        if self._bytes < FAST * elapsed:
            return (math.floor(now / BEAT_S) + min(BEATS, beats)) * BEAT_S - now
        self._count()
        # Each read brings much: several streams' at once would hold the window up.
        most = CROWD_BEATS if Pace.fast >= CROWD else FAST_BEATS
        rest_s = min(most, beats) * BEAT_S
        late = self._phase * rest_s
        return (math.floor((now - late) / rest_s) + 1) * rest_s + late - now

    def _count(self) -> None:
        if not self._is_fast:
            self._is_fast = True
            Pace.fast += 1

    def close(self) -> None:
        """It is not among the fast ones any more."""
        if self._is_fast:
            self._is_fast = False
            Pace.fast -= 1

    async def rest(self, size: int) -> None:
        """Waits so long."""
        seconds = self.rest_s(size)
        if seconds > 0:
            await asyncio.sleep(seconds)
