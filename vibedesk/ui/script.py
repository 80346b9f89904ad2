"""What stands in a transcript and how it got there: turns, answers in growth, and the block that still changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from PySide6.QtGui import QTextCursor, QTextDocument

from vibedesk.engine.types import Image
from vibedesk.ui import harmless
from vibedesk.ui.blocks import Blocks, Closed, Code, Opened, Plain, Step, fence_of
from vibedesk.ui.blocks import Markdown as Done
from vibedesk.ui.entries import Answer, Fold, Said, copy_of
from vibedesk.ui.formulas import formulas_of, read_all
from vibedesk.ui.ink import Ink, block_format
from vibedesk.ui.markdown import Markdown
from vibedesk.ui.page import Page, card_format
from vibedesk.ui.parts import PART, Part, Parts, join_code, size_of, source_of
from vibedesk.ui.pen import Mark
from vibedesk.ui.places import Edit, anchor, at, blank

PRETTY_TAIL = 2_000
"""A growing block longer than this is shown as plain text until it is finished."""
HURRY = 200
"""Characters in one frame from which on nobody reads along: some 1,200 tokens a second. What would be drawn only to be
drawn again in the next frame (the growing block, the colours of code) waits until there is time."""


class Script(Page):
    """Writes a conversation as it grows.

    Parts `_first` to `_last` are in the document, blank space stands for those above and below.
    """

    def __init__(self, document: QTextDocument, ink: Ink) -> None:
        super().__init__(document, ink)
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
        self._empty()
        self._markdown = Markdown(self.pen, self._known)
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
        copy._entries = [copy_of(entry) for entry in self._entries]
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
        with Edit(self._document):
            self._feed(steps, self.pen.hurried)

    def calm_down(self) -> None:
        """Draws the growing block where haste left it out; code is coloured at once again."""
        self.rushed = self.pen.hurried = False
        if not self._tail_owed:
            return
        self._tail_owed = False
        with Edit(self._document):
            self._draw_tail()

    def think(self, text: str) -> None:
        """More reasoning of the live answer."""
        answer = self._answer()
        with Edit(self._document):
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
            if drawn and not self._listing:  # in an open fence there is no tail: all of it is drawn for good
                self._drop_tail()
            steps = self._blocks.close()
            if drawn:
                with Edit(self._document):
                    self._feed(steps)
            else:
                self._collect(steps)
        answer.live, answer.marks = False, list(marks)
        if drawn:
            with Edit(self._document):
                self._draw_end(answer)
        return len(self._answers) - 1

    def make_room(self, index: int, height: int) -> None:
        """Keeps `height` pixels free under answer `index`, for a widget."""
        answer = self._answers[index]
        if answer.card == height:
            return
        answer.card = height
        self._carded.add(index)
        with Edit(self._document):
            if answer.card_at is not None:
                at(answer.card_at).setBlockFormat(card_format(answer.card_at.blockFormat(), height))
            elif answer is self._entries[-1] and self._drawn:
                self._draw_card(answer)
                self._settle()
            elif any(part.entry is answer for part in self._parts.between(self._first, self._last)):
                self._draw_range(self._first, self._last)

    def toggle(self, address: str) -> None:
        """Unfolds or folds."""
        fold = self._folds.get(address)
        if fold is None:
            return
        fold.open = not fold.open
        with Edit(self._document):
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
            with Edit(self._document):
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
        last.size += size_of(step)
        if isinstance(step, Closed):
            join_code(last.steps)
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
                count = source_of(part).casefold().count(looked_for)
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
            self.pen.skip(blank(self._above))
            self.pen.resume(self._parts[first].mark)

    def _draw_range(self, first: int, last: int) -> None:
        with Edit(self._document):
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
        self.pen.leave(blank(self._below) if self._below else None)

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
        with Edit(self._document):
            for bubble in self._bubbles:
                self._fit(bubble)

    def _draw(self, part: Part, place: int) -> None:
        part.top, part.mark = anchor(self.pen.here()), self.pen.mark()
        self.pen.entry, self.pen.began = part.entry.number, ""
        match part.entry:
            case Said():
                self._draw_said(part.entry)
                self._settle()
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
        self._tail_owed = False
        for step in _fewer(steps):
            if self._keep(step):
                self._last += 1
                self._parts[-1].top, self._parts[-1].mark = anchor(self.pen.here()), self.pen.mark()
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


def plain_text(markdown: str, ink: Ink) -> str:
    """What an answer says without its marks, as it would be read."""
    script = Script(QTextDocument(), ink)
    script.begin()
    script.append(markdown)
    script.end()
    return script.text().strip("\n")


def _drawable(tail: str) -> str:
    """The tail without a last line that is about to become a fence."""
    head, _, last = tail.rpartition("\n")
    return head if fence_of(last) is not None or last.strip() in ("`", "``") else tail
