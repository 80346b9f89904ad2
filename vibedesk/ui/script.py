"""What stands in a transcript and how it got there: turns, answers in growth, folds, marks; drawn through one pen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from msgspec import Struct, field
from PySide6.QtCore import QSize, QUrl
from PySide6.QtGui import (
    QFontMetricsF,
    QImage,
    QImageReader,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextImageFormat,
)

from vibedesk.engine.types import Image
from vibedesk.ui import harmless
from vibedesk.ui.blocks import Blocks, Closed, Code, Opened, Plain, Step, fence_of
from vibedesk.ui.blocks import Markdown as Done
from vibedesk.ui.formulas import formulas_of, read_all
from vibedesk.ui.ink import KIND, ROLE, Ink, block_format
from vibedesk.ui.markdown import Markdown
from vibedesk.ui.pen import Mark, Pen

BUBBLE_PADDING = 12
BUBBLE_INDENT = 34
THUMBNAIL = 96
LONG_PROMPT = 4_000
"""Characters of a prompt that are shown; the rest waits behind a fold."""
PART = 800
"""Characters of an answer after which the next block begins another part."""
TRIM_FROM, TRIM_TO = 6.0, 2.0
"""Heights of the view that may stand above a followed end, and that are left when it were more."""
UNKNOWN_HEIGHT = 1_000.0
"""Pixels a view is taken to have that was not shown yet."""
ENOUGH, AHEAD = 0.5, 1.0
"""Heights of the view that are drawn on both sides of it while one scrolls, and a little later."""
FAR, NEAR, SELECTED = 3.0, 2.0, 20.0
"""Heights of the view beyond which something is left out, that are left then; the first while words are selected."""
STRIDE = 256
PRETTY_TAIL = 2_000
"""A growing block longer than this is shown as plain text until it is finished."""
HURRY = 200
"""Characters in one frame from which on nobody reads along: some 1,200 tokens a second. What would be drawn only to be
drawn again in the next frame (the growing block, the colours of code) waits until there is time."""


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
    number: int = 0
    """Of all things said, from 1."""


class Answer(Struct, eq=False):
    """One answer as it was received. `marks` are (word, role, explanation); `card` is room for a widget, in pixels."""

    text: list[str] = field(default_factory=list)
    thought: Fold | None = None
    marks: list[tuple[str, str, str]] = field(default_factory=list)
    live: bool = True
    card: int | None = None
    card_at: QTextCursor | None = None
    number: int = 0


class Part(Struct, eq=False):
    """What is drawn or left out as one: an entry, or some finished blocks of an answer."""

    entry: Said | Answer
    opens: bool = True
    """It begins its entry."""
    steps: list[Step] = field(default_factory=list)
    raw: str = ""
    """An answer whose blocks nobody has looked for yet."""
    size: int = 0
    height: float = 0.0
    """Pixels it took when it was last drawn; 0 = never."""
    top: QTextCursor | None = None
    """Where it stands, while it is drawn."""
    mark: Mark | None = None
    """What stood before it when it was last drawn."""
    began: str = ""
    """What its first block keeps its distance as."""


class Parts:
    """All parts in their order, and about how high each is; the last may be growing."""

    def __init__(self, column: float) -> None:
        self._column = column
        self._all: list[Part] = []
        self._tall: list[float] = []

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, place: int) -> Part:
        return self._all[place]

    def __iter__(self) -> Iterator[Part]:
        return iter(self._all)

    def between(self, first: int, last: int) -> list[Part]:
        """Those from `first` up to `last`, which is not among them."""
        return self._all[first:last]

    def index(self, part: Part) -> int:
        return self._all.index(part)

    def append(self, part: Part) -> None:
        self._look_at_last()
        self._all.append(part)
        self._tall.append(self._guess(part))

    def cut(self, place: int) -> tuple[list[Part], list[float]]:
        """Takes out everything from `place` on, and how high it is, for `put_back`."""
        cut = self._all[place:], self._tall[place:]
        del self._all[place:], self._tall[place:]
        return cut

    def put_back(self, cut: tuple[list[Part], list[float]]) -> None:
        self._look_at_last()
        self._all += cut[0]
        self._tall += cut[1]

    def measured(self, place: int, height: float) -> None:
        """A part takes so many pixels; 0 = nobody knows."""
        self._all[place].height = height
        self._tall[place] = self._guess(self._all[place])

    def set_column(self, width: float) -> None:
        """Words have another width: no height is known any more."""
        self._column = width
        for part in self._all:
            part.height = 0.0
        self._tall = list(map(self._guess, self._all))

    def tall(self, first: int, last: int) -> float:
        """Pixels those from `first` up to `last` take, or about so many."""
        self._look_at_last()
        return sum(self._tall[first:last])

    def at(self, y: float) -> tuple[int, float]:
        """The part at a height, drawn or not, and how far into it."""
        self._look_at_last()
        place, last = 0, len(self._all) - 1
        while place + STRIDE < last and y >= (stride := sum(self._tall[place : place + STRIDE])):
            y -= stride
            place += STRIDE
        while place < last and y >= self._tall[place]:
            y -= self._tall[place]
            place += 1
        return place, min(max(0.0, y), self._tall[place])

    def _look_at_last(self) -> None:
        if self._all:
            self._tall[-1] = self._guess(self._all[-1])

    def _guess(self, part: Part) -> float:
        if part.height:
            return part.height
        entry = part.entry
        said = isinstance(entry, Said)
        size = min(len(entry.text), LONG_PROMPT) if said else part.size or len(part.raw)
        return 40.0 + 20.0 * (size // max(1, int(self._column / 6.6)))


class Script:
    """Writes the part of a conversation that is near the view; blank space stands for the rest, above and below.

    What was finished is not written again while it stays near. Parts `_first` to `_last` are in the document.
    """

    def __init__(self, document: QTextDocument, ink: Ink) -> None:
        self._document = document
        self.ink = ink
        self._column = 600.0
        self.height = 0.0
        """Pixels of the view; 0 = everything is drawn, always."""
        self.rushed = False
        """Whether much came at once the last time: if much more follows, it is haste."""
        self.awake = True
        """Whether what arrives is drawn; else it is only kept, and drawn by `catch_up`."""
        self._forget()

    def _forget(self) -> None:
        self._entries: list[Said | Answer] = []
        self._answers: list[Answer] = []
        self._carded: set[int] = set()
        self._parts = Parts(self._column)
        self._first = self._last = 0
        self._above = self._below = 0.0
        self._blocks = Blocks()
        self._known: dict[str, Any] = {}
        self._reset()

    def _reset(self) -> None:
        """An empty document."""
        for part in self._parts.between(self._first, self._last):
            self._leave(part)
        frame = self._document.rootFrame().frameFormat()
        self._document.clear()
        self._document.rootFrame().setFrameFormat(frame)  # clearing takes the margins too
        self._document.setUndoRedoEnabled(False)
        self.pen = Pen(self._document, self.ink)
        self._markdown = Markdown(self.pen, self._known)
        self._bubbles: list[Bubble] = []
        self._folds: dict[str, Fold] = {}
        self._listing = 0
        self._tail_mark: Mark | None = None
        self._plain_tail = 0
        self._tail_owed = False
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

    @property
    def whole(self) -> bool:
        """Whether all there is stands in the document."""
        return self._first == 0 and self._last == len(self._parts)

    @property
    def above(self) -> float:
        """Pixels of blank space that stand for what is not drawn above."""
        return self._above

    @property
    def below(self) -> float:
        """The same under what is drawn."""
        return self._below

    def cards(self) -> list[tuple[int, QTextCursor | None]]:
        """Room for widgets: which answer, and where; None = not near the view."""
        return [(index, self._answers[index].card_at) for index in self._carded]

    def fold_at(self, address: str) -> Fold | None:
        return self._folds.get(address)

    def text(self) -> str:
        """All of it as it can be read, drawn or not."""
        self.calm_down()
        if self.whole:
            return read_all(self._document)
        copy = Script(QTextDocument(), self.ink)
        formulas_of(copy._document).still = True
        copy._entries = [_copy(entry) for entry in self._entries]
        copy.redraw(self.ink)
        return read_all(copy._document)

    # Growing

    def clear(self) -> None:
        self._forget()

    def say(self, text: str, images: Sequence[Image] = (), note: str = "") -> None:
        """The user's words, in a bubble; a `note` under it."""
        self._add(Said(text, tuple(images), note=note))

    def begin(self) -> None:
        """An answer begins under what is there."""
        self._add(Answer())

    def append(self, text: str) -> None:
        """More of the live answer."""
        answer = self._answer()
        answer.text.append(text)
        last = self._parts[-1]
        if not self.awake and last.opens and not last.steps and (last.raw or len(answer.text) == 1):
            last.raw += text
            return
        self._split(last)
        steps = self._blocks.feed(text)
        if not self._drawn:
            self._collect(steps)
            return
        self.pen.hurried = self.rushed and len(text) >= HURRY
        self.rushed = len(text) >= HURRY
        with _Edit(self._document):
            self._feed(steps, self.pen.hurried)

    def calm_down(self) -> None:
        """Draws the growing block where haste left it out; code is coloured at once again."""
        self.rushed = self.pen.hurried = False
        if not self._tail_owed:
            return
        with _Edit(self._document):
            self._draw_tail()

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
        self._reread_live()

    def thought(self, label: str) -> None:
        """Names the reasoning's fold: how long it took."""
        answer = self._answer()
        if answer.thought is not None and answer.thought.label != label:
            answer.thought.label = label
            self._write_header(answer.thought)

    def end(self, marks: Sequence[tuple[str, str, str]] = ()) -> int:
        """The live answer is over; its place among the answers."""
        answer = self._answer()
        drawn = self._drawn
        if not self._parts[-1].raw:
            if (
                drawn and not self._listing
            ):  # inside an open fence there is no tail: all of it is drawn for good
                self._drop_tail()
            steps = self._blocks.close()
            if drawn:
                with _Edit(self._document):
                    self._feed(steps)
            else:
                self._collect(steps)
        answer.live, answer.marks = False, list(marks)
        if drawn:
            with _Edit(self._document):
                self._draw_end(answer)
        return len(self._answers) - 1

    def make_room(self, index: int, height: int) -> None:
        """Keeps `height` pixels free under answer `index`, for a widget."""
        answer = self._answers[index]
        if answer.card == height:
            return
        answer.card = height
        self._carded.add(index)
        with _Edit(self._document):
            if answer.card_at is not None:
                _at(answer.card_at).setBlockFormat(_card_format(answer.card_at.blockFormat(), height))
            elif answer is self._entries[-1] and self._drawn:
                self._draw_card(answer)
            elif any(part.entry is answer for part in self._parts.between(self._first, self._last)):
                self._draw_range(self._first, self._last)

    def toggle(self, address: str) -> None:
        """Unfolds or folds."""
        fold = self._folds.get(address)
        if fold is None:
            return
        fold.open = not fold.open
        with _Edit(self._document):
            self._write_header(fold)
            self._open(fold) if fold.open else self._close(fold)

    # Parts

    @property
    def _drawn(self) -> bool:
        """Whether the end stands in the document, so that what comes is drawn."""
        return self.awake and self._last == len(self._parts)

    def _add(self, entry: Said | Answer) -> None:
        drawn = self._drawn
        self._entries.append(entry)
        entry.number = len(self._entries)
        if isinstance(entry, Answer):
            self._answers.append(entry)
            self._blocks = Blocks()
        self._parts.append(Part(entry))
        if drawn:
            self._last += 1
            with _Edit(self._document):
                self._draw(self._parts[-1], self._last - 1)

    def _collect(self, steps: list[Step]) -> None:
        """Keeps steps for when they are near the view."""
        for step in steps:
            self._keep(step)

    def _keep(self, step: Step) -> bool:
        """Takes a step into the last part; True if another part had to be begun for it."""
        last = self._parts[-1]
        begun = last.size > PART and not isinstance(step, Code | Closed)
        if begun:
            last = Part(last.entry, opens=False)
            self._parts.append(last)
        last.size += _size(step)
        if isinstance(step, Closed):
            _join_code(last.steps)
        last.steps.append(step)
        return begun

    def _split(self, part: Part) -> None:
        """Finds the blocks of an answer that was kept as it came. Its part becomes several, where it was."""
        if not part.raw:
            return
        answer, raw = part.entry, part.raw
        assert isinstance(answer, Answer)
        part.raw = ""
        place = self._parts.index(part)
        blocks = Blocks()
        steps = blocks.feed(raw) + ([] if answer.live else blocks.close())
        others = self._parts.cut(place + 1)
        self._collect(steps)
        self._parts.put_back(others)
        if answer.live:
            self._blocks = blocks

    def _reread_live(self) -> None:
        """The live answer's parts once more, from its text."""
        answer = self._answer()
        begin = next(place for place, part in enumerate(self._parts) if part.entry is answer)
        drawn = self._last > begin
        for part in self._parts.between(begin, self._last):
            self._leave(part)
        self._parts.cut(begin)
        self._last = min(self._last, begin)
        self._parts.append(Part(answer))
        self._blocks = Blocks()
        self._collect(self._blocks.feed("".join(answer.text)))
        self._draw_range(min(self._first, begin), len(self._parts) if drawn else self._last)

    def _leave(self, part: Part) -> None:
        part.top = None
        if isinstance(part.entry, Answer):
            part.entry.card_at = None
            if part.opens and part.entry.thought is not None:
                part.entry.thought.header = part.entry.thought.body_end = None

    def part_with(self, entry: int, words: str, nth: int) -> tuple[Part, int, float] | None:
        """Where place `nth` of `words` in a thing said is: the part, which place in it, and about how far down."""
        looked_for = words.casefold()
        at, top = 0, self._document.rootFrame().frameFormat().topMargin()
        found: tuple[Part, int, float] | None = None
        while at < len(self._parts):
            part = self._parts[at]
            if part.entry.number == entry + 1:
                self._split(part)
                found = found or (part, 0, top)
                count = _source_of(part).casefold().count(looked_for)
                if nth < count:
                    return part, nth, top
                nth -= count
            elif found is not None:
                break
            top += self._parts.tall(at, at + 1)
            at += 1
        return found

    # What is near the view

    def top_of(self, place: int) -> float:
        """The upper edge of a drawn part, in pixels of the document; the lower edge of the last, for the one after."""
        layout = self._document.documentLayout()
        top = self._parts[place].top if place < self._last else None
        block = self._document.findBlock(top.position()) if top is not None else self._document.lastBlock()
        return layout.blockBoundingRect(block).top()

    def reach(self, top: float, *, selected: bool = False) -> float:
        """Draws what a view at `top` shows and a little more, and leaves out what is far; where the view stands then.

        A step of the wheel meets at most one part that is not drawn.
        """
        if not self.height or not self._parts:
            return top
        if self._strayed(top):
            return self._go_to(top)
        top, _ = self.read_ahead(self._cover(top), ENOUGH)
        self._leave_far(top, SELECTED if selected else FAR)
        return top

    def read_ahead(self, top: float, enough: float = AHEAD) -> tuple[float, bool]:
        """Draws one more part near a view at `top`; where the view stands then, and whether there is more to draw."""
        if not self.height or self._first == self._last:
            return top, False
        over, under = top - self.top_of(self._first), self.top_of(self._last) - top - self.height
        if self._first and over < enough * self.height and (over <= under or not self.rest):
            return top + self._draw_before(), True
        if self.rest and under < enough * self.height:
            self._draw_after()
            return top, True
        return top, False

    @property
    def rest(self) -> bool:
        """Whether there is something under what is drawn."""
        return self._last < len(self._parts)

    def _strayed(self, top: float) -> bool:
        """Whether a view at `top` is nearer to what is not drawn than to what is."""
        if self._first == self._last:
            return True
        upper, lower = self.top_of(self._first), self.top_of(self._last)
        above = self._first > 0 and top + self.height < upper
        return above or (self.rest and top > lower)

    def _go_to(self, top: float) -> float:
        """Another stretch, from the part at `top`, which comes to stand there."""
        edge = self._document.rootFrame().frameFormat().topMargin()
        anchor, offset = self._parts.at(top - edge)
        if self._parts[anchor].raw:
            self._split(self._parts[anchor])
            anchor, offset = self._parts.at(top - edge)
        with _Edit(self._document):
            self._start_at(anchor)
            with self._hurried():
                self._draw_next()
            self._make_below()
        self._measure()
        return self._cover(
            self.top_of(anchor) + min(offset, max(0.0, self._parts.tall(anchor, anchor + 1) - 1))
        )

    def _cover(self, top: float) -> float:
        """Draws until a view at `top` shows nothing that is not drawn; where it stands then."""
        while self.rest and self.top_of(self._last) < top + self.height:
            self._draw_after()
        if not self.rest:
            top = min(top, max(0.0, self._document.documentLayout().documentSize().height() - self.height))
        while self._first and self.top_of(self._first) > top:
            top += self._draw_before()
        return top

    def _draw_after(self) -> None:
        """One more part under what is drawn."""
        with _Edit(self._document), self._hurried():
            self._draw_next()
            self._make_below()
        self._measure(self._last - 1)

    def _draw_before(self) -> float:
        """One more part above what is drawn; by how many whole pixels that moves what was there."""
        before = len(self._parts)
        self._split(self._parts[self._first - 1])
        more = len(self._parts) - before
        self._first, self._last = self._first + more, self._last + more
        edge = self.top_of(self._first + 1)
        self._first -= 1
        part = self._parts[self._first]
        with _Edit(self._document), self._hurried(), self._tail_kept():
            with self.pen.on_top(part.mark):
                self._draw(part, self._first)
                mark = self.pen.mark()
            self._follow_on(self._first + 1, mark)
            self._make_above(self._parts.tall(0, self._first))
        moved = self.top_of(self._first + 2) - edge
        if self._first and abs(moved - round(moved)) > 0.01:  # words must not be blurred by parts of a pixel
            self._make_above(self._above + round(moved) - moved)
        self._measure(self._first, self._first + 2)
        return float(round(moved))

    def _make_above(self, height: float) -> None:
        """The blank space at the beginning stands for what is not drawn there; without any there is no block for it."""
        self._above = height
        cursor = QTextCursor(self._document)
        if self._first:
            cursor.setBlockFormat(_blank(height))
        else:
            cursor.deleteChar()

    def _follow_on(self, place: int, mark: Mark) -> None:
        """What stands before a part has been drawn: now its distance from that is known."""
        while place < self._last and self._parts[place].mark != mark:
            part = self._parts[place]
            assert part.top is not None
            if self._tail_mark == part.mark and self._tail.position() == part.top.position():
                self._tail_mark = mark
            part.mark = mark
            if part.began:
                self.pen.move_apart(part.top, part.began, mark)
                return
            place += 1

    @contextmanager
    def _hurried(self) -> Iterator[None]:
        """Colours of code come a little later."""
        was, self.pen.hurried = self.pen.hurried, True
        try:
            yield
        finally:
            self.pen.hurried = was

    @contextmanager
    def _tail_kept(self) -> Iterator[None]:
        """What is written on top leaves the tail where it is."""
        kept = self._tail, self._listing, self._plain_tail, self._tail_owed
        mark, self._tail_mark = self._tail_mark, None
        self._tail, self._listing = QTextCursor(self._document), 0
        try:
            yield
        finally:
            self._tail, self._listing, self._plain_tail, self._tail_owed = kept
            self._tail_mark = mark

    def catch_up(self) -> None:
        """Shows the end: what came while nobody looked."""
        if self._last == len(self._parts) and self._last > self._first:
            return
        first, room = len(self._parts), 0.0
        while first > 0 and room < 1.5 * (self.height or UNKNOWN_HEIGHT):
            first -= 1
            if self._parts[first].raw:
                before = len(self._parts)
                self._split(self._parts[first])
                first += len(self._parts) - before
            room += self._parts.tall(first, first + 1)
        with _Edit(self._document):
            self._start_at(first)
            with self._hurried():
                while self.rest:
                    self._draw_next()
            self._make_below()

    def fall_asleep(self) -> None:
        """From now on what comes is kept, and drawn by `reach` or `catch_up`: the growing part leaves the page."""
        if not self.awake:
            return
        grows = self.live is not None and self._last == len(self._parts) and self._last > self._first
        self.awake = False
        if grows:
            self._take_off(self._last - 1)

    def _take_off(self, keep: int) -> None:
        """What is drawn from part `keep` on leaves the page."""
        part = self._parts[keep]
        if part.top is None or part.mark is None:
            return
        with _Edit(self._document):
            self._listing = 0
            self.pen.cut_from(part.top.position(), part.mark)
            for left in self._parts.between(keep, self._last):
                self._leave(left)
            self._last = keep
            self._settle()
            self._make_below()
        self._drop_lost()

    @property
    def overgrown(self) -> float:
        """How much stands above the end, as a multiple of what is too much."""
        if not self.height or self._last - self._first < 2:
            return 0.0
        return (self.top_of(self._last) - self._above) / (TRIM_FROM * self.height)

    def trim(self) -> None:
        """Leaves out what is far above the end. Nothing near it moves by a hair."""
        end = self.top_of(self._last)
        self._measure()
        keep = self._last - 1
        while keep > self._first and end - self.top_of(keep) < TRIM_TO * self.height:
            keep -= 1
        if keep > self._first:
            self._leave_above(keep)

    def _leave_far(self, top: float, far: float) -> None:
        """Leaves out what is more than so many heights away from a view at `top`."""
        upper, lower = top - NEAR * self.height, top + (1 + NEAR) * self.height
        if top - self.top_of(self._first) > far * self.height:
            keep = self._first
            while keep < self._last - 1 and self.top_of(keep + 1) < upper:
                keep += 1
            if keep > self._first:
                self._measure()
                self._leave_above(keep)
        if self.top_of(self._last) - top - self.height > far * self.height:
            keep = self._last
            while keep > self._first + 1 and self.top_of(keep - 1) > lower:
                keep -= 1
            if keep < self._last:
                self._measure()
                self._take_off(keep)

    def _leave_above(self, keep: int) -> None:
        """Blank space instead of the parts above `keep`, exactly as high."""
        top = self._parts[keep].top
        assert top is not None
        space = self._document.rootFrame().frameFormat().topMargin() + top.blockFormat().topMargin()
        self._above = self.top_of(keep) - space
        cursor = QTextCursor(self._document)
        with _Edit(self._document):
            cursor.setPosition(top.position() - 1, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            cursor.setBlockFormat(_blank(self._above))
            cursor.setBlockCharFormat(QTextCharFormat())
        for part in self._parts.between(self._first, keep):
            self._leave(part)
        self._first = keep
        self._drop_lost()

    def _drop_lost(self) -> None:
        """Bookmarks of what is no longer there would gather in the document."""
        first = self._parts[self._first].top
        begin = first.position() if first is not None else 0
        end = self.pen.here().position()
        self._bubbles = [bubble for bubble in self._bubbles if begin <= bubble.start.position() < end]
        self._folds = {name: fold for name, fold in self._folds.items() if fold.header is not None}
        self.pen.forget_lost_listings()

    def _measure(self, first: int | None = None, last: int | None = None) -> None:
        """Remembers how high drawn parts are, all or those from `first` up to `last`; the growing one stays unknown."""
        first = self._first if first is None else first
        last = min(self._last, self._last if last is None else last)
        edges = [self.top_of(place) for place in range(first, last + 1)]
        for place, (one, other) in enumerate(pairwise(edges), first):
            growing = place == len(self._parts) - 1 and self.live is not None
            self._parts.measured(place, 0.0 if growing else max(1.0, other - one))

    def _start_at(self, first: int) -> None:
        self._reset()
        self._first = self._last = first
        self._above = self._parts.tall(0, first)
        if first:
            self.pen.skip(_blank(self._above))
            self.pen.resume(self._parts[first].mark)

    def _draw_range(self, first: int, last: int) -> None:
        with _Edit(self._document):
            self._start_at(first)
            while self._last < last:
                self._draw_next()
            self._make_below()

    def _draw_next(self) -> None:
        part = self._parts[self._last]
        if part.raw:
            self._split(part)
        self._last += 1
        if part.entry is self.live and self._last == len(self._parts):
            self.awake = True  # what was said meanwhile is in it, what comes goes on there
        self._draw(part, self._last - 1)

    def _make_below(self) -> None:
        """The blank space at the end stands for what is not drawn there."""
        if self._listing:
            return
        self._below = self._parts.tall(self._last, len(self._parts))
        self.pen.leave(_blank(self._below) if self._below else None)

    # Drawing again

    def redraw(self, ink: Ink) -> None:
        """Everything once more from what was said: another theme."""
        self.ink = ink
        if self._last > self._first:
            self._measure()
        if not self._parts and self._entries:
            for entry in self._entries:
                self._parts.append(Part(entry))
                if isinstance(entry, Answer):
                    self._answers.append(entry)
                    self._blocks = Blocks()
                    self._collect(self._blocks.feed("".join(entry.text)))
                    self._collect([] if entry.live else self._blocks.close())
            self._last = len(self._parts)
        self._draw_range(self._first, self._last)
        self.set_column(self._column)

    def set_column(self, width: float) -> None:
        """The width words have, in pixels: bubbles hug their words against its right edge."""
        if width != self._column:
            self._parts.set_column(width)
        self._column = width
        with _Edit(self._document):
            for bubble in self._bubbles:
                self._fit(bubble)

    def _draw(self, part: Part, place: int) -> None:
        part.top, part.mark = _anchor(self.pen.here()), self.pen.mark()
        self.pen.entry, self.pen.began = part.entry.number, ""
        match part.entry:
            case Said():
                self._draw_said(part.entry)
            case Answer():
                self._draw_answer(part, part.entry, place)
        part.began = self.pen.began

    def _draw_answer(self, part: Part, answer: Answer, place: int) -> None:
        self._listing = 0
        self._settle()
        if part.opens and answer.thought is not None:
            self._draw_fold(answer.thought)
            self._settle()
        for step in part.steps:
            self._do(step)
        if part is self._parts[-1] or self._parts[place + 1].entry is not answer:
            if answer.live and not self._listing:
                self._draw_tail()
            elif not answer.live:
                self._draw_end(answer)

    def _draw_end(self, answer: Answer) -> None:
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

    def _feed(self, steps: list[Step], hurried: bool = False) -> None:
        if steps and not self._listing:
            self._drop_tail()
        for step in _fewer(steps):
            if self._keep(step):
                self._last += 1
                self._parts[-1].top, self._parts[-1].mark = _anchor(self.pen.here()), self.pen.mark()
            self._do(step)
        if self._listing:
            self.pen.colour(self._listing)
        elif steps and hurried:
            self._tail_owed = True
        else:
            self._draw_tail()

    def _settle(self) -> None:
        """The fresh block at the end is where the tail begins."""
        self._tail.movePosition(QTextCursor.MoveOperation.End)
        self._tail_mark, self._plain_tail, self._tail_owed = self.pen.mark(), 0, False

    def _drop_tail(self) -> None:
        if self._tail_mark is not None:
            self.pen.cut_from(self._tail.position(), self._tail_mark)
        self._plain_tail = 0

    def _draw_tail(self) -> None:
        self._tail_owed = False
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
            self._reread_live()
            return
        if not self._drawn:
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


def _copy(entry: Said | Answer) -> Said | Answer:
    """The same words, standing nowhere."""
    match entry:
        case Said(text, images, rest):
            return Said(text, images, _copied(rest))
        case Answer():
            return Answer(entry.text, _copied(entry.thought), entry.marks, entry.live, entry.card)


def _copied(fold: Fold | None) -> Fold | None:
    return Fold(fold.label, fold.text, fold.open) if fold is not None else None


def _size(step: Step) -> int:
    match step:
        case Done(source):
            return len(source)
        case Plain(text, _) | Code(text):
            return len(text)
    return 0


def _join_code(steps: list[Step]) -> None:
    """The many pieces a listing came in become one."""
    pieces: list[str] = []
    while steps and isinstance(piece := steps[-1], Code):
        pieces.append(piece.text)
        steps.pop()
    if pieces:
        steps.append(Code("".join(reversed(pieces))))


def _fewer(steps: list[Step]) -> Iterator[Step]:
    """The same with code that came in many pieces in one."""
    pieces: list[str] = []
    for step in steps:
        if isinstance(step, Code):
            pieces.append(step.text)
            continue
        if pieces:
            yield Code("".join(pieces))
            pieces = []
        yield step
    if pieces:
        yield Code("".join(pieces))


def _blank(height: float) -> QTextBlockFormat:
    """An empty block that stands for what is not drawn."""
    shape = QTextBlockFormat()
    shape.setLineHeight(height, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
    return shape


def _source_of(part: Part) -> str:
    """The words of a part as they were received."""
    entry = part.entry
    if isinstance(entry, Said):
        return entry.text
    pieces = []
    for step in part.steps:
        match step:
            case Done(source):
                pieces.append(source)
            case Plain(text) | Code(text):
                pieces.append(text)
    return "\n".join(pieces)


def plain_text(markdown: str, ink: Ink) -> str:
    """What an answer says without its marks, as it would be read."""
    script = Script(QTextDocument(), ink)
    script.begin()
    script.append(markdown)
    script.end()
    return script.text().strip("\n")


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
