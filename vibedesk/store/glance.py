"""What the first frame needs to know, read from three small files before anything else is imported or opened."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from vibedesk import __version__
from vibedesk.store.paths import Paths, make_private_folder, write_whole

FrontPage = Literal["welcome", "playground", ""]


class Shown(NamedTuple):
    """What the settings say of the first frame. `lanes`: how many the playground begins with, one at least."""

    theme: str
    enter_sends: bool
    lanes: int


class Glance:
    """The settings as they stand, and the window as it was left. No file of these is written before `keep_…`.

    What the settings say is kept beside them in one line, which holds while their file is the same: reading TOML takes
    longer than everything else here.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self.shown = self._kept() or self._read_settings()

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
        self._keep(self._paths.shown, _line(self._signature(), self._read_settings()))

    def window_geometry(self) -> bytes:
        """Size and place of the window when it was last closed, b"" before the first time."""
        return _read(self._paths.window)

    def keep_window_geometry(self, geometry: bytes) -> None:
        self._keep(self._paths.window, geometry)

    def _kept(self) -> Shown | None:
        """None where the line is of other settings or another version, damaged or not there."""
        words = _read(self._paths.shown).decode("ascii", "replace").split(" ")
        if len(words) != 6 or words[-1] not in ("1", "2", "3", "4", "5", "6", "7", "8"):
            return None
        kept = Shown(words[3], words[4] == "enter", int(words[5]))
        sound = kept.theme in ("system", "light", "dark") and words == _words(self._signature(), kept)
        return kept if sound else None

    def _read_settings(self) -> Shown:
        from vibedesk.store.settings import Settings

        settings = Settings(self._paths.settings)
        lanes = min(8, max(1, len(settings.get("lanes.last"))))
        return Shown(settings.get("appearance.theme"), settings.get("composer.enter_sends"), lanes)

    def _signature(self) -> str:
        """Of the settings' file as it is; "-" = there is none."""
        try:
            stat = self._paths.settings.stat()
        except OSError:
            return "-"
        return f"{stat.st_mtime_ns}/{stat.st_size}/{stat.st_ino}"

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


def _words(signature: str, shown: Shown) -> list[str]:
    enter = "enter" if shown.enter_sends else "control-enter"
    return ["1", __version__, signature, shown.theme, enter, str(shown.lanes)]


def _line(signature: str, shown: Shown) -> bytes:
    return " ".join(_words(signature, shown)).encode()


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
