"""One lane's conversation on the screen: a read-only view over one document, that loads nothing and opens nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QMouseEvent, QPaintEvent, QResizeEvent, QTextCursor
from PySide6.QtWidgets import QScrollBar, QWidget

from vibedesk.engine.types import Image
from vibedesk.ui import harmless
from vibedesk.ui.backdrop import Backdrop
from vibedesk.ui.cards import Cards
from vibedesk.ui.formulas import formulas_of
from vibedesk.ui.ink import ENTRY, Ink
from vibedesk.ui.painted_view import TOP, PaintedView
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, set_state

COLOURS_MS, COLOURS_S, COLOURS_REST_S = 15, 0.003, 0.008
"""How often long pieces of code are coloured on, for how long, and how long no view does so after one did."""
AHEAD_MS = 15
"""How often another part near the view is drawn."""
TRIM_MS = 6
CALM_MS = 240
"""After so long without haste what waited for it is drawn. Longer than a view that cannot keep up is ever late: it is
not to be given more to do."""
FAR = 4
"""Heights of the view below which a growing end is not drawn."""
PAINT_S = 0.09
"""A view that is behind is painted no sooner after the last time."""
MUCH = 2_048
"""Characters that come at once, from which on only their end is drawn."""
SLACK = 24
"""Pixels above the growing end that are painted with it: what hangs over there."""


class Transcript(PaintedView):
    """`say`, `begin`, `append`, `think`, `end`: turns as they happen. Scrolls along only while its end is in sight."""

    link_clicked = Signal(str)

    _coloured_at = 0.0

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setAccessibleName(self.tr("Transcript"))
        self._following, self._painted_at = True, 0.0
        self._moving = self._resting = self._reaching = False
        self._shifting = False
        """What is on the screen is moved with the words, and not painted again."""
        self._stale = False
        """What was not painted for its own sake waits for the next time."""
        self._cards = Cards(self, self.script)
        self._cards.wants_room.connect(self._make_room)
        self._formulas = formulas_of(self._page)
        self._formulas.ready.connect(self._put_formula)
        self._pill = Button(self.tr("↓ new"), parent=self.viewport()).on(self.to_end)
        self._pill.setProperty("pill", True)
        self._pill.hide()
        self.anchorClicked.connect(self._clicked)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.verticalScrollBar().rangeChanged.connect(self._grown)
        theme.changed.connect(self._repaint_all)
        self._colours = QTimer(self, interval=COLOURS_MS)
        self._colours.timeout.connect(self._colour)
        self._ahead = QTimer(self, interval=AHEAD_MS)
        self._ahead.timeout.connect(self._read_ahead)
        self._trimmer = QTimer(self, interval=TRIM_MS, singleShot=True)
        self._trimmer.timeout.connect(self._trim)
        self._calm = QTimer(self, interval=CALM_MS, singleShot=True)
        self._calm.timeout.connect(self._calmed)
        self._set_margins()

    # Turns

    def clear(self) -> None:
        """Empties the whole."""
        self._cards.clear()
        self.script.clear()
        self._following = True
        self._set_margins()

    def say(self, text: str, images: Sequence[Image] = (), note: str = "") -> None:
        """The user's words; whoever asks wants to see the answer, so the view follows again."""
        self._following = True
        self._look()
        with _Still(self):
            self.script.say(text, images, note)

    def begin(self) -> None:
        with _Still(self):
            self.script.begin()

    def append(self, text: str, *, more: bool = False) -> None:
        """More of the live answer. With `more` behind it, it may be painted together with that."""
        self._look()
        if not self.script.awake:
            self.script.append(text)
            return
        if len(text) > MUCH and self._following and not self.textCursor().hasSelection():
            self._append_much(text)
            return
        unseen = more and monotonic() - self._painted_at < PAINT_S
        with self._unpainted() if unseen else self._growing():
            self.script.append(text)
            if self.script.rushed:
                self._calm.start()
        if self._following and (much := self.script.overgrown) >= 1:
            self._trim() if much >= 2 else self._trimmer.start()

    def _append_much(self, text: str) -> None:
        """More at once than anybody reads on the way: only its end is drawn."""
        with _Still(self):
            self.script.fall_asleep()
        self.script.append(text)
        self._wake()

    def think(self, text: str) -> None:
        with _Still(self):
            self.script.think(text)

    def thought(self, label: str) -> None:
        with _Still(self):
            self.script.thought(label)

    def take_back(self, discard_from: int) -> None:
        with _Still(self):
            self.script.take_back(discard_from)
        self._set_margins()

    def end(self, marks: Sequence[tuple[str, str, str]] = ()) -> int:
        """The live answer is over; its place among the answers."""
        with _Still(self):
            return self.script.end(marks)

    def put_card(self, answer: int, widget: QWidget) -> None:
        """Shows `widget` under an answer, in the flow; it belongs to the view from now on."""
        self._cards.put(answer, widget)
        self._make_room(answer)

    def card(self, answer: int) -> QWidget | None:
        """The widget under an answer."""
        return self._cards.under(answer)

    def text(self) -> str:
        """What can be read, as plain text."""
        self._calmed()
        return super().text()

    # What is drawn

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Many turns at once: only the end of them is drawn, when all are there."""
        self.script.awake = False
        self._resting = True
        try:
            yield
        finally:
            self._resting = False
            self._wake()

    def _seen(self) -> bool:
        """Whether somebody could see it. A view that was never shown counts: what it draws then is little."""
        return not self.isVisible() or not self.viewport().visibleRegion().isEmpty()

    def _look(self) -> None:
        """Draws what arrives only while its place is in the window and near the view."""
        if self._resting or not self.script.height:
            return
        far = self.verticalScrollBar().maximum() - self.verticalScrollBar().value() > FAR * self.script.height
        if self._seen() and (self._following or not far):
            if not self.script.awake and self._following:
                self._wake()
        elif self.script.awake:
            with _Still(self):
                self.script.fall_asleep()

    def _wake(self) -> None:
        self.script.awake = True
        with _Still(self):
            self.script.catch_up()
        self._place_cards()
        self._look_around()

    def _trim(self) -> None:
        """Leaves out what is far above: in a slice of its own, and without painting what looks the same."""
        if not self._following or self.textCursor().hasSelection() or self.script.overgrown < 1:
            return
        stale = self._stale
        with self._unpainted():
            self.script.trim()
        self._stale = stale

    @contextmanager
    def _unpainted(self) -> Iterator[None]:
        """What changes is not painted for its own sake."""
        self._stale = True
        with self._bar.held(), self._no_updates(), _Still(self):
            yield

    @contextmanager
    def _growing(self) -> Iterator[None]:
        """The end is another. Where the view follows it, what stood above is moved on the screen as it is."""
        viewport, bar = self.viewport(), self.verticalScrollBar()
        scaled = not self.devicePixelRatioF().is_integer()  # whole pixels of ours are none of the screen's
        if self._stale or scaled or not self._following or self._moving or self.textCursor().hasSelection():
            self._stale = False
            with _Still(self):
                yield
            return
        end = self.document().findBlock(self.script.tail_position)
        top = self.document().documentLayout().blockBoundingRect(end).top()
        top, before = min(top, self._caret_top) - SLACK, bar.value()
        self._moving, y = True, 0
        try:
            with self._bar.held():
                with self._no_updates():
                    yield
                self._shifting = bar.value() == before  # else it was shortened, and nothing is where it was
                self._move_to_end()
                if self._shifting:
                    y = max(0, int(top) - bar.value())
        finally:
            self._moving = self._shifting = False
            self._colour_on()
            viewport.update(0, y, viewport.width(), viewport.height() - y)

    @contextmanager
    def _no_updates(self) -> Iterator[None]:
        viewport, disabled = self.viewport(), Qt.WidgetAttribute.WA_UpdatesDisabled
        viewport.setAttribute(disabled, True)  # setUpdatesEnabled would paint it all afterwards
        try:
            yield
        finally:
            viewport.setAttribute(disabled, False)

    def _calmed(self) -> None:
        self._calm.stop()
        with _Still(self):
            self.script.calm_down()

    def _colour(self) -> None:
        """A slice of the colours that pieces of code still wait for; of all views, one at a time."""
        if monotonic() - Transcript._coloured_at < COLOURS_REST_S:
            return
        self.script.pen.work(COLOURS_S)
        Transcript._coloured_at = monotonic()
        if not self.script.pen.busy:
            self._colours.stop()

    def _colour_on(self) -> None:
        if self.script.pen.busy and not self._colours.isActive() and not self._calm.isActive():
            self._colours.start()

    def _read_ahead(self) -> None:
        """Draws another part near the view, if one is missing there."""
        more = False
        if self._may_reach() and self._seen():
            with self._holding() as bar:
                top, more = self.script.read_ahead(bar.value())
                bar.setValue(round(top))
        if not more:
            self._ahead.stop()
        self._colour_on()

    def _reach(self) -> None:
        """Draws what is near the view."""
        if not self._may_reach():
            return
        with self._holding() as bar:
            bar.setValue(round(self.script.reach(bar.value(), selected=self.textCursor().hasSelection())))
        self._look_around()

    def _may_reach(self) -> bool:
        return bool(self.script.height) and not self._reaching and not self._resting

    @contextmanager
    def _holding(self) -> Iterator[QScrollBar]:
        """While something is drawn outside the view: the bar is moved with it by nobody else."""
        was_moving, self._moving, self._reaching = self._moving, True, True
        try:
            yield self.verticalScrollBar()
        finally:
            self._moving, self._reaching = was_moving, False
        self._grown()

    def _look_around(self) -> None:
        """What is near the view is drawn soon, and its code coloured."""
        if not self._ahead.isActive():
            self._ahead.start()
        self._colour_on()

    def _put_formula(self, latex: str, display: bool) -> None:
        with _Still(self):
            self._formulas.put(latex, display)
        self._place_cards()

    # Scrolling

    def at_end(self) -> bool:
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() - 8

    def to_end(self) -> None:
        """Scrolls down and stays there while text arrives."""
        self._following = True
        self._pill.hide()
        self._wake()
        self._move_to_end()

    def _move_to_end(self) -> None:
        was_moving, self._moving = self._moving, True
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())
        self._moving = was_moving

    def _scrolled(self) -> None:
        if not self._moving:
            to_end, self._following = self.at_end(), False
            self._reach()
            while to_end and self._may_reach() and self.script.rest:
                self._move_to_end()  # it is not where it was thought to be
                self._reach()
            if to_end:
                self._move_to_end()
            self._following = to_end or self.at_end()
            if self._following:
                self._pill.hide()
        self._place_cards()

    def _grown(self) -> None:
        if self._reaching:
            return
        if self._following and not self._moving:
            self._move_to_end()
        elif not self._following and self.script.live is not None and not self._pill.isVisible():
            self._pill.show()
            self._place_pill()
        self._place_cards()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        if not self._shifting:
            self.viewport().update()

    # Layout

    def resizeEvent(self, event: QResizeEvent) -> None:
        following = self._following
        self.script.height = self.viewport().height()
        self._set_margins()
        super().resizeEvent(event)
        self._place_pill()
        self._cards.measure_all(self.column())
        if following:
            self._following = True
            self._move_to_end()
        self._place_cards()
        self._look_around()

    def _make_room(self, answer: int) -> None:
        """For the card under an answer."""
        with _Still(self):
            self._cards.measure(answer, self.column())
        self._place_cards()

    def _place_cards(self) -> None:
        self._cards.place(self._side(), self.column())

    def _place_pill(self) -> None:
        size = self._pill.sizeHint()
        area = self.viewport().rect()
        self._pill.setGeometry(
            (area.width() - size.width()) // 2,
            area.height() - size.height() - 10,
            size.width(),
            size.height(),
        )
        self._pill.raise_()

    def _repaint_all(self) -> None:
        with _Still(self):
            self.script.redraw(Ink(self._theme))
        self._backdrop = Backdrop(self.script.ink)
        self._set_margins()
        self._place_cards()
        self.viewport().update()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.script.awake and self._following and not self._resting:
            QTimer.singleShot(0, self, self._look)  # it was out of sight, and has come back
        self._painted_at = monotonic()
        super().paintEvent(event)

    # Clicking

    def _clicked(self, link: QUrl) -> None:
        address = link.toString()
        if self.script.fold_at(address) is not None:
            with _Still(self):
                self.script.toggle(address)
            self._place_cards()
            self._look_around()
            self.viewport().update()
        elif harmless.may_open(address):
            self.link_clicked.emit(address)

    def reveal(self, entry: int, words: str, nth: int) -> bool:
        """Scrolls to place `nth` of `words` in a thing said, selects it and marks it. False where marks of Markdown
        hide it: then it scrolls to where it must be."""
        where = self.script.part_with(entry, words, nth)
        if where is None:
            return False
        part, nth, top = where
        self._following = False
        bar = self.verticalScrollBar()
        for _ in range(
            3
        ):  # what is drawn on the way there is often higher or lower than it was thought to be
            bar.setValue(round(top) - 2 * TOP)
            self._reach()
            if part.top is not None:
                break
            where = self.script.part_with(entry, words, nth)
            part, nth, top = where if where is not None else (part, nth, top)
        if part.top is None:
            return False
        cursor = QTextCursor(self.document())
        cursor.setPosition(part.top.position())  # a bookmark's own anchor is not kept
        for _ in range(nth + 1):
            cursor = self.document().find(words, cursor)
            if cursor.isNull() or cursor.block().blockFormat().intProperty(ENTRY) not in (0, entry + 1):
                return False
        self._moving = True
        set_state(self, "found", True)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()
        self._moving = False
        self._reach()
        return True

    def unmark(self) -> None:
        """What was found is not marked any more; what somebody selected since stays."""
        if self.property("found"):
            set_state(self, "found", False)
            was_moving, self._moving = self._moving, True
            place, cursor = self.verticalScrollBar().value(), self.textCursor()
            cursor.clearSelection()
            self.setTextCursor(cursor)
            self.verticalScrollBar().setValue(place)
            self._moving = was_moving

    def mousePressEvent(self, event: QMouseEvent) -> None:
        set_state(self, "found", False)
        super().mousePressEvent(event)


class _Still:
    """While the document grows: the selection stays, and the view moves only if it follows the end.

    While many turns come at once (`resting`) nothing is drawn, so there is nothing to hold.
    """

    def __init__(self, view: Transcript) -> None:
        self._view = view
        self._idle = view._resting

    def __enter__(self) -> None:
        if self._idle:
            return
        self._place = self._view.verticalScrollBar().value()
        self._above = self._view.script.above
        self._was_moving, self._view._moving = self._view._moving, True
        cursor = self._view.textCursor()
        self._selected = None
        if cursor.hasSelection() and cursor.selectionEnd() > self._view.script.tail_position:
            self._selected = (cursor.anchor(), cursor.position())

    def __exit__(self, *_: object) -> None:
        view = self._view
        if self._idle:
            return
        if self._selected is not None:
            self._select(*self._selected)
        if view._following:
            view._move_to_end()
        else:
            view.verticalScrollBar().setValue(self._place + round(view.script.above - self._above))
        view._moving = self._was_moving
        view._colour_on()
        view.viewport().update()

    def _select(self, anchor: int, position: int) -> None:
        value = self._view.verticalScrollBar().value()
        last = self._view.document().characterCount() - 1
        cursor = self._view.textCursor()
        cursor.setPosition(min(anchor, last))
        cursor.setPosition(min(position, last), QTextCursor.MoveMode.KeepAnchor)
        self._view.setTextCursor(cursor)
        self._view.verticalScrollBar().setValue(value)
