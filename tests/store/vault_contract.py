"""What every place for secrets must do under the vault, whatever keeps them; and the ring in memory to try it with."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError, PasswordSetError

from vibedesk.engine.types import ApiKey, Secret
from vibedesk.store.database import Database
from vibedesk.store.place import Place
from vibedesk.store.vault import LONGEST_SECRET, Vault, VaultError, service_of

ORIGIN = "https://api.openai.com"


def fake_key(letter: str = "q") -> str:
    """Key-shaped, and nobody's."""
    return "sk-proj-" + letter * 40 + "T3Bl" + letter.upper() * 40


def traces_of(secret: str) -> dict[str, bytes]:
    """The forms in which a key must not be found."""
    data = secret.encode()
    return {
        "utf-8": data,
        "utf-16": secret.encode("utf-16-le"),
        "base64": base64.b64encode(data)[:40],
        "base64, one byte later": base64.b64encode(b"\0" + data)[4:40],
        "base64, two bytes later": base64.b64encode(b"\0\0" + data)[4:40],
        "hex": data.hex().encode(),
        "HEX": data.hex().upper().encode(),
        "percent": quote(secret, safe="").encode(),
        "last 12": data[-12:],
    }


def assert_no_trace(folder: Path, *secrets: str) -> None:
    """No file under `folder` holds any form of any of the secrets."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files, "nothing was written, so nothing was searched"
    for path in files:
        content = path.read_bytes()
        for secret in secrets:
            found = [form for form, trace in traces_of(secret).items() if trace in content]
            assert not found, f"{path.name} holds the key as {found}"


class MemoryRing(KeyringBackend):
    """A keyring in memory that can be told to misbehave the way real ones do."""

    priority = 0

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.refuses = False
        self.garbles = False
        self.waits_for: threading.Event | None = None
        self.waits_with = ""
        """Where it is not "", only this secret has to wait."""

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.waits_for is not None and self.waits_with in ("", password):
            self.waits_for.wait()
        if self.refuses:
            raise PasswordSetError("no room")
        self.entries[service, username] = password[:-1] if self.garbles else password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError(service)


class VaultContract:
    """Inherit it, and give a `place` fixture; `reopened` builds the same place a second time."""

    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        return tmp_path

    @pytest.fixture
    def database(self, home: Path) -> Iterator[Database]:
        database = Database(home / "data" / "vibedesk.db")
        yield database
        database.close()

    @pytest.fixture
    def vault(self, database: Database, place: Place) -> Vault:
        return Vault(database, place)

    def reopened(self, place: Place) -> Place:
        """The place as another run of the program would find it."""
        raise NotImplementedError

    def add(self, vault: Vault, secret: str = "", label: str = "work") -> ApiKey:
        return vault.add("openai", Secret(secret or fake_key()), label=label, origin=ORIGIN)

    def test_an_added_key_is_listed_without_its_secret(self, vault: Vault) -> None:
        key = self.add(vault)
        assert vault.keys() == (key,)
        assert (key.provider, key.label, key.source, key.origin) == ("openai", "work", "vault", ORIGIN)
        assert key.hint.endswith(fake_key()[-4:])
        assert fake_key()[-12:] not in repr(key)

    def test_the_secret_comes_back_as_it_was_given(self, vault: Vault) -> None:
        assert vault.secret(self.add(vault)) == Secret(fake_key())

    def test_the_state_is_ready_once_a_key_is_kept(self, vault: Vault) -> None:
        self.add(vault)
        state = vault.state()
        assert state.kind == "ready"
        assert state.where

    def test_several_keys_of_one_provider_do_not_meet(self, vault: Vault) -> None:
        first, second = self.add(vault, fake_key("a")), self.add(vault, fake_key("b"))
        assert vault.secret(first) == Secret(fake_key("a"))
        assert vault.secret(second) == Secret(fake_key("b"))

    def test_another_run_finds_the_key(self, vault: Vault, database: Database, place: Place) -> None:
        self.add(vault)
        later = Vault(database, self.reopened(place))
        assert later.secret(later.keys()[0]) == Secret(fake_key())

    def test_a_removed_key_is_gone_from_everywhere(self, vault: Vault, place: Place, home: Path) -> None:
        key = self.add(vault)
        vault.remove(key.id)
        assert vault.keys() == ()
        assert place.get_password(service_of(key.id), "openai") is None
        assert_no_trace(home, fake_key())
        with pytest.raises(KeyError):
            vault.remove(key.id)

    def test_a_removed_key_has_no_secret_any_more(self, vault: Vault) -> None:
        key = self.add(vault)
        vault.remove(key.id)
        with pytest.raises(VaultError):
            vault.secret(key)

    def test_a_replaced_key_has_the_new_secret_hint_and_origin(self, vault: Vault) -> None:
        key = self.add(vault)
        replaced = vault.replace(key.id, Secret(fake_key("z")), "https://eu.api.openai.com")
        assert vault.secret(replaced) == Secret(fake_key("z"))
        assert replaced.origin == "https://eu.api.openai.com"
        assert replaced.hint.endswith("ZZZZ")
        assert replaced.id == key.id

    def test_the_longest_key_is_kept_whole(self, vault: Vault) -> None:
        longest = "k" * LONGEST_SECRET
        assert vault.secret(self.add(vault, longest)) == Secret(longest)

    def test_a_longer_key_is_refused_with_the_limit_and_leaves_nothing(self, vault: Vault) -> None:
        with pytest.raises(VaultError, match=r"1,281 characters.*1,280"):
            self.add(vault, "k" * (LONGEST_SECRET + 1))
        assert vault.keys() == ()

    def test_an_empty_key_is_refused(self, vault: Vault) -> None:
        with pytest.raises(VaultError, match="empty"):
            vault.add("openai", Secret(""), label="work", origin=ORIGIN)

    def test_keys_are_renamed_switched_and_ordered(self, vault: Vault) -> None:
        first, second = self.add(vault, label="first"), self.add(vault, label="second")
        vault.rename(second.id, "play \ud83d")
        vault.set_enabled(first.id, False)
        vault.move(second.id, 0)
        listed = vault.keys()
        assert [(key.label, key.enabled, key.position) for key in listed] == [
            ("play \ufffd", True, 0),
            ("first", False, 1),
        ]

    def test_a_whole_session_leaves_no_trace_in_the_folder(self, vault: Vault, home: Path) -> None:
        secrets = [fake_key(letter) for letter in "abc"]
        key = self.add(vault, secrets[0])
        self.add(vault, secrets[1])
        vault.secret(key)
        vault.replace(key.id, Secret(secrets[2]), ORIGIN)
        assert_no_trace(home, *secrets)
        vault.remove(key.id)
        assert_no_trace(home, *secrets)
