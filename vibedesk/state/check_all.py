"""Checking many keys in one go: some at a time, with how far it has come, and an end that can be had at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from vibedesk.state.check import Checks

AT_ONCE = 6


class CheckAll(QObject):
    """`changed` at every step; `ended(checked, ready)` when all were checked, not when it was stopped."""

    changed = Signal()
    ended = Signal(int, int)

    def __init__(self, checks: Checks, check: Callable[[str], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._checks, self._check = checks, check
        self._queue: list[str] = []
        self._going: set[str] = set()
        self._done: list[str] = []
        checks.finished.connect(self._finished)
        checks.changed.connect(self._dropped)

    @property
    def running(self) -> bool:
        return bool(self._queue or self._going)

    @property
    def progress(self) -> tuple[int, int]:
        """How many are checked, of how many."""
        return len(self._done), len(self._done) + len(self._going) + len(self._queue)

    def start(self, key_ids: Sequence[str]) -> None:
        """Checks these. While a round is under way nothing happens."""
        if not self.running:
            self._queue, self._done = list(key_ids), []
            self._go_on()

    def stop(self) -> None:
        """Ends what is under way; what was checked stays known."""
        going, self._going, self._queue = self._going, set(), []
        for key_id in going:
            self._checks.stop(key_id)
        self.changed.emit()

    def _go_on(self) -> None:
        while self._queue and len(self._going) < AT_ONCE:
            key_id = self._queue.pop(0)
            self._check(key_id)
            if self._checks.is_running(key_id):  # else the key is gone
                self._going.add(key_id)
        self.changed.emit()

    def _finished(self, key_id: str) -> None:
        if key_id not in self._going:
            return
        self._going.discard(key_id)
        self._done.append(key_id)
        self._go_on()
        if not self.running:
            runs = [self._checks.run_of(one) for one in self._done]
            self.ended.emit(len(runs), sum(1 for run in runs if run is not None and run.verdict == "ready"))

    def _dropped(self, key_id: str) -> None:
        """One of the round was stopped by itself."""
        if key_id in self._going and not self._checks.is_running(key_id) and not self._checks.run_of(key_id):
            self._going.discard(key_id)
            self._go_on()
