"""Several keys to choose from, masked: those of a pasted .env, those found in the environment."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from vibedesk.engine.types import Provider
from vibedesk.ui.widgets import Check, Elided, Hairline, Label, Tile, bare


class Choosable(Struct, frozen=True, kw_only=True):
    """A key as it is offered. `provider` None = nobody's that is known: it cannot be chosen."""

    id: str
    provider: Provider | None
    name: str
    hint: str
    source: str = ""


class KeyList(QWidget):
    """One line a key, all ticked at first. `changed` when a tick did."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._checks: dict[str, Check] = {}
        self._column: QVBoxLayout = bare(QVBoxLayout(self))

    def show_keys(self, keys: Sequence[Choosable]) -> None:
        """Replaces the list."""
        self._checks.clear()
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for key in keys:
            self._column.addWidget(self._line(key))
            self._column.addWidget(Hairline())
        self.changed.emit()

    def chosen(self) -> tuple[str, ...]:
        """Ids of the ticked ones, in order."""
        return tuple(number for number, check in self._checks.items() if check.isChecked())

    def _line(self, key: Choosable) -> QWidget:
        line = QWidget()
        line.setFixedHeight(38)
        row: QHBoxLayout = bare(QHBoxLayout(line), 8)
        check = Check()
        check.setChecked(key.provider is not None)
        check.setEnabled(key.provider is not None)
        check.setAccessibleName(f"{key.provider.name if key.provider else 'Unknown provider'} {key.name}")
        check.toggled.connect(lambda _: self.changed.emit())
        self._checks[key.id] = check
        row.addWidget(check)
        if key.provider is not None:
            row.addWidget(Tile(key.provider.letter, key.provider.colour))
        row.addWidget(Label(key.provider.name if key.provider else "Unknown provider", "strong"))
        row.addWidget(Elided(key.name, "muted"))
        row.addWidget(Label(key.hint, "hint"))
        row.addStretch(1)
        row.addWidget(Label(key.source, "muted"))
        return line
