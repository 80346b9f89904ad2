"""The list of keys, whose order within a provider is changed by dragging a line or by Alt and an arrow."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication

from vibedesk.amounts import money
from vibedesk.state.vault import KeyRow, Vault
from vibedesk.state.words import ago
from vibedesk.ui.limits import short_limit
from vibedesk.ui.table import Cell, Column, Table
from vibedesk.ui.theme import Theme

SOURCE, LAST_USED, MONTH, LIMIT = 1, 3, 4, 5
"""Columns that give way in a narrow window."""
STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class KeyTable(Table):
    """`deleted(row)` on Delete."""

    deleted = Signal(object)

    def __init__(self, vault: Vault, theme: Theme) -> None:
        super().__init__(vault.rows, _columns(), theme, name="Keys")
        self._vault, self._theme = vault, theme
        self._pressed: tuple[QPoint, str] | None = None
        self._target: tuple[int, int] | None = None
        """Where a dragged key would go: its place among its siblings, and the y of the line that shows it."""
        self.setAccessibleDescription(self.tr("Alt and an arrow key change the order of a provider’s keys"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row: KeyRow | None = self.value()
        alt = event.modifiers() == Qt.KeyboardModifier.AltModifier
        if row is not None and alt and event.key() in STEPS:
            self._vault.move_by(row.id, STEPS[Qt.Key(event.key())])
        elif row is not None and event.key() == Qt.Key.Key_Delete:
            self.deleted.emit(row)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        row = self._row_at(event.position().toPoint())
        draggable = row is not None and len(self._vault.siblings(row.id)) > 1
        self._pressed = (event.position().toPoint(), row.id) if row is not None and draggable else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        here = event.position().toPoint()
        if self._pressed is None or not event.buttons() & Qt.MouseButton.LeftButton:
            super().mouseMoveEvent(event)
            return
        if (here - self._pressed[0]).manhattanLength() >= QApplication.startDragDistance():
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
            self._target = self._target_at(here.y(), self._pressed[1])
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        pressed, target, self._pressed, self._target = self._pressed, self._target, None, None
        self.viewport().unsetCursor()
        self.viewport().update()
        if pressed is not None and target is not None:
            self._vault.move(pressed[1], target[0])

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._target is not None:
            painter = QPainter(self.viewport())
            painter.fillRect(0, self._target[1] - 1, self.viewport().width(), 2, self._theme.colour("accent"))

    def _row_at(self, point: QPoint) -> KeyRow | None:
        index = self.indexAt(point)
        return self.rows.value(index.row()) if index.isValid() else None

    def _target_at(self, y: int, key_id: str) -> tuple[int, int]:
        """The gap between siblings that is nearest to `y`."""
        family = [key.id for key in self._vault.siblings(key_id)]
        height = self.verticalHeader().defaultSectionSize()
        first = self.rowViewportPosition(self.rows.row_of(family[0]))
        gap = max(0, min(len(family), round((y - first) / height)))
        before = family.index(key_id)
        return (gap - 1 if gap > before else gap), first + gap * height


def _columns() -> tuple[Column, ...]:
    return (
        Column(title="Key", cell=_name_cell, stretch=True),
        Column(title="Source", cell=lambda row: row.source, width=104),
        Column(
            title="State",
            cell=lambda row: Cell(text=row.chip, kind="chip", role=row.role, dot=row.key is not None),
        ),
        Column(title="Last used", cell=lambda row: ago(row.key.last_used) if row.key else "", width=92),
        Column(title="This month", cell=_spent_cell, width=92, align="right"),
        Column(
            title="Limit",
            cell=lambda row: short_limit(row.key.limits) if row.key else "",
            width=96,
            align="right",
        ),
    )


def _spent_cell(row: KeyRow) -> Cell:
    if row.key is None:
        return Cell()
    if row.over:
        return Cell(text=money(row.spent), role="bad", tip="The monthly budget of this key is used up.")
    return Cell(text=money(row.spent))


def _name_cell(row: KeyRow) -> Cell:
    tile = (row.provider.letter, row.provider.colour) if row.provider else (row.label[:1], "faint")
    used = row.key is not None and row.key.enabled
    tip = row.provider.name if row.provider else ""
    note = row.key.note if row.key else ""
    return Cell(
        text=row.label,
        kind="strong" if used else "muted",
        hint=row.hint,
        tile=tile,
        tip=f"{tip} · {note}" if note else tip,
    )
