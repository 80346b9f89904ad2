"""What is painted behind a transcript's words: bubbles, code cards, quote bars, chips, rules, inline code."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap, QTextBlock, QTextDocument, QTextLine

from vibedesk.ui.ink import CODE_HEADER, GROUP, HAS_PILLS, KIND, QUOTES, ROLE, SPACES, Ink
from vibedesk.ui.page import BUBBLE_PADDING
from vibedesk.ui.pen import CODE_HANG, CODE_PADDING, QUOTE_STEP, Listing, Pen

TOP_CAP, BOTTOM_CAP = CODE_HEADER + 1, 7
"""Pixels of a card that are painted once and kept: its header, and its lower corners."""
MOST_CAPS = 64
_FAR = 4_000.0


class Sight(Struct):
    """The blocks of a document from `first` to `last`, as a viewport of some `height` shows them: moved up by
    `scrolled` pixels, words between `left` and `right`."""

    document: QTextDocument
    first: QTextBlock
    last: QTextBlock
    scrolled: int
    left: float
    right: float
    height: int

    def blocks(self) -> Iterator[QTextBlock]:
        """From the first to the last."""
        block = self.first
        while block.isValid():
            yield block
            if block == self.last:
                return
            block = block.next()

    def rect(self, block: QTextBlock) -> QRectF:
        """Where a block's words stand in the viewport."""
        rect = self.document.documentLayout().blockBoundingRect(block).translated(0, -self.scrolled)
        # Trap: its top is the block's, its height only the words'; the space above the first line is missing below
        rect.setBottom(rect.top() + block.layout().boundingRect().bottom())
        return rect


class Seen(Struct):
    """A block with something behind it, or right under one: what its format says, read once."""

    block: QTextBlock
    kind: str
    group: int
    quotes: int
    left: float
    """Pixels its words begin right of the margin."""
    pills: bool


class Hot(Struct, frozen=True):
    """A place that can be clicked: of listing `number`, "copy" or "unwrap"."""

    rect: QRectF
    number: int
    act: str = "copy"


class Backdrop:
    """Paints behind the blocks that are in sight. Scrolled by whole pixels it looks the same to the pixel."""

    def __init__(self, ink: Ink) -> None:
        self.ink = ink
        self.copied = 0
        """The listing that has just been copied, 0 = none."""
        self._caps: dict[tuple[object, ...], QPixmap] = {}
        """Upper and lower ends of cards, painted once: they cost more than all the rest."""

    def paint(self, painter: QPainter, sight: Sight, pen: Pen) -> None:
        """Everything behind the words in sight."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        seen = _with_grounds(sight)
        for kind, group, run in _runs(seen):
            match kind:
                case "code" if group in pen.listings:
                    self._listing(painter, sight, run, pen.listings[group])
                case "bubble":
                    self._bubble(painter, sight, run)
                case "chip":
                    self._chip(painter, sight, run[0])
                case "rule":
                    y = _whole(sight.rect(run[0].block).center().y()) + 0.5
                    painter.setPen(self._hairline())
                    painter.drawLine(QPointF(sight.left, y), QPointF(sight.right, y))
        self._quotes(painter, sight, seen)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.ink.theme.colour("sunken"))
        for one in seen:
            if one.pills:
                self._inline_code(painter, sight.rect(one.block), one.block, pen)

    def hot(self, sight: Sight, listings: dict[int, Listing]) -> list[Hot]:
        """What can be clicked in the headers of code."""
        found = []
        for kind, group, run in _runs(_with_grounds(sight)):
            if kind == "code" and group in listings and _is_first(run[0].block, group):
                card = _card(sight, run)
                found.append(Hot(QRectF(card.right() - 64, card.top(), 64, CODE_HEADER), group))
                if _broken(run):
                    found.append(Hot(_unwrap_of(card), group, "unwrap"))
        return found

    def _listing(self, painter: QPainter, sight: Sight, run: list[Seen], listing: Listing) -> None:
        card, number = _card(sight, run), run[0].group
        x, width, line = card.left(), card.width(), self.ink.theme.colour("line")
        top, bottom, height = card.top(), card.bottom(), sight.height
        first, last = _is_first(run[0].block, number), _is_last(run[-1].block, number)
        above, below = (
            max(-1.0, top + TOP_CAP if first else top),
            bottom - BOTTOM_CAP if last else height + 1.0,
        )
        painter.fillRect(QRectF(x, above, width, below - above), self.ink.theme.colour("code"))
        painter.fillRect(QRectF(x, above, 1, below - above), line)
        painter.fillRect(QRectF(x + width - 1, above, 1, below - above), line)
        if first:
            label = "Copied" if self.copied == number else "Copy"
            cap = self._top_cap(painter, width, listing.language or "text", label, _broken(run))
            painter.drawPixmap(QPointF(x, top), cap)
        if last:
            painter.drawPixmap(QPointF(x, bottom - BOTTOM_CAP), self._bottom_cap(painter, width))

    def _top_cap(self, painter: QPainter, width: float, language: str, label: str, broken: bool) -> QPixmap:
        """The header of a piece of code."""
        scale = painter.device().devicePixelRatioF()
        mark = (width, scale, language, label, broken)
        if mark not in self._caps:
            with self._new_cap(mark, width, TOP_CAP, scale) as on:
                self._edge(on, QRectF(0, 0, width, 100))
                y = CODE_HEADER + 0.5
                on.drawLine(QPointF(0.5, y), QPointF(width - 0.5, y))
                self._header(on, QRectF(0.5, 0.5, width - 1, CODE_HEADER), language, label, broken)
        return self._caps[mark]

    def _header(self, on: QPainter, rect: QRectF, language: str, label: str, broken: bool) -> None:
        on.setFont(self.ink.chip.font())
        on.setPen(self.ink.theme.colour("muted"))
        words = rect.adjusted(CODE_PADDING - 1, 0, 1 - CODE_PADDING, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        room = words.width() - (136 if broken else 64)
        language = on.fontMetrics().elidedText(language, Qt.TextElideMode.ElideRight, int(room))
        on.drawText(words, middle | Qt.AlignmentFlag.AlignLeft, language)
        on.drawText(words, middle | Qt.AlignmentFlag.AlignRight, label)
        if broken:  # lines had to be broken: whoever wants can see them whole
            on.drawText(_unwrap_of(rect), middle | Qt.AlignmentFlag.AlignRight, "Unwrap")

    def _bottom_cap(self, painter: QPainter, width: float) -> QPixmap:
        """The lower corners of a card."""
        scale = painter.device().devicePixelRatioF()
        mark = (width, scale)
        if mark not in self._caps:
            with self._new_cap(mark, width, BOTTOM_CAP, scale) as on:
                self._edge(on, QRectF(0, BOTTOM_CAP - 100, width, 100))
        return self._caps[mark]

    @contextmanager
    def _new_cap(
        self, mark: tuple[object, ...], width: float, height: int, scale: float
    ) -> Iterator[QPainter]:
        """To be painted on; `scale` pixels of the screen to one of ours."""
        if len(self._caps) >= MOST_CAPS:
            self._caps.clear()
        cap = QPixmap(math.ceil(width * scale), math.ceil(height * scale))
        cap.setDevicePixelRatio(scale)
        cap.fill(self.ink.theme.colour("surface"))
        painter = QPainter(cap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        yield painter
        painter.end()
        self._caps[mark] = cap

    def _edge(self, painter: QPainter, card: QRectF) -> None:
        painter.setPen(self._hairline())
        painter.setBrush(self.ink.theme.colour("code"))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _bubble(self, painter: QPainter, sight: Sight, run: list[Seen]) -> None:
        space = SPACES["bubble"]
        first, last = run[0].block, run[-1].block
        top = sight.rect(first).top() - space.above if _is_first(first, run[0].group) else -_FAR
        bottom = sight.rect(last).bottom() + space.below if _is_last(last, run[0].group) else _FAR
        x = _whole(sight.left + run[0].left - BUBBLE_PADDING)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.ink.theme.colour("accent-weak"))
        height = _whole(bottom) - _whole(top)
        painter.drawPath(_speech(QRectF(x, _whole(top), sight.right - x, height), 10))

    def _chip(self, painter: QPainter, sight: Sight, seen: Seen) -> None:
        rect, word = sight.rect(seen.block), seen.block.begin().fragment()
        line = seen.block.layout().lineAt(0)
        if not line.isValid():
            return
        width = _x(line, word.length()) - _x(line, 0)
        role = seen.block.blockFormat().stringProperty(ROLE)
        text = line.naturalTextRect()
        y = _whole(rect.top() + line.y() + line.ascent() - 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(
            self.ink.theme.colour(f"{role}-weak" if role in ("ok", "warn", "bad", "accent") else "sunken")
        )
        painter.drawRoundedRect(QRectF(rect.left() + text.left() - 8, y - 10, width + 16, 20), 10, 10)

    def _quotes(self, painter: QPainter, sight: Sight, blocks: list[Seen]) -> None:
        if not any(seen.quotes for seen in blocks):
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.ink.theme.colour("line-strong"))
        above: dict[int, float] = {}
        for seen in blocks:
            if not seen.quotes:
                above = {}
                continue
            now: dict[int, float] = {}
            rect, padding = sight.rect(seen.block), SPACES["code"].above if seen.kind == "code" else 0.0
            for level in range(seen.quotes):
                top = above.get(level, rect.top() - padding)
                bottom = rect.bottom() + 1
                painter.drawRect(QRectF(sight.left + level * QUOTE_STEP, top, 2, bottom - top))
                now[level] = bottom
            above = now

    def _inline_code(self, painter: QPainter, rect: QRectF, block: QTextBlock, pen: Pen) -> None:
        layout = block.layout()
        for start, length in pen.pills_of(block):
            end, line = start + length, layout.lineForTextPosition(start)
            while line.isValid():
                line_end = line.textStart() + line.textLength()
                _pill(painter, rect, line, max(start, line.textStart()), min(end, line_end))
                if end <= line_end:
                    break
                line = layout.lineAt(line.lineNumber() + 1)

    def _hairline(self) -> QPen:
        return QPen(QColor(self.ink.theme.colour("line")), 1)


def _pill(painter: QPainter, block: QRectF, line: QTextLine, start: int, end: int) -> None:
    """The ground under a piece of inline code, or what stands of it in one line."""
    left, right = _x(line, start), _x(line, end)
    top = _whole(block.top() + line.y() + line.ascent()) - 12
    painter.drawRoundedRect(QRectF(block.left() + left - 2, top, right - left + 4, 16), 4, 4)


def _card(sight: Sight, run: list[Seen]) -> QRectF:
    """The edge of a piece of code; far outside where that is not in sight."""
    space, group = SPACES["code"], run[0].group
    first, last = run[0].block, run[-1].block
    top = sight.rect(first).top() - space.above + 3 if _is_first(first, group) else -_FAR
    bottom = sight.rect(last).bottom() + space.below if _is_last(last, group) else _FAR
    x = _whole(sight.left + run[0].left - CODE_PADDING - CODE_HANG)
    return QRectF(x, _whole(top), sight.right - x, _whole(bottom) - _whole(top))


def _unwrap_of(card: QRectF) -> QRectF:
    return QRectF(card.right() - 136, card.top(), 72, CODE_HEADER)


def _broken(run: list[Seen]) -> bool:
    return any(seen.block.layout().lineCount() > 1 for seen in run)


def _with_grounds(sight: Sight) -> list[Seen]:
    """The blocks in sight that something is painted behind. Their state tells; what follows in the same group, or
    under the same bar, is looked at for itself."""
    found, looks = [], True
    for block in sight.blocks():
        state = block.userState()
        if looks or state > 0:
            shape = block.blockFormat()
            group, quotes = shape.intProperty(GROUP), shape.intProperty(QUOTES)
            kind, left = shape.stringProperty(KIND), shape.leftMargin()
            found.append(Seen(block, kind, group, quotes, left, state > 0 and bool(state & HAS_PILLS)))
            looks = bool(group or quotes)
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


def _whole(y: float) -> float:
    """The nearest whole pixel; halves go down everywhere, so that scrolling by whole pixels changes nothing."""
    return math.floor(y + 0.5)
