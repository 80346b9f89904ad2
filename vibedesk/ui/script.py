"""What stands in a transcript and how it got there: turns, answers in growth, folds, marks; drawn through one pen."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from PySide6.QtCore import QSize, QUrl
from PySide6.QtGui import (
    QFontMetricsF,
    QImage,
    QImageReader,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextImageFormat,
)

from vibedesk.engine.types import Image
from vibedesk.ui import harmless
from vibedesk.ui.blocks import Blocks, Closed, Code, Opened, Plain, Step, fence_of
from vibedesk.ui.blocks import Markdown as Done
from vibedesk.ui.ink import KIND, ROLE, Ink, block_format
from vibedesk.ui.markdown import Markdown
from vibedesk.ui.pen import Mark, Pen

BUBBLE_PADDING = 12
BUBBLE_INDENT = 34
THUMBNAIL = 96
LONG_PROMPT = 4_000
"""Characters of a prompt that are shown; the rest waits behind a fold."""
PRETTY_TAIL = 2_000
"""A growing block longer than this is shown as plain text until it is finished."""


class Fold(Struct, eq=False):
    """Words behind a clickable line."""

    label: str
    text: list[str]
    open: bool = False
    header: QTextCursor | None = None
    body_end: QTextCursor | None = None


class Bubble(Struct, eq=False):
    """The user's words; `width` is how wide they would like to be."""

    start: QTextCursor
    lines: int
    width: float


class Said(Struct, eq=False):
    text: str
    images: tuple[Image, ...]
    rest: Fold | None = None
    note: str = ""


class Answer(Struct, eq=False):
    """One answer as it was received. `marks` are (word, role, explanation); `card` is room for a widget, in pixels."""

    text: list[str] = field(default_factory=list)
    thought: Fold | None = None
    marks: list[tuple[str, str, str]] = field(default_factory=list)
    live: bool = True
    card: int | None = None
    card_at: QTextCursor | None = None


class Aside(Struct, eq=False):
    fold: Fold


class Script:
    """Writes one document. What was finished is never written again, except to take it back or to change the theme."""

    def __init__(self, document: QTextDocument, ink: Ink) -> None:
        self._document = document
        self.ink = ink
        self._entries: list[Said | Answer | Aside] = []
        self._column = 600.0
        self._reset()

    def _reset(self) -> None:
        self._document.clear()
        self._document.setUndoRedoEnabled(False)
        self.pen = Pen(self._document, self.ink)
        self._markdown = Markdown(self.pen)
        self._blocks = Blocks()
        self._bubbles: list[Bubble] = []
        self._folds: dict[str, Fold] = {}
        self._listing = 0
        self._tail_mark: Mark | None = None
        self._plain_tail = 0
        self._tail = QTextCursor(self._document)
        self._tail.setKeepPositionOnInsert(True)

    # What is there

    @property
    def live(self) -> Answer | None:
        """The answer that is still growing."""
        last = self._entries[-1] if self._entries else None
        return last if isinstance(last, Answer) and last.live else None

    @property
    def empty(self) -> bool:
        return not self._entries

    @property
    def tail_position(self) -> int:
        """From here on the document may still change."""
        return self._tail.position()

    def cards(self) -> list[tuple[int, QTextCursor]]:
        """Room for widgets: which answer, and where."""
        found = enumerate(entry for entry in self._entries if isinstance(entry, Answer))
        return [(index, answer.card_at) for index, answer in found if answer.card_at is not None]

    def fold_at(self, address: str) -> Fold | None:
        return self._folds.get(address)

    # Growing

    def clear(self) -> None:
        self._entries = []
        self._reset()

    def say(self, text: str, images: Sequence[Image] = (), note: str = "") -> None:
        """The user's words, in a bubble; a `note` under it."""
        self._add(Said(text, tuple(images), note=note))

    def aside(self, label: str, text: str) -> None:
        """Words behind a fold, between turns."""
        self._add(Aside(Fold(label, [text])))

    def begin(self) -> None:
        """An answer begins under what is there."""
        self._add(Answer())

    def append(self, text: str) -> None:
        """More of the live answer."""
        answer = self._answer()
        answer.text.append(text)
        with _Edit(self._document):
            self._feed(text)

    def think(self, text: str) -> None:
        """More reasoning of the live answer."""
        answer = self._answer()
        with _Edit(self._document):
            if answer.thought is None:
                answer.thought = Fold("Thinking…", [text])
                self._place_thought(answer)
            else:
                answer.thought.text.append(text)
                if answer.thought.body_end is not None:
                    answer.thought.body_end.insertText(harmless.prose(text), self.ink.muted)

    def take_back(self, discard_from: int) -> None:
        """The live answer's text from this character on was not meant, nor its reasoning where nothing is left."""
        answer = self._answer()
        answer.thought = answer.thought if discard_from else None
        answer.text = ["".join(answer.text)[:discard_from]]
        self.redraw(self.ink)

    def thought(self, label: str) -> None:
        """Names the reasoning's fold: how long it took."""
        answer = self._answer()
        if answer.thought is not None and answer.thought.label != label:
            answer.thought.label = label
            self._write_header(answer.thought)

    def end(self, marks: Sequence[tuple[str, str, str]] = ()) -> int:
        """The live answer is over; its place among the answers."""
        answer = self._answer()
        answer.live, answer.marks = False, list(marks)
        with _Edit(self._document):
            self._draw_end(answer)
        return sum(isinstance(entry, Answer) for entry in self._entries) - 1

    def make_room(self, index: int, height: int) -> None:
        """Keeps `height` pixels free under answer `index`, for a widget."""
        answers = [entry for entry in self._entries if isinstance(entry, Answer)]
        answer = answers[index]
        if answer.card == height:
            return
        answer.card = height
        with _Edit(self._document):
            if answer.card_at is not None:
                _at(answer.card_at).setBlockFormat(_card_format(answer.card_at.blockFormat(), height))
            elif answer is self._entries[-1]:
                self._draw_card(answer)
            else:
                self.redraw(self.ink)

    def toggle(self, address: str) -> None:
        """Unfolds or folds."""
        fold = self._folds.get(address)
        if fold is None:
            return
        fold.open = not fold.open
        with _Edit(self._document):
            self._write_header(fold)
            self._open(fold) if fold.open else self._close(fold)

    # Drawing again

    def redraw(self, ink: Ink) -> None:
        """Everything once more: another theme, or words taken back."""
        self.ink = ink
        self._reset()
        with _Edit(self._document):
            for number, entry in enumerate(self._entries, 1):
                self._draw(entry, number)
        self.set_column(self._column)

    def set_column(self, width: float) -> None:
        """The width words have, in pixels: bubbles hug their words against its right edge."""
        self._column = width
        with _Edit(self._document):
            for bubble in self._bubbles:
                self._fit(bubble)

    def _add(self, entry: Said | Answer | Aside) -> None:
        self._entries.append(entry)
        with _Edit(self._document):
            self._draw(entry, len(self._entries))

    def _draw(self, entry: Said | Answer | Aside, number: int) -> None:
        self.pen.entry = number
        match entry:
            case Said():
                self._draw_said(entry)
            case Aside(fold):
                self._draw_fold(fold)
                self._settle()
            case Answer():
                self._draw_answer(entry)

    def _draw_answer(self, answer: Answer) -> None:
        self._blocks, self._listing = Blocks(), 0
        answer.card_at = None
        self._settle()
        if answer.thought is not None:
            self._draw_fold(answer.thought)
            self._settle()
        self._feed("".join(answer.text))
        if not answer.live:
            self._draw_end(answer)

    def _draw_end(self, answer: Answer) -> None:
        if not self._listing:  # inside an open fence there is no tail: all of it is drawn for good
            self._drop_tail()
        for step in self._blocks.close():
            self._do(step)
        for word, role, why in answer.marks:
            self._draw_chip(word, role, why)
        if answer.card is not None:
            self._draw_card(answer)
        self._settle()

    def _answer(self) -> Answer:
        answer = self.live
        if answer is None:
            raise RuntimeError("no answer is being written")
        return answer

    # The tail

    def _feed(self, text: str) -> None:
        steps = self._blocks.feed(text)
        if steps and not self._listing:
            self._drop_tail()
        for step in steps:
            self._do(step)
        if not self._listing:
            self._draw_tail()

    def _settle(self) -> None:
        """The fresh block at the end is where the tail begins."""
        self._tail.movePosition(QTextCursor.MoveOperation.End)
        self._tail_mark, self._plain_tail = self.pen.mark(), 0

    def _drop_tail(self) -> None:
        if self._tail_mark is not None:
            self.pen.cut_from(self._tail.position(), self._tail_mark)
        self._plain_tail = 0

    def _draw_tail(self) -> None:
        source = _drawable(self._blocks.tail)
        if self._plain_tail and len(source) >= self._plain_tail:
            self.pen.write(harmless.prose(source[self._plain_tail :]).replace("\n", "\u2028"), self.ink.body)
            self._plain_tail = len(source)
            return
        self._drop_tail()
        if len(source) > PRETTY_TAIL:
            self.pen.start("paragraph", block_format("paragraph"))
            self.pen.write(harmless.prose(source).replace("\n", "\u2028"), self.ink.body)
            self._plain_tail = len(source)
        elif source.strip():
            self._markdown.write_tail(source, self._blocks.tail_number, self._blocks.tail_follows)

    def _do(self, step: Step) -> None:
        match step:
            case Done(source, number, follows):
                self._markdown.write(source, number, follows)
            case Plain(text, starts):
                self._markdown.write_plain(text, starts=starts)
            case Opened(language):
                self._listing = self.pen.open_listing(language)
            case Code(text):
                self.pen.add_code(self._listing, text)
            case Closed():
                self.pen.close_listing(self._listing)
                self._listing = 0
        if not self._listing:
            self._settle()

    # The user

    def _draw_said(self, said: Said) -> None:
        shown = said.text if len(said.text) <= LONG_PROMPT * 1.25 else said.text[:LONG_PROMPT] + "…"
        lines = harmless.prose(shown.strip("\n")).split("\n")
        number = self.pen.number()
        shape = block_format("bubble", group=number)
        self.pen.start("bubble", shape)
        start = _anchor(self.pen.cursor)
        wide = self._draw_images(said.images, number)
        if said.images and said.text:
            self.pen.more(shape)
        for index, line in enumerate(lines):
            if index:
                self.pen.more(shape)
            self.pen.write(line, self.ink.body)
        count = len(lines) + (1 if said.images and said.text else 0)
        metrics = QFontMetricsF(self.ink.body.font())
        words = max((metrics.horizontalAdvance(line) for line in lines), default=0.0)
        bubble = Bubble(start, count, max(wide, words))
        self._bubbles.append(bubble)
        self._fit(bubble)
        self.pen.end()
        if shown != said.text:
            said.rest = said.rest or Fold(f"All {len(said.text):,} characters", [said.text])
            self._draw_fold(said.rest)
        if said.note:
            self._draw_chip(said.note, "", "")
        self._settle()

    def _draw_images(self, images: tuple[Image, ...], number: int) -> float:
        width = 0.0
        for index, image in enumerate(images):
            picture = thumbnail(image.data, THUMBNAIL * 2)
            if picture is None:
                continue
            name = f"vibedesk:picture/{number}/{index}"
            self._document.addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(name), picture)
            shape = QTextImageFormat()
            shape.setName(name)
            shape.setWidth(picture.width() / 2)
            shape.setHeight(picture.height() / 2)
            self.pen.cursor.insertImage(shape)
            self.pen.write(" ", self.ink.body)
            width += picture.width() / 2 + 6
        return width

    def _fit(self, bubble: Bubble) -> None:
        left = max(BUBBLE_INDENT + BUBBLE_PADDING, self._column - bubble.width - BUBBLE_PADDING - 2)
        cursor = _at(bubble.start)
        for _ in range(bubble.lines):
            shape = cursor.blockFormat()
            if shape.leftMargin() != left:
                shape.setLeftMargin(left)
                shape.setRightMargin(BUBBLE_PADDING)
                cursor.setBlockFormat(shape)
            cursor.movePosition(QTextCursor.MoveOperation.NextBlock)

    # Folds

    def _draw_fold(self, fold: Fold) -> None:
        address = f"fold:{self.pen.number()}"
        self._folds[address] = fold
        self.pen.start("fold", block_format("fold"))
        fold.header, fold.body_end = _anchor(self.pen.cursor), None
        self.pen.write(_header(fold), self.ink.fold(address))
        self.pen.end()
        if fold.open:
            self._open(fold)

    def _place_thought(self, answer: Answer) -> None:
        """Reasoning stands above the words; if words are already there the answer is drawn again."""
        assert answer.thought is not None
        if answer.text:
            self.redraw(self.ink)
            return
        self._drop_tail()
        self._draw_fold(answer.thought)
        self._settle()

    def _write_header(self, fold: Fold) -> None:
        if fold.header is None:
            return
        cursor = _at(fold.header)
        shape = cursor.block().begin().fragment().charFormat()
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(_header(fold), shape)

    def _open(self, fold: Fold) -> None:
        assert fold.header is not None
        cursor = _at(fold.header)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
        shape = block_format("thought", indent=14, quotes=1, line=18)
        shape.setTopMargin(4)
        cursor.insertBlock(shape)
        cursor.insertText(harmless.prose("".join(fold.text)), self.ink.muted)
        fold.body_end = cursor

    def _close(self, fold: Fold) -> None:
        if fold.header is None or fold.body_end is None:
            return
        cursor = _at(fold.header)
        shape = cursor.blockFormat()
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
        cursor.setPosition(fold.body_end.position(), QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        cursor.setBlockFormat(shape)
        fold.body_end = None

    # Marks

    def _draw_chip(self, word: str, role: str, why: str) -> None:
        shape = block_format("chip", indent=8)
        shape.setProperty(ROLE, role)
        self.pen.start("chip", shape)
        self.pen.write(word, self.ink.in_role(self.ink.chip, role))
        if why:
            self.pen.write("    " + harmless.one_line(why), self.ink.muted)
        self.pen.end()

    def _draw_card(self, answer: Answer) -> None:
        self.pen.start("card", _card_format(block_format("card"), answer.card or 0))
        answer.card_at = _anchor(self.pen.cursor)
        self.pen.end()
        self._settle()


class _Edit:
    """One edit block: the view lays out and paints once."""

    def __init__(self, document: QTextDocument) -> None:
        self._cursor = QTextCursor(document)

    def __enter__(self) -> None:
        self._cursor.beginEditBlock()

    def __exit__(self, *_: object) -> None:
        self._cursor.endEditBlock()


def thumbnail(data: bytes, height: int) -> QImage | None:
    """The picture at most `height` pixels high and four times as wide; None when it cannot be read."""
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice

    source = QBuffer()
    source.setData(QByteArray(data))
    source.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(source)
    size = reader.size()
    if size.isValid() and (size.height() > height or size.width() > 4 * height):
        from PySide6.QtCore import Qt

        reader.setScaledSize(size.scaled(QSize(4 * height, height), Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return None if image.isNull() else image


def _anchor(cursor: QTextCursor) -> QTextCursor:
    """A bookmark at the cursor's place that stays before what is inserted there."""
    bookmark = QTextCursor(cursor)
    bookmark.setKeepPositionOnInsert(True)
    return bookmark


def _at(bookmark: QTextCursor) -> QTextCursor:
    """A cursor at the bookmark. Trap: a bookmark's own anchor is not kept, it would select what came after."""
    cursor = QTextCursor(bookmark)
    cursor.setKeepPositionOnInsert(False)
    cursor.setPosition(bookmark.position())
    return cursor


def _header(fold: Fold) -> str:
    return f"{'▾' if fold.open else '▸'} {fold.label}"


def _card_format(shape: QTextBlockFormat, height: int) -> QTextBlockFormat:
    shape.setLineHeight(height, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
    shape.setProperty(KIND, "card")
    return shape


def _drawable(tail: str) -> str:
    """The tail without a last line that is about to become a fence."""
    head, _, last = tail.rpartition("\n")
    return head if fence_of(last) is not None or last.strip() in ("`", "``") else tail
