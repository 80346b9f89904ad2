"""Where a question is written: words, pictures, what it is likely to cost, Send and Stop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QEvent, QIODevice, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QPixmap,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Keycap, Label, bare, set_state

if TYPE_CHECKING:  # painted before the rest is imported
    from decimal import Decimal

    from vibedesk.engine.types import Image

FEWEST_LINES = 2
MOST_LINES = 8
MOST_BYTES = 20 * 1024 * 1024
MOST_IMAGES = 10
LINE = 20
_KINDS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


def picture_of(data: bytes) -> Image | None:
    """The file's bytes as an attachment, recognised by how they begin; None when they are no picture models take."""
    from vibedesk.engine.types import Image

    kind = next((kind for start, kind in _KINDS.items() if data.startswith(start)), "")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    return Image(kind, data) if kind else None


class Words(QPlainTextEdit):
    """The text field: grows from two lines to eight. `sent`, `recalled` (Up while empty), `brought` (pictures)."""

    sent = Signal()
    recalled = Signal()
    brought = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.enter_sends = True
        self.setProperty("bare", True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(lambda _: self._grow())
        self._grow()

    def _grow(self) -> None:
        lines = int(self.document().size().height())
        shown = min(max(lines, FEWEST_LINES), MOST_LINES)
        height = round(self.fontMetrics().lineSpacing() * shown) + 4
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event: QEvent) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._grow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        bare_enter = enter and plain == Qt.KeyboardModifier.NoModifier
        if (enter and plain == Qt.KeyboardModifier.ControlModifier) or (bare_enter and self.enter_sends):
            self.sent.emit()
        elif (
            event.key() == Qt.Key.Key_Up
            and plain == Qt.KeyboardModifier.NoModifier
            and not self.toPlainText()
        ):
            self.recalled.emit()
        else:
            super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasImage() or source.hasUrls() or source.hasText()

    def insertFromMimeData(self, source: QMimeData) -> None:
        if source.hasImage() or any(url.isLocalFile() for url in source.urls()):
            self.brought.emit(source)
        elif source.hasText():
            self.insertPlainText(source.text())


class Attachment(QFrame):
    """One picture that goes along; `removed` when its cross is pressed."""

    removed = Signal()

    def __init__(self, image: Image, theme: Theme) -> None:
        from vibedesk.ui.script import thumbnail

        super().__init__()
        self.setObjectName("attachment")
        self.image = image
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 4, 2, 4)
        row.setSpacing(4)
        small = thumbnail(image.data, 80)
        if small is not None:
            picture = QLabel()
            pixmap = QPixmap.fromImage(small)
            pixmap.setDevicePixelRatio(max(1.0, small.height() / 40))
            picture.setPixmap(pixmap)
            row.addWidget(picture)
        row.addWidget(Label(f"{image.media_type.removeprefix('image/')} · {_size(len(image.data))}", "small"))
        cross = Button("", "quiet", theme.icon("x", size=12)).named(self.tr("Remove the picture"))
        row.addWidget(cross.on(self.removed.emit))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)


class Composer(QFrame):
    """`sent(text, images)`; `stopped`; `system_wanted`; `changed` for the estimate; `refused(sentence)`."""

    sent = Signal(str, object)
    stopped = Signal()
    changed = Signal()
    recalled = Signal()
    system_wanted = Signal()
    refused = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("composer")
        self.setAcceptDrops(True)
        self._theme = theme
        self._obstacle = ""
        self._held: list[tuple[str, tuple[Image, ...]]] | None = None
        self._attachments: list[Attachment] = []
        self.words = Words()
        self.words.setAccessibleName(self.tr("Message"))
        self.words.setAcceptDrops(False)  # drops land on the whole box
        self.attach = Button(self.tr("Attach"), "quiet", theme.icon("paperclip", size=16)).on(
            self.choose_files
        )
        self.system = Button(self.tr("System"), "quiet", theme.icon("sliders-horizontal", size=16))
        self.note = Label("", "small")
        self.stop = Button(self.tr("Stop all")).on(self.stopped.emit)
        self.send = Button(self.tr("Send ⏎"), "primary").on(self._send)
        self._lay_out()
        self.words.sent.connect(self._send)
        self.words.recalled.connect(self.recalled)
        self.words.brought.connect(self._take)
        self.words.textChanged.connect(self._changed)
        self.words.installEventFilter(self)
        self.system.on(self.system_wanted.emit)
        self.setFocusProxy(self.words)
        self.set_running(False)
        self._changed()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5, 11, 9, 9)
        column.setSpacing(6)
        self._row = bare(QHBoxLayout(), 6)
        self._row.setContentsMargins(8, 0, 0, 0)
        self._row.addStretch(1)
        self._strip = QWidget()
        self._strip.setLayout(self._row)
        self._strip.hide()
        column.addWidget(self._strip)
        field = bare(QHBoxLayout())
        field.setContentsMargins(8, 0, 0, 0)
        field.addWidget(self.words)
        column.addLayout(field)
        below = bare(QHBoxLayout(), 4)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self.attach)
        below.addWidget(self.system)
        below.addStretch(1)
        below.addWidget(self.note)
        below.addSpacing(6)
        self._escape = Keycap("Esc")
        stop = QHBoxLayout(self.stop)
        stop.setContentsMargins(0, 0, 8, 0)
        stop.addStretch(1)
        stop.addWidget(self._escape)
        self.stop.setFixedWidth(self.stop.sizeHint().width() + self._escape.sizeHint().width() + 8)
        self.stop.setProperty("choice", True)
        below.addWidget(self.stop)
        below.addSpacing(4)
        below.addWidget(self.send)
        column.addLayout(below)

    # What is in it

    def text(self) -> str:
        return self.words.toPlainText()

    def images(self) -> tuple[Image, ...]:
        return tuple(one.image for one in self._attachments)

    def set_text(self, text: str) -> None:
        """Puts words in, ready to be edited."""
        self.words.setPlainText(text)
        self.words.moveCursor(QTextCursor.MoveOperation.End)
        self.words.setFocus()

    def clear(self) -> None:
        self.words.clear()
        for one in list(self._attachments):
            self._remove(one)

    # What the page tells it

    def set_enter_sends(self, sends: bool) -> None:
        self.words.enter_sends = sends
        self.send.setText(self.tr("Send ⏎") if sends else self.tr("Send Ctrl+⏎"))

    def set_lanes(self, lanes: int) -> None:
        self.words.setPlaceholderText(self.tr("Ask all lanes…") if lanes > 1 else self.tr("Ask…"))

    def set_running(self, running: bool) -> None:
        """While an answer comes there is something to stop."""
        self.stop.setVisible(running)

    def set_obstacle(self, sentence: str) -> None:
        """Why nothing can be sent now; "" = it can."""
        self._obstacle = sentence
        self._show_state()

    def show_estimate(self, tokens: int, usd: Decimal | None) -> None:
        """About what goes in, and about what it costs."""
        if self._obstacle:
            return
        from vibedesk.wording import count, money

        words = f"≈ {count(tokens)} tok in · {money(usd, estimated=True).replace('≈', '≈ ')}"
        self.note.setText(words if self.text().strip() or self._attachments else "")
        self.note.setToolTip(self.tr("Over all linked lanes, with an answer of about 500 tokens each."))

    def _show_state(self) -> None:
        empty = not (self.text().strip() or self._attachments)
        self.send.setEnabled(not empty and not self._obstacle)
        self.send.setToolTip(self._obstacle or (self.tr("Write something first.") if empty else ""))
        set_state(self.note, "role", "warn" if self._obstacle else "")
        if self._obstacle:
            self.note.setText(self._obstacle)
            self.note.setToolTip("")

    def _changed(self) -> None:
        self._show_state()
        self.changed.emit()

    def _send(self) -> None:
        if self.send.isEnabled():
            text, images = self.text(), self.images()
            self.clear()
            if self._held is None:
                self.sent.emit(text, images)
            else:
                self._held.append((text, images))

    def hold(self) -> None:
        """Nobody listens yet: what is sent waits for `release`."""
        self._held = []

    def release(self) -> None:
        """Sends what was held; what cannot be sent now is in the field again, before what was typed since."""
        held, self._held = self._held or [], None
        if held and self._obstacle:
            self.set_text("\n\n".join(filter(None, (*(text for text, _ in held), self.text()))))
            for image in (image for _, images in held for image in images):
                self._add(image)
            return
        for text, images in held:
            self.sent.emit(text, images)

    # Pictures

    def choose_files(self) -> None:
        """Asks for files; nothing waits for the answer."""
        dialog = QFileDialog(self, self.tr("Attach pictures"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilter(self.tr("Pictures (*.png *.jpg *.jpeg *.gif *.webp)"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda files: [self.add_file(Path(file)) for file in files])
        dialog.open()

    def add_file(self, path: Path) -> None:
        """Attaches a picture from the disk, or says why not."""
        try:
            if path.stat().st_size > MOST_BYTES:
                self.refused.emit(f"{path.name} is larger than {_size(MOST_BYTES)}.")
                return
            data = path.read_bytes()
        except OSError as error:
            self.refused.emit(f"{path.name} could not be read: {error.strerror or error}.")
            return
        self.add_picture(data, path.name)

    def add_picture(self, data: bytes, name: str = "The picture") -> None:
        """Attaches PNG, JPEG, GIF or WebP bytes."""
        image = picture_of(data)
        if image is None:
            self.refused.emit(f"{name} is not a PNG, JPEG, GIF or WebP picture.")
        elif len(data) > MOST_BYTES:
            self.refused.emit(f"{name} is larger than {_size(MOST_BYTES)}.")
        elif len(self._attachments) >= MOST_IMAGES:
            self.refused.emit(f"At most {MOST_IMAGES} pictures go along with one message.")
        else:
            self._add(image)

    def _add(self, image: Image) -> None:
        attachment = Attachment(image, self._theme)
        attachment.removed.connect(lambda: self._remove(attachment))
        self._attachments.append(attachment)
        self._row.insertWidget(self._row.count() - 1, attachment)
        self._strip.show()
        self._changed()

    def _remove(self, attachment: Attachment) -> None:
        self._attachments.remove(attachment)
        attachment.hide()
        attachment.deleteLater()
        self._strip.setVisible(bool(self._attachments))
        self._changed()

    def _take(self, source: QMimeData) -> None:
        files = [Path(url.toLocalFile()) for url in source.urls() if url.isLocalFile()]
        for file in files:
            self.add_file(file)
        if not files and source.hasImage():
            self.add_picture(_png(QImage(source.imageData())))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        source = event.mimeData()
        if source.hasImage() or any(url.isLocalFile() for url in source.urls()):
            set_state(self, "dropping", True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        set_state(self, "dropping", False)

    def dropEvent(self, event: QDropEvent) -> None:
        set_state(self, "dropping", False)
        self._take(event.mimeData())
        event.acceptProposedAction()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent):
            set_state(self, "focused", event.gotFocus())
        return False

    def sizeHint(self) -> QSize:
        return QSize(600, super().sizeHint().height())


def _png(image: QImage) -> bytes:
    target = QBuffer()
    target.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(target, "PNG")  # type: ignore[call-overload]
    return bytes(target.data().data())


def _size(amount: int) -> str:
    return f"{amount / 1024 / 1024:.0f} MB" if amount >= 1024 * 1024 else f"{max(1, amount // 1024)} KB"
