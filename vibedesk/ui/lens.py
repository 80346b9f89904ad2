"""The lens: two answers word by word, or what only some of many say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QTextEdit, QVBoxLayout, QWidget

from vibedesk.state.lens import Difference, Piece, Point
from vibedesk.ui import harmless
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme, body_font, mono_font
from vibedesk.ui.widgets import Button, Chip, Choice, Empty, Hairline, Label, Scroll, bare

HEIGHT = 460


class Answered(Struct, frozen=True, kw_only=True):
    """An answer to lay under the lens."""

    letter: str
    name: str
    text: str


Compare = Callable[[str, str, Callable[[Difference], None]], None]
"""Finds the difference of two texts and hands it over, at once or later."""
Gather = Callable[[Sequence[str], Callable[[tuple[Point, ...]], None]], None]


class LensSheet(Sheet):
    """*Words* of two of `answers`, *Disagreements* of all."""

    def __init__(
        self, host: QWidget, theme: Theme, answers: Sequence[Answered], compare: Compare, gather: Gather
    ) -> None:
        super().__init__(host, theme, title="Differences", width=1080)
        self._theme, self._answers, self._compare, self._gather = theme, tuple(answers), compare, gather
        choices = [(f"{one.letter} · {one.name}", place) for place, one in enumerate(answers)]
        self.left, self.right = Choice(list(choices)), Choice(list(choices))
        self.left.setAccessibleName(self.tr("First answer"))
        self.right.setAccessibleName(self.tr("Second answer"))
        self.right.choose(1)
        self.words = Button(self.tr("Words")).on(lambda: self._turn(0))
        self.points = Button(self.tr("Disagreements")).on(lambda: self._turn(1))
        self.same = Label("", "muted")
        self.legend = Label("", "small")
        self.texts = (_Text(theme, self.tr("First answer")), _Text(theme, self.tr("Second answer")))
        self.list = Scroll(margins=(0, 4, 8, 4), spacing=0)
        self._pages = QStackedWidget()
        self._lay_out()
        self.left.currentIndexChanged.connect(lambda _: self._show_words())
        self.right.currentIndexChanged.connect(lambda _: self._show_words())
        self.finished.connect(lambda _: self.deleteLater())
        self._turn(0)
        self._show_words()

    def _lay_out(self) -> None:
        top = bare(QHBoxLayout(), 8)
        for button in (self.words, self.points):
            button.setCheckable(True)
            top.addWidget(button)
        self.points.setEnabled(len(self._answers) > 1)
        top.addStretch(1)
        top.addWidget(self.same)
        self.body.addLayout(top)
        page = QWidget()
        columns = bare(QHBoxLayout(page), 16)
        for choice, text in zip((self.left, self.right), self.texts, strict=True):
            column = bare(QVBoxLayout(), 8)
            column.addWidget(choice)
            column.addWidget(text, 1)
            columns.addLayout(column, 1)
        self._pages.addWidget(page)
        self._pages.addWidget(self.list)
        self._pages.setFixedHeight(HEIGHT)
        self.body.addWidget(self._pages)
        self.body.addWidget(self.legend)
        self.footer.addStretch(1)
        close = Button(self.tr("Close")).on(self.accept)
        self.footer.addWidget(close)
        close.setFocus()

    def _turn(self, page: int) -> None:
        self._pages.setCurrentIndex(page)
        self.words.setChecked(page == 0)
        self.points.setChecked(page == 1)
        self.same.setVisible(page == 0)
        struck = self.tr("Only in the first: struck through. Only in the second: underlined.")
        lonely = self.tr(
            "Sentences that not all answers have, the loneliest first. Other numbers count as different."
        )
        self.legend.setText(lonely if page else struck)
        if page == 1 and not self.list.column.count():
            self._gather([one.text for one in self._answers], self._show_points)

    def _show_words(self) -> None:
        one, other = self._answers[self.left.chosen()], self._answers[self.right.chosen()]
        self.same.setText(self.tr("Comparing…"))
        self._compare(one.text, other.text, self._take)

    def _take(self, found: Difference) -> None:
        for text, pieces in zip(self.texts, (found.left, found.right), strict=True):
            text.show_pieces(pieces)
        self.same.setText(f"{found.same:.0%} " + self.tr("of the words are the same"))

    def _show_points(self, points: tuple[Point, ...]) -> None:
        column = self.list.column
        if not points:
            column.addWidget(Empty(self.tr("They agree"), self.tr("Every sentence is in every answer.")))
            return
        for place, point in enumerate(points):
            if place:
                column.addWidget(Hairline())
            column.addWidget(_PointRow(point, [one.letter for one in self._answers]))
        column.addStretch(1)


class _Text(QTextEdit):
    """An answer as it was written, what the other lacks marked by colour and line."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.setAccessibleName(name)
        self.setFont(body_font())
        self.document().setDocumentMargin(8)

    def show_pieces(self, pieces: Sequence[Piece]) -> None:
        self.clear()
        cursor = QTextCursor(self.document())
        lines = QTextBlockFormat()
        lines.setLineHeight(20, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        cursor.setBlockFormat(lines)
        for piece in pieces:
            form = QTextCharFormat()
            form.setForeground(self._theme.colour("text"))
            if piece.kind != "same":
                token = "bad" if piece.kind == "removed" else "ok"
                form.setBackground(self._theme.colour(f"{token}-weak"))
                form.setForeground(self._theme.colour(token))
                form.setFontStrikeOut(piece.kind == "removed")
                form.setFontUnderline(piece.kind == "added")
            cursor.insertText(harmless.prose(piece.text), form)
        self._set_code()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def _set_code(self) -> None:
        """Fenced lines in the monospace font."""
        form, fenced = QTextCharFormat(), False
        form.setFont(
            mono_font(), QTextCharFormat.FontPropertiesInheritanceBehavior.FontPropertiesSpecifiedOnly
        )
        form.clearProperty(QTextCharFormat.Property.FontStrikeOut.value)
        form.clearProperty(QTextCharFormat.Property.TextUnderlineStyle.value)
        form.clearProperty(QTextCharFormat.Property.FontUnderline.value)
        block = self.document().begin()
        while block.isValid():
            fence = block.text().startswith(("```", "~~~"))
            if fence or fenced:
                cursor = QTextCursor(block)
                cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
                cursor.mergeCharFormat(form)
            fenced = fenced != fence
            block = block.next()


class _PointRow(QFrame):
    """A sentence, who says it, who does not."""

    def __init__(self, point: Point, letters: Sequence[str]) -> None:
        super().__init__()
        row = bare(QHBoxLayout(self), 16)
        row.setContentsMargins(0, 10, 0, 10)
        who = bare(QVBoxLayout(), 4)
        says = ", ".join(letters[place] for place in point.says)
        only = self.tr("only") + f" {says}" if len(point.says) == 1 else says
        who.addWidget(Chip(only, "accent"))
        who.addStretch(1)
        holder = QWidget()
        holder.setLayout(who)
        holder.setFixedWidth(96)
        words = bare(QVBoxLayout(), 2)
        code = point.text.startswith(("```", "~~~"))
        sentence = Label(harmless.prose(_short(_bare(point.text))), "mono" if code else "body", wrap=True)
        sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.addWidget(sentence)
        silent = ", ".join(letters[place] for place in point.silent)
        words.addWidget(Label(self.tr("not in") + f" {silent}", "small"))
        row.addWidget(holder)
        row.addLayout(words, 1)


def _bare(text: str) -> str:
    """Without the marks of Markdown around it."""
    if text.startswith(("```", "~~~")):
        return text.partition("\n")[2].rpartition("\n")[0] or text
    return text.replace("**", "").replace("`", "")


def _short(text: str, limit: int = 400) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
