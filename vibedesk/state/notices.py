"""What is told to the user that belongs to no lane: short-lived, at most one action each."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Literal, NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

Role = Literal["info", "warn", "bad", "ok"]


class Notice(NamedTuple):
    """`seconds` 0 = stays until it is dismissed."""

    id: int
    text: str
    role: Role = "info"
    action_label: str = ""
    action: Callable[[], object] | None = None
    seconds: float = 8.0


class Notices(QObject):
    """`added(notice)` and `removed(id)`; the same words are not shown twice at a time."""

    added = Signal(object)
    removed = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._numbers = count(1)
        self._shown: dict[int, Notice] = {}

    def add(
        self,
        text: str,
        role: Role = "info",
        *,
        action_label: str = "",
        action: Callable[[], object] | None = None,
        seconds: float = 8.0,
    ) -> Notice:
        """Shows `text`; an equal notice that is still shown is replaced by the new one."""
        for old in [notice for notice in self._shown.values() if (notice.text, notice.role) == (text, role)]:
            self.dismiss(old.id)
        notice = Notice(
            id=next(self._numbers),
            text=text,
            role=role,
            action_label=action_label,
            action=action,
            seconds=seconds,
        )
        self._shown[notice.id] = notice
        if seconds > 0:
            QTimer.singleShot(round(seconds * 1000), self, lambda: self.dismiss(notice.id))
        self.added.emit(notice)
        return notice

    def current(self) -> tuple[Notice, ...]:
        """What is shown now, oldest first."""
        return tuple(self._shown.values())

    def act(self, number: int) -> None:
        """Does what the notice offers, once, and takes it away."""
        notice = self._shown.get(number)
        self.dismiss(number)
        if notice is not None and notice.action is not None:
            notice.action()

    def dismiss(self, number: int) -> None:
        """Takes it away; unknown numbers are fine."""
        if self._shown.pop(number, None) is not None:
            self.removed.emit(number)
