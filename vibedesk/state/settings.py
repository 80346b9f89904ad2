"""The settings as the screen sees them, and where things are kept."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.types import Gateway


class Place(Struct, frozen=True):
    """A folder or file of the program, and what stands in it."""

    title: str
    path: str
    text: str


class Settings(QObject):
    """`changed(key)` after a value was written or read anew; `refused(sentence)` when one would not do."""

    changed = Signal(str)
    refused = Signal(str)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk

    def get(self, key: str) -> Any:
        """The value of a setting declared in `store.settings`."""
        return self._desk.settings.get(key)

    def set(self, key: str, value: object) -> bool:
        """Writes it at once; False, and `refused`, when it will not do or cannot be written."""
        if self.get(key) == value:
            return True
        try:
            self._desk.settings.set(key, value)
        except Misconfigured as error:
            self.refused.emit(error.detail)
            return False
        except OSError as error:
            self.refused.emit(f"The setting could not be written: {error.strerror or error}.")
            return False
        self.changed.emit(key)
        return True

    def reread(self) -> None:
        """The files changed on disk: everybody looks again."""
        self.changed.emit("")

    def add_folder(self, folder: str) -> bool:
        """One more folder whose .dev.vars and .env are read."""
        folders = list(self.get("keys.folders"))
        return self.set("keys.folders", folders if folder in folders else [*folders, folder])

    def remove_folder(self, folder: str) -> bool:
        return self.set("keys.folders", [kept for kept in self.get("keys.folders") if kept != folder])

    def gateway(self) -> Gateway | None:
        """The gateway as calls would use it now, None where something of it is missing."""
        return self._desk.keys.gateway()

    def key_files(self) -> tuple[str, ...]:
        """Paths of the .dev.vars and .env files that hold keys."""
        return tuple(str(path) for path in self._desk.environment.files_with_keys)

    def places(self) -> tuple[Place, ...]:
        """Where things are kept."""
        paths = self._desk.paths
        return (
            Place(
                "Settings",
                str(paths.config),
                "settings.toml, providers.toml, routes.toml: plain, editable while open",
            ),
            Place("Data", str(paths.data), "Conversations, ledger, labels of keys. No secret, ever"),
            Place("Cache", str(paths.cache), "The providers’ own lists of models. May be deleted"),
            Place("Logs", str(paths.logs), "What went wrong, with keys taken out"),
        )
