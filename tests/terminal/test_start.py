"""Starting: without Qt, quickly, and with one sentence where something is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal.program import ROOT, Program
from vibedesk import __version__

HEAVY = ("httpx", "cryptography", "keyring", "sqlite3", "msgspec")


def modules_after(code: str, home: Path) -> set[str]:
    """What is loaded once `code` has run in a fresh interpreter."""
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys, json; print('\\n' + json.dumps(sorted(sys.modules)))"],
        cwd=ROOT,
        env={"VIBEDESK_HOME": str(home), "VIBEDESK_VAULT": "file", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(told.stdout.splitlines()[-1]))


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = "from vibedesk.terminal import main\ntry: main(['ask', '--help'])\nexcept SystemExit: pass"
    loaded = modules_after(code, tmp_path)
    assert loaded.isdisjoint(HEAVY)
    assert "PySide6" not in loaded


@pytest.mark.parametrize(
    "words", [["ask", "-m", "demo/fast", "Hi"], ["doctor"], ["keys", "list"], ["models"]]
)
def test_no_command_loads_qt(tmp_path: Path, words: list[str]) -> None:
    loaded = modules_after(f"from vibedesk.terminal import main\nmain({words!r})", tmp_path)
    assert not {module for module in loaded if module.startswith(("PySide6", "shiboken6", "qasync"))}
    assert "vibedesk.store.database" in loaded


def test_what_only_lists_loads_no_network(tmp_path: Path) -> None:
    assert "httpx" not in modules_after(
        "from vibedesk.terminal import main\nmain(['keys', 'list'])", tmp_path
    )


async def test_the_version_is_the_package_s(vibedesk: Program) -> None:
    ended = await vibedesk("--version")
    assert (ended.status, ended.out) == (0, f"vibedesk {__version__}\n")


async def test_help_names_every_command(vibedesk: Program) -> None:
    ended = await vibedesk("--help")
    assert ended.status == 0
    for command in ("ask", "keys", "models", "routes", "usage", "doctor"):
        assert f"    {command}" in ended.out


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only here a display can be missing")
@pytest.mark.parametrize("display", ["", ":987"])
async def test_without_a_display_one_sentence_offers_the_terminal(vibedesk: Program, display: str) -> None:
    ended = await vibedesk(environ={"DISPLAY": display, "WAYLAND_DISPLAY": ""})
    assert ended.status == 1
    assert len(ended.err.splitlines()) == 1
    assert "display" in ended.err
    assert "vibedesk ask" in ended.err


async def test_a_home_that_cannot_be_made_is_told_in_one_sentence(vibedesk: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = await vibedesk("keys", "list", environ={"VIBEDESK_HOME": str(tmp_path / "file" / "home")})
    assert ended.status == 1
    assert len(ended.err.splitlines()) == 1


async def test_a_newer_database_is_left_alone(vibedesk: Program) -> None:
    import sqlite3

    await vibedesk("keys", "list")
    database = vibedesk.home / "data" / "vibedesk.db"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 9999")
    connection.commit()
    connection.close()
    before = database.read_bytes()
    ended = await vibedesk("usage")
    assert ended.status == 1
    assert "newer" in ended.err
    assert database.read_bytes() == before


async def test_no_colour_reaches_a_pipe(vibedesk: Program) -> None:
    assert "\x1b" not in (await vibedesk("doctor", environ={"TERM": "xterm-256color"})).out


async def test_a_faulty_file_is_named_and_the_rest_works(vibedesk: Program) -> None:
    vibedesk.write("providers.toml", "[providers.lab\n")
    vibedesk.write("routes.toml", "[routes.x]\nname = 3\n")
    ended = await vibedesk("models", "--provider", "groq", "--json")
    assert ended.status == 0
    assert "providers.toml" in ended.err
    assert "routes.toml" in ended.err
    assert ended.json
    assert (await vibedesk("doctor")).status == 1


@pytest.mark.skipif(sys.platform == "win32", reason="streams are closed so by a POSIX shell")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize("words", ["models", "ask -m demo/quick hi", "ask -m demo/quick -", "keys add groq"])
def test_a_stream_that_was_closed_is_no_crash(vibedesk: Program, words: str, closed: str) -> None:
    ended = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m vibedesk {words} {closed}'],
        cwd=vibedesk.cwd,
        env=dict(vibedesk.environ),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in ended.stderr
    assert "unexpected" not in ended.stderr
    logs = vibedesk.home / "logs"
    assert not any("Traceback" in log.read_text(encoding="utf-8") for log in logs.glob("*.log"))


@pytest.mark.parametrize("words", [["ask", "--help"], ["keys", "check", "--help"], ["--help"]])
async def test_help_can_be_written_where_there_is_no_utf_8(vibedesk: Program, words: list[str]) -> None:
    ended = await vibedesk(*words, environ={"PYTHONIOENCODING": "ascii"})
    assert ended.status == 0


async def test_an_option_that_takes_no_value_does_not_repeat_it(vibedesk: Program) -> None:
    ended = await vibedesk("keys", "add", "groq", "--json=sk-verysecret123")
    assert ended.status == 2
    assert "sk-verysecret123" not in ended.out + ended.err
    assert "--json takes no value" in ended.err
    assert "surplus" not in (await vibedesk("keys", "add")).err


async def test_foreign_text_does_not_steer_the_terminal(vibedesk: Program) -> None:
    name = "a\\u001b]0;pwn\\u0007\\u001b[2Jb\\ufdd0[31mc"
    route = f'[routes."{name}"]\nname = "demo/quick"\n'
    (vibedesk.cwd / "routes.toml").write_text(route, encoding="utf-8")
    for words in (("routes", "import", "routes.toml"), ("routes", "list")):
        ended = await vibedesk(*words)
        assert "b" in ended.out
        assert not {"\x1b", "\x07"} & set(ended.out + ended.err)
    ended = await vibedesk("ask", "-r", "a\x1b]0;pwn\x07\x1b[2Jb\ufdd0[31mc", "Hi", environ={"TERM": "xterm"})
    assert ended.status == 0
    assert not {"\x1b", "\x07"} & set(ended.out + ended.err)
