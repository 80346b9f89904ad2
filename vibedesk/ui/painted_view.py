"""What a transcript looks like: its margins, what is painted, and what lies under the pointer."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QMimeData, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QGuiApplication,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QTextBlock,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
)
from PySide6.QtWidgets import QWidget

from vibedesk.ui.backdrop import Backdrop, Hot, Sight
from vibedesk.ui.closed_view import ClosedView
from vibedesk.ui.formulas import read
from vibedesk.ui.ink import CODE_HEADER, ENTRY, GROUP, KIND, Ink
from vibedesk.ui.scroll_bar import ScrollBar
from vibedesk.ui.stretch import Stretch
from vibedesk.ui.theme import Theme

SIDE = 18
TOP = 20
"""The first bubble reaches six pixels above its words."""
BOTTOM = 24
WIDEST = 760
"""Pixels a line of words is wide at most: beyond it eyes lose the next line."""
OVERHANG = CODE_HEADER + 16
"""Pixels something may reach above the words it is painted behind."""


class PaintedView(ClosedView):
    """Shows a script. `text` and what may be copied of it are what can be read."""

    entry_hovered = Signal(int, QRectF)
    """Which of the things said is under the pointer, from 0, and where it stands in the viewport; -1 = none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bar = ScrollBar(theme)
        self.setVerticalScrollBar(self._bar)
        self.viewport().setMouseTracking(True)
        # else every frame draws the whole way up to the window once more, behind what covers it
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._page = QTextDocument(self)  # the wrapper of the view's own one is dropped under our feet
        self.setDocument(self._page)
        self.script = Stretch(self._page, Ink(theme))
        self._backdrop = Backdrop(self.script.ink)
        self._caret_top = 0.0
        """Where the caret was painted last, in pixels of the document."""

    def text(self) -> str:
        """What can be read, as plain text."""
        return self.script.text().strip("\n")

    # Margins

    def column(self) -> int:
        """Pixels between the left and the right edge of the words."""
        return max(80, self.viewport().width() - self._side() - self._right_side())

    def _side(self) -> int:
        return max(SIDE, (self.viewport().width() - WIDEST) // 2)

    def _right_side(self) -> int:
        # the scroll bar stands right of the viewport: words keep the same distance to both edges of the lane
        return max(SIDE - 10, self._side() - 10)

    def _set_margins(self) -> None:
        frame = self.document().rootFrame()
        shape: QTextFrameFormat = frame.frameFormat()
        wanted = (TOP, self._right_side(), BOTTOM, self._side())
        if (shape.topMargin(), shape.rightMargin(), shape.bottomMargin(), shape.leftMargin()) != wanted:
            shape.setTopMargin(TOP)
            shape.setRightMargin(self._right_side())
            shape.setBottomMargin(BOTTOM)
            shape.setLeftMargin(self._side())
            frame.setFrameFormat(shape)
        self.script.set_column(self.column())

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), self._theme.colour("surface"))
        self._backdrop.paint(painter, self._sight(event.rect().top()), self.script.pen)
        if self.script.live is not None:
            caret = self._caret()
            self._caret_top = caret.top() + self.verticalScrollBar().value()
            painter.fillRect(caret, self._theme.colour("accent"))
        painter.end()
        super().paintEvent(event)

    def _sight(self, top: int = 0) -> Sight:
        """What is in the viewport from `top` pixels on, and a little beyond."""
        viewport, bar = self.viewport(), self.verticalScrollBar()
        width, scrolled = viewport.width(), bar.value()
        first = self._block_at(0, scrolled + top)
        for _ in range(2):
            first = first.previous() if first.previous().isValid() else first
        if scrolled == bar.maximum():
            last = self._page.lastBlock()
        else:
            last = self._block_at(width, scrolled + viewport.height() + OVERHANG)
        return Sight(
            self._page, first, last, scrolled, self._side(), width - self._right_side(), viewport.height()
        )

    def _block_at(self, x: int, y: int) -> QTextBlock:
        """The block nearest to a point of the document."""
        nearest = self._page.documentLayout().hitTest(QPointF(x, y), Qt.HitTestAccuracy.FuzzyHit)
        return self._page.findBlock(max(0, nearest))

    def _caret(self) -> QRectF:
        """The block at the end of what has been said so far."""
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        spoken = cursor.block().blockFormat().stringProperty(KIND)
        if not spoken:
            before = cursor.block().previous()
            if before.isValid() and before.blockFormat().stringProperty(KIND) in (
                "paragraph",
                "heading",
                "thought",
            ):
                cursor.setPosition(before.position() + before.length() - 1)
            else:
                rect = QRectF(self.cursorRect(cursor))
                return QRectF(self._side(), rect.top() + 14, 7, 14)
        rect = QRectF(self.cursorRect(cursor))
        return QRectF(rect.left() + 1, rect.bottom() - 14, 7, 14)

    # What is under the pointer

    def _blocks(self) -> Iterator[tuple[QTextBlock, QRectF]]:
        """Those in sight, and where the words of each stand in the viewport."""
        sight = self._sight()
        return ((block, sight.rect(block)) for block in sight.blocks())

    def entry_rect(self, entry: int) -> QRectF:
        """What of this thing said is in sight, in the viewport; empty where nothing is."""
        whole = QRectF()
        for block, rect in self._blocks():
            if block.blockFormat().intProperty(ENTRY) == entry + 1:
                whole = whole.united(rect)
        return whole.intersected(QRectF(self.viewport().rect()))

    def entry_at(self, y: float) -> int:
        """Which of the things said stands at this height of the viewport, from 0; -1 = none."""
        found = -1
        for block, rect in self._blocks():
            if rect.top() - 8 <= y:
                number = block.blockFormat().intProperty(ENTRY) - 1
                found = number if rect.bottom() + 12 >= y else found
        return found

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.entry_hovered.emit(-1, QRectF())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        entry = self.entry_at(event.position().y())
        self.entry_hovered.emit(entry, self.entry_rect(entry) if entry >= 0 else QRectF())
        if self._hot_at(event.position())[0]:
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number, act = self._hot_at(event.position())
        if number and event.button() == Qt.MouseButton.LeftButton:
            self.unwrap(number) if act == "unwrap" else self.copy_listing(number)
            return
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._hot_at(event.position())[0]:
            event.accept()
            return
        super().mouseReleaseEvent(event)

    def hot(self) -> list[Hot]:
        """What can be clicked in the headers of code, in the viewport."""
        return self._backdrop.hot(self._sight(), self.script.pen.listings)

    def _hot_at(self, point: QPointF) -> tuple[int, str]:
        """The listing whose header is there, and what a click does with it; 0 = none."""
        return next(((hot.number, hot.act) for hot in self.hot() if hot.rect.contains(point)), (0, ""))

    def unwrap(self, number: int) -> None:
        """Shows a piece of code with its lines unbroken."""
        from vibedesk.ui.code_sheet import CodeSheet

        listing = self.script.pen.listings[number]
        CodeSheet(self, self._theme, listing.text, listing.language).open()

    def copy_listing(self, number: int) -> None:
        """Puts a piece of code on the clipboard, as harmless as it is shown."""
        QGuiApplication.clipboard().setText(self.script.pen.listings[number].text)
        self._backdrop.copied = number
        self.viewport().update()
        QTimer.singleShot(1500, self, self._copied_is_old)

    def _copied_is_old(self) -> None:
        self._backdrop.copied = 0
        self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.createStandardContextMenu()
        there = (block for block, rect in self._blocks() if rect.contains(event.pos()))
        number = next((block.blockFormat().intProperty(GROUP) for block in there), 0)
        if number in self.script.pen.listings:
            menu.addAction(self.tr("Copy code"), lambda: self.copy_listing(number))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def createMimeDataFromSelection(self) -> QMimeData:
        mime = QMimeData()
        cursor = self.textCursor()
        all_of_it = cursor.selectionStart() == 0 and cursor.selectionEnd() >= self.script.tail_position - 1
        mime.setText(self.text() if all_of_it else read(cursor))
        return mime
