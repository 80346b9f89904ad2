"""`vibedesk doctor` where something is missing: what it calls healthy works, what it calls wrong does not."""

from __future__ import annotations

import subprocess
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


@pytest.mark.parametrize("elsewhere", [{}, NO_KEYCHAIN], ids=["file", "no keychain"])
async def test_a_passphrase_file_that_could_not_make_the_vault_is_found(
    vibedesk: Program, tmp_path: Path, elsewhere: dict[str, str]
) -> None:
    broken = elsewhere | {"VIBEDESK_PASSPHRASE_FILE": str(tmp_path / "nowhere")}
    status, vault = await found(vibedesk, "vault", broken)
    assert (status, vault["ok"]) == (1, False), vault
    assert f"{tmp_path / 'nowhere'} could not be read" in vault["message"]
    assert "VIBEDESK_PASSPHRASE_FILE" in vault["fix"]
    assert (await vibedesk("keys", "add", "groq", stdin="gsk_" + "k" * 52, environ=broken)).status != 0


@pytest.mark.skipif(sys.platform == "win32", reason="sessions of POSIX")
async def test_a_locked_vault_that_nobody_can_open_is_found(vibedesk: Program, lab: OpenAI) -> None:
    await added(vibedesk)
    status, vault = await found(vibedesk, "vault", {"VIBEDESK_PASSPHRASE_FILE": ""})
    assert (status, vault["ok"]) == (1, False), vault
    assert "locked" in vault["message"]
    assert "VIBEDESK_PASSPHRASE_FILE" in vault["fix"]


@pytest.fixture
def file_as_home(tmp_path: Path) -> Path:
    """No folder can be made there, by nobody."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "home"


async def test_a_home_that_cannot_be_written_is_a_finding(vibedesk: Program, file_as_home: Path) -> None:
    environ = {"VIBEDESK_HOME": str(file_as_home)}
    status, config = await found(vibedesk, "config", environ)
    assert (status, config["ok"]) == (1, False)
    assert str(file_as_home) in config["message"]
    assert "VIBEDESK_HOME" in config["fix"]
    status, start = await found(vibedesk, "start", environ)
    assert (status, start["ok"]) == (1, False)
    assert "cannot be used" in start["message"]
    assert "VIBEDESK_HOME to another folder" in start["fix"]
    assert (await found(vibedesk, "version", environ))[1]["ok"]


@pytest.mark.skipif(not Path("/usr/bin/setpriv").exists(), reason="root may write everywhere else")
def test_a_home_that_is_closed_to_writing_says_how_to_open_it(vibedesk: Program) -> None:
    program = [sys.executable, "-m", "vibedesk"]
    subprocess.run([*program, "keys", "list"], cwd=vibedesk.cwd, env=vibedesk.environ, check=True)
    folders = [vibedesk.home / name for name in ("config", "data", "cache", "logs")]
    for path in [*folders, folders[1] / "vibedesk.db"]:
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        words = ["/usr/bin/setpriv", "--bounding-set=-dac_override", *program, "doctor"]
        ended = subprocess.run(words, cwd=vibedesk.cwd, env=vibedesk.environ, capture_output=True, text=True)
    finally:
        for path in folders:
            path.chmod(0o700)
    assert ended.returncode == 1
    assert f"chmod u+w {folders[0]}" in ended.stdout
    assert f"{folders[1] / 'vibedesk.db'} cannot be used" in ended.stdout
    assert ended.stderr == ""


async def test_every_command_says_what_to_do_about_a_home_that_cannot_be_written(
    vibedesk: Program, file_as_home: Path
) -> None:
    for words in (["keys", "list"], ["ask", "-m", "demo/fast", "Hi"]):
        ended = await vibedesk(*words, environ={"VIBEDESK_HOME": str(file_as_home)})
        assert ended.status == 1
        assert len(ended.err.splitlines()) == 1
        assert "Make it writable, or set VIBEDESK_HOME to another folder." in ended.err


@pytest.mark.skipif(sys.platform == "win32", reason="a folder that is worked in stays there")
@pytest.mark.parametrize("command", ["keys list", "doctor"])
def test_a_working_folder_that_was_deleted_is_named(vibedesk: Program, command: str) -> None:
    script = f'rmdir "$PWD" && exec "{sys.executable}" -P -m vibedesk {command}'
    ended = subprocess.run(
        ["/bin/sh", "-c", script], cwd=vibedesk.cwd, env=vibedesk.environ, capture_output=True, text=True
    )
    assert ended.returncode == 1
    said = ended.stdout + ended.stderr
    assert "The working folder cannot be used: No such file or directory." in said
    assert "Change to another one" in said
