"""Things by name in a TOML file that people edit: `[prompts.NAME]`, `[presets.NAME]`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from vibedesk.engine.errors import Misconfigured
from vibedesk.store.document import Document

LONGEST_NAME = 60
T = TypeVar("T")


class NamedTables(Generic[T]):
    """`read` makes a value of a name and its table, or raises ValueError with what is wrong ("text is a text").

    A table that is off is left out and told in `problems`, one sentence each; the others hold.
    """

    def __init__(self, path: Path, kind: str, read: Callable[[str, dict[str, Any]], T]) -> None:
        self._document = Document(path)
        self._kind, self._read = kind, read
        self._values: dict[str, T] = {}
        self.problems: tuple[str, ...] = ()
        self._seen = False

    def values(self) -> dict[str, T]:
        """By name, in the file's order; read again when the file was edited."""
        if not self._seen or self._document.changed():
            self._seen = True
            problem = self._document.read()
            if problem:
                self.problems = (problem,)
            else:
                self._take()
        return dict(self._values)

    def save(self, name: str, table: dict[str, Any], replacing: str = "") -> None:
        """Writes `table` under `name`; `replacing` is the name it had. Raises `Misconfigured` with a sentence."""
        name = " ".join(name.split())
        if not name:
            raise Misconfigured("It needs a name.")
        if len(name) > LONGEST_NAME:
            raise Misconfigured(f"A name has {LONGEST_NAME} characters at most.")
        try:
            self._read(name, table)
        except ValueError as exc:
            raise Misconfigured(f"{name}: {exc}.") from exc
        if name != replacing and name in self.values():
            raise Misconfigured(f"“{name}” is there already.")
        self._document.edit(lambda document: self._put(document, name, table, replacing))
        self._take()

    def remove(self, name: str) -> None:
        """Takes it out of the file; one that is not there is no error. Raises `Misconfigured`."""
        self._document.edit(lambda document: document.get(self._kind, {}).pop(name, None))
        self._take()

    def _put(self, document: Any, name: str, table: dict[str, Any], replacing: str) -> None:
        import tomlkit

        tables = document.setdefault(self._kind, tomlkit.table(is_super_table=True))
        if replacing and replacing != name:
            tables.pop(replacing, None)
        written = tables.setdefault(name, tomlkit.table())
        for field in [field for field in written if field not in table]:
            del written[field]
        for field, value in table.items():
            if written.get(field) != value:
                written[field] = _spelled(value)

    def _take(self) -> None:
        tables = self._document.tables.get(self._kind, {})
        values, problems = {}, []
        for name, table in tables.items() if isinstance(tables, dict) else ():
            try:
                if not isinstance(table, dict):
                    raise ValueError("it is written as a table")
                values[name] = self._read(name, table)
            except ValueError as exc:
                problems.append(f"{self._document.path.name}: {name}: {exc}.")
        self._values, self.problems = values, tuple(problems)


def _spelled(value: object) -> Any:
    """A text of several lines stands in the file as lines, where it then says the same."""
    import tomlkit

    if isinstance(value, str) and "\n" in value and "\r" not in value:
        lines = tomlkit.string(value, multiline=True)
        if tomllib.loads(f"a = {lines.as_string()}")["a"] == value:
            return lines
    return value
