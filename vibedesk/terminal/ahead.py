"""Qt's libraries and the font list loaded ahead, in a thread, while Python reads the modules that will ask for them.

The system's loader and fontconfig need no interpreter: what they do in 20 ms on another core is not waited for later.
Whatever cannot be loaded here is left to those who need it, and told by them.
"""

from __future__ import annotations

import ctypes
import os
import random  # noqa: F401  with the next, nearly all small libraries that PySide's own modules load: the loader
import sys
import zipfile  # noqa: F401  does one at a time, and they would wait for the large ones
from threading import Thread

LIBRARIES = (
    "Qt/lib/libQt6Widgets.so.6",
    "Qt/plugins/platforms/libq{platform}.so",
    "QtCore.abi3.so",
    "QtGui.abi3.so",
    "QtWidgets.abi3.so",
)
"""In the package's folder. Qt as a distribution installs it is elsewhere, and is not loaded ahead."""


def load(package: str, platform: str) -> Thread | None:
    """Begins to load what a window on `platform` ("xcb", "wayland", …) needs; None where that is not done."""
    if not sys.platform.startswith("linux"):
        return None
    libraries = [os.path.join(package, library.format(platform=platform)) for library in LIBRARIES]
    thread = Thread(target=_load, args=(libraries,), name="libraries", daemon=True)
    thread.start()
    return thread


def _load(libraries: list[str]) -> None:
    program = ctypes.CDLL(None)
    for library in libraries:  # by the loader itself: `CDLL` would hold the interpreter meanwhile
        program.dlopen(os.fsencode(library), os.RTLD_NOW)
    try:
        ctypes.CDLL("libfontconfig.so.1").FcInit()
    except (OSError, AttributeError):
        return
