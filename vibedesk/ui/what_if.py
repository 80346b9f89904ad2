"""What a route would do now, and what it would do if: the ladder, and a control that lets things go wrong."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from vibedesk.engine.types import Rung
from vibedesk.state.routes import Explanation, Try
from vibedesk.ui.ladder import Ladder
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Choice, Label, bare

EVERYBODY = "*"
_FAULTS = [
    ("has no fault", ""),
    ("is rate limited (429)", "429"),
    ("is overloaded (529)", "529"),
    ("fails inside (500)", "500"),
    ("refuses the key (401)", "401"),
    ("has no credit", "no_credit"),
    ("says nothing in time", "timeout"),
    ("breaks off midway", "cut"),
    ("cannot be reached", "offline"),
    ("is at your own limit", "limit"),
]
_WORDS = {fault: words for words, fault in _FAULTS}


class WhatIf(QWidget):
    """`changed` when other faults are supposed; nothing is supposed at the beginning."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[str, str] = {}
        """Whom → what goes wrong there, as `engine.explain` takes it."""
        self.whom = Choice()
        self.whom.setAccessibleName(self.tr("What if: whom"))
        self.what = Choice([*_FAULTS])
        self.what.setAccessibleName(self.tr("What if: what"))
        self.said = Label("", "small", wrap=True)
        self.forget = Button(self.tr("Nothing")).on(self._forget)
        self.forget.setToolTip(self.tr("Suppose no fault any more"))
        self._lay_out()
        self.whom.currentIndexChanged.connect(lambda: self._show_chosen())
        self.what.activated.connect(lambda: self._suppose())

    def offer(self, rungs: Sequence[Rung]) -> None:
        """Whom something could happen to: each provider, model and key of these rungs, and everybody."""
        providers = {rung.deployment.provider.id: rung.deployment.provider.name for rung in rungs}
        models = {rung.deployment.name: rung.deployment.name for rung in rungs}
        keys = {
            rung.deployment.key.id: f"key {rung.deployment.key_name}" for rung in rungs if rung.deployment.key
        }
        offers = {**providers, **models, **keys, EVERYBODY: "everybody"}
        chosen = self.whom.chosen()
        self.whom.blockSignals(True)
        self.whom.clear()
        for whom, words in offers.items():
            self.whom.addItem(words, whom)
        self.whom.choose(chosen if chosen in offers else next(iter(offers)))
        self.whom.blockSignals(False)
        self.faults = {whom: fault for whom, fault in self.faults.items() if whom in offers}
        self._show_chosen()

    def clear(self) -> None:
        """Supposes nothing, without telling."""
        self.faults = {}
        self._show_chosen()

    def _lay_out(self) -> None:
        column = bare(QVBoxLayout(self), 6)
        grid: QGridLayout = bare(QGridLayout(), 6)
        for place, choice in enumerate((self.whom, self.what)):
            choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            grid.addWidget(choice, 0, place)
            grid.setColumnStretch(place, 1)
        column.addWidget(Label(self.tr("What if…"), "caption"))
        column.addLayout(grid)
        row: QHBoxLayout = bare(QHBoxLayout(), 8)
        row.addWidget(self.said, 1)
        row.addWidget(self.forget)
        column.addLayout(row)
        self._show_chosen()

    def _suppose(self) -> None:
        whom, fault = self.whom.chosen(), self.what.chosen()
        self.faults = {name: one for name, one in self.faults.items() if name != whom}
        if fault and whom:
            self.faults[whom] = fault
        self._show_chosen()
        self.changed.emit()

    def _forget(self) -> None:
        self.clear()
        self.changed.emit()

    def _show_chosen(self) -> None:
        self.what.choose(self.faults.get(self.whom.chosen() or "", ""))
        parts = (f"{self._name(whom)} {_WORDS[fault]}" for whom, fault in self.faults.items())
        self.said.setText(", ".join(parts))
        for widget in (self.said, self.forget):
            widget.setVisible(bool(self.faults))

    def _name(self, whom: str) -> str:
        place = self.whom.findData(whom)
        return self.whom.itemText(place) if place >= 0 else whom


class Explained(QWidget):
    """The ladder under its what-if control. `wanted(faults)` when it should be worked out anew."""

    wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.what_if = WhatIf()
        self.ladder = Ladder()
        column = bare(QVBoxLayout(self), 12)
        column.addWidget(self.what_if)
        column.addWidget(self.ladder)
        self.what_if.changed.connect(lambda: self.wanted.emit(dict(self.what_if.faults)))
        self.what_if.hide()

    def show_explanation(self, explanation: Explanation) -> None:
        self.what_if.offer([told.rung for told in explanation.rungs])
        self.what_if.show()
        self.ladder.show_explanation(explanation, supposed=bool(self.what_if.faults))

    def show_tries(self, tries: Sequence[Try]) -> None:
        self.what_if.hide()
        self.ladder.show_tries(tries)

    def clear(self) -> None:
        self.what_if.clear()
        self.what_if.hide()
        self.ladder.clear()


class ExplainSheet(Sheet):
    """Where a question would go now, over the window."""

    def __init__(self, host: QWidget, theme: Theme, name: str) -> None:
        super().__init__(host, theme, title=self.tr("Where it would go now"), width=560)
        self.explained = Explained()
        self.body.addWidget(Label(name, "muted"))
        self.body.addWidget(self.explained)
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Close")).on(self.accept))
