"""What goes along with a question, above its words: each thing with its size, and a cross that takes it out."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from vibedesk.amounts import count
from vibedesk.state.attached import Attached
from vibedesk.ui import harmless
from vibedesk.ui.page import thumbnail
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Elided, Label, bare, plain_tip

THUMB = 32
_ICONS = {"text": "file-text", "pdf": "file-pdf", "paste": "clipboard-text", "picture": "image"}
_PEEK = 600


class Attachment(QFrame):
    """One thing that goes along; `removed` when its cross is pressed."""

    removed = Signal()

    def __init__(self, one: Attached, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("attachment")
        self.one = one
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 5, 4, 5)
        row.setSpacing(8)
        row.addWidget(self._face(theme))
        words = bare(QVBoxLayout())
        name = Elided(harmless.one_line(one.name, 80), "body", Qt.TextElideMode.ElideMiddle)
        name.setMaximumWidth(170)
        words.addWidget(name)
        words.addWidget(Label(about(one), "caption"))
        row.addLayout(words)
        cross = Button("", "quiet", theme.icon("x", size=12)).named(
            self.tr("Take out") + " " + harmless.one_line(one.name, 40)
        )
        row.addWidget(cross.on(self.removed.emit))
        if one.text:
            self.setToolTip(
                plain_tip(harmless.prose(one.text[:_PEEK]) + ("…" if len(one.text) > _PEEK else ""))
            )
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def _face(self, theme: Theme) -> QLabel:
        """The picture itself, small, or what kind of thing it is."""
        face = QLabel()
        ratio = self.devicePixelRatioF()
        small = thumbnail(self.one.image.data, round(THUMB * ratio)) if self.one.image is not None else None
        if small is not None:
            pixmap = QPixmap.fromImage(small)
            pixmap.setDevicePixelRatio(max(1.0, small.height() / THUMB))
        else:
            pixmap = theme.icon(_ICONS[self.one.kind], size=20).pixmap(QSize(20, 20), ratio)
        face.setPixmap(pixmap)
        return face


class Attachments(QScrollArea):
    """All of them in one row that scrolls; hidden while there are none. `removed(attached)`."""

    removed = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        inside = QWidget()
        inside.setProperty("surface", "surface")
        self._row = bare(QHBoxLayout(inside), 6)
        self._row.addStretch(1)
        self.setWidget(inside)
        self.shown: list[Attachment] = []
        self.hide()

    def show_all(self, attachments: list[Attached]) -> None:
        """Shows these, keeping what is shown already."""
        kept = {id(view.one): view for view in self.shown}
        self.shown = [kept.pop(id(one)) if id(one) in kept else self._make(one) for one in attachments]
        for view in kept.values():
            view.hide()
            view.deleteLater()
        for place, view in enumerate(self.shown):
            self._row.insertWidget(place, view)
        if self.shown:
            self.setFixedHeight(max(view.sizeHint().height() for view in self.shown))
        self.setVisible(bool(self.shown))

    def _make(self, one: Attached) -> Attachment:
        view = Attachment(one, self._theme)
        view.removed.connect(lambda: self.removed.emit(one))
        return view


def about(one: Attached) -> str:
    """`png · 120 KB`, `12 pages · 3,410 tok`."""
    if one.image is not None:
        return f"{one.image.media_type.removeprefix('image/')} · {size(one.size)}"
    pages = f"{one.pages} page{'s' * (one.pages != 1)} · " if one.pages else ""
    return f"{pages}≈ {count(one.tokens)} tok"


def size(amount: int) -> str:
    """Bytes as people read them."""
    return f"{amount / 1024 / 1024:.1f} MB" if amount >= 1024 * 1024 else f"{max(1, amount // 1024)} KB"
