"""A TOML file that people edit while the program runs: last good state, one-sentence problems, comments kept."""

from __future__ import annotations

import re
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vibedesk.engine.errors import Misconfigured
from vibedesk.store.paths import make_private_folder, write_whole

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

LARGEST = 1 << 20
Signature = tuple[int, int, int] | None


class Document:
    """`tables` is what the file said when it could last be read; a file that is not there says nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tables: dict[str, Any] = {}
        self.text = ""
        self._seen: Signature | bool = False
        self._lock = threading.RLock()

    def changed(self) -> bool:
        """Whether the file is another one than was last read or written. One `stat`, no reading."""
        return self._signature() != self._seen

    def read(self) -> str:
        """Reads the file again. Gives the problem in one sentence, or "": then `tables` is new."""
        with self._lock:
            self._seen = self._signature()
            try:
                self.text = self._read_text()
                self.tables = tomllib.loads(self.text)
            except FileNotFoundError:
                self.text, self.tables = "", {}
            except (OSError, UnicodeDecodeError, ValueError) as problem:
                return f"{self.path.name} could not be read: {_in_words(problem)}."
            return ""

    def edit(self, change: Callable[[TOMLDocument], None]) -> None:
        """Applies `change` to what the file says now and writes it whole; what `change` leaves alone stays as typed.

        Raises `Misconfigured` where the file has an error (a person is editing it) or cannot be written.
        """
        with self._lock:
            import tomlkit

            document = tomlkit.parse(self.sound_text())
            change(document)
            self._write(tomlkit.dumps(document))

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Like `edit`, for a change to the text itself."""
        with self._lock:
            self._write(change(self.sound_text()))

    def sound_text(self) -> str:
        """What the file says now, read again. Raises `Misconfigured` where it has an error."""
        problem = self.read()
        if problem:
            raise Misconfigured(f"{problem} Nothing was saved.", file=self.path.name)
        return self.text

    def line_of(self, table: tuple[str, ...], field: str = "") -> int | None:
        """The line (from 1) where `field` of `[table]` stands, or the table's own; None = not found."""
        wanted = re.compile(rf"""\s*["']?{re.escape(field)}["']?\s*=""")
        here: tuple[str, ...] = ()
        found = None
        for number, line in enumerate(self.text.split("\n"), 1):
            if path := table_path(line):
                here = path
                found = number if path == table else found
            elif field and here == table and wanted.match(line):
                return number
        return found

    def _write(self, text: str) -> None:
        try:
            make_private_folder(self.path.parent)
            write_whole(self.path.resolve(), text.encode())
        except OSError as problem:
            raise Misconfigured(
                f"{self.path.name} could not be written: {_in_words(problem)}.", file=self.path.name
            ) from problem
        self.text, self.tables = text, tomllib.loads(text)
        self._seen = self._signature()

    def _read_text(self) -> str:
        if not self.path.is_file():
            if self.path.exists():
                raise ValueError("it is not a regular file")
            raise FileNotFoundError(self.path)
        if self.path.stat().st_size > LARGEST:
            raise ValueError("it is larger than 1 MiB")
        return self.path.read_bytes().decode("utf-8-sig")

    def _signature(self) -> Signature:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino


def table_path(line: str) -> tuple[str, ...]:
    """`[routes."a b"]  # mine` → ("routes", "a b"); () for a line that is no table's header."""
    if not line.lstrip().startswith("[") or line.lstrip().startswith("[["):
        return ()
    try:
        inner: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(inner, dict) and inner:
        [(name, inner)] = inner.items()
        path.append(name)
    return tuple(path)


def _in_words(problem: Exception) -> str:
    match problem:
        case UnicodeDecodeError():
            return f"byte {problem.start} is not UTF-8"
        case OSError():
            return (problem.strerror or type(problem).__name__).lower()
        case _:
            said = re.sub(r"\(at (line \d+), (column \d+)\)$", r"in \1, \2", str(problem))
            return said[:1].lower() + said[1:]
