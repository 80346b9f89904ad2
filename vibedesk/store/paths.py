"""Where things are kept: the four folders, the bundled resources, and the one careful way to write a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

FOLDER_MODE = 0o700
FILE_MODE = 0o600


class Paths(NamedTuple):
    """The folders the app writes to, and no others. `create` makes them; nothing else does."""

    config: Path
    data: Path
    cache: Path
    logs: Path

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> Paths:
        """`VIBEDESK_HOME` and its four folders where it is set, else the platform's own folders."""
        home = environ.get("VIBEDESK_HOME", "").strip()
        if home:
            root = Path(home).expanduser().absolute()
            return cls(root / "config", root / "data", root / "cache", root / "logs")
        from platformdirs import PlatformDirs

        dirs = PlatformDirs("vibedesk", appauthor=False)
        return cls(dirs.user_config_path, dirs.user_data_path, dirs.user_cache_path, dirs.user_log_path)

    def create(self) -> None:
        """Makes the folders, readable by their owner alone. Raises `OSError` where that cannot be done."""
        for folder in (self.config, self.data, self.cache, self.logs):
            make_private_folder(folder)

    @property
    def front(self) -> Path:
        """What the next start shows first (see `store.glance`)."""
        return self.cache / "front"

    @property
    def shown(self) -> Path:
        """What the settings say of the first frame (see `store.glance`)."""
        return self.cache / "shown"

    @property
    def window(self) -> Path:
        return self.cache / "window"

    @property
    def call(self) -> Path:
        """Written to by a second start, watched by the first (see `store.sole`)."""
        return self.data / "window.call"

    @property
    def database(self) -> Path:
        return self.data / "vibedesk.db"

    @property
    def vault(self) -> Path:
        return self.data / "vault"

    @property
    def settings(self) -> Path:
        return self.config / "settings.toml"

    @property
    def routes(self) -> Path:
        return self.config / "routes.toml"

    @property
    def prompts(self) -> Path:
        return self.config / "prompts.toml"

    @property
    def presets(self) -> Path:
        return self.config / "presets.toml"

    @property
    def providers(self) -> Path:
        return self.config / "providers.toml"


def make_private_folder(folder: Path) -> None:
    """`folder` and what is missing above it, mode 0700. An existing `folder` is closed to others too."""
    missing = [folder, *folder.parents]
    for path in reversed([path for path in missing if not path.exists()]):
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        folder.chmod(FOLDER_MODE)


def resources() -> Path:
    """The bundled catalog, themes and icons: of the frozen program, the installed package, or the checkout."""
    package = Path(__file__).resolve().parents[1]
    frozen = getattr(sys, "_MEIPASS", None)
    places = [
        package / "resources",
        package.parent / "resources",
        Path(sys.prefix, "share/vibedesk/resources"),
    ]
    if frozen:
        places.insert(0, Path(frozen, "resources"))
    for place in places:
        if (place / "catalog").is_dir():
            return place
    raise FileNotFoundError("the resources folder is missing: " + ", ".join(map(str, places)))


def write_whole(path: Path, data: bytes, mode: int = FILE_MODE) -> None:
    """Replaces `path` by `data`, all of it or nothing, also when the power fails meanwhile.

    Written beside it, flushed, renamed over it, and the folder flushed. Raises `OSError`; the old file then stands.
    """
    import secrets

    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(beside, flags, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
