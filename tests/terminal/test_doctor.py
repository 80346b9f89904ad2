"""`vibedesk doctor` where something is missing: what it calls healthy works, what it calls wrong does not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.providers import OpenAI
from tests.terminal.program import Program
from tests.terminal.test_keys import added

NO_KEYCHAIN = {"VIBEDESK_VAULT": "", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}


async def found(vibedesk: Program, name: str, environ: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """The exit status, and what it says of one thing."""
    ended = await vibedesk("doctor", "--json", environ=environ)
    return ended.status, next(one for one in ended.json if one["name"] == name)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only here a keychain can be missing")
async def test_without_a_keychain_the_encrypted_file_is_reported(vibedesk: Program) -> None:
    status, vault = await found(vibedesk, "vault", NO_KEYCHAIN)
    assert (status, vault["ok"]) == (0, True), vault
    assert "Encrypted file: made when the first key is added" in vault["message"]
    secret = "gsk_" + "k" * 52
    assert (await vibedesk("keys", "add", "groq", stdin=secret, environ=NO_KEYCHAIN)).status == 0
    assert (vibedesk.home / "data" / "vault").exists()
    status, vault = await found(vibedesk, "vault", NO_KEYCHAIN)
    assert (status, vault["message"]) == (0, "Encrypted file: 1 key")
    status, vault = await found(vibedesk, "vault", NO_KEYCHAIN | {"VIBEDESK_VAULT": "system"})
    assert (status, vault["ok"]) == (1, False)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "could not be read"),
        (b"", "is empty"),
        (b"\xff\xfe\x00", "could not be read"),
        (b"incorrect horse\n", "does not open the encrypted file"),
    ],
    ids=["missing", "empty", "binary", "wrong"],
)
async def test_a_passphrase_file_that_does_not_open_the_vault_is_found(
    vibedesk: Program, lab: OpenAI, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    await added(vibedesk)
    file = tmp_path / "other"
    if content is not None:
        file.write_bytes(content)
    status, vault = await found(vibedesk, "vault", {"VIBEDESK_PASSPHRASE_FILE": str(file)})
    assert (status, vault["ok"]) == (1, False), vault
    assert reason in vault["message"]
    assert "VIBEDESK_PASSPHRASE_FILE" in vault["fix"]


@pytest.mark.skipif(sys.platform == "win32", reason="sessions of POSIX")
async def test_a_locked_vault_that_nobody_can_open_is_found(vibedesk: Program, lab: OpenAI) -> None:
    await added(vibedesk)
    status, vault = await found(vibedesk, "vault", {"VIBEDESK_PASSPHRASE_FILE": ""})
    assert (status, vault["ok"]) == (1, False), vault
    assert "locked" in vault["message"]
    assert "VIBEDESK_PASSPHRASE_FILE" in vault["fix"]
