"""Keys that were deleted and wait for their undo to pass: out of use at once, gone for good a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from vibedesk.desk import Desk
from vibedesk.engine.types import ApiKey
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem
from vibedesk.store.vault import VaultError

UNDO_S = 10.0


class Deletions:
    """`ended(sentence)` is awaited after each, "" = it is gone. What cannot be deleted stays, as it was."""

    def __init__(self, desk: Desk, tasks: Tasks, ended: Callable[[str, str], Awaitable[None]]) -> None:
        self._desk, self._tasks, self._ended = desk, tasks, ended
        self._waiting: dict[str, tuple[asyncio.Task[None], bool]] = {}
        """By the key's id: what waits, and whether the key was in use."""
        self._going: set[str] = set()
        """Those that are being taken away for good now."""

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._waiting

    def begin(self, key: ApiKey) -> None:
        """Takes the key out of use now, and away for good in `UNDO_S` seconds."""
        task = self._tasks.start(self._delete(key), name=f"delete {key.id}")
        self._waiting[key.id] = (task, key.enabled)

    async def undo(self, key_id: str) -> None:
        """The key is as it was before. Unknown ones, and those that are gone, or going, are left alone."""
        if key_id in self._going:
            return
        task, was_enabled = self._waiting.pop(key_id, (None, False))
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        await asyncio.to_thread(self._desk.vault.set_enabled, key_id, was_enabled)

    async def finish(self) -> list[str]:
        """Deletes at once what still waits: called on quitting. A sentence for each that could not be."""
        refused = []
        for key_id, (task, was_enabled) in list(self._waiting.items()):
            task.cancel()
            if sentence := await self._remove(key_id, was_enabled):
                refused.append(sentence)
        self._waiting.clear()
        return refused

    async def _delete(self, key: ApiKey) -> None:
        try:
            await asyncio.to_thread(self._desk.vault.set_enabled, key.id, False)
        except DatabaseProblem as problem:
            sentence = str(problem)
        else:
            await asyncio.sleep(UNDO_S)
            sentence = await self._remove(key.id, key.enabled)
        self._waiting.pop(key.id, None)
        await self._ended(key.id, sentence)

    async def _remove(self, key_id: str, was_enabled: bool) -> str:
        self._going.add(key_id)
        try:
            await asyncio.to_thread(self._desk.vault.remove, key_id)
        except KeyError:
            return ""
        except VaultError as error:
            sentence = str(error) or error.state.reason
        except DatabaseProblem as problem:
            sentence = str(problem)
        else:
            return ""
        finally:
            self._going.discard(key_id)
        with suppress(DatabaseProblem):
            await asyncio.to_thread(self._desk.vault.set_enabled, key_id, was_enabled)
        return sentence
