"""What was asked and what it cost, drawn: sums at the top, by model, and every call."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from vibedesk.amounts import count, duration, money, spent
from vibedesk.state.usage import LedgerRow, ModelSum, UsageState
from vibedesk.ui.catalog import hide_columns
from vibedesk.ui.table import Cell, Column, Table
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Choice, Empty, Label, TopBar, bare

PERIODS: list[tuple[str, int | None]] = [("Today", 0), ("7 days", 7), ("30 days", 30), ("Everything", None)]
HIDDEN_BELOW = {"Key": 1000, "First": 900, "When": 760, "Total": 660, "In": 620, "Out": 560}
"""Column → width of the page, in pixels, below which the table does without it."""
ROW_HEIGHT = 32
ROLES = {"complete": "ok", "cut": "warn", "stopped": "neutral", "failed": "bad"}


class UsagePage(QWidget):
    """The ledger. `ask` is emitted by the empty page's button."""

    ask = Signal()

    def __init__(self, usage: UsageState, theme: Theme) -> None:
        super().__init__()
        self._usage = usage
        self.period = Choice(list(PERIODS))
        self.period.setAccessibleName(self.tr("Period"))
        self.period.choose(usage.days)
        self.sums = {
            name: Figure(name) for name in ("Requests", "Attempts", "Tokens in", "Tokens out", "Cost")
        }
        self.models = Table(
            usage.models, _model_columns(), theme, name=self.tr("By model"), row_height=ROW_HEIGHT
        )
        self.calls = Table(usage.calls, _call_columns(), theme, name="Calls", row_height=ROW_HEIGHT)
        self._pages = QStackedLayout()
        self._lay_out()
        self.period.currentIndexChanged.connect(lambda: usage.show(self.period.chosen()))
        usage.changed.connect(self._show)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._usage.reload()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        hide_columns(self.models, self.width(), {"Attempts": 760, "Requests": 680})
        hide_columns(self.calls, self.width(), HIDDEN_BELOW)
        self._share_height()

    def _lay_out(self) -> None:
        bar = TopBar("Usage")
        bar.right.addWidget(self.period)
        column = bare(QVBoxLayout(self))
        column.addWidget(bar)
        column.addLayout(self._pages, 1)
        self._pages.addWidget(self._filled())
        self.first = Button(self.tr("Ask something"), "primary").on(self.ask.emit)
        words = "Every request is listed here with its tokens, cost and outcome, whether it worked or not."
        self._pages.addWidget(Empty(self.tr("Nothing asked in this period"), words, self.first))

    def _filled(self) -> QWidget:
        page = QWidget()
        column = bare(QVBoxLayout(page), 4)
        column.setContentsMargins(20, 20, 20, 12)
        row = bare(QHBoxLayout(), 32)
        row.setContentsMargins(10, 0, 0, 8)
        for figure in self.sums.values():
            row.addWidget(figure)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.models)
        column.addSpacing(16)
        column.addWidget(self.calls, 1)
        return page

    def _show(self) -> None:
        sums = self._usage.sums
        if sums is None:
            return
        self._pages.setCurrentIndex(0 if sums.requests else 1)
        cached = f"{count(sums.cached)} from a cache" if sums.cached else ""
        self.sums["Requests"].set(
            count(sums.requests), "What a cache gave cost nothing" if cached else "", cached
        )
        self.sums["Attempts"].set(
            count(sums.attempts),
            self.tr("An attempt is one request to one deployment; falling back adds one."),
        )
        self.sums["Tokens in"].set(count(sums.input_tokens))
        self.sums["Tokens out"].set(count(sums.output_tokens))
        unknown = f"{count(sums.unpriced)} unpriced" if sums.unpriced else ""
        self.sums["Cost"].set(
            spent(sums.cost_usd, sums.unpriced), "The sum of the known costs" if unknown else "", unknown
        )
        self._share_height()

    def _share_height(self) -> None:
        """The calls get at least as much room as the models."""
        rows = max(2, min(6, (self.height() - 300) // 2 // ROW_HEIGHT))
        self.models.setFixedHeight(min(self.models.minimum_height(), 40 + rows * ROW_HEIGHT + 2))


class Figure(QWidget):
    """A number with its name above and, where there is one, a remark below."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.number, self.remark = Label("—", "heading"), Label("", "small")
        column = bare(QVBoxLayout(self), 2)
        column.addWidget(Label(name, "caption"))
        column.addWidget(self.number)
        column.addWidget(self.remark)
        column.setAlignment(Qt.AlignmentFlag.AlignTop)

    def set(self, number: str, tip: str = "", remark: str = "") -> None:
        """Shows the number; `tip` on hover."""
        self.number.setText(number)
        self.remark.setText(remark)
        self.setToolTip(tip)


def _model_columns() -> list[Column]:
    return [
        Column(title="Model", cell=lambda row: Cell(text=row.model, kind="strong"), stretch=True),
        Column(title="Requests", cell=lambda row: count(row.requests), width=90, align="right"),
        Column(title="Attempts", cell=lambda row: count(row.attempts), width=90, align="right"),
        Column(title="In", cell=lambda row: count(row.input_tokens), width=100, align="right"),
        Column(title="Out", cell=lambda row: count(row.output_tokens), width=100, align="right"),
        Column(title="Cost", cell=_model_cost, width=110, align="right"),
    ]


def _model_cost(row: ModelSum) -> Cell:
    text = spent(row.cost_usd, row.unpriced)
    tip = f"{row.unpriced} without a known price" if row.unpriced else ""
    return Cell(text=text, kind="muted" if text == "—" else "body", tip=tip)


def _call_columns() -> list[Column]:
    return [
        Column(
            title="When",
            cell=lambda row: Cell(text=f"{row.at.astimezone():%-d %b %H:%M:%S}", kind="muted"),
            width=130,
        ),
        Column(title="Asked", cell=_asked, stretch=True),
        Column(title="Key", cell=lambda row: Cell(text=row.key or "—", kind="muted"), width=150),
        Column(title="Outcome", cell=_outcome, width=150),
        Column(title="In", cell=lambda row: count(row.input_tokens), width=88, align="right"),
        Column(title="Out", cell=lambda row: count(row.output_tokens), width=76, align="right"),
        Column(title="First", cell=lambda row: duration(row.ttft_s), width=80, align="right"),
        Column(title="Total", cell=lambda row: duration(row.took_s), width=80, align="right"),
        Column(title="Cost", cell=lambda row: money(row.cost_usd), width=90, align="right"),
    ]


def _asked(row: LedgerRow) -> Cell:
    more = f"{row.attempts} attempts" if row.attempts > 1 else ""
    through = row.via if row.via == "gateway" else ""
    words = (through, "cached" if row.cached else "", more)
    return Cell(text=row.deployment, hint=" · ".join(word for word in words if word), hint_mono=False)


def _outcome(row: LedgerRow) -> Cell:
    text = (
        f"{row.outcome} · {row.kind.replace('_', ' ')}"
        if row.kind and row.kind != row.outcome
        else row.outcome
    )
    return Cell(text=text, kind="chip", role=ROLES.get(row.outcome, "neutral"), dot=True)
