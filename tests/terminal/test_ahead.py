"""Qt's libraries are loaded while Python imports, and nothing depends on it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.terminal.program import ROOT

LOADED = """
import sys
from pathlib import Path
from vibedesk.terminal import ahead
thread = ahead.load(sys.argv[1], "offscreen")
thread.join()
mapped = Path("/proc/self/maps").read_text()
print(*[name for name in ("libQt6Widgets", "libqoffscreen", "QtWidgets.abi3") if name in mapped])
assert not [module for module in sys.modules if module.startswith("PySide6")]
if len(sys.argv) > 2:
    from PySide6.QtCore import QThread
    from PySide6.QtWidgets import QApplication
    app = QApplication(["test"])
    print(QThread.isMainThread(), app.thread() is QThread.currentThread())
"""


def run(*words: str) -> list[str]:
    environ = {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", LOADED, *words]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="done on Linux alone")
@pytest.mark.skipif(find_spec("PySide6") is None, reason="Qt is not installed")
def test_the_libraries_are_there_before_anything_imports_them_and_qt_knows_its_thread() -> None:
    spec = find_spec("PySide6")
    assert spec is not None
    assert spec.submodule_search_locations
    package = spec.submodule_search_locations[0]
    if not Path(package, "Qt/lib/libQt6Widgets.so.6").exists():
        pytest.skip("Qt is the distribution's")
    assert run(package, "open") == ["libQt6Widgets libqoffscreen QtWidgets.abi3", "True True"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="done on Linux alone")
def test_libraries_that_are_not_there_are_nobody_s_trouble(tmp_path: Path) -> None:
    assert run(str(tmp_path)) == [""]
