"""The prompt library over the window: find one, fill in its blanks, and it stands in the composer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QListView,
    QPlainTextEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from vibedesk.state.prompts import Prompt, Prompts
from vibedesk.state.rows import RowsModel
from vibedesk.ui import harmless
from vibedesk.ui.palette import match
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme, body_font
from vibedesk.ui.widgets import Button, Empty, Field, Label

ROW = 48
MOST_ROWS = 8


class PromptsSheet(Sheet):
    """`use(text)` gets what is to be written into the composer; `written` is what stands there now."""

    def __init__(
        self, host: QWidget, theme: Theme, prompts: Prompts, use: Callable[[str], object], written: str = ""
    ) -> None:
        super().__init__(host, theme, title="Prompts", width=620)
        self._theme, self._prompts, self._use, self._written = theme, prompts, use, written
        self._deleted: Prompt | None = None
        self.rows = RowsModel(self, text=lambda prompt: prompt.name)
        self.field = Field(self.tr("Find a prompt…"), large=True, name=self.tr("Find a prompt"))
        self.list = QListView()
        self.list.setModel(self.rows)
        self.list.setAccessibleName(self.tr("Prompts"))
        self.list.setItemDelegate(_PromptPainter(theme, self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMouseTracking(True)
        self.empty = Empty(
            self.tr("No prompts yet"),
            self.tr("Keep what you ask often. {{name}} in it is a blank that is filled in each time."),
        )
        self.empty.setFixedHeight(150)
        for widget in (self.field, self.list, self.empty):
            self.body.addWidget(widget)
        self._add_buttons()
        self.field.textChanged.connect(self.refresh)
        self.field.installEventFilter(self)
        self.list.doubleClicked.connect(lambda _: self._choose())
        prompts.changed.connect(self.refresh)
        self.refresh()
        prompts.load()

    def _add_buttons(self) -> None:
        self.new = Button(self.tr("New prompt…"), "quiet").on(lambda: self._edit(None))
        self.edit = Button(self.tr("Edit…"), "quiet").on(lambda: self._edit(self.chosen()))
        self.delete = Button(self.tr("Delete"), "quiet").on(self._delete)
        self.undo = Button("", "quiet").on(self._undo)
        self.undo.hide()
        self.insert = Button(self.tr("Insert"), "primary").on(self._choose)
        for button in (self.new, self.edit, self.delete, self.undo):
            self.footer.addWidget(button)
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.footer.addWidget(self.insert)

    def open(self) -> None:
        super().open()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def chosen(self) -> Prompt | None:
        index = self.list.currentIndex()
        return self.rows.value(index.row()) if index.isValid() else None

    def refresh(self) -> None:
        """Lists what fits the words in the field."""
        query, before = self.field.text(), self.chosen()
        scored = [(match(query, prompt.name), prompt) for prompt in self._prompts.prompts]
        found = [(score, prompt) for score, prompt in scored if score is not None]
        if query.strip():
            found.sort(key=lambda pair: -pair[0])
        self.rows.set_rows([prompt for _, prompt in found], key=lambda prompt: prompt.name)
        row = max(0, self.rows.row_of(before.name if before else ""))
        self.list.setCurrentIndex(self.rows.index(row))
        self.list.setFixedHeight(min(MOST_ROWS, max(1, len(found))) * ROW + 4)
        self.list.setVisible(bool(found))
        self.empty.setVisible(not found)
        nothing = self.tr("No prompt has this name") if self._prompts.prompts else self.tr("No prompts yet")
        self.empty.title.setText(nothing)
        for button in (self.edit, self.delete, self.insert):
            button.setEnabled(bool(found))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and watched is self.field:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 7, Qt.Key.Key_PageUp: -7}
            if event.key() in steps:
                row = self.list.currentIndex().row() + steps[Qt.Key(event.key())]
                self.list.setCurrentIndex(self.rows.index(max(0, min(self.rows.rowCount() - 1, row))))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose()
                return True
        return super().eventFilter(watched, event)

    def _choose(self) -> None:
        prompt = self.chosen()
        if prompt is None:
            return
        self.accept()
        use_prompt(self.host(), self._theme, prompt, self._use)

    def _edit(self, prompt: Prompt | None) -> None:
        start = prompt or Prompt("", self._written)
        PromptEditor(
            self.host(),
            self._theme,
            start,
            lambda new: self._prompts.save(new, prompt.name if prompt else ""),
        ).open()

    def _delete(self) -> None:
        self._deleted = self.chosen()
        if self._deleted is not None:
            self._prompts.remove(self._deleted.name)
            self.undo.setText(f"Undo deleting “{harmless.one_line(self._deleted.name, 20)}”")
            self.undo.show()

    def _undo(self) -> None:
        if self._deleted is not None:
            self._prompts.save(self._deleted)
        self._deleted = None
        self.undo.hide()


def use_prompt(host: QWidget, theme: Theme, prompt: Prompt, use: Callable[[str], object]) -> None:
    """Gives `use` the prompt's text, after asking for its blanks where it has some."""
    if prompt.blanks:
        BlanksSheet(host, theme, prompt, use).open()
    else:
        use(prompt.text)


class PromptEditor(Sheet):
    """A prompt's name and text; `keep(prompt)` when saved."""

    def __init__(self, host: QWidget, theme: Theme, prompt: Prompt, keep: Callable[[Prompt], object]) -> None:
        title = "Edit the prompt" if prompt.name else "New prompt"
        super().__init__(host, theme, title=title, width=620)
        self._keep = keep
        self.name = Field(self.tr("Name"), name=self.tr("Name of the prompt"))
        self.name.setText(prompt.name)
        self.words = QPlainTextEdit(prompt.text)
        self.words.setMinimumHeight(180)
        self.words.setTabChangesFocus(True)
        self.words.setAccessibleName(self.tr("Text of the prompt"))
        self.words.setPlaceholderText(self.tr("Explain {{topic}} to {{audience}} in three sentences."))
        self.blanks = Label("", "small", wrap=True)
        for widget in (self.name, self.words, self.blanks):
            self.body.addWidget(widget)
        self.save = Button(self.tr("Save"), "primary").on(self._save)
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.footer.addWidget(self.save)
        self.name.textChanged.connect(lambda _: self._look())
        self.words.textChanged.connect(self._look)
        self._look()
        self.name.setFocus()

    def _look(self) -> None:
        blanks = Prompt("", self.words.toPlainText()).blanks
        said = ", ".join(harmless.one_line(name, 40) for name in blanks)
        self.blanks.setText(f"Asks for: {said}." if said else self.tr("{{name}} leaves a blank to fill in."))
        self.save.setEnabled(bool(self.name.text().strip() and self.words.toPlainText().strip()))

    def _save(self) -> None:
        self._keep(Prompt(self.name.text().strip(), self.words.toPlainText()))
        self.accept()


class BlanksSheet(Sheet):
    """A field for every blank of a prompt, and how the text reads so far; `use(text)` in the end."""

    def __init__(self, host: QWidget, theme: Theme, prompt: Prompt, use: Callable[[str], object]) -> None:
        super().__init__(host, theme, title=harmless.one_line(prompt.name, 60), width=560)
        self._prompt, self._use = prompt, use
        self.fields: dict[str, QPlainTextEdit] = {}
        for name in prompt.blanks:
            field = QPlainTextEdit()
            field.setFixedHeight(32 if len(prompt.blanks) > 3 else 52)
            field.setTabChangesFocus(True)
            field.setAccessibleName(name)
            field.textChanged.connect(self._look)
            field.installEventFilter(self)
            self.fields[name] = field
            self.body.addWidget(Label(harmless.one_line(name, 40), "strong"))
            self.body.addWidget(field)
        self.body.addSpacing(6)
        self.preview = Label("", "small", wrap=True)
        self.body.addWidget(self.preview)
        self.insert = Button(self.tr("Insert"), "primary").on(self._insert)
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.footer.addWidget(self.insert)
        self._look()

    def open(self) -> None:
        super().open()
        next(iter(self.fields.values())).setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter goes to the next blank, and inserts from the last; Shift+Enter breaks the line."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and watched in self.fields.values()
        ):
            enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                fields = list(self.fields.values())
                place = fields.index(watched) + 1  # type: ignore[arg-type]
                if place < len(fields):
                    fields[place].setFocus(Qt.FocusReason.TabFocusReason)
                else:
                    self._insert()
                return True
        return super().eventFilter(watched, event)

    def _text(self) -> str:
        return self._prompt.filled({name: field.toPlainText() for name, field in self.fields.items()})

    def _look(self) -> None:
        left = sum(not field.toPlainText().strip() for field in self.fields.values())
        self.preview.setText(harmless.prose(self._text()[:400]))
        self.insert.setText(self.tr("Insert") if not left else f"Insert with {left} left blank")

    def _insert(self) -> None:
        self.accept()
        self._use(self._text())


class _PromptPainter(QStyledItemDelegate):
    """The name, how many blanks it has, and under it how the text begins."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        prompt: Prompt = index.data(Qt.ItemDataRole.UserRole)
        view: Any = self.parent()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect)
        if index == view.currentIndex():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("accent-weak"))
            painter.drawRoundedRect(rect, 6, 6)
        above, below = rect.adjusted(10, 6, -10, -ROW / 2 + 2), rect.adjusted(10, ROW / 2 - 1, -10, -5)
        blanks = len(prompt.blanks)
        said = f"{blanks} blank{'s' * (blanks != 1)}" if blanks else ""
        self._draw(painter, above, body_font(), "text", prompt.name, said)
        self._draw(painter, below, body_font(12), "muted", " ".join(prompt.text[:300].split()))
        painter.restore()

    def _draw(
        self, painter: QPainter, rect: QRectF, font: Any, token: str, text: str, right: str = ""
    ) -> None:
        small = QFontMetricsF(body_font(12))
        room = rect.width() - (small.horizontalAdvance(right) + 16 if right else 0)
        left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.setFont(font)
        painter.setPen(self._theme.colour(token))
        shown = QFontMetricsF(font).elidedText(harmless.one_line(text), Qt.TextElideMode.ElideRight, room)
        painter.drawText(rect, left, shown)
        if right:
            painter.setFont(body_font(12))
            painter.setPen(self._theme.colour("muted"))
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, right)
