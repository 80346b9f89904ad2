"""The window from the terminal: opened where it can be, one sentence where it cannot. Qt is looked at, not imported."""

from __future__ import annotations

import gc
import importlib.util
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vibedesk.store.paths import Paths
from vibedesk.store.sole import Sole
from vibedesk.terminal import ahead

if TYPE_CHECKING:
    from socket import AddressFamily

_OFFER = "vibedesk ask, keys and models work here (vibedesk --help)"


def open_window(argv: Sequence[str]) -> int:
    """Opens the window and waits for its end; 1, and why, where there can be none."""
    gc.disable()  # until the window is painted: nothing of what is imported is garbage
    try:
        problem = display_problem(os.environ)
        place = Sole(Paths.find(os.environ))
        if not problem and not place.take():
            place.call()
            print("VibeDesk is open already; its window was asked to come to the front.")
            return 0
        if not problem:
            _import_front()
            problem = qt_problem(os.environ)
        if problem:
            print(f"vibedesk: {problem}; without a window {_OFFER}.", file=sys.stderr)
            return 1
        from vibedesk.front import main

        return main(list(argv))
    finally:
        gc.enable()


def _import_front() -> None:
    """Imports the window's modules while the libraries they need are loaded. Why it failed is found out afterwards."""
    package = _package()
    if package:
        ahead.load(package, _platform(os.environ))
    with suppress(ImportError):
        import vibedesk.front  # noqa: F401


def display_problem(environ: Mapping[str, str]) -> str:
    """Why no window can be shown here, "" where one can. Qt would abort the program instead of saying it."""
    if not sys.platform.startswith("linux") or environ.get("QT_QPA_PLATFORM"):
        return ""
    wayland, x11 = environ.get("WAYLAND_DISPLAY", ""), environ.get("DISPLAY", "")
    if not wayland and not x11:
        return "there is no display for a window"
    if (wayland and _answers_wayland(wayland, environ)) or (x11 and _answers_x11(x11)):
        return ""
    return f"the display {wayland or x11} does not answer"


def qt_problem(environ: Mapping[str, str]) -> str:
    """Why Qt cannot start, "" where it can: its packages, or a system library that it needs."""
    package = _package()
    if not package:
        return "PySide6 is not installed (pip install PySide6-Essentials)"
    if not sys.platform.startswith("linux"):
        return ""
    return _missing_library(Path(package), _platform(environ))


def _package() -> str:
    """The folder of PySide6, "" where it is not installed."""
    spec = importlib.util.find_spec("PySide6")
    return spec.submodule_search_locations[0] if spec and spec.submodule_search_locations else ""


def _platform(environ: Mapping[str, str]) -> str:
    return environ.get("QT_QPA_PLATFORM", "").partition(":")[0].partition(";")[0] or "xcb"


def _missing_library(package: Path, platform: str) -> str:
    """Loads what the window loads first: a library that is not there is named by the loader."""
    import ctypes

    for library in (package / "Qt/lib/libQt6Gui.so.6", package / f"Qt/plugins/platforms/libq{platform}.so"):
        if not library.exists():
            continue  # Qt as the distribution installs it: its packages see to the libraries
        try:
            ctypes.CDLL(str(library))
        except OSError as problem:
            named = re.match(r"(lib\S+?\.so\S*):", str(problem))
            missing = named[1] if named else library.name
            return f"Qt needs the system library {missing} (./packaging/run installs it on Debian and Ubuntu)"
    return ""


def _answers_wayland(display: str, environ: Mapping[str, str]) -> bool:
    from socket import AF_UNIX

    return _answers(AF_UNIX, str(Path(environ.get("XDG_RUNTIME_DIR", "/nowhere"), display)))


def _answers_x11(display: str) -> bool:
    """`:1`, `unix:1.0`, `host:10`: the server's socket, as a file, by its abstract name, or over TCP."""
    found = re.fullmatch(r"(?:[a-z]+/)?(?P<host>.*?):(?P<number>\d+)(?:\.\d+)?", display)
    if found is None:
        return False
    import socket

    path = f"/tmp/.X11-unix/X{found['number']}"
    if found["host"] in ("", "unix"):
        return _answers(socket.AF_UNIX, path) or _answers(socket.AF_UNIX, f"\0{path}")
    return _answers(socket.AF_INET, (found["host"], 6000 + int(found["number"])))


def _answers(family: AddressFamily, address: str | tuple[str, int]) -> bool:
    import socket

    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(3.0)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True
