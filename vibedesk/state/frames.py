"""The one clock that draws: it lets the lanes speak one at a time, each thirty times a second at most."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from time import monotonic

from PySide6.QtCore import QObject, Qt, QTimer

from vibedesk.state.lane import Lane
from vibedesk.state.relay import relay

FRAME_S = 1 / 30
BUSY_FRAME_S = 1 / 45
"""From `BUSY` running lanes on each is drawn as it is read: a fast one every 36 ms (`engine.pace`). Between the two
only stands what came a little early."""
BUSY = 4
BUDGET_S = 0.001
"""How long one tick may draw before the loop gets its turn: a lane that is seen takes longer, and is drawn alone."""


class Frames(QObject):
    """Whoever was drawn the longest ago comes first. What is drawn in one tick is little, so nothing waits long."""

    def __init__(
        self,
        lanes: Callable[[], Sequence[Lane]],
        clock: Callable[[], float] = monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._lanes, self._clock = lanes, clock
        self._drawn: dict[int, float] = {}
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._due)

    @property
    def active(self) -> bool:
        return self._timer.isActive()

    def wake(self) -> None:
        """Something has arrived."""
        if not self._timer.isActive() or self._timer.interval():
            self._timer.start(0)

    def _due(self) -> None:
        relay().want(self.tick)

    def tick(self) -> None:
        """Draws one lane, and further ones while there is time. What waited meanwhile (keys, sockets, painting) comes
        before the next tick."""
        lanes = self._lanes()
        self._draw(lanes)
        waiting = [lane for lane in lanes if lane.waiting_to_be_drawn]
        if waiting:
            now, rest_s = self._clock(), _rest_s(lanes)
            soonest_s = min(self._rested_in(lane, now, rest_s) for lane in waiting)
            self._timer.start(math.ceil(max(0.0, soonest_s) * 1000))

    def _draw(self, lanes: Sequence[Lane]) -> None:
        began, rest_s = self._clock(), _rest_s(lanes)
        for lane in sorted(lanes, key=lambda lane: self._drawn.get(id(lane), 0.0)):
            if lane.waiting_to_be_drawn and self._rested_in(lane, began, rest_s) <= 0:
                self._drawn[id(lane)] = began
                lane.drain()
                if self._clock() - began > BUDGET_S:
                    return

    def _rested_in(self, lane: Lane, now: float, rest_s: float) -> float:
        """Seconds until the lane may be drawn again; one that is behind may at once."""
        if lane.behind:
            return 0.0
        return self._drawn.get(id(lane), 0.0) + rest_s - now


def _rest_s(lanes: Sequence[Lane]) -> float:
    """Between two frames of one lane."""
    return BUSY_FRAME_S if sum(lane.running for lane in lanes) >= BUSY else FRAME_S
