"""Servers on this machine that answer without a key: looked for when a person asks for it, and then only there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.engine.types import ApiKey, Provider
from vibedesk.state.loading import loaded
from vibedesk.state.tasks import Tasks

if TYPE_CHECKING:
    from vibedesk.engine.check import CheckResult


class LocalServers(QObject):
    """`changed` when one answered, or none did."""

    changed = Signal()

    def __init__(self, desk: Desk, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._tasks = desk, tasks
        self._answers: dict[str, CheckResult] = {}
        self.were_asked = False

    def providers(self) -> tuple[Provider, ...]:
        """Those that may run here."""
        return tuple(one for one in self._desk.catalog.providers.values() if one.local and not one.simulated)

    def found(self) -> dict[str, int]:
        """Those that answered when they were last looked for, and how many models each has."""
        return {
            name: answer.models or 0 for name, answer in self._answers.items() if answer.verdict == "ready"
        }

    @property
    def silence(self) -> str:
        """What to say when servers were looked for and none answered; "" before, or when one did."""
        if not self.were_asked or self.found():
            return ""
        looking = len(self._answers) < len(self.providers())
        return "Looking…" if looking else "None answered. Start one and look again."

    def words(self) -> str:
        """Who answered, in a few words; "" where nobody did."""
        found = self.found()
        return ", ".join(
            f"{one.name} · {found[one.id]} models" for one in self.providers() if one.id in found
        )

    def look_for(self) -> None:
        """Asks the servers on this machine for their models. Nothing else is asked, and only when this is called."""
        self.were_asked = True
        self._answers.clear()
        self.changed.emit()
        for provider in self.providers():
            key = ApiKey(id="", provider=provider.id, label="", hint="", source="", origin="")
            self._tasks.start(self._ask(key, provider), name=f"look for {provider.id}")

    async def _ask(self, key: ApiKey, provider: Provider) -> None:
        await loaded("vibedesk.engine.check")
        from vibedesk.engine.check import CheckResult, check

        async for step in check(key, None, provider, self._desk.catalog, self._desk.http):
            if isinstance(step, CheckResult):
                self._answers[provider.id] = step
                if step.live:
                    await asyncio.to_thread(self._desk.keep_models, provider.id, step.live)
                self.changed.emit()
