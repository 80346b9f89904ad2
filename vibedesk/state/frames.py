"""The one clock that draws: it lets the lanes speak one at a time, each thirty times a second at most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

from PySide6.QtCore import QObject, Qt, QTimer

from vibedesk.state.lane import Lane
from vibedesk.state.relay import relay

TICK_MS = 2
"""From the end of one tick to the next."""
FRAME_S = 1 / 30
BUSY_FRAME_S = 1 / 22
"""From `BUSY` running lanes on: the eye sees no difference, and a third of the drawing is saved."""
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
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._due)

    @property
    def active(self) -> bool:
        return self._timer.isActive()

    def wake(self) -> None:
        """Something has arrived."""
        if not self._timer.isActive():
            self._timer.start()

    def _due(self) -> None:
        relay().want(self.tick)

    def tick(self) -> None:
        """Draws one lane, and further ones while there is time. The next tick is counted from this one's end: what
        waited meanwhile (keys, sockets, painting) comes first."""
        lanes = self._lanes()
        self._draw(lanes)
        if any(lane.waiting_to_be_drawn for lane in lanes):
            self._timer.start()

    def _draw(self, lanes: Sequence[Lane]) -> None:
        began, drawn = self._clock(), self._drawn
        busy = sum(lane.running for lane in lanes) >= BUSY
        rest_s = BUSY_FRAME_S if busy else FRAME_S
        for lane in sorted(lanes, key=lambda lane: drawn.get(id(lane), 0.0)):
            rested = began - drawn.get(id(lane), 0.0) >= rest_s
            if lane.behind or (rested and lane.waiting_to_be_drawn):
                drawn[id(lane)] = began
                lane.drain()
                if self._clock() - began > BUDGET_S:
                    return
