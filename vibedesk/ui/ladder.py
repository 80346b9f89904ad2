"""The rungs a route would take now, drawn: whom it would ask, through what, with which key, or why not."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from vibedesk.amounts import duration
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Finished
from vibedesk.state.routes import Explanation, Told, Try
from vibedesk.ui import harmless
from vibedesk.ui.figures import price_of
from vibedesk.ui.widgets import Chip, Elided, Label, bare
from vibedesk.wording import words_for


class Ladder(QWidget):
    """`show_explanation` and `show_tries` draw the rungs; `clear` takes them away."""

    def __init__(self) -> None:
        super().__init__()
        self._column = bare(QVBoxLayout(self), 8)

    def show_explanation(self, explanation: Explanation, *, supposed: bool = False) -> None:
        """Draws the rungs in the order they would be tried, and how it would end. `supposed`: with faults."""
        self.clear()
        words = "It would then ask, in this order" if supposed else "It would ask now, in this order"
        self._column.addWidget(Label(words, "caption"))
        number = 0
        for told in explanation.rungs:
            number += told.asked > 0
            self._column.addWidget(_card(str(number) if told.asked else "–", told))
        self._column.addWidget(Label(_ending(explanation), "small", wrap=True))

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


def _card(number: str, told: Told) -> QFrame:
    text, role = _verdict(told)
    chip = Chip(number, "ok" if told.answers else "neutral")
    return _drawn(chip, told.rung.deployment.name, Chip(text, role), _said(told))


def _verdict(told: Told) -> tuple[str, str]:
    if told.answers:
        return "answers", "ok"
    if told.rung.obstacle is not None:
        return "left out", "warn"
    if told.error is not None:
        words = told.error.kind.replace("_", " ")
        return (words, "bad") if told.asked else (f"passed over: {words}", "warn")
    return "not needed", "neutral"


def _ending(explanation: Explanation) -> str:
    """How the ask would end, in a sentence."""
    answers = next((told.rung.deployment.name for told in explanation.rungs if told.answers), "")
    requests = sum(told.asked for told in explanation.rungs)
    waited = f" after waiting {duration(explanation.waited_s)}" if explanation.waited_s else ""
    first = next((told.rung for told in explanation.rungs if told.rung.obstacle is None), None)
    kept = " Where the same was asked before, that answer is given again." if first and first.cache.on else ""
    if answers:
        number = f"request {requests}" if requests > 1 else "the first request"
        return f"{answers} answers {number}{waited}.{kept}"
    if explanation.outcome == "cut":
        return "The answer breaks off, and what was said is kept as cut."
    error = explanation.error
    why = f" {words_for(error, provider_name=error.provider).sentence}" if error else ""
    return f"Nobody answers{waited}.{why}" if requests else f"Nobody would be asked.{why}"


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


def _said(told: Told) -> str:
    """Why it is asked or not, through what and with which key."""
    deployment = told.rung.deployment
    if told.error is not None:
        times = f"Asked {told.asked} times. " if told.asked > 1 else ""
        return times + _obstacle(told.error, deployment.provider.name)
    way = deployment.why_via
    way = way if not way or way.startswith(deployment.via) else f"{deployment.via}: {way}"
    key = f"key {deployment.key_name} ({deployment.key.source})" if deployment.key else "no key needed"
    return " · ".join(words for words in (told.reason.replace("_", " "), way, key) if words)


def _obstacle(error: EngineError, provider: str) -> str:
    words = words_for(error, provider_name=provider)
    return f"{words.sentence} {words.fix}".strip()
