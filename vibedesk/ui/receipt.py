"""The receipt: how an answer was reached, attempt by attempt, and why it went where it went."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from vibedesk.engine.types import Attempt
from vibedesk.store.history import StoredAnswer
from vibedesk.ui import harmless
from vibedesk.ui.figures import price_of
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Chip, Hairline, Label, bare
from vibedesk.wording import count

_COLUMNS = ("", "Deployment", "Through", "Key", "Start", "First token", "Total", "Outcome", "Tokens", "Cost")
_RIGHT = (4, 5, 6, 8, 9)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


class Receipt(Sheet):
    """Opened over the window. `not_needed` names deployments of the route that were not asked."""

    def __init__(
        self,
        host: QWidget,
        theme: Theme,
        answer: StoredAnswer,
        *,
        not_needed: Sequence[str] = (),
        curl: str = "",
    ) -> None:
        super().__init__(host, theme, title="Receipt", width=1000)
        self._curl = curl
        self.heading.hide()
        self.copy = Button(self.tr("Copy as curl")).on(self._copy)
        self.copy.setVisible(bool(curl))
        self.copy.setToolTip(self.tr("The question as a command, with the secret left out"))
        self.body.addLayout(self._head(answer))
        self.body.addSpacing(4)
        self.body.addWidget(attempts_table(answer, not_needed))
        self.body.addSpacing(4)
        self.body.addLayout(_facts(facts_of(answer)))
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Close")).on(self.accept))

    def _head(self, answer: StoredAnswer) -> QHBoxLayout:
        row: QHBoxLayout = bare(QHBoxLayout(), 10)
        title = Label(self.tr("Receipt"), "heading")
        text, role = verdict(answer)
        row.addWidget(title)
        row.addWidget(Chip(text, role))
        row.addStretch(1)
        row.addWidget(self.copy)
        return row

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._curl)
        self.copy.setText(self.tr("Copied"))
        QTimer.singleShot(1500, self, lambda: self.copy.setText(self.tr("Copy as curl")))


def attempts_table(answer: StoredAnswer, not_needed: Sequence[str]) -> QWidget:
    """One line an attempt, then those that were not needed, greyed."""
    table = QFrame()
    table.setObjectName("receiptTable")
    grid: QGridLayout = bare(QGridLayout(table))
    grid.setHorizontalSpacing(20)
    for column, name in enumerate(_COLUMNS):
        grid.addWidget(_cell(name, "caption", column), 0, column)
    grid.setRowMinimumHeight(0, 32)
    grid.setColumnStretch(1, 1)
    row = 1
    for number, attempt in enumerate(answer.attempts, 1):
        row = _line(grid, row, [str(number), *_texts(attempt)], attempt=attempt)
    for name in not_needed:
        texts = ["", harmless.one_line(name), "", "", "", "", "", "not needed", "", ""]
        row = _line(grid, row, texts, attempt=None)
    if not answer.attempts and not not_needed:
        grid.addWidget(Hairline(), row, 0, 1, len(_COLUMNS))
        grid.addWidget(Label("Nothing was sent.", "muted"), row + 1, 1, 1, 4)
        grid.setRowMinimumHeight(row + 1, 40)
    return table


def _line(grid: QGridLayout, row: int, texts: Sequence[str], *, attempt: Attempt | None) -> int:
    grid.addWidget(Hairline(), row, 0, 1, len(_COLUMNS))
    grid.setRowMinimumHeight(row + 1, 40)
    for column, text in enumerate(texts):
        if column == 7 and attempt is not None:
            words, role = outcome_of(attempt)
            grid.addWidget(Chip(words, role), row + 1, column)
            continue
        kind = "muted" if attempt is None or column == 0 else "strong" if column == 1 else "body"
        grid.addWidget(_cell(text, kind, column), row + 1, column)
    return row + 2


def _cell(text: str, kind: str, column: int) -> Label:
    label = Label(text, kind)
    side = Qt.AlignmentFlag.AlignRight if column in _RIGHT else Qt.AlignmentFlag.AlignLeft
    label.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    return label


def _texts(attempt: Attempt) -> list[str]:
    usage = attempt.usage
    return [
        harmless.one_line(attempt.deployment, 60),
        attempt.via,
        harmless.one_line(attempt.key, 32) or "none",
        _seconds(attempt.started_s),
        _seconds(attempt.first_token_s),
        _seconds(attempt.ended_s - attempt.started_s),
        "",
        count(usage.output_tokens) if usage else "—",
        price_of(attempt.cost),
    ]


def _seconds(value: float | None) -> str:
    """All of a column in one unit, so that they can be compared: 0.09 s."""
    return "—" if value is None else f"{value:.2f} s"


def outcome_of(attempt: Attempt) -> tuple[str, str]:
    """What became of an attempt, in a few words and a role."""
    if attempt.outcome == "complete":
        return f"complete · {attempt.finish_reason or 'stop'}", "ok" if attempt.finish_reason in (
            "stop",
            None,
        ) else "warn"
    if attempt.outcome == "stopped":
        return "stopped", "neutral"
    words = (attempt.kind or attempt.outcome).replace("_", " ")
    text = f"{attempt.status} · {words}" if attempt.status and attempt.status >= 400 else words
    return text, "warn" if attempt.kind in (
        "rate_limited",
        "overloaded",
    ) or attempt.outcome == "cut" else "bad"


def verdict(answer: StoredAnswer) -> tuple[str, str]:
    """The whole answer in one chip."""
    asked = len({attempt.deployment + attempt.key for attempt in answer.attempts})
    if answer.outcome == "complete" and asked > 1:
        place = _ORDINALS[asked - 1] if asked <= len(_ORDINALS) else f"{asked}th"
        return f"answered by the {place} choice", "warn"
    words = {"complete": ("answered", "ok"), "cut": ("cut", "warn"), "stopped": ("stopped", "neutral")}
    return words.get(
        answer.outcome or "", ("failed", "bad") if answer.outcome else ("still answering", "accent")
    )


def facts_of(answer: StoredAnswer) -> list[tuple[str, str]]:
    """Why it went where it went: name and sentence, only what is known."""
    attempts = answer.attempts
    rule = " → ".join(attempt.rule for attempt in attempts if attempt.rule)
    last = attempts[-1] if attempts else None
    notes = [note for attempt in attempts for note in attempt.notes]
    cache = [note for note in notes if note.startswith("gateway cache")]
    others = [note for note in notes if note not in cache]
    facts = [
        ("Rule", rule),
        ("Through", f"{last.via}: {last.why_via}" if last and last.why_via else ""),
        ("Cache", ", ".join(cache)),
        (
            "Model",
            answer.model if last and answer.model and not last.deployment.endswith(answer.model) else "",
        ),
        ("Price", answer.cost.source if answer.cost else "not known" if answer.usage else ""),
        ("Notes", "; ".join(dict.fromkeys(others))),
        ("Said", last.message if last and last.outcome != "complete" else ""),
        ("Request id", last.request_id if last else ""),
    ]
    return [(name, harmless.one_line(text, 400)) for name, text in facts if text]


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
