"""The scroll bar of what is streamed: painted only when its handle has moved, and without what stands behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractSlider, QScrollBar, QStyle, QStyleOptionSlider, QWidget

from vibedesk.ui.theme import Theme

MARGIN, RADIUS = 2.0, 3.0
"""Pixels around the handle, as in `style.qss`."""


class ScrollBar(QScrollBar):
    """A vertical one on the ground `surface`, as the style sheet draws it.

    A bar that is not opaque has everything under it painted once more, up to the window, and a style sheet takes some
    0.2 ms for that: too much for eight of them in every frame.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._theme = theme
        self._painted: tuple[int, int] | None = None
        self._held = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        theme.changed.connect(self.update)

    def _place(self) -> tuple[int, int]:
        """Where the handle stands and how long it is, about, in pixels of the screen."""
        whole = max(
            1, self.maximum() - self.minimum() + self.pageStep()
        )  # a view without a height has no page
        scale = self.height() * self.devicePixelRatioF() / whole
        return round((self.value() - self.minimum()) * scale), round(self.pageStep() * scale)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While its range and its value change: only where the handle stands in the end counts."""
        was, self._held = self._held, True
        try:
            yield
        finally:
            self._held = was
            self.sliderChange(QAbstractSlider.SliderChange.SliderValueChange)

    def sliderChange(self, change: QAbstractSlider.SliderChange) -> None:
        """The value, the range or the steps are others."""
        if not self._held and self._place() != self._painted:
            super().sliderChange(change)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._painted = self._place()
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        slider = QStyle.SubControl.SC_ScrollBarSlider
        handle = self.style().subControlRect(QStyle.ComplexControl.CC_ScrollBar, option, slider, self)
        painter = QPainter(self)
        painter.fillRect(event.rect(), self._theme.colour("surface"))
        if self.maximum() > self.minimum():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(
                self._theme.colour("faint" if option.activeSubControls & slider else "line-strong")
            )
            painter.drawRoundedRect(QRectF(handle).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN), RADIUS, RADIUS)
        painter.end()
