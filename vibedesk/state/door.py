"""Whether the vault is open: what its place says of itself, watched; opening, locking, and the file's passphrase."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from vibedesk.desk import Desk
from vibedesk.state.tasks import Tasks
from vibedesk.store.vault import VaultError, VaultState

LOOK_AGAIN_MS = 2_000
"""How often a place that is not ready is looked at: a keychain that comes back is noticed within this."""
LOOK_MS = 10_000
"""How often a ready one is."""


class Door(QObject):
    """`changed` when the state did. `unlocked` or `refused(sentence)` after a passphrase or a password window;
    `created(recovery code)` once, when the encrypted file was made or its passphrase changed; `passphrase_changed`
    after the latter alone: `unlocked` may tell of something that was begun earlier."""

    changed = Signal()
    unlocked = Signal()
    refused = Signal(str)
    created = Signal(str)
    passphrase_changed = Signal()

    def __init__(
        self, desk: Desk, tasks: Tasks, parent: QObject | None = None, *, passphrase_is_given: bool = False
    ) -> None:
        super().__init__(parent)
        self._desk, self._tasks = desk, tasks
        self._passphrase_is_given = passphrase_is_given
        self._looking: asyncio.Task[VaultState] | None = None
        self._touched = time.monotonic()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self.state: VaultState | None = None
        self.is_waiting = False
        """The keychain's own password window is open."""

    @property
    def can_ask(self) -> bool:
        """Whether a person must give the encrypted file's passphrase (a passphrase file answers without one)."""
        return not self._passphrase_is_given

    @property
    def is_ready(self) -> bool:
        return self.state is not None and self.state.kind == "ready"

    @property
    def is_locked(self) -> bool:
        return self.state is not None and self.state.kind == "locked"

    @property
    def needs_file(self) -> bool:
        """There is no place for secrets, and the encrypted file would be one. One that is silent may come back."""
        state = self.state
        return bool(state and state.kind != "ready" and state.offer_file and not state.silent)

    @property
    def wants_words(self) -> bool:
        """Nothing can be kept before a person gives a passphrase: the file is locked, or has to be made."""
        locked_file = self.is_locked and self.state is not None and self.state.is_file
        return self.can_ask and (locked_file or self.needs_file)

    # What is asked of it

    def watch(self) -> None:
        """Looks again and again from now on, so that a place that opens, closes or vanishes is noticed."""
        self._timer.start(LOOK_AGAIN_MS)

    def stop(self) -> None:
        """Looks no more."""
        self._timer.stop()

    def touched(self) -> None:
        """The person did something: the time until an idle vault is locked begins anew."""
        self._touched = time.monotonic()

    async def look(self) -> VaultState:
        """How the place is now. Two that look at the same time look once: a place that hangs is not asked twice."""
        if self._looking is None or self._looking.done():
            self._looking = self._tasks.start(self._look(), name="look at the vault")
        return await asyncio.shield(self._looking)

    def unlock(self, word: str) -> None:
        """Opens the encrypted file by passphrase or recovery code."""
        self._start("unlock the vault", self._unlock, word)

    def create_file(self, passphrase: str) -> None:
        """Makes the encrypted file."""
        self._start("make the encrypted file", self._create_file, passphrase)

    def change_passphrase(self, word: str, new: str) -> None:
        """Another passphrase and another recovery code: `created`, `unlocked`, `passphrase_changed`; or `refused`, and
        nothing changed."""
        self._start("change the passphrase", self._change_passphrase, word, new)

    def open_keychain(self) -> None:
        """Has a locked system keychain ask for its password, in its own window."""
        self._start("open the keychain", self.open_up)

    def lock(self) -> None:
        """Forgets what opens the encrypted file, and the secrets that were taken out of it."""
        self._start("lock the vault", self._lock)

    async def open_up(self) -> None:
        """Waits until a locked system keychain is open. Raises `VaultError` when it stays locked."""
        if not self.is_locked or self.state is None or self.state.is_file or self.is_waiting:
            return
        self.is_waiting = True
        self.changed.emit()
        try:
            await asyncio.to_thread(self._desk.vault.open_up)
        finally:
            self.is_waiting = False
            await self._settle()
        self.unlocked.emit()

    # How it is done

    def _start(self, name: str, work: Callable[..., Any], *args: str) -> None:
        async def guarded() -> None:
            try:
                await work(*args)
            except VaultError as error:
                await self._settle()
                self.refused.emit(str(error) or error.state.reason)

        self._tasks.start(guarded(), name=name)

    async def _look(self) -> VaultState:
        before = self.state
        self.state = await asyncio.to_thread(self._desk.vault.state)
        if self._timer.isActive():
            self._timer.setInterval(LOOK_MS if self.is_ready else LOOK_AGAIN_MS)
        if self.state != before:
            self.changed.emit()
        return self.state

    async def _settle(self) -> None:
        """Looks after something was done, and says so where the look before had not ended yet."""
        if self._looking is not None and not self._looking.done():
            await asyncio.wait([self._looking])
        await self.look()
        self.changed.emit()

    async def _unlock(self, word: str) -> None:
        await asyncio.to_thread(self._desk.vault.unlock, word)
        await self._opened("")

    async def _create_file(self, passphrase: str) -> None:
        await self._opened(await asyncio.to_thread(self._desk.vault.create_file, passphrase))

    async def _change_passphrase(self, word: str, new: str) -> None:
        await self._opened(await asyncio.to_thread(self._desk.vault.change_passphrase, word, new))
        self.passphrase_changed.emit()

    async def _lock(self) -> None:
        await self._desk.lock()
        await self._settle()

    async def _opened(self, code: str) -> None:
        self.touched()
        await self._settle()
        if code:
            self.created.emit(code)
        self.unlocked.emit()

    def _tick(self) -> None:
        if self._tasks.closed:
            self.stop()
        elif self._is_idle():
            self.lock()
        elif self._looking is None or self._looking.done():
            self._looking = self._tasks.start(self._look(), name="look at the vault")

    def _is_idle(self) -> bool:
        minutes = self._desk.settings.get("vault.lock_after_minutes")
        ours = self.is_ready and self.state is not None and self.state.is_file and self.can_ask
        return bool(ours and minutes > 0 and time.monotonic() - self._touched >= minutes * 60)
