"""The first frame: the right page, before anything it does not show is imported, and nothing moves afterwards."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(importlib.util.find_spec("PySide6") is None, reason="Qt is not installed")

LATER = {
    "tomllib",
    "msgspec",
    "httpx",
    "keyring",
    "sqlite3",
    "cryptography",
    "markdown_it",
    "pygments",
    "qtawesome",
    "asyncio",
    "qasync",
    "pydantic",
    "numpy",
    "dataclasses",
    "platformdirs",
    "PySide6.QtNetwork",
    "PySide6.QtSvg",
    "vibedesk.app",
    "vibedesk.desk",
    "vibedesk.engine.pricing",
    "vibedesk.engine.catalog",
    "vibedesk.engine.errors",
    "vibedesk.store.settings",
    "vibedesk.store.database",
}

OURS = {
    "vibedesk",
    "vibedesk.front",
    "vibedesk.imports",
    "vibedesk.state",
    "vibedesk.state.notices",
    "vibedesk.store",
    "vibedesk.store.glance",
    "vibedesk.store.paths",
    "vibedesk.store.sole",
    "vibedesk.terminal",
    "vibedesk.terminal.ahead",
    "vibedesk.terminal.window",
    "vibedesk.ui",
    "vibedesk.ui.composer",
    "vibedesk.ui.harmless",
    "vibedesk.ui.stage",
    "vibedesk.ui.strip",
    "vibedesk.ui.theme",
    "vibedesk.ui.trouble",  # this test's own: it watches it
    "vibedesk.ui.widgets",
    "vibedesk.ui.window",
}
"""All that a playground's first frame is made of."""

WATCH = """
import json, sys
from PySide6 import QtWidgets
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from PySide6.QtTest import QTest
from vibedesk import front
from vibedesk.ui import harmless
when, seen = sys.argv[1], {}

def look(window, stage):
    page = window.stack.currentWidget()
    composer = stage and stage.composer
    if composer is None:
        return [type(page).__name__]
    corner = composer.mapTo(window, composer.rect().topLeft())
    return [type(page).__name__, composer.isVisible(), list(corner.toTuple()), list(composer.size().toTuple())]

painted, filled = front.Front.paint, front.Front.fill

def paint(self):
    painted(self)
    seen["modules"] = sorted(sys.modules)
    seen["style"] = "QStyle" in vars(QtWidgets)
    seen["tables"] = harmless._prose.cache_info().currsize
    seen["icon"] = not QApplication.windowIcon().isNull()
    seen["first"] = look(self.window, self.stage)
    if self.stage:
        QTest.keyClicks(self.stage.composer.words, "typed early")
    if when == "at once":
        self.window.close()
    elif when == "while it opens":
        QTimer.singleShot(0, self.window, self.window.close)
    else:
        self.late = QTimer.singleShot(20_000, self.window, self.window.close)

def fill(self, page):
    filled(self, page)
    seen["then"] = look(self.window, self.stage)
    seen["current"] = self.window.current_page()
    seen["icon then"] = not QApplication.windowIcon().isNull()
    if self.stage:
        seen["text"] = self.stage.composer.text()
        seen["focus"] = self.window.focusWidget() is self.stage.composer.words
    QTimer.singleShot(100, self.window, self.window.close)

front.Front.paint, front.Front.fill = paint, fill
from vibedesk.ui import trouble
told = trouble.TroublePage.__init__
def init(self, sentence, fix):
    told(self, sentence, fix)
    seen["told"] = [sentence, fix]
    QTimer.singleShot(100, self, self.quit.click)
trouble.TroublePage.__init__ = init
sys.argv = ["vibedesk"]
from vibedesk.terminal import main
seen["status"] = main([])
seen["at the end"] = sorted(sys.modules)
import linecache
seen["read"] = sorted(linecache.cache)
print(json.dumps(seen))
"""


def start(home: Path, when: str = "filled") -> dict[str, Any]:
    """One start in a process of its own; what was seen of it."""
    environ = {
        **os.environ,
        "VIBEDESK_HOME": str(home),
        "VIBEDESK_VAULT": "file",
        "QT_QPA_PLATFORM": "offscreen",
    }
    command = [sys.executable, "-c", WATCH, when]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120)
    lines = [line for line in done.stderr.splitlines() if "This plugin does not support" not in line]
    assert (done.returncode, lines) == (0, []), done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["status"] == 0
    return seen


def left_in(home: Path, page: str) -> None:
    """As if the last sitting had ended on this page."""
    (home / "cache").mkdir(parents=True, exist_ok=True)
    (home / "cache" / "front").write_text(page)


def test_a_first_start_shows_the_cards_from_the_first_frame_on(tmp_path: Path) -> None:
    first_of_all: set[str] = {"tomllib", "vibedesk.engine.errors", "vibedesk.store.settings"}
    for _ in range(2):  # nothing was done: the second start is a first one too
        seen = start(tmp_path)
        assert seen["first"][0] == seen["then"][0] == "WelcomePage"
        assert not (LATER - first_of_all) & set(seen["modules"])
        first_of_all = set[str]()


def test_a_later_start_shows_the_playground_and_nothing_moves_or_is_lost(tmp_path: Path) -> None:
    start(tmp_path)  # leaves behind what the settings say of the first frame
    left_in(tmp_path, "playground")
    seen = start(tmp_path)
    assert not LATER & set(seen["modules"])
    assert {name for name in seen["modules"] if name.split(".")[0] == "vibedesk"} == OURS
    assert seen["tables"] == 0, "the tables of foreign glyphs were made before the first frame"
    assert (seen["first"][0], seen["then"][0]) == ("Stage", "PlaygroundPage")
    assert seen["first"][1:] == seen["then"][1:]
    assert seen["then"][1], "the composer is still to be seen"
    assert not seen["style"], "Qt's style was handed out before the first frame"
    assert (seen["icon"], seen["icon then"]) == (False, True)
    assert not [file for file in seen["read"] if "/vibedesk/state/" in file], "PySide read the sources"
    assert "PySide6.QtNetwork" not in seen["at the end"]
    assert seen["text"] == "typed early"
    assert seen["focus"]


@pytest.mark.parametrize("when", ["at once", "while it opens"])
def test_it_can_be_closed_while_it_starts(tmp_path: Path, when: str) -> None:
    left_in(tmp_path, "playground")
    assert "then" not in start(tmp_path, when)


def test_a_folder_that_cannot_be_used_is_told_in_the_window(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sentence, fix = start(tmp_path / "file" / "home")["told"]
    assert "file" in sentence
    assert "VIBEDESK_HOME" in fix


def test_a_database_from_the_future_is_told_in_the_window(tmp_path: Path) -> None:
    import sqlite3

    start(tmp_path)
    connection = sqlite3.connect(tmp_path / "data" / "vibedesk.db")
    connection.execute("PRAGMA user_version = 9999")
    connection.commit()
    connection.close()
    assert "newer" in start(tmp_path)["told"][0]


def test_settings_that_cannot_be_read_do_not_hold_the_start_up(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir(mode=0o700)
    (tmp_path / "config" / "settings.toml").write_text("[appearance\n")
    assert start(tmp_path)["current"] == "welcome"
