"""Which backends are trusted with a key, wherever else another one was chosen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from keyring.errors import KeyringLocked

from tests.store.vault_contract import MemoryRing
from vibedesk.store.keychain import TRUSTED, Keychain, is_trusted, system_keychain
from vibedesk.store.place import NoKeychain, VaultError

PLAINTEXT = "keyrings.alt.file.PlaintextKeyring"


@pytest.mark.parametrize(
    "name", [PLAINTEXT, "keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"]
)
def test_an_environment_override_that_is_not_trusted_is_refused(name: str) -> None:
    state = system_keychain({"PYTHON_KEYRING_BACKEND": name}).look()
    assert state.kind == "unavailable"
    assert name in state.reason
    assert state.offer_file


def test_a_configured_override_that_is_not_trusted_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "python_keyring"
    folder.mkdir()
    (folder / "keyringrc.cfg").write_text(f"[backend]\ndefault-keyring={PLAINTEXT}\n")
    place = system_keychain({"XDG_CONFIG_HOME": str(tmp_path)})
    assert PLAINTEXT in place.look().reason
    with pytest.raises(VaultError):
        place.set_password("VibeDesk/x", "openai", "k" * 20)


@pytest.mark.skipif(sys.platform != "linux", reason="names a backend of Linux")
def test_a_trusted_override_is_taken() -> None:
    place = system_keychain({"PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"})
    assert isinstance(place, Keychain)


def test_a_trusted_backend_of_another_system_is_no_place() -> None:
    name = next(name for name in TRUSTED if ("Windows" if sys.platform != "win32" else "macOS") in name)
    place = system_keychain({"PYTHON_KEYRING_BACKEND": name})
    assert isinstance(place, NoKeychain)
    assert place.look().kind == "absent"


@pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is of Linux")
def test_without_a_session_bus_the_keychain_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    place = system_keychain({})
    assert (place.look().kind, place.look().offer_file) == ("absent", True)
    with pytest.raises(VaultError) as refusal:
        place.get_password("VibeDesk/x", "openai")
    assert refusal.value.state.kind == "absent"


def test_a_property_from_the_environment_does_not_move_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYRING_PROPERTY_PREFERRED_COLLECTION", "/org/freedesktop/secrets/collection/session")
    monkeypatch.setenv("KEYRING_PROPERTY__WHERE", "elsewhere")
    place = system_keychain({})
    assert isinstance(place, Keychain)
    assert not hasattr(place._ring, "preferred_collection")
    assert place._where in TRUSTED.values()


def test_a_locked_ring_is_locked_not_broken() -> None:
    class Locked(MemoryRing):
        def get_password(self, service: str, username: str) -> str | None:
            raise KeyringLocked("dismissed")

    place = Keychain(Locked(), "Memory")
    with pytest.raises(VaultError, match="Memory is locked") as refusal:
        place.get_password("VibeDesk/x", "openai")
    assert refusal.value.state.kind == "locked"


def test_a_subclass_of_a_trusted_backend_is_not_trusted() -> None:
    assert not is_trusted(MemoryRing())
