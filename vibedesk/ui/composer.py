"""Where a question is written: words, what goes along, what it is likely to cost, Send and Stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
)

from vibedesk.ui import harmless
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Keycap, Label, bare, plain_tip, set_state

if TYPE_CHECKING:  # painted before the rest is imported
    from decimal import Decimal

    from PySide6.QtGui import QImage

    from vibedesk.engine.types import Image
    from vibedesk.state.attached import Attached
    from vibedesk.state.draft import Draft
    from vibedesk.state.estimate import Estimate
    from vibedesk.ui.attachments import Attachments

FEWEST_LINES = 2
MOST_LINES = 8
LETTERS = "ABCDEFGH"
FOLD_CHARACTERS = 3_000
FOLD_LINES = 60
"""A paste beyond one of these folds away."""


class Words(QPlainTextEdit):
    """The text field: grows from two lines to eight. `sent`, `recalled` (Up while empty), `brought` (files, pictures),
    `long_pasted(text)`. `undone` may take an undo for itself.
    """

    sent = Signal()
    recalled = Signal()
    brought = Signal(object)
    long_pasted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.enter_sends = True
        self.undone: Callable[[], bool] = lambda: False
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
        up = event.key() == Qt.Key.Key_Up and plain == Qt.KeyboardModifier.NoModifier
        if (enter and plain == Qt.KeyboardModifier.ControlModifier) or (bare_enter and self.enter_sends):
            self.sent.emit()
        elif up and not self.toPlainText():
            self.recalled.emit()
        elif not (event.matches(QKeySequence.StandardKey.Undo) and self.undone()):
            super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasImage() or source.hasUrls() or source.hasText()

    def insertFromMimeData(self, source: QMimeData) -> None:
        if any(url.isLocalFile() for url in source.urls()) or (source.hasImage() and not source.hasText()):
            self.brought.emit(source)
        elif len(source.text()) > FOLD_CHARACTERS or source.text().count("\n") >= FOLD_LINES:
            self.long_pasted.emit(source.text())
        elif source.hasText():
            self.insertPlainText(source.text())


class Hint(QFrame):
    """A line above the words: what should be known before sending, and what can be done about it."""

    def __init__(self, *actions: Button) -> None:
        super().__init__()
        self.setObjectName("hint")
        self.label = Label("", "small", wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 4, 2)
        row.setSpacing(6)
        row.addWidget(self.label, 1)
        for action in actions:
            row.addWidget(action)
        self.hide()

    def say(self, sentence: str, role: str = "neutral") -> None:
        """Shows it, or hides for ""."""
        set_state(self, "role", role)
        set_state(self.label, "role", role if role in ("warn", "bad") else "")
        self.label.setText(sentence)
        self.setVisible(bool(sentence))


class Stop(Button):
    """With its key on it. Its width is asked for when it is shown, which is not in the first frame."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setProperty("choice", True)
        self._escape = Keycap("Esc")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 8, 0)
        row.addStretch(1)
        row.addWidget(self._escape)

    def sizeHint(self) -> QSize:
        words = super().sizeHint()
        return QSize(words.width() + self._escape.sizeHint().width() + 8, words.height())


class Composer(QFrame):
    """`sent(text, images, without)`: `without` are ids of lanes to leave out; `stopped`; `system_wanted`,
    `prompts_wanted`; `changed` for the estimate; `recalled`. It can be written in before it is given a `draft`, which
    reads what goes along.
    """

    sent = Signal(str, object, object)
    stopped = Signal()
    changed = Signal()
    recalled = Signal()
    system_wanted = Signal()
    prompts_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("composer")
        self.setAcceptDrops(True)
        self._theme = theme
        self.draft: Draft | None = None
        self._early: list[Path] = []
        self._held: list[tuple[str, tuple[Image, ...], frozenset[str]]] | None = None
        self.left_out: frozenset[str] = frozenset()
        self._obstacle = ""
        self._warned = False
        self._folded: Attached | None = None
        self._blind: dict[str, str] = {}
        self.words = Words()
        self.words.setAccessibleName(self.tr("Message"))
        self.words.setAcceptDrops(False)  # drops land on the whole box
        self.attachments: Attachments | None = None
        self.attach = Button(self.tr("Attach"), "quiet").on(self.choose_files)
        self.prompts = Button(self.tr("Prompts"), "quiet").on(self.prompts_wanted.emit)
        self.system = Button(self.tr("System"), "quiet").on(self.system_wanted.emit)
        self.note = Label("", "small")
        self.stop = Stop(self.tr("Stop all")).on(self.stopped.emit)
        self.send = Button(self.tr("Send ⏎"), "primary").on(self._send)
        self._make_hints()
        self._lay_out()
        self._connect()
        self.setFocusProxy(self.words)
        self.set_running(False)
        self._changed()

    def _make_hints(self) -> None:
        self.take_out_key = Button(self.tr("Go back to it"), "quiet").on(self.words.setFocus)
        self.key_hint = Hint(self.take_out_key)
        self.leave_out = Button("", "quiet").on(self._leave_out)
        self.blind_hint = Hint(self.leave_out)
        self.unfold = Button(self.tr("Undo"), "quiet").on(self._unfold)
        self.fold_hint = Hint(self.unfold)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5, 11, 9, 9)
        column.setSpacing(6)
        self._above = bare(QVBoxLayout(), 6)
        self._above.setContentsMargins(8, 0, 0, 0)
        for widget in (self.key_hint, self.blind_hint, self.fold_hint, self.words):
            self._above.addWidget(widget)
        column.addLayout(self._above)
        below = bare(QHBoxLayout(), 4)
        for button in (self.attach, self.prompts, self.system):
            below.addWidget(button)
        below.addStretch(1)
        below.addWidget(self.note)
        below.addSpacing(6)
        below.addWidget(self.stop)
        below.addSpacing(4)
        below.addWidget(self.send)
        column.addLayout(below)

    def _connect(self) -> None:
        self.words.sent.connect(self._send)
        self.words.recalled.connect(self.recalled)
        self.words.brought.connect(self._take)
        self.words.long_pasted.connect(self._fold_away)
        self.words.textChanged.connect(self._changed)
        self.words.undone = self._unfold
        self.words.installEventFilter(self)

    def set_draft(self, draft: Draft) -> None:
        """From now on files and long pastes can go along."""
        from vibedesk.ui.attachments import Attachments

        self.draft, self.attachments = draft, Attachments(self._theme)
        self._above.insertWidget(3, self.attachments)
        self.attachments.removed.connect(draft.remove)
        draft.changed.connect(self._attached)
        draft.reading_changed.connect(lambda _: self._show_state())
        draft.folded.connect(self._fold)
        draft.add_files(self._early)

    @property
    def _reading(self) -> bool:
        return self.draft is not None and self.draft.reading

    @property
    def _going_along(self) -> list[Attached]:
        return self.draft.attachments if self.draft is not None else []

    # What is in it

    def text(self) -> str:
        return self.words.toPlainText()

    @property
    def empty(self) -> bool:
        return not (self.text().strip() or self._going_along)

    def set_text(self, text: str) -> None:
        """Puts words in, ready to be edited."""
        self.words.setPlainText(text)
        from PySide6.QtGui import QTextCursor

        self.words.moveCursor(QTextCursor.MoveOperation.End)
        self.words.setFocus()

    def insert(self, text: str) -> None:
        """Writes words where the cursor is, on lines of their own; can be undone."""
        before = self.words.textCursor().block().text()[: self.words.textCursor().positionInBlock()]
        self.words.insertPlainText(("\n" if before.strip() else "") + text)
        self.words.setFocus()

    def clear(self) -> None:
        self.words.clear()
        if self.draft is not None:
            self.draft.clear()
        self.left_out = frozenset()

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

    def show_blind(self, blind: dict[str, str], lanes: int) -> None:
        """Lanes, by id, whose models see no pictures: named as "B gpt-oss-120b". `lanes` are asked in all."""
        self._blind = blind if self.draft is not None and self.draft.images else {}
        self.left_out &= frozenset(self._blind)
        names = harmless.one_line(" and ".join(self._blind.values()), 120)
        can_leave = len(self._blind) < lanes
        self.leave_out.setVisible(can_leave)
        if not self._blind:
            self.blind_hint.say("")
        elif self.left_out:
            self.leave_out.setText(self.tr("Ask all the same"))
            self.blind_hint.say(f"{names}: no pictures seen there, so left out of this question.")
        else:
            letters = " and ".join(name.partition(" ")[0] for name in self._blind.values())
            self.leave_out.setText(f"Leave {letters} out")
            self.blind_hint.say(f"{names} {'see' if len(self._blind) > 1 else 'sees'} no pictures.", "warn")

    def show_estimates(self, estimates: Sequence[Estimate]) -> None:
        """About what goes in, and about what it costs; lane by lane in the tool tip."""
        if self._obstacle or self._reading:
            return
        from vibedesk.amounts import count
        from vibedesk.state.estimate import in_sum

        tokens, usd = in_sum(estimates)
        over = [one for one in estimates if one.over]
        words = f"≈ {count(tokens)} tok in · {_cost(usd)}"
        if over:
            words = f"{harmless.one_line(over[0].name, 40)} takes less than this · {words}"
        set_state(self.note, "role", "warn" if over else "")
        self.note.setText("" if self.empty else words)
        lines = [
            f"{LETTERS[one.place]}  {one.name}   ≈ {count(one.tokens)} tok in · {_cost(one.usd)}"
            for one in estimates
        ]
        lines.append(self.tr("With an answer of about 500 tokens each."))
        self.note.setToolTip(plain_tip(harmless.prose("\n".join(lines))))

    def _show_state(self) -> None:
        reading = self.tr("Reading…") if self._reading else ""
        hindrance = self._obstacle or reading
        self.send.setEnabled(not self.empty and not hindrance)
        self.send.setToolTip(hindrance or (self.tr("Write something first.") if self.empty else ""))
        if hindrance or self.empty:
            set_state(self.note, "role", "warn" if self._obstacle else "")
            self.note.setText(hindrance)
            self.note.setToolTip("")

    def _changed(self) -> None:
        self._warned = False
        self.key_hint.say("")
        if self._folded is not None and self._folded not in self._going_along:
            self._folded = None
        self.fold_hint.setVisible(self._folded is not None)
        self._show_state()
        self.changed.emit()

    def _attached(self) -> None:
        if self.attachments is not None:
            self.attachments.show_all(self._going_along)
        self._changed()

    def _send(self) -> None:
        if not self.send.isEnabled():
            return
        key = "" if self._warned else self._key()
        if key:
            self._warned = True
            again = self.tr("Send again to send it all the same.")
            self.key_hint.say(f"This looks like an API key: {harmless.one_line(key, 40)}. {again}", "bad")
            return
        draft, without = self.draft, self.left_out
        text = draft.message(self.text()) if draft is not None else self.text()
        images = draft.images if draft is not None else ()
        self.clear()
        if self._held is None:
            self.sent.emit(text, images, without)
        else:
            self._held.append((text, images, without))

    def _key(self) -> str:
        from vibedesk.state.draft import key_in

        return self.draft.key_in(self.text()) if self.draft is not None else key_in(self.text())

    def hold(self) -> None:
        """Nobody listens yet: what is sent waits for `release`."""
        self._held = []

    def release(self) -> None:
        """Sends what was held; what cannot be sent now is in the field again, before what was typed since."""
        held, self._held = self._held or [], None
        if held and self._obstacle:
            self.set_text("\n\n".join(filter(None, (*(text for text, _, _ in held), self.text()))))
            return
        for text, images, without in held:
            self.sent.emit(text, images, without)

    # What goes along

    def choose_files(self) -> None:
        """Asks for files; nothing waits for the answer."""
        from PySide6.QtWidgets import QFileDialog

        dialog = QFileDialog(self, self.tr("Attach files"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        pictures = self.tr("Pictures (*.png *.jpg *.jpeg *.gif *.webp)")
        dialog.setNameFilters([self.tr("All files (*)"), pictures, self.tr("PDF (*.pdf)")])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda files: self.add_files([Path(file) for file in files]))
        dialog.open()

    def add_files(self, paths: Sequence[Path]) -> None:
        """Attaches what can be sent of these files."""
        if self.draft is None:
            self._early += paths
        else:
            self.draft.add_files(paths)

    def _fold_away(self, text: str) -> None:
        if self.draft is None:
            self.words.insertPlainText(text)
        else:
            self.draft.fold(text)

    def _take(self, source: QMimeData) -> None:
        files = [Path(url.toLocalFile()) for url in source.urls() if url.isLocalFile()]
        self.add_files(files)
        if not files and source.hasImage() and self.draft is not None:
            from PySide6.QtGui import QImage

            self.draft.add_data(_png(QImage(source.imageData())), self.tr("Pasted picture"))

    def _fold(self, one: Attached) -> None:
        self._folded = one
        self.fold_hint.say(self.tr("The long paste goes along as an attachment."))

    def _unfold(self) -> bool:
        """Puts the paste into the words after all; False when there is none."""
        one, self._folded = self._folded, None
        self.fold_hint.say("")
        if one is None or self.draft is None:
            return False
        self.draft.remove(one)
        self.words.insertPlainText(one.text)
        self.words.setFocus()
        return True

    def _leave_out(self) -> None:
        self.left_out = frozenset() if self.left_out else frozenset(self._blind)
        self.changed.emit()

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

    def ring(self, focused: bool) -> None:
        """Draws it as if the words had the keyboard, or as they have it not."""
        set_state(self, "focused", focused)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent):
            self.ring(event.gotFocus())
        return False

    def sizeHint(self) -> QSize:
        return QSize(600, super().sizeHint().height())


def _cost(usd: Decimal | None) -> str:
    from vibedesk.amounts import money

    return money(usd, estimated=True).replace("≈", "≈ ")


def _png(image: QImage) -> bytes:
    from PySide6.QtCore import QBuffer, QIODevice

    target = QBuffer()
    target.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(target, "PNG")  # type: ignore[call-overload]
    return bytes(target.data().data())
