"""The rungs a route would take now, drawn: whom it would ask, through what, with which key, or why not."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Finished, Rung
from vibedesk.state.routes import Try
from vibedesk.ui import harmless
from vibedesk.ui.figures import price_of
from vibedesk.ui.widgets import Chip, Elided, Label, bare
from vibedesk.wording import duration, words_for


class Ladder(QWidget):
    """`show_rungs` draws them; `clear` takes them away."""

    def __init__(self) -> None:
        super().__init__()
        self._column = bare(QVBoxLayout(self), 8)

    def show_rungs(self, rungs: Sequence[Rung]) -> None:
        """Draws the rungs in the order they would be tried; what is left out has no number."""
        self.clear()
        self._column.addWidget(Label("It would ask now, in this order", "caption"))
        number = 0
        for rung in rungs:
            number += rung.obstacle is None
            self._column.addWidget(_card(str(number) if rung.obstacle is None else "–", rung))
        if not number:
            self._column.addWidget(Label("Nobody would be asked.", "small"))

    def show_tries(self, tries: Sequence[Try]) -> None:
        """Draws how each model answered the short question, as far as it is known."""
        self.clear()
        ended = [one.finished for one in tries if one.finished is not None]
        whole = sum(finished.outcome == "complete" for finished in ended)
        words = f"{whole} of {len(tries)} answered" if len(ended) == len(tries) else "Asking each of them…"
        self._column.addWidget(Label(words, "caption"))
        for number, one in enumerate(tries, 1):
            self._column.addWidget(_tried(str(number), one))

    def clear(self) -> None:
        clear(self._column)


def clear(layout: QLayout) -> None:
    """Takes every widget out of the layout, for good."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def _card(number: str, rung: Rung) -> QFrame:
    deployment, out = rung.deployment, rung.obstacle is not None
    chip = ("left out", "warn")
    if not out:
        chip = (deployment.via, "accent" if deployment.via == "gateway" else "neutral")
    return _drawn(Chip(number, "neutral" if out else "ok"), deployment.name, Chip(*chip), _said(rung))


def _drawn(number: Chip, name: str, chip: Chip, said: str) -> QFrame:
    card = QFrame()
    card.setProperty("card", True)
    column = QVBoxLayout(card)
    column.setContentsMargins(10, 8, 10, 8)
    column.setSpacing(4)
    head = bare(QHBoxLayout(), 8)
    head.addWidget(number)
    head.addWidget(Elided(name, "strong", Qt.TextElideMode.ElideMiddle).wide(), 1)
    head.addWidget(chip)
    column.addLayout(head)
    column.addWidget(Label(said, "small", wrap=True))
    return card


def _tried(number: str, one: Try) -> QFrame:
    deployment, finished = one.rung.deployment, one.finished
    if finished is None:
        return _drawn(Chip(number), deployment.name, Chip("asking…", "accent"), f"{deployment.via}, a moment")
    whole = finished.outcome == "complete"
    if whole:
        chip = Chip("answered", "ok") if finished.finish_reason == "stop" else Chip("cut short", "warn")
    else:
        chip = Chip(finished.outcome, "bad")
    return _drawn(Chip(number, "ok" if whole else "bad"), deployment.name, chip, _answer(one, finished))


def _answer(one: Try, finished: Finished) -> str:
    """What it said, in what time and for how much; or why not."""
    if finished.error is not None:
        return _obstacle(finished.error, one.rung.deployment.provider.name)
    words = f"“{harmless.one_line(finished.text, 90)}”" if finished.text.strip() else "It said nothing."
    figures = f"{duration(finished.took_s)} · {price_of(finished.cost)} · {one.rung.deployment.via}"
    return f"{words}\n{figures}"


def _said(rung: Rung) -> str:
    deployment = rung.deployment
    if rung.obstacle is not None:
        return _obstacle(rung.obstacle, deployment.provider.name)
    why = f"{deployment.via}: {deployment.why_via}" if deployment.why_via else ""
    key = f"key {deployment.key_name} ({deployment.key.source})" if deployment.key else "no key needed"
    return " · ".join(words for words in (rung.reason, why, key) if words)


def _obstacle(error: EngineError, provider: str) -> str:
    words = words_for(error, provider_name=provider)
    return f"{words.sentence} {words.fix}".strip()
