"""A few facts under one another: what it is at the left, what is known at the right."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from vibedesk.ui.widgets import Label, bare


class Facts(QWidget):
    """Lines are made once and then only changed."""

    def __init__(self) -> None:
        super().__init__()
        self._grid: QGridLayout = bare(QGridLayout(self))
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnMinimumWidth(0, 120)
        self._grid.setColumnStretch(1, 1)
        self._lines: list[tuple[Label, Label]] = []

    def show_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Shows these, in their order."""
        while len(self._lines) < len(facts):
            line = Label("", "muted"), Label("", wrap=True).selectable()
            for column, label in enumerate(line):
                self._grid.addWidget(label, len(self._lines), column, Qt.AlignmentFlag.AlignTop)
            self._lines.append(line)
        for number, line in enumerate(self._lines):
            shown = number < len(facts)
            for label in line:
                label.setVisible(shown)
            if shown:
                line[0].setText(facts[number][0])
                line[1].setText(facts[number][1])
