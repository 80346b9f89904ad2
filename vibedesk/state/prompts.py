"""Prompts and presets as the screen knows them; the files behind are read and written in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.types import Parameters
from vibedesk.state.tasks import Tasks
from vibedesk.store.named import NamedTables
from vibedesk.store.presets import Preset, PresetsFile
from vibedesk.store.prompts import Prompt, PromptsFile

__all__ = ["Preset", "Presets", "Prompt", "Prompts"]


class Named(QObject):
    """`changed` when the list is another one; `refused(sentence)` when the file cannot be read or written."""

    changed = Signal()
    refused = Signal(str)

    def __init__(self, file: NamedTables[Any], tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._named, self._tasks = file, tasks
        self._in_turn = asyncio.Lock()
        self.loaded = False

    def load(self) -> None:
        """Reads the file again where it was edited; `changed` follows."""
        self._run(lambda: None, "read what is kept by name")

    def remove(self, name: str) -> None:
        self._run(lambda: self._named.remove(name), f"delete {name}")

    def _run(self, change: Callable[[], None], name: str) -> None:
        if not self._tasks.closed:
            self._tasks.start(self._apply(change), name=name, to_the_end=True)

    async def _apply(self, change: Callable[[], None]) -> None:
        async with self._in_turn:
            try:
                await asyncio.to_thread(change)
            except Misconfigured as problem:
                self.refused.emit(problem.detail)
                return
            found = await asyncio.to_thread(self._named.values)
        self._take(tuple(found.values()))
        self.loaded = True
        for sentence in self._named.problems:
            self.refused.emit(sentence)
        self.changed.emit()

    def _take(self, values: tuple[Any, ...]) -> None:
        """Keeps what the file holds now."""


class Prompts(Named):
    """The prompt library."""

    def __init__(self, file: PromptsFile, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(file, tasks, parent)
        self._file = file
        self.prompts: tuple[Prompt, ...] = ()

    def save(self, prompt: Prompt, replacing: str = "") -> None:
        """Keeps it; `replacing` is the name it had."""
        self._run(lambda: self._file.keep(prompt, replacing), f"save the prompt {prompt.name}")

    def _take(self, values: tuple[Any, ...]) -> None:
        self.prompts = values


class Presets(Named):
    """Parameters by name."""

    def __init__(self, file: PresetsFile, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(file, tasks, parent)
        self._file = file
        self.presets: tuple[Preset, ...] = ()

    def save(self, name: str, parameters: Parameters, *, default: bool = False) -> None:
        """Keeps these parameters under `name`, over what was there."""
        self._run(lambda: self._file.keep(Preset(name, parameters, default)), f"save the preset {name}")

    def beginning(self) -> Parameters:
        """What a new lane begins with, as far as it is known."""
        return next((one.parameters for one in self.presets if one.default), Parameters())

    def _take(self, values: tuple[Any, ...]) -> None:
        self.presets = values
