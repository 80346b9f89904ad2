"""The playground before its lanes are there: its bar, their ground and the composer, which the page then takes over."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QShowEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from vibedesk.ui.composer import Composer
from vibedesk.ui.strip import Strip
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Chip, Keycap, TopBar, bare, in_tab_order


class Title(QLineEdit):
    """The conversation's name, edited where it stands. `renamed(title)`."""

    renamed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("title")
        self.setProperty("bare", True)
        self.setPlaceholderText(self.tr("New conversation"))
        self.setAccessibleName(self.tr("Conversation title"))
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMaxLength(80)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.textChanged.connect(lambda _: self._fit())
        self.editingFinished.connect(self._done)
        self._fit()

    def show_title(self, title: str) -> None:
        self.setText(title)
        self.setCursorPosition(0)

    def _fit(self) -> None:
        self.updateGeometry()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()  # only now the stylesheet has said how large the words are

    def sizeHint(self) -> QSize:
        self.ensurePolished()  # the stylesheet's font is wider
        words = self.text() or self.placeholderText()
        return QSize(round(QFontMetricsF(self.font()).horizontalAdvance(words)) + 20, 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 28)

    def _done(self) -> None:
        self.setCursorPosition(0)
        self.deselect()
        self.renamed.emit(self.text())
        if self.hasFocus():
            self.clearFocus()


class Stage(QWidget):
    """What stands still while lanes come and go. It imports nothing that the first frame does not show."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.composer = Composer(theme)
        self.title = Title()
        self.lanes_chip, self.linked_chip = Chip(""), Chip("")
        self.blind = Button(self.tr("Blind"))
        self.blind.setCheckable(True)
        self.blind.setVisible(False)
        self.add_button = Button(self.tr("Add lane"))
        self.more = Button("", "quiet", theme.icon("sliders-horizontal", size=18)).named(self.tr("Compare"))
        self.area = Strip()
        self._lay_out()
        self.setFocusProxy(self.composer)

    def _lay_out(self) -> None:
        self.bar = TopBar()
        self.bar.title.hide()
        self.bar.setContentsMargins(-6, 0, 0, 0)
        self.bar.left.addWidget(self.title)
        self.bar.left.addWidget(self.lanes_chip)
        for widget in (self.linked_chip, self.blind, self.add_button, self.more, Keycap(self.tr("Ctrl K"))):
            self.bar.right.addWidget(widget)
        under = QFrame()
        under.setObjectName("composerBar")
        below = bare(QVBoxLayout(under))
        below.setContentsMargins(16, 12, 16, 12)
        below.addWidget(self.composer)
        self._column = bare(QVBoxLayout(self))
        self._column.addWidget(self.bar)
        self._column.addWidget(self.area, 1)
        self._column.addWidget(under)
        in_tab_order(self.composer.send, self.blind, self.add_button, self.more)

    def put_above_composer(self, widget: QWidget) -> None:
        """Between the lanes and the composer."""
        self._column.insertWidget(self._column.count() - 1, widget)

    def put_under_bar(self, widget: QWidget) -> None:
        """Between the bar and the lanes."""
        self._column.insertWidget(1, widget)

    def count(self, lanes: int, linked: int, turns: int = 0) -> None:
        """Says how many lanes there are, how many of them the composer asks, and how far the conversation is."""
        words = f"{lanes} lanes" if lanes > 1 else ""
        turn = f"turn {turns}" if turns else ""
        self.lanes_chip.set(" · ".join(part for part in (words, turn) if part))
        both = "linked" if linked == lanes else f"{linked} of {lanes} linked"
        self.linked_chip.set(both if lanes > 1 else "", "neutral" if linked == lanes else "warn")
        self.blind.setVisible(lanes > 1 or self.blind.isChecked())
        self.linked_chip.setToolTip(self.tr("The composer asks all linked lanes at once."))
        self.composer.set_lanes(linked)
