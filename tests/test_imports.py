"""Python's own import is back in its place once the window's code is there, and stays there."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(importlib.util.find_spec("PySide6") is None, reason="Qt is not installed")

LOOK = """
import builtins, linecache
from PySide6 import QtCore
theirs = builtins.__import__
import colorsys
assert colorsys.__file__ in linecache.cache, "PySide no longer reads what is imported: nothing is to be put back"
import vibedesk.imports
assert builtins.__import__ is not theirs
assert not vibedesk.imports.put_back(), "put back twice"
from PySide6 import QtGui, QtWidgets
import sndhdr as later
assert later.__file__ not in linecache.cache
names = {}
exec("from PySide6.QtCore import *", names)
assert names["QPoint"](1, 2).x() == 1
try:
    QtCore.QPoint("x")
except TypeError as error:
    assert "QPoint" in str(error), error
"""


def test_what_is_imported_is_read_by_nobody_and_qt_is_as_before() -> None:
    command = [sys.executable, "-W", "ignore", "-c", LOOK]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_import_that_somebody_else_put_there_is_left_alone() -> None:
    ours = LOOK.partition("import vibedesk.imports")[0] + (
        "mine = lambda *words, **named: theirs(*words, **named)\n"
        "builtins.__import__ = mine\n"
        "import vibedesk.imports\n"
        "assert builtins.__import__ is mine\n"
    )
    done = subprocess.run([sys.executable, "-c", ours], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
