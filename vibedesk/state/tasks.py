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
        self._to_the_end: set[asyncio.Task[Any]] = set()
        self._closed = self._empty = False

    def start(self, coro: Coroutine[Any, Any, T], *, name: str, to_the_end: bool = False) -> asyncio.Task[T]:
        """Runs `coro` in the running loop under `name`. After `close` nothing starts any more: RuntimeError.

        What is `to_the_end` is awaited by `close` and not cancelled, and may still be started by what is cancelled.
        """
        if self._empty or (self._closed and not to_the_end):
            coro.close()
            raise RuntimeError(f"{name} was started after closing")
        task = asyncio.get_running_loop().create_task(coro, name=name)
        self._running.add(task)
        if to_the_end:
            self._to_the_end.add(task)
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
        """Cancels everything and waits until each has run its `finally`, or its end; safe to call twice."""
        self._closed = True
        while pending := [task for task in self._running if task is not asyncio.current_task()]:
            for task in pending:
                if task not in self._to_the_end:
                    task.cancel()
            await asyncio.wait(pending)
            await asyncio.sleep(0)
        self._empty = True

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._to_the_end.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            _log.error("%s crashed", task.get_name(), exc_info=error)
            self.crashed.emit(task.get_name(), error)
