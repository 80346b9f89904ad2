"""The stages of a check as they light up: a mark, what was looked at, what was found, how long it took."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from vibedesk.amounts import duration
from vibedesk.state.check import CheckLine, CheckRun
from vibedesk.state.check_lines import folded
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Elided, Hairline, Label, Mark, bare, plain_tip

MARKS = {
    "ok": ("check", "ok"),
    "failed": ("x", "bad"),
    "running": ("circle-dashed", "accent"),
    "skipped": ("minus", "faint"),
    "waiting": ("circle", "faint"),
}
WORDS = {
    "ok": "passed",
    "failed": "failed",
    "running": "under way",
    "skipped": "skipped",
    "waiting": "not yet",
}


class StageLine(QWidget):
    """One stage. `narrow` leaves the time out and puts the mark before what was found."""

    def __init__(self, theme: Theme, *, narrow: bool) -> None:
        super().__init__()
        self._theme = theme
        self.setFixedHeight(36 if narrow else 38)
        self.mark = Mark(theme.icon("circle", "faint", 14), 14)
        self.title, self.detail, self.time = Label(), Elided(), Label("", "muted")
        row: QHBoxLayout = bare(QHBoxLayout(self), 8)
        row.setContentsMargins(10, 0, 10, 0)
        self.title.setFixedWidth(88 if narrow else 120)
        parts = [self.title, self.mark] if narrow else [self.mark, self.title]
        row.addWidget(parts[0])
        if not narrow:
            row.addSpacing(8)
        row.addWidget(parts[1])
        row.addWidget(self.detail, 100)
        row.addStretch(1)
        row.addWidget(self.time)
        self.time.setVisible(not narrow)
        self.time.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def show_line(self, line: CheckLine) -> None:
        name, token = MARKS.get(line.verdict, MARKS["waiting"])
        self.mark.set(self._theme.icon(name, token, 14))
        self.title.setText(line.title)
        self.detail.setText(line.detail or ("" if line.verdict in ("waiting", "ok") else WORDS[line.verdict]))
        self.time.setText(duration(line.took_s) if line.took_s is not None else "")
        self.setAccessibleName(f"{line.title}: {WORDS.get(line.verdict, '')}")
        facts = "\n".join(f"{name}: {words}" for name, words in line.evidence)
        self.title.setToolTip(plain_tip(facts))
        self.setAccessibleDescription(f"{line.detail} {facts}".strip())


class Stages(QWidget):
    """All stages of one check, with hairlines between; lines are made once and then only changed."""

    def __init__(self, theme: Theme, *, narrow: bool = False) -> None:
        super().__init__()
        self._theme, self._narrow = theme, narrow
        self._lines: list[StageLine] = []
        self._column: QVBoxLayout = bare(QVBoxLayout(self))

    def show_run(self, run: CheckRun | None) -> None:
        """Shows the run; None = nothing was checked yet."""
        lines = list(folded(run.lines)) if run else []
        if run and self._narrow and run.limits:
            lines += [
                CheckLine(
                    id="limits",
                    title=self.tr("Limits seen"),
                    verdict="ok",
                    detail=limits_in_words(run.limits),
                )
            ]
        while len(self._lines) < len(lines):
            made = StageLine(self._theme, narrow=self._narrow)
            self._lines.append(made)
            self._column.addWidget(made)
            self._column.addWidget(Hairline())
        for number, widget in enumerate(self._lines):
            shown = number < len(lines)
            widget.setVisible(shown)
            self._column.itemAt(number * 2 + 1).widget().setVisible(shown)
            if shown:
                widget.show_line(lines[number])


def limits_in_words(limits: tuple[tuple[str, str], ...]) -> str:
    """What the provider said of its limits, as it said it."""
    return " · ".join(f"{value} {name}" for name, value in limits)
