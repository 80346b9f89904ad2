"""One column of the playground: head, transcript, figures."""

from __future__ import annotations

from time import monotonic

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout

from vibedesk.engine.types import Finished
from vibedesk.state.lane import Exchange, Lane
from vibedesk.store.history import StoredAnswer, StoredTurn
from vibedesk.ui.errors import ErrorCard
from vibedesk.ui.figures import Figures
from vibedesk.ui.lane_head import LaneHead
from vibedesk.ui.theme import Theme
from vibedesk.ui.transcript import Transcript
from vibedesk.ui.widgets import Button, Empty, bare, set_state
from vibedesk.wording import duration

LEAST_WIDTH = 360
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
        self._connect()
        self.refresh()
        self.show_history()

    def _connect(self) -> None:
        lane = self.lane
        lane.spec_changed.connect(self.refresh)
        lane.planned_changed.connect(self.refresh)
        lane.deployment_changed.connect(self.refresh)
        lane.fell_back.connect(self.refresh)
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
        self.transcript.clear()
        self.figures.clear()
        with self.transcript.resting():
            for exchange in self.lane.exchanges:
                self._show_exchange(exchange)
        self.refresh()
        answer = self._answer()
        if answer is not None and answer.outcome is not None:
            self.figures.show_answer(answer, self._best)

    def _show_exchange(self, exchange: Exchange) -> None:
        self.transcript.say(exchange.turn.text, exchange.turn.images)
        for answer in exchange.answers:
            if answer is not exchange.answers[-1]:
                self._fold_away(answer)
            else:
                self._show_answer(answer)

    def _fold_away(self, answer: StoredAnswer) -> None:
        if answer.text:
            self.transcript.aside(self.tr("Earlier answer"), answer.text)

    def _show_answer(self, answer: StoredAnswer) -> None:
        self.transcript.begin()
        if answer.reasoning:
            self.transcript.think(answer.reasoning)
            self.transcript.thought(thought_for(answer.reasoning_s))
        self.transcript.append(answer.text)
        if answer.outcome is None:
            return
        place = self.transcript.end(_marks(answer))
        if answer.error_title:
            card = ErrorCard()
            card.show_words(answer.error_title, answer.error_text)
            self.transcript.put_card(place, card)

    def _answer(self) -> StoredAnswer | None:
        return self.lane.exchanges[-1].answer if self.lane.exchanges else None

    # What happens

    def _say(self, turn: StoredTurn) -> None:
        self._stack.setCurrentWidget(self.transcript)
        self.transcript.say(turn.text, turn.images)

    def _begin(self) -> None:
        if len(self.lane.exchanges[-1].answers) > 1:
            self.show_history()  # the earlier answer folds away; the new one is the live one
        else:
            self.transcript.begin()
        self._best = set()
        self.figures.clear()
        self.refresh()

    def _append(self, text: str) -> None:
        self.transcript.append(text)
        self._count()

    def _think(self, text: str) -> None:
        self.transcript.think(text)
        self._count()

    def _phase(self, phase: str) -> None:
        if phase == "answering" and self.lane.first_at is not None:
            self.transcript.thought(thought_for(monotonic() - self.lane.first_at))

    def _count(self) -> None:
        lane = self.lane
        if lane.first_at is None or not lane.running:
            return
        spent = monotonic() - lane.first_at
        tokens = lane.tokens_so_far
        self.figures.show_running(
            tokens, tokens / spent if spent > 0.5 else None, lane.first_at - lane.asked_at
        )

    def _finish(self, finished: Finished) -> None:
        answer = self._answer()
        if answer is None:
            return
        self.transcript.thought(thought_for(answer.reasoning_s))
        place = self.transcript.end(_marks(answer))
        if finished.error is not None:
            card = ErrorCard()
            error = finished.error
            card.show_error(error, provider_name=self.lane.provider_name(error.provider))
            card.acted.connect(self.acted)
            self.transcript.put_card(place, card)
        self.figures.show_answer(answer, self._best)
        self.refresh()

    def praise(self, best: set[str]) -> None:
        """What this lane was best at, once all have ended."""
        self._best = best
        answer = self._answer()
        if answer is not None and answer.outcome is not None:
            self.figures.show_answer(answer, best)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.FocusIn):
            self.touched.emit()
        return bool(super().eventFilter(watched, event))

    def copy_text(self) -> str:
        """The latest answer as the Markdown it was received as."""
        return self.lane.text

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
    if answer.outcome == "complete" and answer.finish_reason in _FINISHES:
        return [_FINISHES[answer.finish_reason]]
    return []
