"""The one owner of every coroutine: kept while it runs, reported when it crashes, cancelled and awaited on close."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Tasks(QObject):
    """`crashed(name, exception)` is told for every task that ends in an exception nobody awaited it for."""

    crashed = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    def start(self, coro: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Runs `coro` in the running loop under `name`. After `close` nothing starts any more: RuntimeError."""
        if self._closed:
            coro.close()
            raise RuntimeError(f"{name} was started after closing")
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    @property
    def closed(self) -> bool:
        """Whether everything is being, or has been, cancelled: nothing starts any more."""
        return self._closed

    def names(self) -> tuple[str, ...]:
        """What runs now, by name, sorted."""
        return tuple(sorted(task.get_name() for task in self._running))

    async def close(self) -> None:
        """Cancels everything and waits until each has run its `finally`; safe to call twice."""
        self._closed = True
        while pending := [task for task in self._running if task is not asyncio.current_task()]:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending)
            await asyncio.sleep(0)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            _log.error("%s crashed", task.get_name(), exc_info=error)
            self.crashed.emit(task.get_name(), error)
