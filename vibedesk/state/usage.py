"""What was asked and what it cost, as the screen sees it: the calls of a period and their sums."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.state.rows import RowsModel
from vibedesk.state.tasks import Tasks
from vibedesk.store.ledger import LedgerRow, ModelSum, Sums

__all__ = ["LedgerRow", "ModelSum", "Sums", "UsageState"]

SHOWN = 1000
"""Calls listed at the most; the sums count all."""


class UsageState(QObject):
    """`changed` when the period or the ledger did; `sums` is None until the first reading."""

    changed = Signal()

    def __init__(self, desk: Desk, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._tasks = desk, tasks
        self.days: int | None = 30
        """The period in days back from now; 0 = since midnight, None = all."""
        self.sums: Sums | None = None
        self._wish = 0
        self.calls = RowsModel(self, text=lambda row: f"{row.deployment} {row.outcome}")
        self.models = RowsModel(self, text=lambda row: row.model)

    def show(self, days: int | None) -> None:
        """Shows the last `days` days."""
        self.days = days
        self.reload()

    def reload(self) -> None:
        """Reads the ledger again; `changed` follows."""
        if not self._tasks.closed:
            self._tasks.start(self._reload(), name="read the ledger")

    def since(self) -> datetime | None:
        """Where the period begins."""
        now = datetime.now(UTC)
        if self.days is None:
            return None
        if self.days == 0:
            return now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
        return now - timedelta(days=self.days)

    async def _reload(self) -> None:
        self._wish = wish = self._wish + 1
        since = self.since()
        sums = await asyncio.to_thread(self._desk.ledger.sums, since)
        calls = await asyncio.to_thread(self._desk.ledger.rows, since, SHOWN)
        if wish == self._wish:  # else another period was wished for meanwhile
            self.sums = sums
            self.calls.set_rows(calls, lambda row: row.request_id)
            self.models.set_rows(sums.by_model, lambda row: row.model)
            self.changed.emit()
