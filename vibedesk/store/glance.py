"""What the first frame needs to know, read from three small files before anything else is imported or opened."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from vibedesk.store.paths import Paths, make_private_folder, write_whole
from vibedesk.store.settings import Settings

FrontPage = Literal["welcome", "playground", ""]


class Glance:
    """The settings as they stand, and the window as it was left. No file of these is written before `keep_…`."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self.settings = Settings(paths.settings)

    @property
    def lanes(self) -> int:
        """How many lanes the playground begins with."""
        return max(1, len(self.settings.get("lanes.last")))

    def page(self) -> FrontPage:
        """The page a start begins with: "welcome" while there is neither a key nor a conversation, as the last sitting
        left it; "" where that cannot be known without opening the database (a terminal has written to it since)."""
        kept = _read(self._paths.front)
        if kept == b"playground":
            return "playground"
        written = max(map(_written, self._databases()), default=0)
        if not written:
            return "welcome"
        return "welcome" if kept == b"welcome" and written <= _written(self._paths.front) else ""

    def keep_page(self, page: FrontPage) -> None:
        """Remembers it for the next start; called once the database is closed."""
        self._keep(self._paths.front, page.encode())

    def window_geometry(self) -> bytes:
        """Size and place of the window when it was last closed, b"" before the first time."""
        return _read(self._paths.window)

    def keep_window_geometry(self, geometry: bytes) -> None:
        self._keep(self._paths.window, geometry)

    def _databases(self) -> list[Path]:
        database = self._paths.database
        return [path for path in (database, database.with_name(f"{database.name}-wal")) if path.is_file()]

    def _keep(self, path: Path, data: bytes) -> None:
        """A folder that cannot be written is no reason to complain on closing."""
        try:
            make_private_folder(path.parent)
            write_whole(path, data)
        except OSError:
            return


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _written(path: Path) -> int:
    """When, in nanoseconds; 0 = never."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
