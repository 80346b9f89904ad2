"""The lanes side by side: as wide as the window allows, one alone, or all squeezed into it; scrolled sideways else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QFrame, QHBoxLayout, QScrollArea, QWidget

from vibedesk.ui.widgets import Hairline, bare

LEAST_WIDTH = 360
SQUEEZED_WIDTH = 120
"""Pixels under which no lane is shrunk: usually, and while all are fitted into the window."""


class Strip(QScrollArea):
    """`arranged` after what is shown, alone, or squeezed has changed."""

    arranged = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.columns: list[QWidget] = []
        self.alone: QWidget | None = None
        self.fitted = False
        self._inside = QWidget()
        self._inside.setProperty("surface", "surface")
        self._row = bare(QHBoxLayout(self._inside))
        self._lines: list[Hairline] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(self._inside)

    def put(self, columns: Sequence[QWidget]) -> None:
        """These columns in this order; those that stay keep everything they show."""
        for line in self._lines:
            line.deleteLater()
        while self._row.takeAt(0) is not None:
            pass
        self.columns, self._lines = list(columns), []
        for place, column in enumerate(columns):
            if place:
                self._lines.append(Hairline(Qt.Orientation.Vertical))
                self._row.addWidget(self._lines[-1])
            self._row.addWidget(column, 1)
        if self.alone not in self.columns:
            self.alone = None
        self._arrange()

    def show_alone(self, column: QWidget | None) -> None:
        """One column over the whole width; None = all again."""
        self.alone = column if column in self.columns and len(self.columns) > 1 else None
        self._arrange()

    def fit(self, fitted: bool) -> None:
        """All columns in the window, however narrow."""
        self.fitted = fitted
        self._arrange()

    def _arrange(self) -> None:
        least = SQUEEZED_WIDTH if self.fitted else LEAST_WIDTH
        for column in self.columns:
            column.setMinimumWidth(least)
            column.setVisible(self.alone in (None, column))
        for line in self._lines:
            line.setVisible(self.alone is None)
        shown = 1 if self.alone is not None else len(self.columns)
        self._inside.setMinimumWidth(shown * (least + 1) - 1)
        self.arranged.emit()


class Grip(QObject):
    """Drags columns by their heads: while the mouse passes a neighbour's middle, `move(from, to)` is called."""

    def __init__(self, strip: Strip, move: Callable[[int, int], object]) -> None:
        super().__init__(strip)
        self._strip, self._move = strip, move
        self._pressed: QPoint | None = None
        self._dragged: QWidget | None = None

    def hold(self, handle: QWidget, column: QWidget) -> None:
        """Where `handle` is dragged, `column` goes."""
        handle.setProperty("column", column)
        handle.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if not isinstance(event, QMouseEvent) or not isinstance(watched, QWidget):
            return False
        if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.globalPosition().toPoint()
        elif kind == QEvent.Type.MouseMove and self._pressed is not None:
            self._drag(watched, event.globalPosition().toPoint())
        elif kind == QEvent.Type.MouseButtonRelease:
            return self._drop(watched)
        return False

    def _drag(self, handle: QWidget, at: QPoint) -> None:
        assert self._pressed is not None
        column = handle.property("column")
        if self._dragged is None:
            far = abs(at.x() - self._pressed.x()) >= QApplication.startDragDistance()
            if not far or len(self._strip.columns) < 2 or self._strip.alone is not None:
                return
            self._dragged = column
            handle.setCursor(Qt.CursorShape.ClosedHandCursor)
        place = self._strip.columns.index(column) if column in self._strip.columns else -1
        to = self._place_at(at)
        if place >= 0 and to not in (-1, place) and self._passed(place, to, at):
            self._move(place, to)

    def _drop(self, handle: QWidget) -> bool:
        """Whether something was dragged: then the release is no click."""
        was, self._dragged, self._pressed = self._dragged is not None, None, None
        if was:
            handle.unsetCursor()
        return was

    def _place_at(self, at: QPoint) -> int:
        for place, column in enumerate(self._strip.columns):
            left = column.mapToGlobal(QPoint(0, 0)).x()
            if left <= at.x() <= left + column.width():
                return place
        return -1

    def _passed(self, place: int, to: int, at: QPoint) -> bool:
        """Beyond the middle of the other, so that the two do not change places to and fro."""
        column = self._strip.columns[to]
        where = QRect(column.mapToGlobal(QPoint(0, 0)), column.size())
        return at.x() > where.center().x() if to > place else at.x() < where.center().x()


class Together(QObject):
    """Scrolls all transcripts where one is scrolled, by the part of the way each has gone."""

    def __init__(self, strip: Strip) -> None:
        super().__init__(strip)
        self.on = False
        self._strip = strip
        self._following = False

    def watch(self, area: QAbstractScrollArea) -> None:
        bar = area.verticalScrollBar()
        bar.valueChanged.connect(lambda _: self._scrolled(area))

    def _scrolled(self, area: QAbstractScrollArea) -> None:
        if not self.on or self._following or not self._by_hand(area):
            return
        bar = area.verticalScrollBar()
        part = bar.value() / bar.maximum() if bar.maximum() else 0.0
        self._following = True
        for column in self._strip.columns:
            other = getattr(column, "transcript", None)
            if other is not None and other is not area:
                theirs = other.verticalScrollBar()
                theirs.setValue(round(part * theirs.maximum()))
        self._following = False

    def _by_hand(self, area: QAbstractScrollArea) -> bool:
        """Not because the text grew: somebody is at it with the mouse or the keyboard."""
        return area.underMouse() or area.hasFocus() or area.verticalScrollBar().isSliderDown()
