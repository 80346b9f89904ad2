"""The rungs a route would take now, drawn: whom it would ask, through what, with which key, or why not."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import Rung
from vibedesk.ui.widgets import Chip, Elided, Label, bare
from vibedesk.wording import words_for


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
    card = QFrame()
    card.setProperty("card", True)
    column = QVBoxLayout(card)
    column.setContentsMargins(10, 8, 10, 8)
    column.setSpacing(4)
    head = bare(QHBoxLayout(), 8)
    head.addWidget(Chip(number, "neutral" if out else "ok"))
    head.addWidget(Elided(deployment.name, "strong", Qt.TextElideMode.ElideMiddle), 1)
    if out:
        head.addWidget(Chip("left out", "warn"))
    else:
        head.addWidget(Chip(deployment.via, "accent" if deployment.via == "gateway" else "neutral"))
    column.addLayout(head)
    column.addWidget(Label(_said(rung), "small", wrap=True))
    return card


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
