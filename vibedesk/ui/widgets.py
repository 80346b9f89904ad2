"""The small parts every page is made of. Their looks stand in `resources/themes/style.qss`, by property."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QIcon,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from vibedesk.state.notices import Notice

CONTROL = 28
GRID = 4
SETTLED_MS = 100
"""Within that time what was put into a column has been laid out."""


def set_state(widget: QWidget, name: str, value: Any) -> None:
    """Sets a Qt property that the stylesheet knows and has the widget drawn again, if it changed."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    if not widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        return  # the stylesheet has not looked at it yet
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def elided(text: str, font: QFont, width: int) -> str:
    """`text` shortened in the middle with … to at most `width` pixels."""
    return QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideMiddle, width)


def bare(layout: QLayout, spacing: int = 0) -> Any:
    """The layout without margins, with this spacing in pixels."""
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    return layout


def in_tab_order(*widgets: QWidget) -> None:
    """Tab goes through these as they are given.

    Forward it never meets what stands before the focus proxy of a page: that goes after the proxy.
    """
    for before, after in pairwise(widgets):
        QWidget.setTabOrder(before, after)


class Label(QLabel):
    """Plain text, always: foreign words are never rendered.

    kinds: body muted small caption strong title heading mono hint.
    """

    def __init__(
        self, text: str = "", kind: str = "body", *, wrap: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("kind", kind)
        self.setWordWrap(wrap)
        self.setText(text)

    def selectable(self) -> Label:
        """Lets the mouse and the keyboard select the text; gives itself back."""
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return self


class Elided(Label):
    """A label that shortens its text to the room it has; the whole text is in its tool tip and `full_text`."""

    def __init__(
        self, text: str = "", kind: str = "body", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight
    ) -> None:
        self._full, self._mode = text, mode
        super().__init__(text, kind)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)

    def setText(self, text: str) -> None:
        self._full = text
        self.updateGeometry()
        self._shorten()

    def wide(self) -> Elided:
        """Takes all the room there is; gives itself back."""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        return self

    def full_text(self) -> str:
        return self._full

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        width = self.fontMetrics().horizontalAdvance(self._full) + 2
        return QSize(width, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(48, self.sizeHint().width()), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._shorten()

    def _shorten(self) -> None:
        short = (
            self.fontMetrics().elidedText(self._full, self._mode, max(self.width(), 0))
            if self.width()
            else self._full
        )
        super().setText(short)
        self.setToolTip(plain_tip(self._full) if short != self._full else "")


def plain_tip(text: str) -> str:
    """A tool tip that shows `text` letter for letter: Qt renders anything that looks like HTML."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")
    return f"<span>{escaped}</span>" if text else ""


class Chip(Label):
    """A state in a word or three; roles: neutral accent ok warn bad. `dot` puts a dot of its colour before it."""

    def __init__(
        self, text: str = "", role: str = "neutral", *, dot: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__("", "chip", parent=parent)
        self.setProperty("chip", True)
        self.setProperty("dot", dot)
        self.setIndent(0)
        self._dot = dot
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.set(text, role)

    def set(self, text: str, role: str = "neutral") -> None:
        """Shows `text` in the colours of `role`; an empty text hides the chip."""
        if text != self.text():
            self.setText(text)
        set_state(self, "role", role)
        if self.parentWidget() is not None:
            self.setVisible(bool(text))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._dot:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.palette().color(self.foregroundRole()))
            painter.drawEllipse(QPointF(11, self.height() / 2), 3, 3)


class Keycap(Label):
    """A key as it is printed on the keyboard: `Ctrl K`."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "keycap")
        self.setProperty("keycap", True)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)


def paint_tile(painter: QPainter, rect: QRectF, letter: str, colour: QColor, font: QFont) -> None:
    """A provider's letter on its colour; dark letters where white would not be read."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(rect, rect.width() * 0.2, rect.width() * 0.2)
    bold = QFont(font)
    bold.setPixelSize(max(8, round(rect.width() * 0.5)))
    bold.setWeight(QFont.Weight.Bold)
    painter.setFont(bold)
    painter.setPen(QColor(Qt.GlobalColor.white) if colour.lightness() < 190 else QColor(Qt.GlobalColor.black))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, letter)
    painter.restore()


class Tile(QWidget):
    """A provider's coloured letter."""

    def __init__(
        self, letter: str = "?", colour: str = "gray", size: int = 22, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setFixedSize(size, size)
        self.set(letter, colour)

    def set(self, letter: str, colour: str) -> None:
        self._letter, self._colour = letter, QColor(colour)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_tile(painter, QRectF(self.rect()), self._letter, self._colour, self.font())


class Button(QPushButton):
    """28 px high; kinds: plain primary quiet danger link. Takes focus by Tab only, so that the ring means keyboard."""

    def __init__(
        self, text: str = "", kind: str = "plain", icon: QIcon | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self.setProperty("kind", kind)
        self.setProperty("square", not text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if icon is not None:
            self.setIcon(icon)
            self.setIconSize(QSize(16, 16))

    def setText(self, text: str) -> None:
        super().setText(text)
        set_state(self, "square", not text)

    def named(self, name: str) -> Button:
        """Names an icon-only button for tool tip and screen reader; gives itself back."""
        self.setAccessibleName(name)
        self.setToolTip(name)
        return self

    def on(self, act: Callable[[], object]) -> Button:
        """Calls `act` when pressed; gives itself back."""
        self.clicked.connect(lambda: act())
        return self


class Choice(QComboBox):
    """A drop-down of a few words; `choose(data)` and `chosen()` speak of the data behind them."""

    def __init__(self, choices: list[tuple[str, Any]] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for text, data in choices or []:
            self.addItem(text, data)

    def chosen(self) -> Any:
        return self.currentData()

    def choose(self, data: Any) -> None:
        self.setCurrentIndex(max(0, self.findData(data)))

    def wheelEvent(self, event: Any) -> None:
        event.ignore()  # scrolling a page must not change a setting under the mouse

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        paint_caret(self, self.width() - 15)


def paint_caret(widget: QWidget, x: float) -> None:
    """A small ⌄ at `x`, in the middle of the widget's height."""
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(_round_pen(widget.palette().color(QPalette.ColorRole.PlaceholderText), 1.4))
    y = widget.height() / 2
    painter.drawPolyline(
        QPolygonF([QPointF(x - 3.5, y - 1.75), QPointF(x, y + 1.75), QPointF(x + 3.5, y - 1.75)])
    )


def _round_pen(colour: QColor, width: float) -> QPen:
    return QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


class Check(QCheckBox):
    """A tick box."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.isChecked():
            return
        from PySide6.QtWidgets import QStyle, QStyleOptionButton  # 7 ms, and not in the first frame

        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = QRectF(self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(_round_pen(self.palette().color(QPalette.ColorRole.BrightText), 1.6))
        centre = box.center()
        tick = [QPointF(-3.5, 0), QPointF(-1, 2.5), QPointF(3.5, -2.5)]
        painter.drawPolyline(QPolygonF([centre + point for point in tick]))


class Field(QLineEdit):
    """One line of text. `large` 40 px high, `mono` for addresses and ids."""

    def __init__(
        self, placeholder: str = "", *, large: bool = False, mono: bool = False, name: str = ""
    ) -> None:
        super().__init__()
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(name or placeholder)
        self.setProperty("large", large)
        self.setProperty("mono", mono)


def quiet_field(field: QLineEdit) -> None:
    """Makes it a field for secrets: dots, no completer, nothing learnt by keyboards, no undo history to read back."""
    field.setEchoMode(QLineEdit.EchoMode.Password)
    field.setInputMethodHints(
        Qt.InputMethodHint.ImhHiddenText
        | Qt.InputMethodHint.ImhSensitiveData
        | Qt.InputMethodHint.ImhNoPredictiveText
        | Qt.InputMethodHint.ImhNoAutoUppercase
    )
    field.setCompleter(None)  # type: ignore[arg-type]
    field.setDragEnabled(False)


class KeyField(Field):
    """Where a key is pasted. *Show* reveals it for ten seconds, or until the focus leaves."""

    REVEAL_MS = 10_000

    def __init__(self, placeholder: str = "Paste a key") -> None:
        super().__init__(placeholder, large=True, name="API key")
        quiet_field(self)
        self.toggle = Button(self.tr("Show"), "quiet", parent=self).on(self._toggle)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(self.REVEAL_MS)
        self._timer.timeout.connect(self.hide_again)
        self.setTextMargins(0, 0, 64, 0)

    def pasted(self) -> str:
        """What was pasted, with its line breaks: a one-line field keeps them as other characters."""
        return self.text().replace("\u2028", "\n").replace("\u2029", "\n").replace("\r", "\n")

    def hide_again(self) -> None:
        """Back to dots."""
        self._timer.stop()
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.toggle.setText(self.tr("Show"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        hint = self.toggle.sizeHint()
        self.toggle.move(self.width() - hint.width() - 6, (self.height() - hint.height()) // 2)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.hide_again()

    def _toggle(self) -> None:
        if self.echoMode() == QLineEdit.EchoMode.Normal:
            self.hide_again()
            return
        self.setFocus()
        self.setEchoMode(QLineEdit.EchoMode.Normal)
        self.toggle.setText(self.tr("Hide"))
        self._timer.start()


class Hairline(QFrame):
    """A 1-px line between regions."""

    def __init__(self, orientation: Qt.Orientation = Qt.Orientation.Horizontal) -> None:
        super().__init__()
        self.setProperty("hairline", True)
        if orientation == Qt.Orientation.Horizontal:
            self.setFixedHeight(1)
        else:
            self.setFixedWidth(1)


class TopBar(QFrame):
    """48 px above every page: the title, what stands beside it (`left`), the actions (`right`)."""

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.setObjectName("topBar")
        self.setFixedHeight(48)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(12)
        self.title = Elided(title, "title")
        self.left = bare(QHBoxLayout(), 8)
        self.right = bare(QHBoxLayout(), 8)
        row.addWidget(self.title)
        row.addLayout(self.left)
        row.addStretch(1)
        row.addLayout(self.right)


class Card(QFrame):
    """A surface with a hairline around it; `body` is its column."""

    def __init__(self, *, padding: int = 16, spacing: int = 8) -> None:
        super().__init__()
        self.setProperty("card", True)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(padding, padding, padding, padding)
        self.body.setSpacing(spacing)


class Empty(QWidget):
    """What an empty page says, and its first action."""

    def __init__(self, title: str, text: str, action: QAbstractButton | None = None) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addStretch(2)
        self.title, self.text = Label(title, "title"), Label(text, "muted", wrap=True)
        for label in (self.title, self.text):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self.title)
        column.addLayout(centred(self.text, 440))
        if action is not None:
            column.addSpacing(8)
            column.addWidget(action, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)


def centred(widget: QWidget, width: int) -> QHBoxLayout:
    """`widget` in the middle, at most `width` pixels wide, narrower where there is less room."""
    widget.setMaximumWidth(width)
    widget.setSizePolicy(QSizePolicy.Policy.Expanding, widget.sizePolicy().verticalPolicy())
    row: QHBoxLayout = bare(QHBoxLayout())
    row.addStretch(1)
    row.addWidget(widget, 1000)
    row.addStretch(1)
    return row


class Mark(QWidget):
    """An icon that stands alone; it follows the theme."""

    def __init__(self, icon: QIcon, size: int = 16) -> None:
        super().__init__()
        self.setFixedSize(size, size)
        self._icon = icon

    def set(self, icon: QIcon) -> None:
        self._icon = icon
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._icon.paint(QPainter(self), self.rect())


class Toast(QFrame):
    """A notice on the screen: words, perhaps one action, and a cross."""

    acted = Signal(int)
    dismissed = Signal(int)

    def __init__(self, notice: Notice, cross: QIcon) -> None:
        super().__init__()
        self.setObjectName("toast")
        self.notice = notice
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(8)
        text = Label(notice.text, wrap=True)
        text.setProperty("role", notice.role)
        text.setMinimumWidth(min(420, text.fontMetrics().horizontalAdvance(notice.text) + 8))
        text.setMaximumWidth(420)
        row.addWidget(text, 1)
        if notice.action_label:
            row.addWidget(Button(notice.action_label, "link").on(lambda: self.acted.emit(notice.id)))
        close = Button("", "quiet", cross).named("Dismiss")
        row.addWidget(close.on(lambda: self.dismissed.emit(notice.id)))


class Scroll(QScrollArea):
    """A column that scrolls when it does not fit; `column` is its layout."""

    def __init__(self, *, margins: tuple[int, int, int, int] = (24, 24, 24, 24), spacing: int = 12) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        inside.setProperty("scrolled", True)
        self.column = QVBoxLayout(inside)
        self.column.setContentsMargins(*margins)
        self.column.setSpacing(spacing)
        self.setWidget(inside)
        self._wanted: QWidget | None = None
        self.verticalScrollBar().rangeChanged.connect(self._go_to_wanted)

    def show_from(self, widget: QWidget) -> None:
        """Scrolls until this widget of the column, and as much as fits of what follows it, is in sight: when what was
        put there has been laid out."""
        self._wanted = widget
        QTimer.singleShot(SETTLED_MS, self, self._settled)
        self._go_to_wanted()

    def _settled(self) -> None:
        self._go_to_wanted()
        self._wanted = None

    def _go_to_wanted(self) -> None:
        if self._wanted is not None:
            bar, inside = self.verticalScrollBar(), self.column.parentWidget()
            top = self._wanted.mapTo(inside, QPoint(0, 0)).y() - self.column.spacing()
            bar.setValue(max(bar.value(), min(bar.maximum(), top)))
