"""Importing the program is quiet: no socket, no other process, no file written."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HAS_QT = importlib.util.find_spec("PySide6") is not None

IMPORT_ALL_AND_WATCH = """
import importlib, os, sys
noisy = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.mkdir", "os.remove",
         "os.rename", "shutil.", "tempfile.", "sqlite3.connect")
heard = []

def listen(event, arguments):
    if event.startswith(noisy):
        heard.append(f"{event} {arguments!r}")
    elif event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        heard.append(f"{event} {arguments!r}")

sys.addaudithook(listen)
for name in sys.argv[1:]:
    importlib.import_module(name)
print("\\n".join(heard), end="")
"""


def modules() -> list[str]:
    """Every module of the program; where Qt is not installed, of the floors below it."""
    above = ("vibedesk.state", "vibedesk.ui", "vibedesk.app", "vibedesk.loop", "vibedesk.front")
    found = []
    for path in sorted((ROOT / "vibedesk").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if parts[-1] != "__main__" and (HAS_QT or not name.startswith(above)):
            found.append(name)
    return found


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "-W", "error", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_importing_everything_opens_no_socket_starts_no_process_and_writes_no_file() -> None:
    names = modules()
    assert {"vibedesk.engine.types", "vibedesk.engine.errors"} <= set(names)
    imported = run("-c", IMPORT_ALL_AND_WATCH, *names)
    assert imported.stderr == ""
    assert imported.stdout == ""
    assert imported.returncode == 0


@pytest.mark.skipif(not HAS_QT, reason="Qt is not installed: it cannot be loaded by mistake")
@pytest.mark.parametrize("room", ["engine", "store", "terminal", "desk", "wording"])
def test_what_stands_below_the_screen_does_not_load_qt(room: str) -> None:
    names = [name for name in modules() if name.startswith(f"vibedesk.{room}")]
    assert names
    script = "import sys; [__import__(name) for name in sys.argv[1:]]; print('PySide6' in sys.modules)"
    imported = run("-c", script, *names)
    assert (imported.stdout.strip(), imported.stderr) == ("False", "")
