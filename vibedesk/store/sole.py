"""One window at a time on a home: whoever comes second asks the first one to show itself."""

from __future__ import annotations

import os
from time import time_ns

from vibedesk.store.paths import FILE_MODE, Paths, make_private_folder


class Sole:
    """The place before the window of one home. It is free again when the program is gone, however it ended."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._lock = -1

    def take(self) -> bool:
        """False where somebody has it. Where nothing can be written nobody is kept out: the desk says what is wrong."""
        try:
            make_private_folder(self._paths.data)
            self._lock = _opened(self._paths.data / "window.lock")
            os.close(_opened(self._paths.call))
        except OSError:
            return True
        if _locked(self._lock):
            return True
        self.leave()
        return False

    def call(self) -> None:
        """Asks whoever has the place to come to the front: it watches this file."""
        file = _opened(self._paths.call)
        try:
            os.write(file, b"%020d\n" % time_ns())
        finally:
            os.close(file)

    def leave(self) -> None:
        """Lets the next one in."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _opened(path: os.PathLike[str]) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    return os.open(path, flags, FILE_MODE)


def _locked(file: int) -> bool:
    try:
        if os.name == "posix":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system that knows no locks
        return True
    return True
