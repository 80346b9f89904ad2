"""The formats a transcript is written in: characters by role, blocks by kind, all from the theme's tokens."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Protocol

from msgspec import Struct
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QTextBlockFormat,
    QTextCharFormat,
    QTextFormat,
    QTextFrameFormat,
    QTextOption,
    QTextTableCellFormat,
)

from vibedesk.ui.theme import body_font, mono_font

LINE = 20.0
CODE_LINE = 18.0
CODE_HEADER = 26
_PROPERTY = QTextFormat.Property.UserProperty.value
KIND = _PROPERTY + 1
"""Block property: what the view paints behind ("bubble", "code", "rule", "quote", "chip", "card", "fold")."""
GROUP = _PROPERTY + 2
"""Block property: blocks of one number belong together (one bubble, one piece of code)."""
QUOTES = _PROPERTY + 3
"""Block property: how many quote bars stand left of it."""
ROLE = _PROPERTY + 4
"""Block property: the colour role of a chip."""
ENTRY = _PROPERTY + 6
"""Block property: which of the things said it belongs to, from 1."""
PILL = _PROPERTY + 5
"""Character property: inline code, on a rounded ground."""
HAS_PILLS, HAS_GROUND, STATES = 1, 2, 4
"""State of a block: such code is in it; something is painted behind it. Painting looks nowhere else. What is above is
a number times `STATES` (see `Pen.write_pill`)."""
CELL_ACROSS = {False: 22, True: 11}
"""Pixels left and right of a cell’s words together, and what rounding may take; in a `tight` table less."""
GROUNDS = ("bubble", "code", "chip", "rule")
"""Kinds of block that something is painted behind."""


class Colours(Protocol):
    """What the ink needs of a theme."""

    def colour(self, token: str) -> QColor: ...


class Space(Struct, frozen=True):
    """Pixels around a kind of block: outside it, and inside between its painted edge and the words."""

    before: float
    after: float
    above: float = 0.0
    below: float = 0.0


SPACES = {
    "paragraph": Space(8, 8),
    "heading": Space(14, 6),
    "item": Space(8, 8),
    "next_item": Space(3, 8),
    "rule": Space(14, 14),
    "table": Space(8, 10),
    "code": Space(8, 8, CODE_HEADER + 7, 11),
    "bubble": Space(22, 12, 6, 9),
    "fold": Space(8, 8),
    "thought": Space(2, 8),
    "chip": Space(10, 8),
    "card": Space(12, 12),
}


class Ink:
    """All formats for one theme; make a new one when the theme changes."""

    def __init__(self, theme: Colours) -> None:
        self.theme = theme
        self.body = self._characters(body_font(), "text")
        self.muted = self._characters(body_font(12), "muted")
        self.code = self._characters(mono_font(12), "text")
        self.inline_code = self._characters(mono_font(12), "text")
        self.inline_code.setProperty(PILL, True)
        self.chip = self._characters(_weighted(body_font(11), QFont.Weight.Medium), "muted")
        self.headings = tuple(
            self._characters(_weighted(body_font(size), QFont.Weight.DemiBold), "text")
            for size in (18, 16, 14, 13, 13, 13)
        )
        self.syntax = {
            token: self._tinted(self.code, token) for token in ("keyword", "string", "name", "comment")
        }
        self._cells = {
            (head, first, tight): self._cell(head=head, first=first, tight=tight)
            for head in (True, False)
            for first in (True, False)
            for tight in (True, False)
        }

    @cached_property
    def table_metrics(self) -> tuple[QFontMetricsF, QFontMetricsF]:
        """Of a table's head, and of its other rows."""
        bold = QFont(self.body.font())
        bold.setWeight(QFont.Weight.DemiBold)
        return QFontMetricsF(bold), QFontMetricsF(self.body.font())

    def cell(self, *, head: bool, first: bool, tight: bool) -> QTextTableCellFormat:
        """A table's cell with the line under it: in the `head`, in the `first` column."""
        return self._cells[head, first, tight]

    def _cell(self, *, head: bool, first: bool, tight: bool) -> QTextTableCellFormat:
        shape = QTextTableCellFormat()
        shape.setPadding(4)
        shape.setRightPadding(7 if tight else 16)
        shape.setLeftPadding(0 if first else 2 if tight else 4)
        shape.setBottomBorder(1)
        shape.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        shape.setBottomBorderBrush(self.theme.colour("line-strong" if head else "line"))
        return shape

    def link(self, base: QTextCharFormat, address: str) -> QTextCharFormat:
        """`base` as a link to `address`, which the caller has found openable."""
        shape = self._tinted(base, "accent")
        shape.setAnchor(True)
        shape.setAnchorHref(address)
        shape.setFontUnderline(True)
        return shape

    def fold(self, address: str) -> QTextCharFormat:
        """The clickable line above folded words."""
        shape = QTextCharFormat(self.muted)
        shape.setAnchor(True)
        shape.setAnchorHref(address)
        return shape

    def in_role(self, base: QTextCharFormat, role: str) -> QTextCharFormat:
        """`base` in the colour of a role ("warn", "bad", …); neutral is muted."""
        return self._tinted(base, role if role in ("accent", "ok", "warn", "bad") else "muted")

    def _characters(self, font: QFont, token: str) -> QTextCharFormat:
        shape = QTextCharFormat()
        shape.setFont(font)
        shape.setForeground(self.theme.colour(token))
        return shape

    def _tinted(self, base: QTextCharFormat, token: str) -> QTextCharFormat:
        shape = QTextCharFormat(base)
        shape.setForeground(self.theme.colour(token))
        return shape


def block_format(
    kind: str, *, indent: float = 0.0, quotes: int = 0, group: int = 0, line: float = LINE
) -> QTextBlockFormat:
    """The block format of a kind, without its distance to the block before; it may be changed."""
    shape = QTextBlockFormat(_usual_format(kind, indent, quotes, line))
    if group:
        shape.setProperty(GROUP, group)
    return shape


@lru_cache(maxsize=256)
def _usual_format(kind: str, indent: float, quotes: int, line: float) -> QTextBlockFormat:
    shape = QTextBlockFormat()
    shape.setLineHeight(line, QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
    shape.setLeftMargin(indent)
    shape.setProperty(KIND, kind)
    if quotes:
        shape.setProperty(QUOTES, quotes)
    return shape


def fresh_format() -> QTextBlockFormat:
    """The empty block that always ends a transcript, too low to be seen."""
    shape = QTextBlockFormat()
    shape.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
    return shape


def tabbed(shape: QTextBlockFormat, width: float) -> QTextBlockFormat:
    """A list item: the marker hangs `width` pixels left of the words."""
    shape.setLeftMargin(shape.leftMargin() + width)
    shape.setTextIndent(-width)
    shape.setTabPositions([QTextOption.Tab(width, QTextOption.TabType.LeftTab)])
    return shape


def distance(before: str | None, kind: str, below: float) -> float:
    """Pixels between two kinds of block, `below` of them still inside the first."""
    if before is None:
        return SPACES[kind].above
    if kind == "next_item" and before in ("item", "next_item"):
        return SPACES[kind].before
    return max(SPACES[before].after, SPACES[kind].before) + below + SPACES[kind].above


def _weighted(font: QFont, weight: QFont.Weight) -> QFont:
    font.setWeight(weight)
    return font
