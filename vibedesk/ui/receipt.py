"""The receipt: how an answer was reached, attempt by attempt, and why it went where it went."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from vibedesk.amounts import count
from vibedesk.engine.types import Attempt, Rung
from vibedesk.store.history import StoredAnswer
from vibedesk.ui import harmless
from vibedesk.ui.figures import price_of
from vibedesk.ui.receipt_words import facts_of, outcome_of, verdict
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.sideways import Sideways
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Chip, Hairline, Label, bare, plain_tip
from vibedesk.ui.wrapped import Wrapped

WIDTH = 1060
_COLUMNS = (
    *("", "Deployment", "Through", "Key", "Start", "Connect", "First token", "Total"),
    *("Outcome", "Tokens", "Cost"),
)
_RIGHT = (4, 5, 6, 7, 9, 10)
_OUTCOME = 8
_TIPS = {
    "Start": "From the question to this request",
    "Connect": "From the request to the answer’s headers",
    "First token": "From the question to the first word, reasoning included",
    "Total": "From this request to its end",
}


class Unasked(Struct, frozen=True):
    """A deployment of the route that was not needed."""

    deployment: str
    via: str = ""
    key: str = ""


def unasked(names: Sequence[str], rungs: Sequence[Rung]) -> tuple[Unasked, ...]:
    """The names, with what is known of the way there."""
    known = {rung.deployment.name: rung.deployment for rung in rungs}
    return tuple(
        Unasked(name, known[name].via, known[name].key_name) if name in known else Unasked(name)
        for name in names
    )


class Receipt(Sheet):
    """Opened over the window. `explain` shows where the question would go now."""

    def __init__(
        self,
        host: QWidget,
        theme: Theme,
        answer: StoredAnswer,
        *,
        not_needed: Sequence[Unasked] = (),
        curl: str = "",
        explain: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(host, theme, title="Receipt", width=WIDTH)
        self._curl = curl
        self.heading.hide()
        self.copy = Button(self.tr("Copy as curl")).on(self._copy)
        self.copy.setVisible(bool(curl))
        self.copy.setToolTip(self.tr("The question as a command, with the secret left out"))
        self.explain = Button(self.tr("Explain now")).on(lambda: self._explain(explain))
        self.explain.setVisible(explain is not None)
        self.explain.setToolTip(self.tr("Where the question would go now, without asking"))
        self.body.addWidget(self._head(answer))
        self.body.addSpacing(4)
        self.table = attempts_table(answer, not_needed)
        self.attempts = Sideways(self.table, self.tr("Attempts"))
        self.body.addWidget(self.attempts)
        self.body.addSpacing(4)
        self.body.addLayout(_facts(facts_of(answer)))
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Close")).on(self.accept))

    def widest(self) -> int:
        return self.across(self.table.sizeHint().width())

    def _head(self, answer: StoredAnswer) -> Wrapped:
        row = Wrapped(10)
        text, role = verdict(answer)
        row.put(Label(self.tr("Receipt"), "heading"), Chip(text, role), self.copy, self.explain, space=2)
        return row

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._curl)
        self.copy.setText(self.tr("Copied"))
        QTimer.singleShot(1500, self, lambda: self.copy.setText(self.tr("Copy as curl")))

    def _explain(self, explain: Callable[[], object] | None) -> None:
        self.accept()
        if explain is not None:
            explain()


def attempts_table(answer: StoredAnswer, not_needed: Sequence[Unasked]) -> QWidget:
    """One line an attempt, then those that were not needed, greyed."""
    table = QFrame()
    table.setObjectName("receiptTable")
    grid: QGridLayout = bare(QGridLayout(table))
    grid.setHorizontalSpacing(18)
    for column, name in enumerate(_COLUMNS):
        head = _cell(name, "caption", column)
        head.setToolTip(_TIPS.get(name, ""))
        grid.addWidget(head, 0, column)
    grid.setRowMinimumHeight(0, 32)
    grid.setColumnStretch(1, 1)
    row = 1
    for number, attempt in enumerate(answer.attempts, 1):
        texts = [str(number), *_texts(attempt)]
        row = _line(grid, row, texts, chip=outcome_of(attempt), tip=attempt.rule.replace("_", " "))
    if answer.cache is not None and answer.cache.spared:
        row = _line(grid, row, _cached_texts(answer), chip=("cached", "ok"))
    for one in not_needed:
        texts = ["", harmless.one_line(one.deployment, 60), one.via, harmless.one_line(one.key, 32)]
        row = _line(grid, row, [*texts, "", "", "", "", "not needed", "", ""])
    if row == 1:
        grid.addWidget(Hairline(), row, 0, 1, len(_COLUMNS))
        grid.addWidget(Label("Nothing was sent.", "muted"), row + 1, 1, 1, 4)
        grid.setRowMinimumHeight(row + 1, 40)
    return table


def _line(
    grid: QGridLayout, row: int, texts: Sequence[str], *, chip: tuple[str, str] | None = None, tip: str = ""
) -> int:
    """One line under a hairline; without a chip it is greyed. The row after it."""
    grid.addWidget(Hairline(), row, 0, 1, len(_COLUMNS))
    grid.setRowMinimumHeight(row + 1, 40)
    for column, text in enumerate(texts):
        if column == _OUTCOME and chip is not None:
            cell: Label = Chip(*chip)
        else:
            kind = "muted" if chip is None or column == 0 else "strong" if column == 1 else "body"
            cell = _cell(text, kind, column)
        cell.setToolTip(plain_tip(tip) if tip else "")
        grid.addWidget(cell, row + 1, column)
    return row + 2


def _cell(text: str, kind: str, column: int) -> Label:
    label = Label(text, kind)
    side = Qt.AlignmentFlag.AlignRight if column in _RIGHT else Qt.AlignmentFlag.AlignLeft
    label.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    return label


def _texts(attempt: Attempt) -> list[str]:
    usage = attempt.usage
    connected = attempt.connected_s
    if connected is not None:
        connected = max(0.0, connected - attempt.started_s)
    return [
        harmless.one_line(attempt.deployment, 60),
        attempt.via,
        harmless.one_line(attempt.key, 32) or "none",
        _seconds(attempt.started_s),
        _seconds(connected),
        _seconds(attempt.first_token_s),
        _seconds(attempt.ended_s - attempt.started_s),
        "",
        count(usage.output_tokens) if usage else "—",
        price_of(attempt.cost),
    ]


def _cached_texts(answer: StoredAnswer) -> list[str]:
    name = harmless.one_line(answer.deployment, 60)
    tokens = count(answer.usage.output_tokens) if answer.usage else "—"
    times = ["—", "—", _seconds(answer.ttft_s), _seconds(answer.took_s)]
    return ["", name, "cache", "none", *times, "", tokens, price_of(answer.cost)]


def _seconds(value: float | None) -> str:
    """All of a column in one unit, so that they can be compared: 0.09 s."""
    return "—" if value is None else f"{value:.2f} s"


def _facts(facts: Sequence[tuple[str, str]]) -> QVBoxLayout:
    column: QVBoxLayout = bare(QVBoxLayout(), 6)
    column.addWidget(Hairline())
    column.addSpacing(6)
    for name, text in facts:
        row = bare(QHBoxLayout(), 12)
        title = Label(name, "muted")
        title.setFixedWidth(108)
        row.addWidget(title, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(Label(text, wrap=True).selectable(), 1)
        column.addLayout(row)
    return column
