"""The vault over a real gnome-keyring: the contract, and a daemon that is away, locked, killed and stopped."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("secretstorage", reason="SecretStorage is installed on Linux only")
from tests.store.secret_service import SecretService, missing
from tests.store.vault_contract import ORIGIN, VaultContract, assert_no_trace, fake_key
from vibedesk.engine.types import ApiKey, Secret
from vibedesk.store.database import Database
from vibedesk.store.keychain import system_keychain
from vibedesk.store.lockbox import Lockbox
from vibedesk.store.place import Place
from vibedesk.store.vault import KeychainOrFile, Vault, VaultError

pytestmark = [
    pytest.mark.secret_service,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}"),
    # keyring leaves its bus connection to the garbage collector when a call fails.
    pytest.mark.filterwarnings(
        "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretService]:
    # A socket's path holds some 100 characters: pytest's own folders can be longer.
    service = SecretService(tmp_path_factory.mktemp("ss"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DBUS_SESSION_BUS_ADDRESS", service.address)
        service.start()
    yield service
    service.close()


@pytest.fixture
def service(shared: SecretService, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretService]:
    """The daemon, running and unlocked before every test."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", shared.address)
    yield shared
    shared.kill()
    shared.start()
    gc.collect()


@pytest.fixture
def vault(service: SecretService, tmp_path: Path) -> Iterator[Vault]:
    database = Database(tmp_path / "data" / "vibedesk.db")
    yield Vault(database, system_keychain({}))
    database.close()


class TestOverGnomeKeyring(VaultContract):
    @pytest.fixture
    def place(self, shared: SecretService, monkeypatch: pytest.MonkeyPatch) -> Place:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", shared.address)
        return system_keychain({})

    def reopened(self, place: Place) -> Place:
        return system_keychain({})

    def test_the_state_names_the_collection(self, vault: Vault) -> None:
        assert vault.state().kind == "ready"
        assert vault.state().where.startswith("Secret Service · ")


def test_what_is_removed_is_no_longer_in_the_keyring(service: SecretService, vault: Vault) -> None:
    key = vault.add("openai", Secret(fake_key("w")), label="work", origin=ORIGIN)
    assert fake_key("w").encode() in service.secrets()
    vault.remove(key.id)
    assert fake_key("w").encode() not in service.secrets()


def test_a_locked_keyring_is_locked_at_once_and_its_labels_stay_readable(
    service: SecretService, vault: Vault
) -> None:
    key = vault.add("openai", Secret(fake_key()), label="work", origin=ORIGIN)
    service.lock()
    assert vault.state().kind == "locked"
    began = time.monotonic()
    with pytest.raises(VaultError, match="locked") as refusal:
        vault.secret(key)
    assert time.monotonic() - began < 5
    assert refusal.value.state.kind == "locked"
    with pytest.raises(VaultError):
        vault.add("groq", Secret(fake_key("g")), label="second", origin=ORIGIN)
    with pytest.raises(VaultError):
        vault.remove(key.id)
    assert vault.keys() == (key,)


def test_a_killed_daemon_is_noticed_and_so_is_its_return(service: SecretService, vault: Vault) -> None:
    key = vault.add("openai", Secret(fake_key()), label="work", origin=ORIGIN)
    service.kill()
    assert (vault.state().kind, vault.state().offer_file) == ("absent", True)
    with pytest.raises(VaultError) as refusal:
        vault.secret(key)
    assert refusal.value.state.kind == "absent"
    service.start()
    assert vault.state().kind == "ready"
    assert vault.secret(key) == Secret(fake_key())


def test_a_daemon_that_starts_after_the_program_is_noticed(service: SecretService, tmp_path: Path) -> None:
    service.kill()
    database = Database(tmp_path / "data" / "vibedesk.db")
    vault = Vault(database, KeychainOrFile(system_keychain({}), Lockbox(tmp_path / "data" / "vault")))
    assert vault.state().kind == "absent"
    service.start()
    key = vault.add("openai", Secret(fake_key()), label="work", origin=ORIGIN)
    assert vault.secret(key) == Secret(fake_key())
    assert vault.state().where.startswith("Secret Service")
    assert_no_trace(tmp_path, fake_key())
    database.close()


def test_a_key_of_a_keychain_that_died_is_not_called_deleted(service: SecretService, tmp_path: Path) -> None:
    database = Database(tmp_path / "data" / "vibedesk.db")
    vault = Vault(database, KeychainOrFile(system_keychain({}), Lockbox(tmp_path / "data" / "vault")))
    early = vault.add("openai", Secret(fake_key("e")), label="early", origin=ORIGIN)
    service.kill()
    vault.create_file("correct horse")
    late = vault.add("openai", Secret(fake_key("l")), label="late", origin=ORIGIN)
    with pytest.raises(VaultError, match="no system keychain") as refusal:
        vault.remove(early.id)
    assert refusal.value.state.kind == "absent"
    vault.remove(late.id)
    assert vault.keys() == (early,)
    service.start()
    assert vault.secret(early) == Secret(fake_key("e"))
    vault.remove(early.id)
    assert (vault.keys(), fake_key("e").encode() in service.secrets()) == ((), False)
    database.close()


def test_a_stopped_daemon_is_reported_within_five_seconds_and_leaves_no_half_key(
    service: SecretService, vault: Vault
) -> None:
    before = service.secrets()
    service.halt()
    try:
        began = time.monotonic()
        with pytest.raises(VaultError, match="does not answer") as refusal:
            vault.add("openai", Secret(fake_key("s")), label="work", origin=ORIGIN)
        assert time.monotonic() - began <= 5.5
        assert (refusal.value.state.kind, refusal.value.state.silent) == ("unavailable", True)
        assert vault.state().reason == "Secret Service does not answer."
        began = time.monotonic()
        with pytest.raises(VaultError, match="does not answer"):
            vault.secret(ApiKey(id="x", provider="openai", label="", hint="", source="vault", origin=ORIGIN))
        assert time.monotonic() - began <= 5.5, "no call waits behind the one that hangs"
    finally:
        service.go_on()
    # The call that was left behind ends now, and takes back what it stored.
    key = _once_it_answers(lambda: vault.add("openai", Secret(fake_key("t")), label="work", origin=ORIGIN))
    assert vault.keys() == (key,)
    deadline = time.monotonic() + 5
    while fake_key("s").encode() in service.secrets():
        assert time.monotonic() < deadline, "the key that was refused is in the keyring"
        time.sleep(0.05)
    assert len(service.secrets()) == len(before) + 1


def _once_it_answers(act: Callable[[], ApiKey]) -> ApiKey:
    deadline = time.monotonic() + 5
    while True:
        try:
            return act()
        except VaultError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
