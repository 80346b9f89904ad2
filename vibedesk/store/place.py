"""What a place for secrets is: a keyring backend that can say how it is without asking anybody anything."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal

from keyring.backend import KeyringBackend
from keyring.errors import KeyringError
from msgspec import Struct

if TYPE_CHECKING:
    from vibedesk.store.lockbox import Lockbox


FILE = "Encrypted file"
"""What the encrypted file is called."""


class VaultState(Struct, frozen=True):
    """How the vault is. `where` names the place ("Secret Service · Login"), `reason` is one sentence or "".

    "ready"; "locked": it needs its password; "unavailable": it is there and cannot be used; "absent": there is none.
    `offer_file`: the encrypted file would help. `silent`: it is there and does not answer, so waiting may help.
    """

    kind: Literal["ready", "locked", "unavailable", "absent"]
    where: str = ""
    reason: str = ""
    offer_file: bool = False
    silent: bool = False

    @property
    def is_file(self) -> bool:
        """The place is the encrypted file, not a keychain of the system."""
        return self.where == FILE


class VaultError(KeyringError):
    """A place could not do what was asked of it; `state` says how it is."""

    def __init__(self, state: VaultState) -> None:
        super().__init__(state.reason)
        self.state = state


class Place(KeyringBackend):
    """A keyring backend whose calls return in bounded time (or ask the user) and raise `VaultError` alone."""

    def __init__(self) -> None:
        """Not keyring's own, which sets attributes from `KEYRING_PROPERTY_*` variables."""

    @abstractmethod
    def look(self) -> VaultState:
        """How it is now. Never prompts."""

    def remember(self, service: str, username: str, secret: str, before: str | None) -> None:
        """Stores `secret`; if that fails, or ends after the caller gave up, `before` (None = nothing) stands again."""
        self.set_password(service, username, secret)

    def open_up(self) -> None:
        """Has the place ask for its own password, where it has a window for that, and waits for the person."""

    @property
    def lockbox(self) -> Lockbox | None:
        """The encrypted file, where this place is one or may become one."""
        return None

    @property
    def makes_file(self) -> bool:
        """Whether the next key that is added makes the encrypted file, for want of a keychain."""
        return False


class NoKeychain(Place):
    """No place at all, and why: every call fails with the same sentence."""

    def __init__(self, reason: str, kind: Literal["unavailable", "absent"] = "unavailable") -> None:
        self._state = VaultState(kind, "", reason, offer_file=True)

    def look(self) -> VaultState:
        return self._state

    def get_password(self, service: str, username: str) -> str | None:
        raise VaultError(self._state)

    def set_password(self, service: str, username: str, password: str) -> None:
        raise VaultError(self._state)

    def delete_password(self, service: str, username: str) -> None:
        raise VaultError(self._state)
