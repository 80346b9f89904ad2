"""The one hand that writes into a transcript's document, block after block: at its end, or on top of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from time import monotonic

from msgspec import Struct
from PySide6.QtGui import (
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextTableFormat,
)

from vibedesk.ui import harmless
from vibedesk.ui.highlight import LONGEST, Span, each_line, known, lines_of
from vibedesk.ui.ink import (
    CODE_LINE,
    ENTRY,
    GROUNDS,
    GROUP,
    HAS_GROUND,
    HAS_PILLS,
    PILL,
    QUOTES,
    SPACES,
    STATES,
    Ink,
    block_format,
    distance,
    fresh_format,
)

CODE_PADDING = 12
CODE_HANG = 14
"""How far a line that had to be broken goes on further right."""
QUOTE_STEP = 14
MANY_PILLS = 2_000
"""Blocks with inline code from which on those that were cut off are looked for."""
AT_ONCE = 1_500
"""Characters of code that are coloured in one go, in about three milliseconds; longer ones are coloured bit by bit."""

GROWTH = 17 / 16
"""By so much a growing listing grows before it is coloured again: some twenty times the work of doing it once."""


class Listing(Struct):
    """A piece of code on the screen: what Copy copies, and how far it is coloured."""

    language: str
    text: str = ""
    indent: float = 0.0
    drawn: list[tuple[Span, ...]] = []
    coloured_at: int = 0
    start: QTextCursor | None = None


class Mark(Struct, frozen=True):
    """Where the document could be cut off and written on from."""

    last: str | None
    below: float


class Pen:
    """Invariant: what was written ends in an empty `fresh` block, except while a block or a listing is open."""

    def __init__(self, document: QTextDocument, ink: Ink) -> None:
        self.document = document
        self.ink = ink
        self.listings: dict[int, Listing] = {}
        self._numbers = count(1)
        self._pills: dict[int, list[tuple[int, int]]] = {}
        """Where inline code stands in a block, by the number in the block's state."""
        self._jobs: deque[tuple[str, Iterator[int]]] = deque()
        self._last: str | None = None
        self._below = 0.0
        self.hurried = False
        """Whether code gets its colours later, in `work`."""
        self.entry = 0
        """What is being written: every block carries its number."""
        self.began = ""
        """What the first block asked to be at a distance for, since this was last emptied."""
        self._place: QTextCursor | None = None
        """The fresh block, where that is not the document's last."""
        self.cursor = QTextCursor(document)
        self.cursor.setBlockFormat(fresh_format())

    def here(self) -> QTextCursor:
        """The fresh block at the end of what was written."""
        if self._place is None:
            self.cursor.movePosition(QTextCursor.MoveOperation.End)
        else:
            self.cursor.setPosition(self._place.position())
        return self.cursor

    @contextmanager
    def on_top(self, mark: Mark | None) -> Iterator[None]:
        """Writes right under the document's first block instead of at its end, as after `mark`."""
        kept = self.cursor, self._last, self._below, self.entry
        self.cursor = QTextCursor(self.document)
        self.cursor.insertBlock(fresh_format(), QTextCharFormat())
        self._place = QTextCursor(self.cursor)
        self._last, self._below = (mark.last, mark.below) if mark is not None else (None, 0.0)
        try:
            yield
        finally:
            self.here().deleteChar()  # an empty block that is joined to the next leaves that as it is
            self._place = None
            self.cursor, self._last, self._below, self.entry = kept

    def distance_to(self, space: str) -> float:
        """Pixels above a block that keeps its distance as `space`."""
        self.began = self.began or space
        return distance(self._last, space, self._below)

    def move_apart(self, place: QTextCursor, began: str, mark: Mark) -> None:
        """Gives a block, or the table that follows it, the distance it has after `mark`."""
        cursor = QTextCursor(place.document())
        cursor.setPosition(place.position())
        top = distance(mark.last, began, mark.below)
        if began == "table":
            cursor.movePosition(QTextCursor.MoveOperation.NextBlock)
            if (table := cursor.currentTable()) is not None:
                frame = QTextTableFormat(table.format())
                frame.setTopMargin(top)
                table.setFormat(frame)
        else:
            shape = cursor.blockFormat()
            shape.setTopMargin(top)
            cursor.setBlockFormat(shape)

    def skip(self, blank: QTextBlockFormat) -> None:
        """The fresh block becomes blank space, and another is fresh."""
        self.here().setBlockFormat(blank)
        self.cursor.insertBlock(fresh_format(), QTextCharFormat())

    def resume(self, mark: Mark | None) -> None:
        """Writes on as after what `mark` remembers."""
        if mark is not None:
            self._last, self._below = mark.last, mark.below

    def leave(self, blank: QTextBlockFormat | None) -> None:
        """The fresh block takes as much room as `blank` until something is written there."""
        self.here().setBlockFormat(blank or fresh_format())

    def forget_outside(self, begin: int, end: int, *, growing: int) -> None:
        """Forgets the code that was cut off: of cards whose place is not between two positions any more. The one that
        is `growing` may be empty, and stay at the end."""
        self.listings = {
            number: listing
            for number, listing in self.listings.items()
            if number == growing or (listing.start is not None and begin <= listing.start.position() < end)
        }
        if len(self._pills) > MANY_PILLS:
            self._forget_lost_pills()

    def mark(self) -> Mark:
        return Mark(self._last, self._below)

    def cut_from(self, position: int, mark: Mark) -> None:
        """Removes everything from `position`, the start of a fresh block, to the end."""
        self.cursor.setPosition(position)
        self.cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        self.cursor.removeSelectedText()
        self.cursor.setBlockFormat(fresh_format())
        self.cursor.setBlockCharFormat(QTextCharFormat())
        self._last, self._below = mark.last, mark.below

    def number(self) -> int:
        """A number no other group of blocks has."""
        return next(self._numbers)

    def start(self, kind: str, shape: QTextBlockFormat, space: str = "") -> None:
        """Turns the fresh block into one of `kind`, at the right distance from the block before."""
        space = space or kind
        shape.setTopMargin(self.distance_to(space))
        shape.setProperty(ENTRY, self.entry)
        self.here().setBlockFormat(shape)
        self.cursor.block().setUserState(HAS_GROUND if kind in GROUNDS or shape.intProperty(QUOTES) else 0)
        self._last, self._below = space, SPACES[space].below

    def write(self, text: str, shape: QTextCharFormat) -> None:
        """Harmless `text` at the end of the open block."""
        self.cursor.insertText(text, shape)

    def more(self, shape: QTextBlockFormat) -> None:
        """Another block of the same group, right under the open one."""
        under = QTextBlockFormat(shape)
        under.setTopMargin(0)
        self.cursor.insertBlock(under)

    def end(self) -> None:
        """Closes the open block."""
        self.cursor.insertBlock(fresh_format(), QTextCharFormat())

    def after_table(self) -> None:
        """A table brings its own following block, which Qt draws on top of it while it is empty: leave that alone."""
        self.here().setBlockFormat(fresh_format())
        self.cursor.insertBlock(fresh_format(), QTextCharFormat())
        self._last, self._below = "table", 0.0

    # Code

    def write_pill(self, cursor: QTextCursor, text: str, shape: QTextCharFormat) -> None:
        """Inline code. Its place is remembered: painting looks for it in every frame."""
        start = cursor.positionInBlock()
        cursor.insertText(text, shape)
        block = cursor.block()
        state = max(0, block.userState())
        number = state // STATES or self.number()
        block.setUserState(state % STATES | HAS_PILLS | number * STATES)
        self._pills.setdefault(number, []).append((start, cursor.positionInBlock() - start))

    def pills_of(self, block: QTextBlock) -> list[tuple[int, int]]:
        """Start and length of each piece of inline code, within the block."""
        known = self._pills.get(block.userState() // STATES)
        if known is None:
            known = [
                (part.start, part.length) for part in block.textFormats() if part.format.boolProperty(PILL)
            ]
        return known

    def _forget_lost_pills(self) -> None:
        there, block = set(), self.document.begin()
        while block.isValid():
            there.add(block.userState() // STATES)
            block = block.next()
        self._pills = {number: places for number, places in self._pills.items() if number in there}

    def open_listing(self, language: str, indent: float = 0.0, quotes: int = 0) -> int:
        """Begins a card of code; its number."""
        number = self.number()
        self.listings[number] = Listing(language=harmless.one_line(language, 24), indent=indent)
        self.start("code", self._code_format(number, indent, quotes))
        self.cursor.setBlockCharFormat(self.ink.code)
        start = self.listings[number].start = QTextCursor(self.cursor)
        start.setKeepPositionOnInsert(True)
        return number

    def add_code(self, number: int, text: str) -> None:
        """More characters of the open listing."""
        listing = self.listings[number]
        clean = harmless.code(text)
        listing.text += clean
        self.here()
        first, newline, others = clean.partition("\n")
        self.write(first, self.ink.code)
        if newline:
            self.more(self.cursor.blockFormat())
            self.write(others, self.ink.code)

    def colour(self, number: int) -> None:
        """Colours an open listing, now and then; a long one bit by bit, in `work`."""
        listing = self.listings[number]
        if self.hurried or not _worth_colouring(listing) or not known(listing.language):
            return
        if len(listing.text) <= AT_ONCE:
            self._colour(listing)
        elif not self._jobs:
            listing.coloured_at = len(listing.text)
            self._jobs.append((listing.language, self._colouring(number, listing)))

    def close_listing(self, number: int) -> None:
        """Ends the card. Its colours wait for `work` where it is long, in haste, or its grammar is not loaded yet."""
        listing = self.listings[number]
        if len(listing.text) <= AT_ONCE and not self.hurried and known(listing.language):
            self._colour(listing)
        else:
            self._jobs.append((listing.language, self._colouring(number, listing)))
        self.here()
        self.end()

    @property
    def busy(self) -> bool:
        """Whether colours are still to be given."""
        return bool(self._jobs)

    def work(self, seconds: float) -> None:
        """Goes on colouring pieces of code for about so long."""
        until = monotonic() + seconds
        self.cursor.beginEditBlock()
        while self._jobs and monotonic() < until and known(self._jobs[0][0]):
            if next(self._jobs[0][1], None) is None:
                self._jobs.popleft()
        self.cursor.endEditBlock()

    def _colouring(self, number: int, listing: Listing) -> Iterator[int]:
        """Colours a listing line by line, for as long as it is on the page; lines that keep their spans are left."""
        assert listing.start is not None
        place = QTextCursor(listing.start)
        place.setKeepPositionOnInsert(True)
        for index, spans in enumerate(each_line(listing.text, listing.language)):
            block = self.document.findBlock(place.position())
            if block.blockFormat().intProperty(GROUP) != number:
                return
            if spans != (listing.drawn[index] if index < len(listing.drawn) else ()):
                self._colour_line(block.position(), block.length() - 1, spans)
            listing.drawn[index : index + 1] = [spans]
            place.movePosition(QTextCursor.MoveOperation.NextBlock)
            yield number

    def _code_format(self, number: int, indent: float, quotes: int) -> QTextBlockFormat:
        left = indent + CODE_PADDING + CODE_HANG
        shape = block_format("code", indent=left, group=number, line=CODE_LINE, quotes=quotes)
        shape.setTextIndent(-CODE_HANG)
        shape.setRightMargin(CODE_PADDING)
        return shape

    def _colour(self, listing: Listing) -> None:
        """Gives the lines whose spans have changed their colours; the listing is the last that was written."""
        lines = lines_of(listing.text, listing.language)
        listing.coloured_at = len(listing.text)
        block = self.here().block()
        for index in range(len(lines) - 1, -1, -1):
            old = listing.drawn[index] if index < len(listing.drawn) else ()
            if lines[index] != old:
                self._colour_line(block.position(), block.length() - 1, lines[index])
            block = block.previous()
        listing.drawn = lines

    def _colour_line(self, position: int, length: int, spans: tuple[Span, ...]) -> None:
        self._shape(position, position + length, self.ink.code)
        for span in spans:
            self._shape(position + span.start, position + min(span.end, length), self.ink.syntax[span.token])

    def _shape(self, start: int, end: int, shape: QTextCharFormat) -> None:
        self.cursor.setPosition(start)
        self.cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self.cursor.setCharFormat(shape)


def _worth_colouring(listing: Listing) -> bool:
    """Each time it has grown by a few lines, more of them the longer it is: linear work in all."""
    return len(listing.text) <= LONGEST and len(listing.text) >= listing.coloured_at * GROWTH + 60
