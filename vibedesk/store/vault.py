"""The vault: API keys, each secret in the keychain or the encrypted file, its label and hint in the database."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from vibedesk.engine.catalog import hint_of
from vibedesk.engine.types import ApiKey, Secret
from vibedesk.store.database import Database, stamp
from vibedesk.store.keychain import Keychain, is_trusted, system_keychain, where_of
from vibedesk.store.lockbox import AskPassphrase, Lockbox
from vibedesk.store.paths import Paths
from vibedesk.store.place import NoKeychain, Place, VaultError, VaultState

__all__ = ["LONGEST_SECRET", "Vault", "VaultError", "VaultState", "open_backend", "service_of"]

LONGEST_SECRET = 1280
"""Characters: the Windows Credential Locker takes 2,560 bytes and stores UTF-16."""


class Vault:
    """The keys a person entered. Every method may block for some seconds: call it from a thread.

    `VaultError.state` says how the place is when it could not do what was asked; `KeyError` for an unknown id.
    A `backend` that is no `Place` must be one of the trusted system backends.
    """

    def __init__(self, database: Database, backend: KeyringBackend) -> None:
        self._database = database
        self._place = _place(backend)

    def use(self, backend: KeyringBackend) -> None:
        """Keeps keys there from now on (what is kept elsewhere stays there)."""
        self._place = _place(backend)

    def state(self) -> VaultState:
        """How the vault is now; never prompts."""
        return self._place.look()

    def file_state(self) -> VaultState:
        """How the encrypted file is, also where keys are kept elsewhere now; never prompts."""
        return self._file().look()

    @property
    def makes_file(self) -> bool:
        """Whether the next key that is added makes the encrypted file, for want of a keychain."""
        return self._place.makes_file

    def keys(self) -> tuple[ApiKey, ...]:
        """What is known of every key, in the user's order. Needs no keychain."""
        rows = self._database.execute(
            "SELECT id, provider, label, hint, origin, enabled, position, created FROM keys ORDER BY position, created"
        )
        return tuple(
            ApiKey(
                id=id,
                provider=provider,
                label=label,
                hint=hint,
                source="vault",
                origin=origin,
                enabled=bool(enabled),
                position=position,
                created=datetime.fromisoformat(created),
            )
            for id, provider, label, hint, origin, enabled, position, created in rows
        )

    def key(self, id: str) -> ApiKey:
        """Raises `KeyError`."""
        for key in self.keys():
            if key.id == id:
                return key
        raise KeyError(id)

    def add(self, provider: str, secret: Secret, *, label: str, origin: str) -> ApiKey:
        """Stores the secret, reads it back, then writes its row; when anything fails nothing of it stays."""
        id = uuid.uuid4().hex[:16]
        self._store(id, provider, secret, before=None)
        try:
            self._insert(id, provider, secret, label, origin)
        except BaseException:
            with suppress(VaultError, PasswordDeleteError):
                self._place.delete_password(service_of(id), provider)
            raise
        return self.key(id)

    def secret(self, key: ApiKey) -> Secret:
        """The secret itself, for the moment it is needed."""
        characters = self._place.get_password(service_of(key.id), key.provider)
        if characters is None:
            raise VaultError(
                self._state_because(f"{_where(self._place)} does not hold the key “{key.label}”.")
            )
        return Secret(characters)

    def replace(self, id: str, secret: Secret, origin: str) -> ApiKey:
        """Another secret, for this origin, under the same id. When it fails the old one stands."""
        key = self.key(id)
        before = self._place.get_password(service_of(id), key.provider)
        self._store(id, key.provider, secret, before=before)
        try:
            with self._database.transaction():
                self._database.execute(
                    "UPDATE keys SET hint = ?, origin = ? WHERE id = ?",
                    (hint_of(secret.reveal()), origin, id),
                )
                self._database.execute("DELETE FROM key_notes WHERE key_id = ?", (id,))
        except BaseException:
            self._put_back(id, key.provider, before)
            raise
        return self.key(id)

    def remove(self, id: str) -> None:
        """Out of the keychain, then out of the database and its log. A keychain that cannot: the key stays whole."""
        key = self.key(id)
        with suppress(PasswordDeleteError):
            self._place.delete_password(service_of(id), key.provider)
        if self._place.get_password(service_of(id), key.provider) is not None:
            raise VaultError(
                self._state_because(f"{_where(self._place)} did not delete the key “{key.label}”.")
            )
        with self._database.transaction():
            self._database.execute("DELETE FROM keys WHERE id = ?", (id,))
            self._database.execute("DELETE FROM key_notes WHERE key_id = ?", (id,))
            self._database.execute("DELETE FROM key_terms WHERE key_id = ?", (id,))
        self._database.purge()

    def rename(self, id: str, label: str) -> None:
        self.key(id)
        self._database.execute("UPDATE keys SET label = ? WHERE id = ?", (label, id))

    def set_enabled(self, id: str, enabled: bool) -> None:
        self.key(id)
        self._database.execute("UPDATE keys SET enabled = ? WHERE id = ?", (enabled, id))

    def move(self, id: str, position: int) -> None:
        """To `position` among all keys, from 0; the others close up."""
        moved = self.key(id)
        order = [key for key in self.keys() if key.id != id]
        order.insert(max(0, position), moved)
        with self._database.transaction():
            for place, key in enumerate(order):
                self._database.execute("UPDATE keys SET position = ? WHERE id = ?", (place, key.id))

    def lock(self) -> None:
        """Forgets what opens the encrypted file; a system keychain is locked by its own means."""
        if self._place.lockbox is not None:
            self._place.lockbox.lock()

    def open_up(self) -> None:
        """Has a locked system keychain show its own password window, and waits for the person."""
        self._place.open_up()

    def unlock(self, word: str) -> None:
        """Opens the encrypted file by its passphrase or recovery code."""
        self._file().unlock(word)

    def create_file(self, passphrase: str) -> str:
        """Takes the offer of an encrypted file; its recovery code, to be shown once."""
        return self._file().begin(passphrase)

    def change_passphrase(self, word: str, new: str) -> str:
        """Another passphrase for the encrypted file, by the old one or the recovery code; its new recovery code."""
        file = self._file()
        file.unlock(word)
        return file.change_passphrase(new)

    def recovery_code_once(self) -> str | None:
        """The recovery code of a file made since the last call (adding the first key makes it), else None."""
        return self._place.lockbox.recovery_code_once() if self._place.lockbox is not None else None

    def _file(self) -> Lockbox:
        if self._place.lockbox is None:
            raise VaultError(self._state_because("VIBEDESK_VAULT=system rules out the encrypted file."))
        return self._place.lockbox

    def _store(self, id: str, provider: str, secret: Secret, *, before: str | None) -> None:
        characters = secret.reveal()
        if not characters:
            raise VaultError(self._state_because("The key is empty."))
        if len(characters) > LONGEST_SECRET:
            raise VaultError(
                self._state_because(
                    f"This key has {len(characters):,} characters; a keychain holds at most {LONGEST_SECRET:,}."
                )
            )
        try:
            self._place.remember(service_of(id), provider, characters, before)
            if self._place.get_password(service_of(id), provider) != characters:
                raise VaultError(
                    self._state_because(f"{_where(self._place)} did not keep the key as it was given.")
                )
        except BaseException:
            self._put_back(id, provider, before)
            raise

    def _put_back(self, id: str, provider: str, before: str | None) -> None:
        with suppress(VaultError, PasswordDeleteError):
            if before is not None:
                # Also where this ends too late, what stands then is `before`.
                self._place.remember(service_of(id), provider, before, before)
            elif self._place.look().kind == "ready":
                self._place.delete_password(service_of(id), provider)

    def _insert(self, id: str, provider: str, secret: Secret, label: str, origin: str) -> None:
        self._database.execute(
            """INSERT INTO keys (id, provider, label, hint, origin, position, created)
            VALUES (?, ?, ?, ?, ?, (SELECT coalesce(max(position) + 1, 0) FROM keys), ?)""",
            (id, provider, label, hint_of(secret.reveal()), origin, stamp(datetime.now(UTC))),
        )

    def _state_because(self, reason: str) -> VaultState:
        state = self._place.look()
        return VaultState(state.kind, state.where, reason, state.offer_file, state.silent)


class KeychainOrFile(Place):
    """The system's keychain; the encrypted file where there is none, or where a file was made already."""

    def __init__(self, keychain: Place, lockbox: Lockbox) -> None:
        self._keychain = keychain
        self._lockbox = lockbox

    @property
    def lockbox(self) -> Lockbox:
        return self._lockbox

    @property
    def makes_file(self) -> bool:
        return not self._lockbox.exists and self._lockbox.asks and self._has_no_keychain()

    def look(self) -> VaultState:
        return self._here().look()

    def get_password(self, service: str, username: str) -> str | None:
        found = self._lockbox.get_password(service, username) if self._lockbox.exists else None
        if found is None and (not self._lockbox.exists or self._keychain.look().kind == "ready"):
            return self._keychain.get_password(service, username)
        return found

    def set_password(self, service: str, username: str, password: str) -> None:
        self.remember(service, username, password, None)

    def remember(self, service: str, username: str, secret: str, before: str | None) -> None:
        place = self._lockbox if self.makes_file else self._here()
        place.remember(service, username, secret, before)

    def delete_password(self, service: str, username: str) -> None:
        """From both: a key entered before the file was made may stand in the keychain.

        A key that the file does not hold and the keychain cannot be asked for raises `VaultError`: it may be there.
        """
        if self._lockbox.exists:
            held = self._take_out_of_file(service, username)
            state = self._keychain.look()
            if state.kind != "ready":
                if held:
                    return
                raise VaultError(state)
        self._keychain.delete_password(service, username)

    def _take_out_of_file(self, service: str, username: str) -> bool:
        try:
            self._lockbox.delete_password(service, username)
        except PasswordDeleteError:
            return False
        return True

    def open_up(self) -> None:
        self._here().open_up()

    def _here(self) -> Place:
        return self._lockbox if self._lockbox.exists else self._keychain

    def _has_no_keychain(self) -> bool:
        return isinstance(self._keychain, NoKeychain) or self._keychain.look().kind == "absent"


def open_backend(paths: Paths, environ: Mapping[str, str], ask_passphrase: AskPassphrase | None) -> Place:
    """The place for secrets that `VIBEDESK_VAULT` (system, file, or unset: whichever there is) asks for.

    `ask_passphrase` is given True when the encrypted file is to be made and False when it is to be opened, in
    the thread that needs it; `VIBEDESK_PASSPHRASE_FILE` answers instead where it is set.
    """
    choice = environ.get("VIBEDESK_VAULT", "").strip().lower()
    if choice not in ("", "system", "file"):
        return NoKeychain(f"VIBEDESK_VAULT is “{choice}”; it can be “system” or “file”.")
    named = environ.get("VIBEDESK_PASSPHRASE_FILE", "").strip()
    passphrase_file = Path(named).expanduser() if named else None
    lockbox = Lockbox(paths.vault, ask_passphrase, passphrase_file=passphrase_file)
    if choice == "file":
        return lockbox
    keychain = system_keychain(environ)
    return keychain if choice == "system" else KeychainOrFile(keychain, lockbox)


def service_of(id: str) -> str:
    """One service name an entry: the Windows backend keeps one user name a service."""
    return f"VibeDesk/{id}"


def _place(backend: KeyringBackend) -> Place:
    if isinstance(backend, Place):
        return backend
    if is_trusted(backend):
        return Keychain(backend, where_of(backend))
    return NoKeychain(f"The keyring backend {backend.name} is not one VibeDesk trusts with keys.")


def _where(place: Place) -> str:
    return place.look().where or "The vault"
