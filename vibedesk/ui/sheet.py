"""A dialog inside the window: the page fades behind it, Tab stays in it, Escape leaves it. Opened, never executed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QDialog, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Label, Scroll, bare

MARGIN = 16
RAIL = 57
FADE = 216


class Sheet(QDialog):
    """`body` is its scrolling column, `footer` the row of buttons under it. `top` hangs it from the top edge."""

    def __init__(
        self, host: QWidget, theme: Theme, *, title: str, width: int = 640, top: bool = False
    ) -> None:
        self._scrim = _Scrim(host.window(), theme)
        super().__init__(self._scrim)
        self.setWindowFlags(Qt.WindowType.Widget)
        self.hide()
        self.setObjectName("sheet")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(title)
        self._width, self._top = width, top
        self._before = QApplication.focusWidget()  # before a field in here is given the focus
        column = bare(QVBoxLayout(self))
        column.setContentsMargins(1, 1, 1, 1)
        margin = 8 if top else 30
        bottom = 0 if top else 26
        self._scroll = Scroll(margins=(margin, margin if top else 28, margin, 8), spacing=8)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.body = self._scroll.column
        self.footer = QHBoxLayout()
        self.footer.setContentsMargins(margin, 0 if top else 8, margin, bottom)
        self.footer.setSpacing(8)
        column.addWidget(self._scroll, 1)
        column.addLayout(self.footer)
        if not top:
            self.heading = Label(title, "heading")
            self.body.addWidget(self.heading)
        self._scroll.widget().installEventFilter(self)
        self.finished.connect(self._leave)

    def open(self) -> None:
        """Shows it over the window; `finished` tells how it ended."""
        self._scrim.cover()
        self.place()
        self.show()
        self.raise_()

    def host(self) -> QWidget:
        """The window it lies over."""
        return self._scrim.window()

    def place(self) -> None:
        """Takes the size its content wants and the window allows, and stands in the middle of it."""
        room = self.room()
        width = min(max(self._width, self.widest()), room.width())
        inside = self._scroll.widget()
        inside.layout().activate()
        wanted = inside.layout().totalHeightForWidth(width - 2) if inside.layout().hasHeightForWidth() else -1
        wanted = max(wanted, inside.sizeHint().height()) if wanted < 0 else wanted
        height = min(wanted + self._footer_height(width - 2) + 2, room.height())
        centre = self._scrim.content().center()
        left = max(MARGIN, min(centre.x() - width // 2, room.right() - width + 1))
        above = (
            MARGIN + 48
            if self._top and room.height() > height + 48
            else max(MARGIN, centre.y() - height // 2)
        )
        self.setGeometry(left, above, width, height)

    def room(self) -> QRect:
        """What of the window it may cover."""
        return self._scrim.rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)

    def widest(self) -> int:
        """The width in pixels that its content wants, where that is more than the usual one."""
        return 0

    def across(self, inside: int) -> int:
        """How wide it is where its content has `inside` pixels."""
        margins = self.body.contentsMargins()
        return inside + margins.left() + margins.right() + 2

    def _footer_height(self, width: int) -> int:
        wrapped = self.footer.hasHeightForWidth()
        return self.footer.totalHeightForWidth(width) if wrapped else self.footer.sizeHint().height()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes round inside the sheet."""
        inside: QWidget | None = self.focusWidget()
        start: QWidget = self if inside is None else inside
        widget: QWidget | None = start
        while True:
            widget = widget.nextInFocusChain() if forward else widget.previousInFocusChain()
            if widget is None or widget is start:
                return True
            if self.isAncestorOf(widget) and widget.isEnabled() and widget.isVisible() and _tabs(widget):
                reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
                widget.setFocus(reason)
                self._scroll.ensureWidgetVisible(widget)
                return True

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.focusWidget() is None:
            self.focusNextPrevChild(True)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self.place()
        return super().eventFilter(watched, event)

    def _leave(self) -> None:
        self._scrim.hide()
        if self._before is not None and _alive(self._before):
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)
        self._scrim.deleteLater()


class Overlay(Sheet):
    """A widget that brings its own looks, over the window: it is as large as its size hint, or as the window allows."""

    def __init__(self, host: QWidget, theme: Theme, inside: QWidget) -> None:
        super().__init__(
            host, theme, title=inside.accessibleName(), width=inside.sizeHint().width(), top=True
        )
        self.setProperty("light", True)
        self._inside = inside
        self._scroll.hide()
        inside.setObjectName("")
        self.layout().insertWidget(0, inside, 1)

    def open(self) -> None:
        super().open()
        self._inside.setFocus()

    def place(self) -> None:
        room = self._scrim.rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        size = self._inside.sizeHint().boundedTo(room.size())
        left = max(
            MARGIN,
            min(self._scrim.content().center().x() - size.width() // 2, room.right() - size.width() + 1),
        )
        above = MARGIN + 48 if room.height() > size.height() + 48 else MARGIN
        self.setGeometry(left, above, size.width(), size.height())


class _Scrim(QFrame):
    """Covers the window while a sheet is open; the rail stays visible, the page fades."""

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self._theme = theme
        self.hide()
        window.installEventFilter(self)

    def cover(self) -> None:
        self.setGeometry(self.parentWidget().rect())
        self.show()
        self.raise_()

    def content(self) -> QRect:
        """What lies right of the rail."""
        return self.rect().adjusted(RAIL, 0, 0, 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self.parentWidget().rect())
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        for sheet in self.findChildren(Sheet, options=Qt.FindChildOption.FindDirectChildrenOnly):
            sheet.place()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for sheet in self.findChildren(Sheet, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if sheet.property("light"):
                sheet.reject()

    def paintEvent(self, event: QPaintEvent) -> None:
        colour = self._theme.colour("bg")
        colour.setAlpha(FADE)
        QPainter(self).fillRect(self.content(), colour)


def _tabs(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


def _alive(widget: QWidget) -> bool:
    from shiboken6 import isValid

    return bool(isValid(widget)) and widget.isVisible()
