"""A finished block of Markdown as cursor operations: parsed once by markdown-it, written once, loading nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from unicodedata import bidirectional

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextLength,
    QTextOption,
    QTextTableCell,
    QTextTableCellFormat,
    QTextTableFormat,
)

from vibedesk.ui import harmless
from vibedesk.ui.easy import Said
from vibedesk.ui.footnotes import NOTES, note_number, notes_in
from vibedesk.ui.formulas import Found, formula_of, formulas_of
from vibedesk.ui.ink import CELL_ACROSS, KIND, LINE, block_format, tabbed
from vibedesk.ui.pen import QUOTE_STEP, Pen
from vibedesk.ui.reader import tokens_of
from vibedesk.ui.table_widths import room_in, shares

MOST_CELLS = 600
"""A bigger table is shown as it was written."""
_BULLETS = ("•", "◦", "▪")
_ADDRESS = re.compile(r"https?://[^\s<>\[\]\"'`]*[^\s<>\[\]\"'`.,;:!?)]")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_TASK = re.compile(r"\[([ xX])\]\s")


class Markdown:
    """Writes blocks with one pen. Reference links are known from their definition on, across blocks."""

    def __init__(self, pen: Pen, known: dict[str, Any] | None = None) -> None:
        self._pen = pen
        self._known: dict[str, Any] = {} if known is None else known

    def write(self, source: str, number: int | None = None, follows: bool = False) -> None:
        """Writes one finished block; `number` and `follows` as in `blocks.Markdown`."""
        if (found := formula_of(source)) is not None:
            self._write_formula(found)
        elif notes := notes_in(source):
            for label, words in notes:
                self._walk(words, self._known).write_note(note_number(self._known, label))
        else:
            self._walk(source, self._known, number, follows).write()

    def write_tail(self, source: str, number: int | None = None, follows: bool = False) -> None:
        """The same for a block that is still growing: what it defines is forgotten, loose ends are hidden."""
        known = {name: dict(self._known.get(name, {})) for name in ("references", NOTES)}
        if (found := formula_of(source)) is not None:
            self._write_formula(found)
        elif source.lstrip().startswith(("$$", "\\[")):
            self.write_plain(source, starts=True)  # a formula that is still being written
        elif notes := notes_in(source):
            for label, words in notes:
                self._walk(_without_loose_ends(words), known).write_note(note_number(known, label))
        else:
            self._walk(_without_loose_ends(source), known, number, follows).write()

    def _walk(
        self, source: str, known: dict[str, Any], number: int | None = None, follows: bool = False
    ) -> _Walk:
        return _Walk(self._pen, tokens_of(source, known), number, follows, source)

    def _write_formula(self, found: Found) -> None:
        pen = self._pen
        pen.start("paragraph", centred("paragraph"))
        formulas_of(pen.document).write(pen.cursor, found[0], found[1], pen.ink.body, display=True)
        pen.end()

    def write_plain(self, text: str, *, starts: bool) -> None:
        """Words that are not Markdown, line by line."""
        pen = self._pen
        space = "paragraph" if starts else "thought"
        pen.start("paragraph", block_format("paragraph"), space)
        pen.write(harmless.prose(text).replace("\n", "\u2028"), pen.ink.body)
        pen.end()


class _Walk:
    """One pass over the tokens of a block."""

    def __init__(
        self, pen: Pen, tokens: Sequence[Said], number: int | None, follows: bool, source: str
    ) -> None:
        self._pen, self._tokens, self._source = pen, tokens, source
        self._indent = 0.0
        self._quotes = 0
        self._lists: list[list[int | None]] = []
        self._marker = ""
        self._number, self._follows = number, follows
        self._at = 0

    def write(self) -> None:
        while self._at < len(self._tokens):
            self._step(self._tokens[self._at])
            self._at += 1

    def write_note(self, number: int) -> None:
        """A footnote: small, its number hanging before it."""
        pen = self._pen
        shape = tabbed(block_format("paragraph", line=18), 20)
        pen.start("paragraph", shape, "item")
        pen.write(f"{number}\t", pen.ink.muted)
        for token in self._tokens:
            if token.type == "inline":
                self._inline(pen.cursor, token.children or [], pen.ink.muted)
        pen.end()

    def _step(self, token: Said) -> None:
        match token.type:
            case "inline":
                self._words(token)
            case "fence" | "code_block":
                self._listing(token)
            case "hr":
                self._pen.start("rule", block_format("rule", line=1))
                self._pen.end()
            case "bullet_list_open" | "ordered_list_open":
                self._open_list(token)
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                self._open_item()
            case "list_item_close":
                self._close_item()
            case "blockquote_open":
                self._quotes += 1
                self._indent += QUOTE_STEP
            case "blockquote_close":
                self._quotes -= 1
                self._indent -= QUOTE_STEP
            case "table_open":
                self._table()

    # Words

    def _words(self, token: Said) -> None:
        before = self._tokens[self._at - 1]
        children = token.children or []
        if before.type == "heading_open":
            level = int(before.tag[1])
            self._begin("heading", max(LINE, 26.0 - 2 * level))
            self._inline(self._pen.cursor, children, self._pen.ink.headings[level - 1])
        elif len(children) == 1 and children[0].type == "formula" and children[0].hidden:
            self._begin("paragraph", LINE, middle=not self._marker)
            self._inline(self._pen.cursor, children, self._body())
        else:
            self._begin("paragraph", LINE, task=children[0].content if children and self._lists else "")
            self._inline(self._pen.cursor, children, self._body())
        self._pen.end()

    def _body(self) -> QTextCharFormat:
        return self._pen.ink.body if not self._quotes else self._pen.ink.in_role(self._pen.ink.body, "muted")

    def _begin(self, kind: str, line: float, *, task: str = "", middle: bool = False) -> None:
        """Starts a block of words, behind the list marker that waits for it: a box where they begin a `task`."""
        shape = block_format(kind, indent=self._indent, quotes=self._quotes, line=line)
        if middle:
            shape.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        if self._marker and (box := _TASK.match(task)):
            self._marker = "☐" if box[1] == " " else "☑"
        if not self._marker:
            self._pen.start(kind, self._turned(shape))
            return
        width = self._marker_width()
        shape.setLeftMargin(self._indent - width)
        self._pen.start(kind, self._turned(tabbed(shape, width)), "next_item" if self._follows else "item")
        self._pen.write(self._marker + "\t", self._pen.ink.in_role(self._pen.ink.body, "muted"))
        self._marker, self._follows = "", True

    def _turned(self, shape: QTextBlockFormat) -> QTextBlockFormat:
        """In a list, words from right to left are indented from the right: Qt hangs their marker there."""
        if self._lists and _from_the_right(self._tokens[self._at].content):
            bars = self._quotes * QUOTE_STEP
            shape.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
            shape.setRightMargin(shape.leftMargin() - bars)
            shape.setLeftMargin(bars)
            # Qt turns the types of tabs round in such a block: this one is a left tab again
            tabs = [
                QTextOption.Tab(tab.position, QTextOption.TabType.RightTab) for tab in shape.tabPositions()
            ]
            shape.setTabPositions(tabs)
        return shape

    def _inline(self, cursor: QTextCursor, children: Sequence[Said], base: QTextCharFormat) -> None:
        shapes = [base]
        for index, child in enumerate(children):
            match child.type:
                case "text":
                    text = child.content
                    if index == 0 and (task := _TASK.match(text)) and self._lists:
                        text = text[task.end() :]
                    self._text(cursor, text, shapes[-1])
                case "softbreak" | "hardbreak":
                    cursor.insertText("\u2028", shapes[-1])
                case "code_inline":
                    code = harmless.code(child.content).replace("\n", " ")
                    self._pen.write_pill(cursor, code, self._code_in(shapes[-1]))
                case "formula":
                    formulas_of(self._pen.document).write(
                        cursor, child.content, child.markup, shapes[-1], display=child.hidden
                    )
                case "note":
                    above = self._pen.ink.in_role(shapes[-1], "accent")
                    above.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignSuperScript)
                    cursor.insertText(child.content, above)
                case "image":
                    self._image(cursor, child, shapes[-1])
                case "strong_open" | "em_open" | "s_open" | "link_open":
                    shapes.append(self._shape(shapes[-1], child))
                case "strong_close" | "em_close" | "s_close" | "link_close":
                    shapes.pop()
                case _:
                    self._text(cursor, child.content, shapes[-1])

    def _shape(self, base: QTextCharFormat, token: Said) -> QTextCharFormat:
        shape = QTextCharFormat(base)
        if token.type == "strong_open":
            shape.setFontWeight(QFont.Weight.DemiBold)
        elif token.type == "em_open":
            shape.setFontItalic(True)
        elif token.type == "s_open":
            shape.setFontStrikeOut(True)
        elif harmless.may_open(address := str(token.attrGet("href") or "")):
            shape = self._pen.ink.link(base, address)
        return shape

    def _code_in(self, base: QTextCharFormat) -> QTextCharFormat:
        shape = QTextCharFormat(self._pen.ink.inline_code)
        if base.isAnchor():
            shape = self._pen.ink.link(shape, base.anchorHref())
        return shape

    def _text(self, cursor: QTextCursor, text: str, shape: QTextCharFormat) -> None:
        text = _BREAK.sub("\u2029", text) if "<" in text else text
        at = 0
        for match in () if "://" not in text or shape.isAnchor() else _ADDRESS.finditer(text):
            cursor.insertText(_lines(text[at : match.start()]), shape)
            if harmless.may_open(match[0]):
                cursor.insertText(_lines(match[0]), self._pen.ink.link(shape, match[0]))
            else:
                cursor.insertText(_lines(match[0]), shape)
            at = match.end()
        cursor.insertText(_lines(text[at:]), shape)

    def _image(self, cursor: QTextCursor, token: Said, shape: QTextCharFormat) -> None:
        """Never loaded: its words, leading where it is."""
        address = str(token.attrGet("src") or "")
        words = token.content or address or "image"
        link = harmless.may_open(address) and not shape.isAnchor()
        cursor.insertText(_lines(f"[{words}]"), self._pen.ink.link(shape, address) if link else shape)

    # Lists

    def _open_list(self, token: Said) -> None:
        start: int | None = None
        if token.type == "ordered_list_open":
            start = int(token.attrGet("start") or (0 if token.attrGet("start") == 0 else 1))
            if not self._lists and self._number is not None:
                start = self._number
        self._lists.append([start])
        if len(self._lists) > 1:
            self._follows = True

    def _open_item(self) -> None:
        self._flush_marker()
        number = self._lists[-1][0]
        if number is None:
            self._marker = _BULLETS[min(len(self._lists), len(_BULLETS)) - 1]
        else:
            self._marker = f"{number}."
            self._lists[-1][0] = number + 1
        self._indent += self._marker_width()

    def _marker_width(self) -> float:
        number = self._lists[-1][0]
        return 16.0 if number is None else 22.0 if number <= 100 else 32.0

    def _close_item(self) -> None:
        self._flush_marker()
        self._indent -= self._marker_width()

    def _flush_marker(self) -> None:
        """A marker without words of its own stands alone on its line."""
        if self._marker:
            self._begin("paragraph", LINE)
            self._pen.end()

    # Code

    def _listing(self, token: Said) -> None:
        self._flush_marker()
        language = token.info.split()[0].lower() if token.info.split() else ""
        number = self._pen.open_listing(language, self._indent, self._quotes)
        self._pen.add_code(number, token.content.removesuffix("\n"))
        self._pen.close_listing(number)

    # Tables

    def _table(self) -> None:
        self._flush_marker()
        end = next(i for i in range(self._at, len(self._tokens)) if self._tokens[i].type == "table_close")
        cells = [t for t in self._tokens[self._at : end] if t.type in ("th_open", "td_open")]
        rows = sum(t.type == "tr_open" for t in self._tokens[self._at : end])
        columns = sum(t.type == "th_open" for t in cells)
        if rows * columns > MOST_CELLS:
            self._begin("paragraph", LINE)
            self._pen.write(harmless.prose(self._source).replace("\n", "\u2028"), self._pen.ink.code)
            self._pen.end()
        else:
            self._draw_table(self._tokens[self._at : end], rows, columns)
        self._at = end

    def _draw_table(self, tokens: Sequence[Said], rows: int, columns: int) -> None:
        pen = self._pen
        parts, tight = self._shares(tokens)
        table = pen.here().insertTable(rows, columns, self._table_format(parts))
        row = column = -1
        for index, token in enumerate(tokens):
            if token.type == "tr_open":
                row, column = row + 1, -1
            elif token.type in ("th_open", "td_open"):
                column += 1
                shape = pen.ink.cell(head=not row, first=not column, tight=tight)
                self._cell(table.cellAt(row, column), shape, token, tokens[index + 1].children or [])
        pen.after_table()

    def _table_format(self, parts: Sequence[float]) -> QTextTableFormat:
        shape = QTextTableFormat()
        shape.setBorder(0)
        shape.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_None)
        shape.setCellSpacing(0)
        shape.setCellPadding(0)
        shape.setTopMargin(self._pen.distance_to("table"))
        shape.setLeftMargin(self._indent)
        shape.setProperty(KIND, "table")
        shape.setWidth(QTextLength(QTextLength.Type.VariableLength, 0))
        if parts:
            across = QTextLength.Type.PercentageLength
            shape.setWidth(QTextLength(across, 100))
            shape.setColumnWidthConstraints([QTextLength(across, part) for part in parts])
        return shape

    def _shares(self, tokens: Sequence[Said]) -> tuple[list[float], bool]:
        rows: list[list[str]] = []
        for index, token in enumerate(tokens):
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                children = tokens[index + 1].children or []
                rows[-1].append("".join(child.content or " " for child in children))
        room = room_in(self._pen.here().document(), self._indent)
        return shares(rows, self._pen.ink.table_metrics, CELL_ACROSS, room)

    def _cell(
        self, cell: QTextTableCell, shape: QTextTableCellFormat, token: Said, children: Sequence[Said]
    ) -> None:
        cell.setFormat(shape)
        cursor = cell.firstCursorPosition()
        block = block_format("cell")
        block.setAlignment(_alignment(token))
        cursor.setBlockFormat(block)
        base = self._body()
        if token.type == "th_open":
            base = QTextCharFormat(base)
            base.setFontWeight(QFont.Weight.DemiBold)
        self._inline(cursor, children, base)


def centred(kind: str) -> QTextBlockFormat:
    """The format of a block whose words stand in the middle."""
    shape = block_format(kind)
    shape.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    return shape


def _from_the_right(words: str) -> bool:
    """Whether the first letter is of a script that is read from right to left."""
    if words.isascii():
        return False
    letter = _LETTER.search(words)
    return letter is not None and bidirectional(letter[0]) in ("R", "AL")


def _alignment(token: Said) -> Any:
    style = str(token.attrGet("style") or "")
    if style.endswith("right"):
        return Qt.AlignmentFlag.AlignRight
    return Qt.AlignmentFlag.AlignHCenter if style.endswith("center") else Qt.AlignmentFlag.AlignLeft


def _lines(text: str) -> str:
    """Harmless words; U+2029, which foreign text cannot hold any more here, stands for <br>."""
    if "\u2029" not in text:
        return harmless.prose(text)
    return "\u2028".join(harmless.prose(part) for part in text.split("\u2029"))


def _without_loose_ends(source: str) -> str:
    """A growing block without the markers that are still waiting for their words or their other half."""
    lines = source.split("\n")
    last = lines[-1]
    if re.fullmatch(r"[\s>]*([-*+#`~=_|]*|\d{1,9}[.)]?)\s*", last):
        return "\n".join(lines[:-1])
    if last.count("**") % 2 and not last.endswith("**"):
        last += "**"
    elif re.search(r"\*+$", last) and (last.count("**") % 2 or last.endswith("*")):
        last = last.rstrip("*") + ("**" if last.rstrip("*").count("**") % 2 else "")
    if last.count("`") % 2:
        last = last[:-1] if last.endswith("`") else last + "`"
    return "\n".join([*lines[:-1], last])
