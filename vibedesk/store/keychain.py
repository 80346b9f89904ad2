"""The system's keychain: which backends are trusted with a key, and how long any of them may take."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

from keyring.backend import KeyringBackend
from keyring.errors import KeyringError, KeyringLocked, PasswordDeleteError

from vibedesk.store.patience import Patience
from vibedesk.store.place import NoKeychain, Place, VaultError, VaultState

T = TypeVar("T")

TRUSTED: Mapping[str, str] = {
    "keyring.backends.macOS.Keyring": "macOS Keychain",
    "keyring.backends.Windows.WinVaultKeyring": "Windows Credential Locker",
    "keyring.backends.SecretService.Keyring": "Secret Service",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
}
"""Backends that may hold a key, and what they are called. Everything else is refused: keyring itself would,
with `keyrings.alt` installed and no daemon, store keys as readable text without a word."""

CALL_S = 3.5
LOOK_S = 1.0
"""Together below the 5 s after which a person must see what is the matter."""

PROMPT_S = 120.0
"""How long a person may look at the keychain's own password window."""

# What the platforms' backends raise beside keyring's own errors, by module: only those imported can have been raised.
_FOREIGN = (
    ("secretstorage.exceptions", "SecretStorageException"),
    ("jeepney.wrappers", "DBusErrorResponse"),
    ("dbus.exceptions", "DBusException"),
    ("pywintypes", "error"),
    ("win32ctypes.pywin32.pywintypes", "error"),
)


class Keychain(Place):
    """`ring` behind a time limit. Whoever builds one vouches for the ring; `system_keychain` vouches for `TRUSTED`."""

    def __init__(
        self, ring: KeyringBackend, where: str, *, call_s: float = CALL_S, look_s: float = LOOK_S
    ) -> None:
        self._ring = ring
        self._where = where
        self._calls = Patience(call_s)
        self._looks = Patience(look_s)
        self._prompts = Patience(PROMPT_S)
        self._trouble: VaultState | None = None

    def look(self) -> VaultState:
        if _name_of(self._ring) != "keyring.backends.SecretService.Keyring":
            # The others cannot be looked at without a prompt: what the last call met is all that is known.
            return self._trouble or VaultState("ready", self._where)
        try:
            return self._looks.call(self._look_at_secret_service)
        except TimeoutError:
            return self._silent()

    def get_password(self, service: str, username: str) -> str | None:
        return self._do(lambda: self._ring.get_password(service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.remember(service, username, password, None)

    def delete_password(self, service: str, username: str) -> None:
        self._do(lambda: self._ring.delete_password(service, username))

    def remember(self, service: str, username: str, secret: str, before: str | None) -> None:
        def restore() -> None:
            with suppress(*_failures()):
                if before is None:
                    self._ring.delete_password(service, username)
                else:
                    self._ring.set_password(service, username, before)

        self._do(lambda: self._ring.set_password(service, username, secret), restore)

    def open_up(self) -> None:
        """Of the known keychains only the Secret Service can be asked to; raises `VaultError` when it stays locked."""
        if self._is_opaque() or self.look().kind != "locked":
            return
        try:
            self._prompts.call(self._prompt_secret_service)
        except TimeoutError as problem:
            raise self._noted(self._why_silent()) from problem
        except _failures() as problem:
            raise self._noted(self._after(problem)) from problem
        if self.look().kind != "ready":
            raise self._noted(self.look())
        self._trouble = None

    def _prompt_secret_service(self) -> None:
        import secretstorage

        with closing(secretstorage.dbus_init()) as bus:
            secretstorage.Collection(bus).unlock()

    def _do(self, work: Callable[[], T], regret: Callable[[], Any] = lambda: None) -> T:
        try:
            value = self._calls.call(work, regret)
        except TimeoutError as problem:
            raise self._noted(self._why_silent()) from problem
        except PasswordDeleteError:
            raise
        except KeyringLocked as problem:
            raise self._noted(VaultState("locked", self._where, f"{self._where} is locked.")) from problem
        except _failures() as problem:
            raise self._noted(self._after(problem)) from problem
        self._trouble = None
        return value

    def _noted(self, state: VaultState) -> VaultError:
        self._trouble = state
        return VaultError(state)

    def _why_silent(self) -> VaultState:
        """A keychain that waits for its password window looks locked; one that hangs does not answer at all."""
        state = self._silent() if self._is_opaque() else self.look()
        if state.kind == "locked":
            return VaultState("locked", state.where, f"{state.where} is waiting for its password.")
        return self._silent()

    def _after(self, problem: BaseException) -> VaultState:
        state = VaultState("ready") if self._is_opaque() else self.look()
        if state.kind != "ready":
            return state
        said = str(problem).strip().rstrip(".") or type(problem).__name__
        return VaultState("unavailable", self._where, f"{self._where} failed: {said}.", offer_file=True)

    def _is_opaque(self) -> bool:
        return _name_of(self._ring) != "keyring.backends.SecretService.Keyring"

    def _silent(self) -> VaultState:
        return VaultState(
            "unavailable", self._where, f"{self._where} does not answer.", offer_file=True, silent=True
        )

    def _look_at_secret_service(self) -> VaultState:
        import secretstorage

        try:
            connection = secretstorage.dbus_init()
        except (secretstorage.SecretStorageException, OSError):
            return _no_secret_service()  # no session bus, or none that listens
        try:
            with closing(connection) as bus:
                if not secretstorage.check_service_availability(bus):
                    return _no_secret_service()
                return self._look_at(secretstorage.Collection(bus))
        except secretstorage.ItemNotFoundException:
            reason = f"{self._where} has no collection to keep keys in."
            return VaultState("unavailable", self._where, reason, offer_file=True)
        except secretstorage.SecretServiceNotAvailableException:
            return _no_secret_service()
        except _failures() as problem:
            reason = f"{self._where} failed: {problem}."
            return VaultState("unavailable", self._where, reason, offer_file=True)

    def _look_at(self, collection: Any) -> VaultState:
        where = f"{self._where} · {collection.get_label() or 'default'}"
        if collection.is_locked():
            return VaultState("locked", where, f"{where} is locked.")
        return VaultState("ready", where)


def system_keychain(environ: Mapping[str, str]) -> Place:
    """This system's keychain. Its daemon may be away now and appear later: the place then notices.

    An override (`PYTHON_KEYRING_BACKEND`, keyringrc.cfg) that names anything not trusted is refused, not ignored.
    """
    name = _override(environ) or _default()
    if name not in TRUSTED:
        return NoKeychain(
            f"The keyring backend {name} was chosen outside VibeDesk and is not one it trusts with keys."
        )
    return Keychain(_build(name), TRUSTED[name]) if _runs_here(name) else _no_place(name)


def is_trusted(ring: KeyringBackend) -> bool:
    """Whether `ring` is exactly one of `TRUSTED`, not a subclass or a namesake."""
    return _name_of(ring) in TRUSTED


def where_of(ring: KeyringBackend) -> str:
    """What a trusted ring is called on screen."""
    return TRUSTED[_name_of(ring)]


def _default() -> str:
    match sys.platform:
        case "darwin":
            return "keyring.backends.macOS.Keyring"
        case "win32":
            return "keyring.backends.Windows.WinVaultKeyring"
        case _:
            return "keyring.backends.SecretService.Keyring"


def _runs_here(name: str) -> bool:
    from importlib.util import find_spec

    match name:
        case "keyring.backends.SecretService.Keyring":
            return find_spec("secretstorage") is not None
        case "keyring.backends.kwallet.DBusKeyring":
            return find_spec("dbus") is not None
        case _:
            return name == _default()


def _no_place(name: str) -> NoKeychain:
    return NoKeychain(f"{TRUSTED[name]} cannot be used on this system.", "absent")


def _build(name: str) -> KeyringBackend:
    """Built directly: keyring's own choice is made once and never again, so a daemon that starts later is missed."""
    from importlib import import_module

    module, _, kind = name.rpartition(".")
    ring: KeyringBackend = getattr(import_module(module), kind)()
    for attribute in list(vars(ring)):
        if f"KEYRING_PROPERTY_{attribute.upper()}" in os.environ:
            delattr(ring, attribute)
    return ring


def _override(environ: Mapping[str, str]) -> str:
    return environ.get("PYTHON_KEYRING_BACKEND", "").strip() or _configured(environ)


def _configured(environ: Mapping[str, str]) -> str:
    from keyring.util.platform_ import config_root

    root = environ.get("XDG_CONFIG_HOME", "")
    folders = {Path(config_root()), *([Path(root, "python_keyring")] if root else [])}
    for folder in folders:
        parser = configparser.RawConfigParser()
        try:
            parser.read(folder / "keyringrc.cfg", encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        if name := parser.get("backend", "default-keyring", fallback="").strip():
            return name
    return ""


def _name_of(ring: KeyringBackend) -> str:
    return f"{type(ring).__module__}.{type(ring).__name__}"


def _failures() -> tuple[type[BaseException], ...]:
    found = [getattr(sys.modules[module], name) for module, name in _FOREIGN if module in sys.modules]
    return (KeyringError, OSError, EOFError, RuntimeError, ValueError, *found)


def _no_secret_service() -> VaultState:
    return VaultState(
        "absent", "", "There is no system keychain (Secret Service) in this session.", offer_file=True
    )
