"""What is painted behind a transcript's words: bubbles, code cards, quote bars, chips, rules, inline code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTextBlock, QTextDocument, QTextLine

from vibedesk.ui.ink import CODE_HEADER, GROUP, HAS_PILLS, KIND, PILL, QUOTES, ROLE, SPACES, Ink
from vibedesk.ui.page import BUBBLE_PADDING
from vibedesk.ui.pen import CODE_HANG, CODE_PADDING, QUOTE_STEP, Listing

_FAR = 4_000.0


class Seen(Struct):
    """A visible block: where it stands in the viewport, and what its format says, read once."""

    block: QTextBlock
    rect: QRectF
    kind: str
    group: int
    quotes: int
    left: float
    """Pixels its words begin right of the margin."""


class Hot(Struct, frozen=True):
    """A place that can be clicked: of listing `number`, "copy" or "unwrap"."""

    rect: QRectF
    number: int
    act: str = "copy"


class Backdrop:
    """Paints behind the blocks it is shown; remembers what can be clicked."""

    def __init__(self, ink: Ink) -> None:
        self.ink = ink
        self.hot: list[Hot] = []
        self.copied = 0
        """The listing that has just been copied, 0 = none."""

    def paint(
        self, painter: QPainter, blocks: list[Seen], left: float, right: float, listings: dict[int, Listing]
    ) -> None:
        """Everything behind `blocks`; words stand between `left` and `right`, in viewport pixels."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.hot = []
        for kind, group, run in _runs(blocks):
            match kind:
                case "code" if group in listings:
                    self._listing(painter, run, group, listings[group], left, right)
                case "bubble":
                    self._bubble(painter, run, left, right)
                case "chip":
                    self._chip(painter, run[0])
                case "rule":
                    y = round(run[0].rect.center().y()) + 0.5
                    painter.setPen(self._hairline())
                    painter.drawLine(QPointF(left, y), QPointF(right, y))
        self._quotes(painter, blocks, left)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.ink.theme.colour("sunken"))
        for seen in blocks:
            if seen.block.userState() == HAS_PILLS:
                self._inline_code(painter, seen)

    def _listing(
        self, painter: QPainter, run: list[Seen], number: int, listing: Listing, left: float, right: float
    ) -> None:
        space = SPACES["code"]
        first, last = _is_first(run[0].block, number), _is_last(run[-1].block, number)
        top = run[0].rect.top() - space.above + 3 if first else -_FAR
        bottom = run[-1].rect.bottom() + space.below if last else _FAR
        x = left + run[0].left - CODE_PADDING - CODE_HANG
        card = QRectF(x, round(top), right - x, round(bottom) - round(top)).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(self._hairline())
        painter.setBrush(self.ink.theme.colour("code"))
        painter.drawRoundedRect(card, 6, 6)
        if first:
            self._listing_header(
                painter, QRectF(card.left(), card.top(), card.width(), CODE_HEADER), number, listing
            )
            if any(seen.block.layout().lineCount() > 1 for seen in run):
                self._unwrap(painter, QRectF(card.right() - 136, card.top(), 72, CODE_HEADER), number)

    def _listing_header(self, painter: QPainter, rect: QRectF, number: int, listing: Listing) -> None:
        y = round(rect.bottom()) + 0.5
        painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))
        painter.setFont(self.ink.chip.font())
        painter.setPen(self.ink.theme.colour("muted"))
        words = rect.adjusted(CODE_PADDING - 1, 0, -CODE_PADDING + 1, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignLeft, listing.language or "text")
        label = "Copied" if self.copied == number else "Copy"
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignRight, label)
        self.hot.append(Hot(QRectF(rect.right() - 64, rect.top(), 64, rect.height()), number))

    def _unwrap(self, painter: QPainter, rect: QRectF, number: int) -> None:
        """Lines had to be broken: whoever wants can see them whole."""
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, "Unwrap")
        self.hot.append(Hot(rect, number, "unwrap"))

    def _bubble(self, painter: QPainter, run: list[Seen], left: float, right: float) -> None:
        space = SPACES["bubble"]
        number = run[0].group
        top = run[0].rect.top() - space.above if _is_first(run[0].block, number) else -_FAR
        bottom = run[-1].rect.bottom() + space.below if _is_last(run[-1].block, number) else _FAR
        x = round(left + run[0].left - BUBBLE_PADDING)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.ink.theme.colour("accent-weak"))
        painter.drawPath(_speech(QRectF(x, round(top), right - x, round(bottom - top)), 10))

    def _chip(self, painter: QPainter, seen: Seen) -> None:
        word = seen.block.begin().fragment()
        layout = seen.block.layout()
        line = layout.lineAt(0)
        if not line.isValid():
            return
        width = _x(line, word.length()) - _x(line, 0)
        role = seen.block.blockFormat().stringProperty(ROLE)
        text = line.naturalTextRect()
        y = round(seen.rect.top() + line.y() + line.ascent() - 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(
            self.ink.theme.colour(f"{role}-weak" if role in ("ok", "warn", "bad", "accent") else "sunken")
        )
        painter.drawRoundedRect(QRectF(seen.rect.left() + text.left() - 8, y - 10, width + 16, 20), 10, 10)

    def _quotes(self, painter: QPainter, blocks: list[Seen], left: float) -> None:
        if not any(seen.quotes for seen in blocks):
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.ink.theme.colour("line-strong"))
        above: dict[int, float] = {}
        for seen in blocks:
            now: dict[int, float] = {}
            padding = SPACES["code"].above if seen.kind == "code" else 0.0
            for level in range(seen.quotes):
                top = above.get(level, seen.rect.top() - padding)
                bottom = seen.rect.bottom() + 1
                painter.drawRect(QRectF(left + level * QUOTE_STEP, top, 2, bottom - top))
                now[level] = bottom
            above = now

    def _inline_code(self, painter: QPainter, seen: Seen) -> None:
        layout = seen.block.layout()
        for start, length in _pills(seen.block):
            first = layout.lineForTextPosition(start).lineNumber()
            last = layout.lineForTextPosition(start + length).lineNumber()
            for number in range(first, last + 1):
                _pill(painter, seen, layout.lineAt(number), start, start + length)

    def _hairline(self) -> QPen:
        return QPen(QColor(self.ink.theme.colour("line")), 1)


def _pill(painter: QPainter, seen: Seen, line: QTextLine, start: int, end: int) -> None:
    """The ground under what stands of a piece of inline code in one line."""
    begin = line.textStart()
    left = _x(line, max(start, begin))
    right = _x(line, min(end, begin + line.textLength()))
    baseline = seen.rect.top() + line.y() + line.ascent()
    rect = QRectF(seen.rect.left() + left - 2, round(baseline) - 12, right - left + 4, 16)
    painter.drawRoundedRect(rect, 4, 4)


def visible(document: QTextDocument, first: QTextBlock, offset: QPointF, height: float) -> list[Seen]:
    """The blocks from `first` down to the viewport's lower edge, moved by `offset` into it."""
    layout = document.documentLayout()
    found = []
    block = first
    while block.isValid():
        rect = layout.blockBoundingRect(block).translated(offset)
        # Trap: its top is the block's, its height only the words'; the space above the first line is missing below
        rect.setBottom(rect.top() + block.layout().boundingRect().bottom())
        if rect.top() - CODE_HEADER - 16 > height:
            break
        shape = block.blockFormat()
        found.append(
            Seen(
                block,
                rect,
                shape.stringProperty(KIND),
                shape.intProperty(GROUP),
                shape.intProperty(QUOTES),
                shape.leftMargin(),
            )
        )
        block = block.next()
    return found


def _runs(blocks: list[Seen]) -> Iterator[tuple[str, int, list[Seen]]]:
    """Neighbouring blocks of one kind and one group."""
    run: list[Seen] = []
    mark: tuple[str, int] = ("", 0)
    for seen in blocks:
        now = (seen.kind, seen.group)
        if run and (now != mark or not now[1]):
            yield *mark, run
            run = []
        mark = now
        run.append(seen)
    if run:
        yield *mark, run


def _is_first(block: QTextBlock, group: int) -> bool:
    before = block.previous()
    return not before.isValid() or before.blockFormat().intProperty(GROUP) != group


def _is_last(block: QTextBlock, group: int) -> bool:
    after = block.next()
    return not after.isValid() or after.blockFormat().intProperty(GROUP) != group


def _pills(block: QTextBlock) -> Iterator[tuple[int, int]]:
    """Start and length of each piece of inline code, within the block."""
    for part in block.textFormats():
        if part.format.boolProperty(PILL):
            yield part.start, part.length


def _speech(rect: QRectF, radius: float) -> QPainterPath:
    """A rounded rectangle whose lower right corner is square."""
    path = QPainterPath()
    path.addRoundedRect(rect, radius, radius)
    corner = QPainterPath()
    corner.addRect(QRectF(rect.right() - radius, rect.bottom() - radius, radius, radius))
    return path.united(corner)


def _x(line: QTextLine, position: int) -> float:
    """Where a character of the line begins. The binding gives a number or, with the position, a pair."""
    answer: Any = line.cursorToX(position)
    return float(answer[0] if isinstance(answer, tuple) else answer)
