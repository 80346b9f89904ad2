"""One question as a table, the best of each metric marked; and asking it again for medians."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from vibedesk.amounts import count, duration, money, speed
from vibedesk.state.metrics import Measured
from vibedesk.state.rows import RowsModel
from vibedesk.state.run import Run, RunRow
from vibedesk.ui import harmless
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.table import Cell, Column, Table
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Choice, Label
from vibedesk.ui.wrapped import Wrapped

ROLES = {"complete": "ok", "cut": "warn", "stopped": "neutral", "failed": "bad", "running": "accent"}
WIDTH = 1000
ROW_HEIGHT = 36
TIMES = (2, 3, 4, 5, 6, 7, 8, 9, 10)


class RunSheet(Sheet):
    """`read(turn)` gives a run; `repeat(times)` asks the last question again."""

    def __init__(
        self,
        host: QWidget,
        theme: Theme,
        turns: int,
        read: Callable[[int], Run | None],
        repeat: Callable[[int], object],
    ) -> None:
        super().__init__(host, theme, title="This run", width=WIDTH)
        self._read = read
        self.rows = RowsModel(self, text=lambda row: row.model)
        self.turn = Choice([(self.tr("Turn") + f" {place + 1}", place) for place in range(turns)])
        self.turn.setAccessibleName(self.tr("Turn"))
        self.turn.choose(turns - 1)
        self.question = Label("", "muted", wrap=True)
        self.table = Table(self.rows, _columns(), theme, name=self.tr("This run"), row_height=ROW_HEIGHT)
        self.left = Label("", "small", wrap=True)
        self.times = Choice([(f"{times} ×", times) for times in TIMES])
        self.times.setAccessibleName(self.tr("How often"))
        self.times.choose(3)
        self.again = Button(self.tr("Ask again"), "primary").on(
            lambda: (self.accept(), repeat(self.times.chosen()))
        )
        for widget in (self.question, self.table, self.left):
            self.body.addWidget(widget)
        close = Button(self.tr("Close")).on(self.accept)
        row = Wrapped()
        words = Label(self.tr("Ask the last question until it was asked"), "muted")
        row.put(self.turn, words, self.times, self.again, close, space=1)
        self.footer.addWidget(row)
        close.setFocus()
        self.turn.currentIndexChanged.connect(lambda _: self.refresh())
        self.finished.connect(lambda _: self.deleteLater())
        self.refresh()

    def refresh(self) -> None:
        """Reads the run again."""
        run = self._read(self.turn.chosen())
        self.rows.set_rows(run.rows if run is not None else ())
        self.question.setText(harmless.one_line(run.question, 200) if run is not None else "")
        self.left.setText(_told(run) if run is not None else "")

    def place(self) -> None:
        self.table.setFixedHeight(
            self.table.minimum_height(self.room().width() - self.across(0))
        )  # with room for a scroll bar
        super().place()

    def widest(self) -> int:
        return self.across(self.table.wanted_width())


def _told(run: Run) -> str:
    """How fair the start was, and of how many answers the figures are."""
    parts = []
    if run.spread_s is not None:
        parts.append(f"All requests left within {_fine(run.spread_s)}, their connections open.")
    if run.times > 1:
        parts.append("Figures are medians, with the range of the answers; ★ is the best of its column.")
    return " ".join(parts)


def _fine(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else duration(seconds)


def _columns() -> list[Column]:
    return [
        Column(title="", cell=lambda row: Cell(text=row.letter, kind="muted"), width=32),
        Column(title="Model", cell=_model, stretch=True, whole=True),
        Column(title="Through", cell=lambda row: Cell(text=row.via or "—", kind="muted")),
        Column(title="First token", cell=_metric("first", duration, "first", "soonest"), align="right"),
        Column(title="Speed", cell=_metric("speed", speed, "fastest", "fastest"), align="right"),
        Column(title="Tokens", cell=_metric("tokens", _whole, "", ""), align="right"),
        Column(title="Cost", cell=_metric("cost", _cost, "cheapest", "cheapest"), align="right"),
        Column(title="Outcome", cell=_outcome),
    ]


def _model(row: RunRow) -> Cell:
    return Cell(text=row.model, kind="strong", hint=row.provider, hint_mono=False)


def _metric(metric: str, words: Callable[[float], str], best: str, praise: str) -> Callable[[RunRow], Cell]:
    def cell(row: RunRow) -> Cell:
        found = row.figures[metric]
        if found is None:
            return Cell(text="—", kind="muted")
        marked, spread = best in row.best, _range(found, words)
        text = words(found.middle)
        if marked:
            text = f"★ {text}" if row.times > 1 else f"{text} {praise}"
        text = f"{text}  {spread}" if spread else text
        return Cell(text=text, kind="strong" if marked else "body", role="ok" if marked else "neutral")

    return cell


def _range(found: Measured, words: Callable[[float], str]) -> str:
    """Lowest and highest, where they differ on screen; the unit stands at the median already."""
    low, high = words(found.low), words(found.high)
    if found.count < 2 or low == high:
        return ""
    unit = high.rpartition(" ")[2] if " " in high else ""
    return f"({low.removesuffix(unit).strip()}–{high.removesuffix(unit).strip()})"


def _whole(value: float) -> str:
    return count(round(value))


def _cost(value: float) -> str:
    from decimal import Decimal

    return money(Decimal(repr(value)))


def _outcome(row: RunRow) -> Cell:
    text = f"{row.outcome} {row.times} ×" if row.times > 1 else row.outcome
    return Cell(text=text, kind="chip", role=ROLES.get(row.outcome, "neutral"), dot=True, tip=row.error)
