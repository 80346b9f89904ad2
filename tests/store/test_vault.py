"""The vault over a ring in memory: the contract, and what only a ring that misbehaves on command can show."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from keyring.backends.null import Keyring as NullRing

from tests.store.vault_contract import ORIGIN, MemoryRing, VaultContract, assert_no_trace, fake_key
from vibedesk.engine.types import Secret
from vibedesk.store.database import Database, DatabaseProblem
from vibedesk.store.keychain import Keychain
from vibedesk.store.lockbox import Lockbox
from vibedesk.store.paths import Paths
from vibedesk.store.place import NoKeychain, Place
from vibedesk.store.vault import KeychainOrFile, Vault, VaultError, open_backend


class TestOverMemory(VaultContract):
    @pytest.fixture
    def ring(self) -> MemoryRing:
        return MemoryRing()

    @pytest.fixture
    def place(self, ring: MemoryRing) -> Place:
        return Keychain(ring, "Memory", call_s=0.2)

    def reopened(self, place: Place) -> Place:
        return place

    def test_a_key_the_ring_refuses_leaves_nothing(self, vault: Vault, ring: MemoryRing) -> None:
        ring.refuses = True
        with pytest.raises(VaultError, match="Memory failed: no room") as refusal:
            self.add(vault)
        assert refusal.value.state.kind == "unavailable"
        assert (vault.keys(), ring.entries) == ((), {})

    def test_a_key_the_ring_garbles_is_not_called_saved(self, vault: Vault, ring: MemoryRing) -> None:
        ring.garbles = True
        with pytest.raises(VaultError, match="did not keep the key as it was given"):
            self.add(vault)
        assert (vault.keys(), ring.entries) == ((), {})

    def test_a_key_the_database_refuses_is_not_left_in_the_ring(
        self, vault: Vault, ring: MemoryRing, database: Database
    ) -> None:
        database.close()
        with pytest.raises(DatabaseProblem):
            self.add(vault)
        assert ring.entries == {}

    @pytest.mark.parametrize("fault", ["refuses", "garbles"])
    def test_a_replace_that_fails_leaves_the_old_key(
        self, vault: Vault, ring: MemoryRing, fault: str
    ) -> None:
        key = self.add(vault)
        setattr(ring, fault, True)
        with pytest.raises(VaultError):
            vault.replace(key.id, Secret(fake_key("z")), "https://elsewhere.example")
        ring.garbles = False
        assert vault.keys() == (key,)
        if fault == "refuses":
            assert vault.secret(key) == Secret(fake_key())

    def test_a_ring_that_hangs_is_reported_in_time_and_its_late_work_undone(
        self, vault: Vault, ring: MemoryRing
    ) -> None:
        ring.waits_for = threading.Event()
        with pytest.raises(VaultError, match="Memory does not answer") as refusal:
            self.add(vault)
        assert refusal.value.state.kind == "unavailable"
        assert vault.state().kind == "unavailable"
        let_late_ones_end(ring)
        assert (vault.keys(), ring.entries) == ((), {})

    def test_a_replace_that_ends_too_late_is_taken_back(self, vault: Vault, ring: MemoryRing) -> None:
        key = self.add(vault)
        ring.waits_for = threading.Event()
        with pytest.raises(VaultError):
            vault.replace(key.id, Secret(fake_key("z")), ORIGIN)
        let_late_ones_end(ring)
        assert vault.secret(key) == Secret(fake_key())

    def test_an_old_key_that_is_put_back_too_late_is_not_taken_away_again(
        self, vault: Vault, ring: MemoryRing, database: Database
    ) -> None:
        key = self.add(vault)
        ring.waits_for, ring.waits_with = threading.Event(), fake_key()
        database.execute("PRAGMA query_only = ON")
        with pytest.raises(DatabaseProblem):
            vault.replace(key.id, Secret(fake_key("z")), ORIGIN)
        let_late_ones_end(ring)
        assert vault.keys() == (key,)
        assert vault.secret(key) == Secret(fake_key())

    def test_a_ring_that_recovers_is_noticed(self, vault: Vault, ring: MemoryRing) -> None:
        ring.refuses = True
        with pytest.raises(VaultError):
            self.add(vault)
        ring.refuses = False
        self.add(vault)
        assert vault.state().kind == "ready"

    def test_a_key_the_ring_lost_is_said_to_be_missing(self, vault: Vault, ring: MemoryRing) -> None:
        key = self.add(vault)
        ring.entries.clear()
        with pytest.raises(VaultError, match="Memory does not hold the key “work”"):
            vault.secret(key)
        vault.remove(key.id)
        assert vault.keys() == ()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.find({"VIBEDESK_HOME": str(tmp_path)})


def opened(paths: Paths, environ: Mapping[str, str], passphrase: str | None = None) -> Vault:
    ask = None if passphrase is None else (lambda new: passphrase)
    return Vault(Database(paths.database), open_backend(paths, environ, ask))


def test_a_backend_that_is_not_trusted_is_refused_by_name(tmp_path: Path) -> None:
    vault = Vault(Database(tmp_path / "db"), NullRing())
    assert vault.state().kind == "unavailable"
    with pytest.raises(VaultError, match="null Keyring is not one VibeDesk trusts") as refusal:
        vault.add("openai", Secret(fake_key()), label="work", origin=ORIGIN)
    assert refusal.value.state.offer_file
    assert vault.keys() == ()


def test_an_unknown_choice_is_named(paths: Paths) -> None:
    assert "“cloud”" in opened(paths, {"VIBEDESK_VAULT": "cloud"}).state().reason


def test_the_file_asks_for_nothing_until_a_key_is_added(paths: Paths) -> None:
    asked: list[bool] = []

    def ask(new: bool) -> str:
        asked.append(new)
        return "correct horse"

    vault = Vault(Database(paths.database), open_backend(paths, {"VIBEDESK_VAULT": "file"}, ask))
    assert (vault.keys(), vault.state().kind, vault.state().offer_file) == ((), "absent", True)
    assert not paths.vault.exists()
    assert asked == []
    key = vault.add("openai", Secret(fake_key()), label="work", origin=ORIGIN)
    vault.secret(key)
    assert asked == [True]
    assert vault.state().where == "Encrypted file"
    code = vault.recovery_code_once()
    assert code is not None
    assert vault.recovery_code_once() is None

    vault.lock()
    assert vault.state().kind == "locked"
    vault.unlock(code)
    assert vault.secret(key) == Secret(fake_key())
    assert asked == [True]


def test_the_passphrase_file_answers_instead_of_asking(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "pass").write_text("correct horse\n")
    environ = {"VIBEDESK_VAULT": "file", "VIBEDESK_PASSPHRASE_FILE": str(tmp_path / "pass")}
    key = opened(paths, environ).add("openai", Secret(fake_key()), label="work", origin=ORIGIN)
    later = opened(paths, environ)
    assert later.state().kind == "ready"
    assert later.secret(key) == Secret(fake_key())


def test_a_passphrase_file_that_is_missing_or_wrong_leaves_it_locked(paths: Paths, tmp_path: Path) -> None:
    Lockbox.create(paths.vault, "correct horse")
    environ = {"VIBEDESK_VAULT": "file", "VIBEDESK_PASSPHRASE_FILE": str(tmp_path / "pass")}
    assert "could not be read" in opened(paths, environ).state().reason
    (tmp_path / "pass").write_text("wrong\n")
    state = opened(paths, environ).state()
    assert (state.kind, state.reason) == ("locked", "That passphrase does not open the encrypted file.")


def test_without_a_keychain_and_without_a_passphrase_the_file_is_offered(paths: Paths) -> None:
    vault = Vault(
        Database(paths.database), KeychainOrFile(NoKeychain("None here.", "absent"), Lockbox(paths.vault))
    )
    with pytest.raises(VaultError) as refusal:
        vault.add("openai", Secret(fake_key()), label="work", origin=ORIGIN)
    assert (refusal.value.state.kind, refusal.value.state.offer_file) == ("absent", True)
    assert not paths.vault.exists()

    code = vault.create_file("correct horse")
    key = vault.add("openai", Secret(fake_key()), label="work", origin=ORIGIN)
    assert len(code.replace("-", "")) == 32
    assert vault.secret(key) == Secret(fake_key())
    assert_no_trace(paths.data, fake_key())


def test_without_a_keychain_a_face_that_can_ask_makes_the_file_with_the_first_key(paths: Paths) -> None:
    lockbox = Lockbox(paths.vault, lambda new: "correct horse")
    vault = Vault(Database(paths.database), KeychainOrFile(NoKeychain("None here.", "absent"), lockbox))
    key = vault.add("openai", Secret(fake_key()), label="work", origin=ORIGIN)
    assert vault.state().where == "Encrypted file"
    vault.remove(key.id)
    assert vault.keys() == ()


def test_a_dismissed_passphrase_keeps_nothing(paths: Paths) -> None:
    lockbox = Lockbox(paths.vault, lambda new: None)
    vault = Vault(Database(paths.database), KeychainOrFile(NoKeychain("None here.", "absent"), lockbox))
    with pytest.raises(VaultError, match="No passphrase was given"):
        vault.add("openai", Secret(fake_key()), label="work", origin=ORIGIN)
    assert (vault.keys(), paths.vault.exists()) == ((), False)


def test_a_key_of_the_keychain_is_found_beside_a_file_made_later(paths: Paths) -> None:
    ring = MemoryRing()
    both = KeychainOrFile(Keychain(ring, "Memory"), Lockbox(paths.vault))
    vault = Vault(Database(paths.database), both)
    early = vault.add("openai", Secret(fake_key("a")), label="early", origin=ORIGIN)
    vault.create_file("correct horse")
    late = vault.add("openai", Secret(fake_key("b")), label="late", origin=ORIGIN)
    assert len(ring.entries) == 1
    assert vault.secret(early) == Secret(fake_key("a"))
    assert vault.secret(late) == Secret(fake_key("b"))
    vault.remove(early.id)
    assert ring.entries == {}


def test_system_rules_out_the_file(paths: Paths) -> None:
    vault = Vault(Database(paths.database), NoKeychain("None here.", "absent"))
    with pytest.raises(VaultError, match="VIBEDESK_VAULT=system rules out"):
        vault.create_file("correct horse")


def let_late_ones_end(ring: MemoryRing) -> None:
    """What the keychain was asked for, and was too slow for, is done now."""
    assert ring.waits_for is not None
    late = [thread for thread in threading.enumerate() if thread.name == "keychain"]
    ring.waits_for.set()
    for thread in late:
        thread.join(5)
