"""The numbers under a lane: tokens, speed, time to the first, cost; they keep their place while they change."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from vibedesk.amounts import count, duration, money, speed
from vibedesk.engine.types import Cost, Usage
from vibedesk.state.metrics import Rough
from vibedesk.store.history import StoredAnswer
from vibedesk.ui.widgets import Label, plain_tip, set_state

LOOSE, TIGHT = 14, 8
"""Pixels between two figures, where there is room and where there is not."""


class Figure(Label):
    """One number. While it runs its place grows and never shrinks."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("figure")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_number(self, text: str, best: str = "") -> None:
        """Shows `text`, and the word it has earned."""
        set_state(self, "best", bool(best))
        self.setText(f"{text} {best}" if best else text)
        self.setMinimumWidth(max(self.minimumWidth(), self.sizeHint().width()))

    def forget_width(self) -> None:
        self.setMinimumWidth(0)


class Figures(QFrame):
    """`clicked` opens the receipt."""

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("laneFoot")
        self.setFixedHeight(34)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.tokens, self.speed, self.first, self.cost = Figure(), Figure(), Figure(), Figure()
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 14, 0)
        row.setSpacing(LOOSE)
        for figure in self._all():
            row.addWidget(figure)
        row.addStretch(1)
        self.clear()

    def _all(self) -> tuple[Figure, ...]:
        return self.tokens, self.speed, self.first, self.cost

    def clear(self) -> None:
        """Nothing asked yet."""
        for figure in self._all():
            figure.forget_width()
            figure.show_number("")
        self.setToolTip("")

    def show_running(self, tokens: int, tokens_per_s: float | None, first_s: float | None) -> None:
        """While the answer comes; tokens are counted roughly until the provider says how many."""
        self.tokens.show_number(f"≈ {count(tokens)} tok" if tokens else "")
        self.speed.show_number(f"≈ {speed(tokens_per_s)}" if tokens_per_s else "")
        self.first.show_number(f"first {duration(first_s)}" if first_s is not None else "")
        self.cost.show_number("")
        self._fit()

    def show_answer(self, answer: StoredAnswer, best: set[str], rough: Rough | None = None) -> None:
        """The figures of an answer that has ended, with what it was best at; `rough` where nobody else counted."""
        for figure in self._all():
            figure.forget_width()
        usage = answer.usage
        if usage is None and answer.ttft_s is None:
            self.clear()
            self.setToolTip(plain_tip(explained(answer)) if answer.attempts else "")
            return
        if usage is None and rough is not None:
            self.tokens.show_number(f"≈ {count(rough.tokens)} tok")
            self.speed.show_number(f"≈ {speed(rough.tokens_per_s)}" if rough.tokens_per_s else "—")
        else:
            self.tokens.show_number(f"{count(usage.output_tokens)} tok" if usage else "— tok")
            self.speed.show_number(speed(answer.tokens_per_s), "fastest" if "fastest" in best else "")
        first = duration(answer.ttft_s)
        self.first.show_number(
            first if "first" in best else f"first {first}", "soonest" if "first" in best else ""
        )
        self.cost.show_number(price_of(answer.cost), "cheapest" if "cheapest" in best else "")
        self.setToolTip(plain_tip(explained(answer)))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def _fit(self) -> None:
        """Where there is no room for all, the unpraised give way, tokens first: the tip and the receipt have them."""
        order = (self.tokens, self.first, self.cost, self.speed)
        giving = sorted((one for one in order if one.text()), key=lambda one: bool(one.property("best")))
        room = self.width() - 28
        while len(giving) > 1 and self._wide(giving, TIGHT) > room:
            giving.pop(0)
        for figure in order:
            figure.setVisible(figure in giving)
        self._row.setSpacing(LOOSE if self._wide(giving, LOOSE) <= room else TIGHT)

    def _wide(self, figures: list[Figure], between: int) -> int:
        return sum(figure.sizeHint().width() for figure in figures) + (len(figures) - 1) * between


def price_of(cost: Cost | None) -> str:
    """The cost as it stands in the footer; unknown is a dash."""
    return money(cost.usd, cost.estimated) if cost else "—"


def explained(answer: StoredAnswer) -> str:
    """Everything behind the figures, a line each."""
    lines = [*_usage_lines(answer.usage)]
    if answer.reasoning_s is not None:
        lines.append(f"Thought for {duration(answer.reasoning_s)}")
    if answer.took_s is not None:
        lines.append(f"Took {duration(answer.took_s)} in all")
    if answer.cost is not None:
        lines.append(
            f"{price_of(answer.cost)} by {answer.cost.source}"
            if answer.cost.source
            else price_of(answer.cost)
        )
    if answer.cache is not None and answer.cache.saved is not None:
        lines.append(f"Saved {price_of(answer.cache.saved)} and {duration(answer.cache.saved_s)}")
    if answer.cost is None and answer.usage is not None:
        lines.append("The price of this model is not known.")
    return "\n".join(lines)


def _usage_lines(usage: Usage | None) -> list[str]:
    if usage is None:
        return ["The provider did not say how many tokens."]
    lines = [f"{count(usage.input_tokens)} tokens in", f"{count(usage.output_tokens)} tokens out"]
    if usage.cached_tokens:
        lines[0] += f", {count(usage.cached_tokens)} of them cached"
    if usage.reasoning_tokens:
        lines[1] += f", {count(usage.reasoning_tokens)} of them reasoning"
    return lines
