"""The one SQLite file: conversations, the ledger, what is known of keys. No secret, ever."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from vibedesk.store.paths import FILE_MODE, make_private_folder
from vibedesk.store.schema import MIGRATIONS

CHECKED_BYTES = 64 << 20
"""A larger database is not read through at every start: SQLite reads about 1 GB a second. One in which damage was met
is, whatever its size: a file beside it, named like it with `DOUBTED`, says so from one run to the next."""
DOUBTED = ".doubted"

# What SQLite says of a file that is no sound database; any other error leaves the file where it is.
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class DatabaseProblem(Exception):
    """The database cannot be used as it is; the message says why and what helps. Nothing in it was changed."""


class Database:
    """One connection for all threads, in turns. Opens, or begins, the file at `path`.

    A damaged file is set aside under another name, never emptied: `problem` then says so, and `set_aside` is
    where it went. A file written by a newer version raises `DatabaseProblem` and stays untouched.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        self.set_aside: Path | None = None
        self._lock = threading.RLock()
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as problem:
            if _code(problem) not in _DAMAGED:
                raise self._in_words(problem) from problem
            self._step_aside()
            self._connection = self._open()

    def execute(self, sql: str, args: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of one statement. Lone surrogates in `args` become U+FFFD (SQLite refuses them)."""
        with self._lock:
            try:
                return self._connection.execute(sql, [storable(value) for value in args]).fetchall()
            except sqlite3.Error as problem:
                raise self._in_words(problem) from problem

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside are kept, or none. One inside another joins it."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.rollback()
                raise

    def purge(self) -> None:
        """Empties the write-ahead log, so that what was deleted is in no page of any file."""
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def salvage(self) -> dict[str, int]:
        """Copies what can still be read of the file set aside; how many rows came into each table."""
        if self.set_aside is None:
            return {}
        lost = sqlite3.connect(f"{self.set_aside.as_uri()}?mode=ro", uri=True)
        with self._lock:
            before = self._sizes()
            # Rows come over table by table; those whose parents were lost are dropped afterwards.
            self.execute("PRAGMA foreign_keys = OFF")
            try:
                with self.transaction():
                    for table in self._tables():
                        self._salvage_table(lost, table)
                    self._drop_orphans()
                return {table: size - before[table] for table, size in self._sizes().items()}
            finally:
                self.execute("PRAGMA foreign_keys = ON")
                lost.close()

    def close(self) -> None:
        """Closing twice is no error."""
        with self._lock:
            self._connection.close()

    def _open(self) -> sqlite3.Connection:
        make_private_folder(self.path.parent)
        # SQLite gives the log and its index the mode of the database file.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, FILE_MODE))
        connection = sqlite3.connect(self.path, timeout=5.0, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(connection)
        except (sqlite3.Error, DatabaseProblem):
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version < 0:
            raise _damaged("the format is below zero")
        if version > len(MIGRATIONS):
            raise DatabaseProblem(
                f"{self.path} was written by a newer VibeDesk (format {version}, this one knows {len(MIGRATIONS)}). "
                "Update VibeDesk, or set VIBEDESK_HOME to another folder."
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        self._look_through(connection)
        self._migrate(connection)
        self._believe()

    def _look_through(self, connection: sqlite3.Connection) -> None:
        if self._doubted.exists():
            check = "PRAGMA integrity_check(1)"
            _look_through_words(connection)
        elif self.path.stat().st_size <= CHECKED_BYTES:
            check = "PRAGMA quick_check(1)"
        else:
            check = "SELECT 'ok' FROM sqlite_master LIMIT 1"
        damage = connection.execute(check).fetchone()[0]
        if damage != "ok":
            raise _damaged(damage)

    @property
    def _doubted(self) -> Path:
        return self.path.with_name(self.path.name + DOUBTED)

    def _doubt(self) -> None:
        """Has the next start look at every page. Where nothing can be written, that start meets the damage as this
        one did."""
        with suppress(OSError):
            os.close(os.open(self._doubted, os.O_WRONLY | os.O_CREAT, FILE_MODE))

    def _migrate(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Read again inside the transaction: another process may have been quicker.
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            for statements in MIGRATIONS[version:]:
                for statement in _one_by_one(statements):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {max(version, len(MIGRATIONS))}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            connection.rollback()
            raise

    def _believe(self) -> None:
        with suppress(OSError):
            self._doubted.unlink()

    def _step_aside(self) -> None:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        self.set_aside = self.path.with_name(f"{self.path.name}.damaged-{stamp}")
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                self.path.with_name(self.path.name + ending).rename(f"{self.set_aside}{ending}")
        self._believe()
        self.problem = (
            f"The database was damaged. It was set aside as {self.set_aside.name} and a new one begun; "
            "conversations and the list of keys may still be read from it."
        )

    def _sizes(self) -> dict[str, int]:
        return {table: self.execute(f"SELECT count(*) FROM {table}")[0][0] for table in self._tables()}

    def _tables(self) -> list[str]:
        """Those that hold something of their own: an index of words fills itself."""
        rows = self.execute(
            """SELECT name FROM sqlite_master
            WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '%_words%'"""
        )
        return [name for (name,) in rows]

    def _salvage_table(self, lost: sqlite3.Connection, table: str) -> None:
        """From both ends up to the damage; of an older format the columns it had, the others as they are by default."""
        for order in ("ASC", "DESC"):
            with suppress(sqlite3.Error):
                had = _columns(lost, table)
                names = [name for name in _columns(self._connection, table) if name in had]
                columns, places = ", ".join(names), ", ".join("?" * len(names))
                for row in lost.execute(f"SELECT {columns} FROM {table} ORDER BY rowid {order}"):
                    self._connection.execute(
                        f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})", row
                    )

    def _drop_orphans(self) -> None:
        while orphans := self.execute("PRAGMA foreign_key_check"):
            for table, rowid, *_ in orphans:
                self.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))

    def _in_words(self, problem: sqlite3.Error) -> DatabaseProblem:
        match _code(problem):
            case sqlite3.SQLITE_FULL:
                return DatabaseProblem("The disk is full; the last change was not saved.")
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                return DatabaseProblem(
                    f"{self.path} cannot be written; the last change was not saved. "
                    "Make it and its folder writable, or set VIBEDESK_HOME to another folder."
                )
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return DatabaseProblem("Another VibeDesk is writing; the last change was not saved.")
            case code if code in _DAMAGED:
                self._doubt()
                return DatabaseProblem(f"{self.path} is damaged; it is set aside at the next start.")
            case _:
                return DatabaseProblem(f"The database failed: {problem}.")


def _look_through_words(connection: sqlite3.Connection) -> None:
    """SQLite's own check passes over the indexes of words before 3.44; each looks through itself when it is told to."""
    indexes = connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'")
    for (name,) in indexes.fetchall():
        connection.execute(f"INSERT INTO {name} ({name}) VALUES ('integrity-check')")


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]


def _one_by_one(script: str) -> Iterator[str]:
    """The statements of a script; a trigger's own semicolons do not end it."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def stamp(at: datetime) -> str:
    """A time as it is stored: UTC, always with microseconds, so that it sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def storable(value: Any) -> Any:
    """`value`, with surrogate pairs joined and lone surrogates replaced by U+FFFD where it is a text."""
    if not isinstance(value, str) or value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def packed(value: object) -> str:
    """`value` as JSON; amounts of money stay exact (as strings)."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_storable_throughout(msgspec.to_builtins(value))).decode()


def _storable_throughout(value: Any) -> Any:
    match value:
        case dict():
            return {storable(key): _storable_throughout(item) for key, item in value.items()}
        case list() | tuple():
            return [_storable_throughout(item) for item in value]
        case _:
            return storable(value)


def _code(problem: sqlite3.Error) -> int:
    """The primary result code (the low byte); 0 where Python raised it itself."""
    return getattr(problem, "sqlite_errorcode", 0) & 0xFF


def _damaged(what: str) -> sqlite3.DatabaseError:
    problem = sqlite3.DatabaseError(what)
    problem.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return problem
