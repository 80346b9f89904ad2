"""The keyring backend for machines without a keychain: an encrypted file, opened by passphrase or recovery code."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from keyring.errors import PasswordDeleteError

from vibedesk.store import sealed
from vibedesk.store.paths import make_private_folder, write_whole
from vibedesk.store.place import FILE, Place, VaultError, VaultState
from vibedesk.store.sealed import Damaged, Entries, Sealed, WrongWord

WHERE = FILE
MADE_LATER = "The encrypted file is made when the first key is added."
WAIT_S = 3.5
"""How long another program may hold the file before a person is told: as long as a keychain may take."""
AskPassphrase = Callable[[bool], str | None]
"""Given True for a new vault and False for one to open; None = the user would rather not."""


class Lockbox(Place):
    """The vault in `path`. It is made when the first secret is stored, and until then nobody is asked for anything.

    The passphrase is the first line of `passphrase_file` where one is given, else what `ask` returns. Only the
    data key stays in memory until `lock`; entries are read from the file each time, so two programs can share it.
    """

    def __init__(
        self,
        path: Path,
        ask: AskPassphrase | None = None,
        *,
        passphrase_file: Path | None = None,
        wait_s: float = WAIT_S,
    ) -> None:
        self.path = path
        self._wait_s = wait_s
        self._ask = ask
        self._passphrase_file = passphrase_file
        self._data_key: bytes | None = None
        self._recovery_code: str | None = None
        self._lock = threading.RLock()

    @staticmethod
    def create(path: Path, passphrase: str) -> str:
        """Makes an empty vault and returns its recovery code, which is kept nowhere. Raises `VaultError`."""
        return Lockbox(path).begin(passphrase)

    @property
    def lockbox(self) -> Lockbox:
        return self

    @property
    def exists(self) -> bool:
        """Whether anything stands there, also what is no vault at all."""
        return os.path.lexists(self.path)

    @property
    def asks(self) -> bool:
        """Whether it has a way to get a passphrase."""
        return self._ask is not None or self._passphrase_file is not None

    def look(self) -> VaultState:
        with self._lock:
            try:
                return self._look()
            except VaultError as problem:
                return problem.state

    def begin(self, passphrase: str) -> str:
        """Makes the vault, opened; its recovery code."""
        with self._lock, self._changing():
            if self.exists:
                raise _unavailable(f"{self.path} is there already.")
            return self._make(passphrase)

    def unlock(self, word: str) -> None:
        """Opens it by the passphrase or the recovery code. Raises `VaultError` (locked) when it is neither."""
        with self._lock:
            whole = self._read()
            if whole is None:
                raise _absent("There is no encrypted file yet.")
            try:
                data_key = sealed.unlock(whole, word)
                sealed.read_entries(whole, data_key)
            except WrongWord as problem:
                raise _locked("That passphrase does not open the encrypted file.") from problem
            except Damaged as problem:
                raise _unavailable(f"{self.path} was left alone: {problem}.") from problem
            self._data_key = data_key

    def lock(self) -> None:
        """Forgets the data key; the next call asks again."""
        with self._lock:
            self._data_key = None

    def change_passphrase(self, new: str) -> str:
        """Gives an opened vault another passphrase and another recovery code, which is returned."""
        with self._lock, self._changing():
            if not new:
                raise _locked("A passphrase cannot be empty.")
            entries, _ = self._open()
            data_key, code = sealed.new_data_key(), sealed.new_recovery_code()
            slots = (sealed.wrap("passphrase", new, data_key), sealed.wrap("recovery", code, data_key))
            self._write(sealed.seal(slots, data_key, entries))
            self._data_key = data_key
            return code

    def recovery_code_once(self) -> str | None:
        """The recovery code of a vault made since the last call, to be shown once; None = there is none to show."""
        with self._lock:
            code, self._recovery_code = self._recovery_code, None
            return code

    def get_password(self, service: str, username: str) -> str | None:
        with self._lock:
            if not self.exists:
                return None
            entries, _ = self._open()
            return entries.get(service, {}).get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        with self._lock:
            if not self.exists:
                self._begin_or_open(self._passphrase(new=True))
            with self._changing():
                entries, whole = self._open()
                entries.setdefault(service, {})[username] = password
                self._save(whole, entries)

    def delete_password(self, service: str, username: str) -> None:
        with self._lock:
            if not self.exists:
                raise PasswordDeleteError(service)
            with self._changing():
                entries, whole = self._open()
                if entries.get(service, {}).pop(username, None) is None:
                    raise PasswordDeleteError(service)
                self._save(whole, {name: users for name, users in entries.items() if users})

    def _look(self) -> VaultState:
        if not self.exists:
            if self._passphrase_file is not None:
                _first_line(self._passphrase_file, _absent)
            return _absent(MADE_LATER).state
        whole = self._read()
        if self._data_key is None and self._passphrase_file is not None:
            self.unlock(self._passphrase(new=False))
        if self._data_key is None or whole is None:
            return _locked("The encrypted file is locked.").state
        self._entries(whole)
        return VaultState("ready", WHERE)

    def _begin_or_open(self, passphrase: str) -> None:
        with self._changing():
            if not self.exists:
                self._recovery_code = self._make(passphrase)
                return
        self.unlock(passphrase)  # another program was quicker

    def _make(self, passphrase: str) -> str:
        if not passphrase:
            raise _absent("A passphrase cannot be empty.")
        data_key, code = sealed.new_data_key(), sealed.new_recovery_code()
        slots = (sealed.wrap("passphrase", passphrase, data_key), sealed.wrap("recovery", code, data_key))
        self._write(sealed.seal(slots, data_key, {}))
        self._data_key = data_key
        return code

    def _open(self) -> tuple[Entries, Sealed]:
        """What is in it, unlocked where needed."""
        whole = self._read()
        if whole is None:
            raise _unavailable(f"{self.path} has vanished.")
        if self._data_key is None:
            self.unlock(self._passphrase(new=False))
        return self._entries(whole), whole

    def _entries(self, whole: Sealed) -> Entries:
        data_key, self._data_key = self._data_key, None
        try:
            entries = sealed.read_entries(whole, data_key or b"\0" * 32)
        except Damaged as problem:
            # Another data key than this file's: another program replaced it, or gave it a new passphrase.
            raise _locked("The encrypted file was replaced and has to be unlocked again.") from problem
        self._data_key = data_key
        return entries

    def _save(self, whole: Sealed, entries: Entries) -> None:
        self._write(sealed.seal(whole.header.slots, self._data_key or b"", entries))

    def _read(self) -> Sealed | None:
        """The file as it is; None = there is none. Whatever is odd about it is refused and left alone."""
        try:
            return sealed.take_apart(_read_own_file(self.path))
        except FileNotFoundError:
            return None
        except Damaged as problem:
            raise _unavailable(f"{self.path} was left alone: {problem}.") from problem
        except OSError as problem:
            said = (problem.strerror or "it cannot be read").lower()
            raise _unavailable(f"{self.path} was left alone: {said}.") from problem

    def _write(self, whole: bytes) -> None:
        try:
            write_whole(self.path, whole)
        except OSError as problem:
            said = (problem.strerror or "no reason given").lower()
            raise _unavailable(f"{self.path} could not be written: {said}.") from problem

    def _passphrase(self, *, new: bool) -> str:
        refused = _absent if new else _locked
        if self._passphrase_file is not None:
            return _first_line(self._passphrase_file, refused)
        passphrase = self._ask(new) if self._ask is not None else None
        if not passphrase:
            raise refused("No passphrase was given for the encrypted file.")
        return passphrase

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """No other program writes meanwhile. Held on the folder, for each write replaces the file itself."""
        try:
            make_private_folder(self.path.parent)
        except OSError as problem:
            raise _unavailable(f"{self.path.parent} could not be made.") from problem
        if os.name != "posix":
            yield
            return
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._hold(folder)
            yield
        finally:
            os.close(folder)

    def _hold(self, folder: int) -> None:
        """Asked again and again: a holder that was stopped would keep whoever waits in the lock waiting for ever."""
        import fcntl

        until = time.monotonic() + self._wait_s
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                if time.monotonic() > until:
                    raise _unavailable(
                        "Another program holds the encrypted file and does not let go: end it, then try again."
                    ) from problem
                time.sleep(0.02)
            else:
                return


def _read_own_file(path: Path) -> bytes:
    """The bytes of a regular file of ours. A link, a folder, a pipe or another user's file raises `Damaged`."""
    flags = (
        os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    if path.is_symlink():
        raise Damaged("it is a link")
    with os.fdopen(os.open(path, flags | getattr(os, "O_CLOEXEC", 0)), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise Damaged("it is not a regular file")
        if hasattr(os, "geteuid") and facts.st_uid != os.geteuid():
            raise Damaged("it belongs to another user")
        return file.read(sealed.LARGEST + 1)


def _first_line(path: Path, refused: Callable[[str], VaultError]) -> str:
    try:
        with path.open(encoding="utf-8-sig") as file:
            line = file.readline(4096).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as problem:
        raise refused(f"The passphrase file {path} could not be read.") from problem
    if not line:
        raise refused(f"The passphrase file {path} is empty.")
    return line


def _locked(reason: str) -> VaultError:
    return VaultError(VaultState("locked", WHERE, reason))


def _unavailable(reason: str) -> VaultError:
    return VaultError(VaultState("unavailable", WHERE, reason))


def _absent(reason: str) -> VaultError:
    return VaultError(VaultState("absent", WHERE, reason, offer_file=True))
