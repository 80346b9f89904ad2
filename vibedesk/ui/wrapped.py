"""A row that goes on in the next line where it does not fit."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

Line = list[QWidget]


class Wrapped(QWidget):
    """Widgets side by side, as wide as they wish; those after the `space` stand at the end of their lines.

    No `QLayout`: PySide may lose the items of one that is written in Python.
    """

    def __init__(self, spacing: int = 8) -> None:
        super().__init__()
        self._spacing = spacing
        self._all: Line = []
        self._space: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    def put(self, *widgets: QWidget, space: int | None = None) -> None:
        """Shows these, in this order; the first `space` of them at the left."""
        for widget in widgets:
            if widget.parent() is not self:
                hidden = widget.isHidden() and widget.testAttribute(
                    Qt.WidgetAttribute.WA_WState_ExplicitShowHide
                )
                widget.setParent(self)
                widget.setVisible(not hidden)
        self._all, self._space = list(widgets), space
        self._arrange()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        lines = list(self._lines(width))
        return sum(_height(line) for line in lines) + self._spacing * max(0, len(lines) - 1)

    def sizeHint(self) -> QSize:
        """All in one line."""
        return QSize(self._width(self._shown()), _height(self._shown()))

    def minimumSizeHint(self) -> QSize:
        """As narrow as its widest widget may be."""
        narrowest = max((one.minimumSizeHint().width() for one in self._shown()), default=0)
        return QSize(narrowest, _height(self._shown()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    def _arrange(self) -> None:
        self.updateGeometry()
        self._place()

    def _shown(self) -> Line:
        return [one for one in self._all if not one.isHidden()]

    def _width(self, line: Line) -> int:
        return sum(_wish(one).width() for one in line) + self._spacing * max(0, len(line) - 1)

    def _lines(self, width: int) -> Iterator[Line]:
        line: Line = []
        for one in self._shown():
            if line and self._width([*line, one]) > width:
                yield line
                line = []
            line.append(one)
        if line:
            yield line

    def _place(self) -> None:
        top = 0
        for line in self._lines(self.width()):
            self._place_line(line, top)
            top += _height(line) + self._spacing

    def _place_line(self, line: Line, top: int) -> None:
        left, rest = 0, max(0, self.width() - self._width(line))
        after = [] if self._space is None else self._all[self._space :]
        for one in line:
            if one in after:
                left, rest = left + rest, 0
            wish = _wish(one)
            above = (_height(line) - wish.height()) // 2
            one.setGeometry(QRect(left, top + above, min(wish.width(), self.width()), wish.height()))
            left += wish.width() + self._spacing


def _wish(widget: QWidget) -> QSize:
    widget.ensurePolished()  # the stylesheet says how large it is
    wish = widget.sizeHint().expandedTo(widget.minimumSize())
    return wish.boundedTo(widget.maximumSize())


def _height(line: Line) -> int:
    return max((_wish(one).height() for one in line), default=0)
