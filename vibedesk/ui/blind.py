"""A blind comparison as it is shown: columns that know a letter and words alone, and the bar where one votes.

The widgets here are given `Contestant`s, never a `Lane`: what they do not know they cannot show, name or hint at.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from vibedesk.state.contest import Contestant, Result, Said
from vibedesk.state.draft import shown
from vibedesk.store.votes import BOTH_BAD, TIE
from vibedesk.ui.theme import Theme
from vibedesk.ui.transcript import Transcript
from vibedesk.ui.widgets import Button, Chip, Elided, Empty, Keycap, Label, bare, in_tab_order
from vibedesk.ui.wrapped import Wrapped

MARKS = {
    "stopped": ("stopped", "neutral", ""),
    "cut": ("cut", "warn", ""),
    "failed": ("no answer", "bad", ""),
}


class BlindLane(QFrame):
    """One contestant. `better` when its own button is pressed; `link_clicked(address)`."""

    better = Signal()
    link_clicked = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("lane")
        self.head = QFrame()
        self.head.setObjectName("laneHead")
        self.head.setFixedHeight(66)
        self.letter, self.name = Label(), Label("", "strong")
        self.letter.setObjectName("letter")
        self.letter.setFixedSize(20, 20)
        self.letter.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.name.setFixedHeight(28)  # as high as the menu's button, which stands in its place after the vote
        self.transcript = Transcript(theme)
        self.transcript.link_clicked.connect(self.link_clicked)
        self._empty = Empty("", "")
        self._foot = QFrame()
        self._foot.setObjectName("laneFoot")
        self._foot.setFixedHeight(34)
        self._stack = QStackedWidget()
        self._lay_out()

    def _lay_out(self) -> None:
        top = bare(QHBoxLayout(), 10)
        top.addWidget(self.letter)
        top.addWidget(self.name)
        top.addStretch(1)
        below = bare(QHBoxLayout(), 6)
        below.addWidget(Chip(self.tr("hidden")))
        below.addStretch(1)
        inside = bare(QVBoxLayout(self.head), 0)
        inside.setContentsMargins(14, 8, 8, 9)
        inside.addLayout(top)
        inside.addStretch(1)
        inside.addLayout(below)
        row = bare(QHBoxLayout(self._foot))
        row.setContentsMargins(14, 0, 14, 0)
        row.addWidget(Label(self.tr("Speed and cost after the vote"), "small"))
        row.addStretch(1)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.transcript)
        column = bare(QVBoxLayout(self))
        column.addWidget(self.head)
        column.addWidget(self._stack, 1)
        column.addWidget(self._foot)

    def show_contestant(self, one: Contestant, *, waiting: bool) -> None:
        """Everything anew: it changes only when all change together."""
        self.letter.setText(one.letter)
        self.name.setText(self.tr("Model") + f" {one.letter}")
        self.transcript.setAccessibleName(self.tr("Answer") + f" {one.letter}")
        self.transcript.clear()
        for said in one.said[:-1] if waiting else one.said:
            self._show(said)
        if waiting and one.said:
            self.transcript.say(shown(one.said[-1].question))
        self._empty.title.setText(self.tr("Ask anything"))
        self._empty.text.setText(
            self.tr("Names, speed and cost stay hidden until you vote. The order was shuffled.")
        )
        self._stack.setCurrentWidget(self.transcript if one.said else self._empty)

    def _show(self, said: Said) -> None:
        self.transcript.say(shown(said.question))
        self.transcript.begin()
        self.transcript.append(said.answer)
        self.transcript.end([MARKS[said.mark]] if said.mark else [])


class VoteBar(QFrame):
    """`voted(choice)`: a place, `TIE` or `BOTH_BAD`. `revealed` without a vote; `ranking_wanted`; `tagged(tag)`."""

    voted = Signal(int)
    revealed = Signal()
    tagged = Signal(str)
    ranking_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("voteBar")
        self.setAccessibleName(self.tr("Vote"))
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.says = Elided("", "muted")
        self.tag = QLineEdit()
        self.tag.setPlaceholderText(self.tr("Tag"))
        self.tag.setAccessibleName(self.tr("Tag for the ranking"))
        self.tag.setToolTip(self.tr("Counts the vote under a name of your own, for example coding."))
        self.tag.setFixedWidth(120)
        self.tag.setMaxLength(40)
        self.tag.textChanged.connect(self.tagged)
        self.buttons: dict[int, Button] = {}
        self.reveal = Button(self.tr("Reveal"), "quiet").on(self.revealed.emit)
        self.ranking = Button(self.tr("Ranking"), "link").on(self.ranking_wanted.emit)
        self._choices: list[QWidget] = []
        self._row = Wrapped()
        column = bare(QVBoxLayout(self))
        column.setContentsMargins(16, 10, 16, 9)
        column.addWidget(self._row)

    def show_waiting(self, asked: bool) -> None:
        """Before there is anything to vote on."""
        waiting = self.tr("All lanes are answering. What they say appears together.")
        ready = self.tr("Blind: ask, read, then vote. Names, speed and cost are hidden until then.")
        self._put([], waiting if asked else ready)

    def show_voting(self, contestants: Sequence[Contestant]) -> None:
        """One button for each that answered, a tie, and all bad; `1`…`8`, `=` and `0` do the same."""
        able = [(place, one) for place, one in enumerate(contestants) if one.can_win]
        if len(able) < 2:
            self._put([], self.tr("There are not two answers to compare."))
        else:
            bad = self.tr("Both bad") if len(able) == 2 else self.tr("All bad")
            choices = [(place, one.letter, str(place + 1)) for place, one in able]
            self._put([*choices, (TIE, self.tr("Tie"), "="), (BOTH_BAD, bad, "0")], self.tr("Which is best?"))
        self.reveal.show()

    def show_result(self, result: Result) -> None:
        """Who it was."""
        self._put([], result.sentence)
        self.ranking.show()

    def _put(self, choices: Sequence[tuple[int, str, str]], sentence: str) -> None:
        for old in self._choices:
            old.hide()
            old.deleteLater()
        self.buttons = {choice: self._button(choice, text, key) for choice, text, key in choices}
        self._choices = [
            _with_key(button, key) for button, (_, _, key) in zip(self.buttons.values(), choices, strict=True)
        ]
        self._row.put(self.says, self.tag, *self._choices, self.reveal, self.ranking, space=1)
        in_tab_order(self.tag, *self.buttons.values(), self.reveal, self.ranking)
        self.says.setText(sentence)
        self.tag.setVisible(bool(choices))
        self.reveal.hide()
        self.ranking.hide()

    def _button(self, choice: int, text: str, key: str) -> Button:
        button = Button(text).on(partial(self.voted.emit, choice))
        button.setToolTip(self.tr("Key") + f" {key}")
        return button


def _with_key(button: Button, key: str) -> QWidget:
    """A button and its key, never parted by the end of a line."""
    both = QWidget()
    row = bare(QHBoxLayout(both), 4)
    row.addWidget(button)
    row.addWidget(Keycap(key))
    return both
