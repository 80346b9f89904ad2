"""One column of the playground: head, transcript, figures."""

from __future__ import annotations

from time import monotonic

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout

from vibedesk.amounts import duration
from vibedesk.engine.types import Finished
from vibedesk.state.draft import shown
from vibedesk.state.lane import Lane
from vibedesk.state.metrics import LEAST_S, rough_of
from vibedesk.state.story import Exchange
from vibedesk.store.history import StoredAnswer, StoredTurn
from vibedesk.ui.errors import ErrorCard
from vibedesk.ui.figures import Figures
from vibedesk.ui.lane_head import LaneHead
from vibedesk.ui.script import plain_text
from vibedesk.ui.strip import LEAST_WIDTH
from vibedesk.ui.theme import Theme
from vibedesk.ui.transcript import Transcript
from vibedesk.ui.turn_bar import TurnBar
from vibedesk.ui.widgets import Button, Empty, bare, set_state

COUNT_S = 0.2
"""Figures of a running answer change no faster than they can be read."""
_FINISHES = {
    "length": ("length limit", "warn", "The answer reached its limit of tokens."),
    "content_filter": ("content filter", "warn", "The provider held back the rest."),
    "tool_call": ("tool call", "neutral", "The model wanted to call a tool; none was offered."),
}


class LaneView(QFrame):
    """Follows one `Lane`. `acted(action)` from an error card, `touched` when somebody works in it."""

    acted = Signal(str)
    touched = Signal()
    receipt_wanted = Signal()
    model_wanted = Signal()
    menu_wanted = Signal()
    link_clicked = Signal(str)
    turn_acted = Signal(str, str, str)
    """What was said ("said", "answer"), the turn's id, and what to do with it (see `TurnBar`)."""

    def __init__(self, lane: Lane, place: int, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("lane")
        self.setMinimumWidth(LEAST_WIDTH)
        self.lane, self.place = lane, place
        self.head, self.figures = LaneHead(theme), Figures()
        self.transcript = Transcript(theme)
        self.transcript.viewport().installEventFilter(self)
        self._choose = Button(self.tr("Choose a model"), "plain").on(self.model_wanted.emit)
        self._empty = Empty("", "", self._choose)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.transcript)
        column = bare(QVBoxLayout(self))
        column.addWidget(self.head)
        column.addWidget(self._stack, 1)
        column.addWidget(self.figures)
        self._best: set[str] = set()
        self._counted_at = 0.0
        self._entries: list[tuple[str, str]] = []
        self._card: ErrorCard | None = None
        """What stands under the last answer, and can still be acted on."""
        self.bar = TurnBar(theme, self.transcript.viewport())
        self._second = QTimer(self)
        self._second.setInterval(1_000)
        self._second.timeout.connect(self._count_down)
        self._connect()
        self.refresh()
        self.show_history()

    def _connect(self) -> None:
        lane = self.lane
        lane.spec_changed.connect(self.refresh)
        lane.planned_changed.connect(self.refresh)
        lane.deployment_changed.connect(self.refresh)
        lane.fell_back.connect(self.refresh)
        lane.waited.connect(self._wait)
        lane.turn_added.connect(self._say)
        lane.answer_begun.connect(self._begin)
        lane.text_appended.connect(self._append)
        lane.reasoning_appended.connect(self._think)
        lane.text_taken_back.connect(self.transcript.take_back)
        lane.phase_changed.connect(self._phase)
        lane.finished.connect(self._finish)
        lane.restored.connect(self.show_history)
        self.head.name.clicked.connect(self.model_wanted)
        self.head.menu.clicked.connect(self.menu_wanted)
        self.head.chip_clicked.connect(self.receipt_wanted)
        self.figures.clicked.connect(self.receipt_wanted)
        self.transcript.link_clicked.connect(self.link_clicked)
        self.transcript.entry_hovered.connect(self._offer)
        self.bar.acted.connect(self._acted_on)

    # What is kept

    def refresh(self) -> None:
        """Head and teaching words, after the lane's settings or its plan changed."""
        self.head.show_lane(self.lane, self.place)
        chosen = bool(self.lane.spec.model or self.lane.spec.route)
        self._choose.setVisible(not chosen)
        self._empty.title.setText(self.tr("Ask anything") if chosen else self.tr("No model yet"))
        taught = self.tr(
            "Your words go to every linked lane in the same instant. Ctrl+T adds a lane, Ctrl+L changes the model."
        )
        unchosen = self.tr("A lane asks one model. Choose it here, or with Ctrl+L.")
        self._empty.text.setText(taught if chosen else unchosen)
        self._stack.setCurrentWidget(self.transcript if self.lane.exchanges else self._empty)

    def set_place(self, place: int) -> None:
        self.place = place
        self.refresh()

    def set_current(self, current: bool) -> None:
        set_state(self.head.letter, "current", current)

    def show_history(self) -> None:
        """Writes the whole lane once more."""
        self.bar.hide()
        self.transcript.clear()
        self.figures.clear()
        self._entries, self._card = [], None
        with self.transcript.resting():
            for exchange in self.lane.exchanges:
                self._show_exchange(exchange)
        self.refresh()
        self._show_figures()

    def _show_figures(self) -> None:
        answer = self._answer()
        if answer is not None and answer.outcome is not None:
            self.figures.show_answer(answer, self._best, rough_of(self.lane.exchanges[-1]))

    def _show_exchange(self, exchange: Exchange) -> None:
        self._say(exchange.turn)
        if exchange.answer is not None:
            self._show_answer(exchange.answer)

    def _show_answer(self, answer: StoredAnswer) -> None:
        self._entries.append(("answer", answer.turn_id))
        self.transcript.begin()
        if answer.reasoning:
            self.transcript.think(answer.reasoning)
            self.transcript.thought(thought_for(answer.reasoning_s))
        self.transcript.append(answer.text)
        if answer.outcome is None:
            return
        place = self.transcript.end(self._marks_of(answer))
        if answer.error_title:
            card = ErrorCard()
            card.show_words(answer.error_title, answer.error_text)
            self.transcript.put_card(place, card)

    def _answer(self) -> StoredAnswer | None:
        return self.lane.exchanges[-1].answer if self.lane.exchanges else None

    # What happens

    def _say(self, turn: StoredTurn) -> None:
        self._stack.setCurrentWidget(self.transcript)
        self._entries.append(("said", turn.id))
        if self._card is not None:
            self._card.retire()
            self._card = None
        place, versions = self._versions("said", turn.id)
        note = self.tr("question {place} of {count}") if versions > 1 else ""
        self.transcript.say(shown(turn.text), turn.images, note.format(place=place + 1, count=versions))

    def _begin(self) -> None:
        if len(self.lane.exchanges[-1].answers) > 1:
            self.show_history()  # the earlier answer folds away; the new one is the live one
        else:
            self._entries.append(("answer", self.lane.exchanges[-1].turn.id))
            self.transcript.begin()
        self._best = set()
        self.figures.clear()
        self.refresh()

    def _append(self, text: str) -> None:
        self.transcript.append(text, more=self.lane.waiting_to_be_drawn)
        self._count()

    def _think(self, text: str) -> None:
        self.transcript.think(text)
        self._count()

    def _phase(self, phase: str) -> None:
        if phase == "answering" and self.lane.first_at is not None:
            self.transcript.thought(thought_for(monotonic() - self.lane.first_at))

    def _wait(self, seconds: float) -> None:
        self._second.start()
        self.refresh()

    def _count_down(self) -> None:
        if self.lane.waiting is None:
            self._second.stop()
        self.head.show_waiting(self.lane)

    def _count(self) -> None:
        lane, now = self.lane, monotonic()
        if lane.first_at is None or not lane.running or now - self._counted_at < COUNT_S:
            return
        self._counted_at = now
        spent = now - lane.first_at
        tokens = lane.tokens_so_far
        self.figures.show_running(tokens, tokens / spent if spent > LEAST_S else None, lane.first_s)

    def _finish(self, finished: Finished) -> None:
        answer = self._answer()
        if answer is None:
            return
        self.transcript.thought(thought_for(answer.reasoning_s))
        place = self.transcript.end(self._marks_of(answer))
        if finished.error is not None:
            card = self._card = ErrorCard()
            error = finished.error
            name = self.lane.provider_name(error.provider)
            card.show_error(error, provider_name=name, can_continue=self.lane.can_continue)
            card.acted.connect(self.acted)
            self.transcript.put_card(place, card)
        self._show_figures()
        self.refresh()

    # What was said, piece by piece

    def texts(self) -> list[str]:
        """What is shown, thing said by thing said."""
        shown = []
        for kind, turn_id in self._entries:
            exchange = self.lane.story.exchange(turn_id)
            answer = exchange.answer if exchange else None
            said = exchange.turn.text if exchange else ""
            shown.append(said if kind == "said" else answer.text if answer else "")
        return shown

    def _offer(self, entry: int, at: QRectF) -> None:
        """The bar over what the pointer is over."""
        if self.lane.running or not 0 <= entry < len(self._entries):
            self.bar.hide()
            return
        kind, turn_id = self._entries[entry]
        exchange = self.lane.story.exchange(turn_id)
        if exchange is None:
            self.bar.hide()
            return
        actions = {"copy", "edit", "remove"}
        if kind == "answer":
            last = exchange is self.lane.exchanges[-1]
            actions = {"copy", "plain"} | ({"again"} if last else set())
            if last and self.lane.can_continue:
                actions.add("continue")
        self.bar.offer(entry, at, actions, *self._versions(kind, turn_id))

    def _versions(self, kind: str, turn_id: str) -> tuple[int, int]:
        """Which version is shown, from 0, and of how many."""
        exchange = self.lane.story.exchange(turn_id)
        if exchange is None:
            return 0, 1
        if kind == "answer":
            return exchange.place, len(exchange.answers)
        versions = self.lane.story.versions(exchange)
        return versions.index(exchange), len(versions)

    def _acted_on(self, entry: int, action: str) -> None:
        if 0 <= entry < len(self._entries):
            self.bar.hide()
            self.turn_acted.emit(*self._entries[entry], action)

    def version_from(self, kind: str, turn_id: str, step: int) -> int:
        """The place of the version `step` further on."""
        return self._versions(kind, turn_id)[0] + step

    def _marks_of(self, answer: StoredAnswer) -> list[tuple[str, str, str]]:
        place, versions = self._versions("answer", answer.turn_id)
        if versions < 2:
            return _marks(answer)
        words = self.tr("answer {place} of {count}").format(place=place + 1, count=versions)
        return [*_marks(answer), (words, "", "")]

    def praise(self, best: set[str]) -> None:
        """What this lane was best at, once all have ended."""
        self._best = best
        self._show_figures()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.FocusIn):
            self.touched.emit()
        return bool(super().eventFilter(watched, event))

    def copy_text(self) -> str:
        """The latest answer as the Markdown it was received as."""
        return self.lane.text

    def plain(self, markdown: str) -> str:
        """The same without the marks of Markdown."""
        return plain_text(markdown, self.transcript.script.ink)

    def focus(self) -> None:
        self.transcript.setFocus(Qt.FocusReason.ShortcutFocusReason)


def thought_for(seconds: float | None) -> str:
    """The words on the reasoning's fold."""
    return f"Thought for {duration(seconds)}" if seconds is not None else "Thought"


def _marks(answer: StoredAnswer) -> list[tuple[str, str, str]]:
    if answer.outcome == "stopped":
        return [("stopped", "neutral", "")]
    if answer.outcome == "cut":
        return [("cut", "warn", "" if answer.error_title else "The program ended before the answer did.")]
    if answer.outcome != "complete":
        return []
    finish = [_FINISHES[answer.finish_reason]] if answer.finish_reason in _FINISHES else []
    held = []
    if answer.held is not None:
        words = ("breaks the schema", "bad") if answer.held else ("follows the schema", "ok")
        held = [(*words, answer.held)]
    return [*_mended(answer), *finish, *held]


def _mended(answer: StoredAnswer) -> list[tuple[str, str, str]]:
    """A whole answer of which a part had broken off says so."""
    if not any(attempt.outcome == "cut" for attempt in answer.attempts):
        return []
    if any("joined at character" in note for note in answer.attempts[-1].notes):
        return [("continued", "warn", "The answer broke off, and the model was asked for the rest of it.")]
    return [("begun again", "warn", "The answer broke off, was taken back, and was given anew.")]
