"""Keys that lie about outside the vault: which could be kept in it, and which files still hold some in the clear."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.engine.types import ApiKey, Secret
from vibedesk.state.tasks import Tasks
from vibedesk.store.llm_keys import LlmKeys, file_of_llm


class InTheClear(Struct, frozen=True):
    """A file that holds keys as readable text."""

    path: str
    keys: int


class Finds(QObject):
    """`changed` after `look` has read the files of other programs; they are read at no other time."""

    changed = Signal()

    def __init__(self, desk: Desk, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._tasks = desk, tasks
        self._llm: LlmKeys | None = None

    def look(self) -> None:
        """Reads the keys of `llm`."""
        self._tasks.start(self._look(), name="look for keys of other programs")

    def beyond(self, keys: Sequence[ApiKey]) -> tuple[ApiKey, ...]:
        """Of all `keys`, and of those of other programs, what the vault does not hold yet."""
        kept = {(key.provider, key.hint) for key in keys if key.source == "vault"}
        found = [key for key in keys if key.source != "vault"] + list(self._llm.found if self._llm else ())
        return tuple(key for key in found if (key.provider, key.hint) not in kept)

    async def secret(self, key: ApiKey) -> Secret:
        """Raises `SecretUnavailable`, `KeyError`."""
        if self._llm is not None and key in self._llm.found:
            secret = self._llm.secret(key.id)
            self._desk.remember_secret(secret)
            return secret
        return await self._desk.secret_of(key)

    def in_the_clear(self) -> tuple[InTheClear, ...]:
        """Every file that was looked at and holds keys as readable text, and how many."""
        files = [InTheClear(str(path), count) for path, count in self._desk.environment.keys_by_file()]
        if self._llm is not None and self._llm.found:
            files.append(InTheClear(str(self._llm.path), len(self._llm.found)))
        return tuple(files)

    @property
    def problem(self) -> str:
        """Why the file of `llm` could not be read, in a sentence, or ""."""
        return self._llm.problem if self._llm else ""

    async def _look(self) -> None:
        self._llm = await asyncio.to_thread(self._read)
        self.changed.emit()

    def _read(self) -> LlmKeys:
        home = Path(self._desk.environ.get("HOME") or Path.home())
        return LlmKeys(file_of_llm(self._desk.environ, home), self._desk.catalog.providers.values())
