"""Which stretch of a long conversation is drawn: what is near the view. Blank space stands for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextDocument

from vibedesk.ui.ink import Ink
from vibedesk.ui.pen import Mark
from vibedesk.ui.places import Edit, blank
from vibedesk.ui.script import Script

TRIM_FROM, TRIM_TO = (10.0, 8.0, 9.0, 7.0, 9.5, 7.5, 8.5, 6.5), 2.0
"""Heights of the view that may stand above a followed end, and that are left when it were more. Equal answers side by
side are not to be cut off all at once: each view takes the next."""
UNKNOWN_HEIGHT = 1_000.0
"""Pixels a view is taken to have that was not shown yet."""
ENOUGH, AHEAD = 0.5, 1.0
"""Heights of the view that are drawn on both sides of it while one scrolls, and a little later."""
FAR, NEAR, SELECTED = 3.0, 2.0, 20.0
"""Heights of the view beyond which something is left out, that are left then; the first while words are selected."""

_trims = cycle(TRIM_FROM)


class Stretch(Script):
    """A script of which only the part near a view is drawn.

    What was finished is not written again while it stays near. No line in the view moves while others are drawn.
    """

    def __init__(self, document: QTextDocument, ink: Ink) -> None:
        self.height = 0.0
        """Pixels of the view; 0 = everything is drawn, always."""
        self._trim_from = next(_trims)
        super().__init__(document, ink)

    # Drawing what is near

    @property
    def rest(self) -> bool:
        """Whether there is something under what is drawn."""
        return self._last < len(self._parts)

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
        with Edit(self._document):
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
        with Edit(self._document), self._hurried():
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
        with Edit(self._document), self._hurried(), self._tail_kept():
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
            cursor.setBlockFormat(blank(height))
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
        while first > 0 and room < (0.8 * self.height or UNKNOWN_HEIGHT):
            first -= 1
            if self._parts[first].raw:
                before = len(self._parts)
                self._split(self._parts[first])
                first += len(self._parts) - before
            room += self._parts.tall(first, first + 1)
        with Edit(self._document):
            self._start_at(first)
            with self._hurried():
                while self.rest:
                    self._draw_next()
            self._make_below()
        if self.height:
            self._cover(self._document.documentLayout().documentSize().height() - self.height)

    # Leaving out what is far

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
        with Edit(self._document):
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
        return (self.top_of(self._last) - self._above) / (self._trim_from * self.height)

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
        with Edit(self._document):
            cursor.setPosition(top.position() - 1, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            cursor.setBlockFormat(blank(self._above))
            cursor.setBlockCharFormat(QTextCharFormat())
            cursor.block().setUserState(0)
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
        self.pen.forget_outside(begin, end, growing=self._listing)
