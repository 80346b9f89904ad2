"""Keys that were deleted and wait for their undo to pass: out of use at once, gone for good a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from vibedesk.desk import Desk
from vibedesk.engine.types import ApiKey
from vibedesk.state.tasks import Tasks
from vibedesk.store.vault import VaultError

UNDO_S = 10.0


class Deletions:
    """`ended(sentence)` is awaited after each, "" = it is gone. What the keychain will not delete stays, as it was."""

    def __init__(self, desk: Desk, tasks: Tasks, ended: Callable[[str, str], Awaitable[None]]) -> None:
        self._desk, self._tasks, self._ended = desk, tasks, ended
        self._waiting: dict[str, tuple[asyncio.Task[None], bool]] = {}
        """By the key's id: what waits, and whether the key was in use."""

    def __contains__(self, key_id: str) -> bool:
        return key_id in self._waiting

    def begin(self, key: ApiKey) -> None:
        """Takes the key out of use now, and away for good in `UNDO_S` seconds."""
        task = self._tasks.start(self._delete(key), name=f"delete {key.id}")
        self._waiting[key.id] = (task, key.enabled)

    async def undo(self, key_id: str) -> None:
        """The key is as it was before. Unknown ones, and those that are gone, are left alone."""
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
        await asyncio.to_thread(self._desk.vault.set_enabled, key.id, False)
        await asyncio.sleep(UNDO_S)
        sentence = await self._remove(key.id, key.enabled)
        self._waiting.pop(key.id, None)
        await self._ended(key.id, sentence)

    async def _remove(self, key_id: str, was_enabled: bool) -> str:
        try:
            await asyncio.to_thread(self._desk.vault.remove, key_id)
        except VaultError as error:
            await asyncio.to_thread(self._desk.vault.set_enabled, key_id, was_enabled)
            return str(error) or error.state.reason
        except KeyError:
            return ""
        return ""
