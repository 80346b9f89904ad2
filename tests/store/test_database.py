"""The database file: newer, damaged, killed in the middle of writing, and what deleting leaves in it."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from vibedesk.engine.types import Attempt
from vibedesk.store import database as database_module
from vibedesk.store.database import Database, DatabaseProblem, packed, storable
from vibedesk.store.history import History, LaneSpec
from vibedesk.store.schema import MIGRATIONS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "vibedesk.db"


def test_the_file_is_for_its_owner_alone_with_everything_beside_it(path: Path) -> None:
    database = Database(path)
    database.execute("INSERT INTO key_notes (key_id) VALUES ('x')")
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    database.close()
    assert set(modes) == {"vibedesk.db", "vibedesk.db-wal", "vibedesk.db-shm"}
    assert set(modes.values()) == {0o600}


def test_it_is_set_up_for_durability_and_for_forgetting(path: Path) -> None:
    database = Database(path)
    [(journal,)], [(secure,)], [(keys,)] = (
        database.execute(f"PRAGMA {name}") for name in ("journal_mode", "secure_delete", "foreign_keys")
    )
    database.close()
    assert (journal, secure, keys) == ("wal", 1, 1)


def test_opening_again_finds_what_was_written(path: Path) -> None:
    first = Database(path)
    first.execute("INSERT INTO key_notes (key_id, state) VALUES (?, ?)", ("x", "ready"))
    first.close()
    second = Database(path)
    assert second.execute("SELECT key_id, state FROM key_notes") == [("x", "ready")]
    assert second.problem == ""
    second.close()


def test_a_newer_database_is_refused_and_untouched(path: Path) -> None:
    Database(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(DatabaseProblem, match=r"newer VibeDesk.*Update VibeDesk"):
        Database(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_set_aside_whole(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all, " * 100)
    database = Database(path)
    assert database.set_aside is not None
    assert database.set_aside.read_bytes() == b"not a database at all, " * 100
    assert database.set_aside.name in database.problem
    assert database.execute("SELECT * FROM keys") == []
    database.close()


def test_a_damaged_database_is_set_aside_and_what_is_readable_comes_back(path: Path) -> None:
    database = Database(path)
    history = History(database)
    ids = [history.create([LaneSpec(id="a", model="openai/x")], title="title " * 200) for _ in range(50)]
    for id in ids:
        history.add_turn(id, "words " * 300, [], ["a"])
    database.close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = os.urandom(8192)
    path.write_bytes(content)

    database = Database(path)
    assert database.problem
    assert History(database).list() == ()
    saved = database.salvage()
    assert 0 < saved["conversations"] <= 50
    assert len(History(database).list()) == saved["conversations"]
    assert database.execute("PRAGMA integrity_check") == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check") == []
    assert database.execute("PRAGMA foreign_keys") == [(1,)]
    database.close()


@pytest.fixture
def talk(path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A conversation in a database that is too large to be read through at every start."""
    monkeypatch.setattr(database_module, "CHECKED_BYTES", 1 << 19)
    database = Database(path)
    history = History(database)
    id = history.create([LaneSpec(id="a", model="openai/x")], title="talk")
    for _ in range(50):
        history.add_turn(id, "words " * 3000, [], ["a"])
    database.close()
    return id


def test_damage_met_in_a_large_database_sets_it_aside_at_the_next_start(path: Path, talk: str) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 4 :] = b"\xa5" * (len(content) - len(content) // 4)
    path.write_bytes(content)

    first = Database(path)
    assert first.problem == ""
    with pytest.raises(DatabaseProblem, match="set aside at the next start"):
        History(first).load(talk)
    first.close()
    second = Database(path)
    assert second.set_aside is not None
    assert second.set_aside.read_bytes()[-100:] == b"\xa5" * 100
    assert History(second).list() == ()
    second.close()
    third = Database(path)
    assert (third.problem, {entry.suffix for entry in path.parent.glob("*doubted*")}) == ("", set())
    third.close()


def test_damage_in_an_index_of_words_counts_too(path: Path, talk: str) -> None:
    database = Database(path)
    database.execute("UPDATE turn_words_data SET block = x'00a5a5a5' WHERE id > 10")
    with pytest.raises(DatabaseProblem, match="set aside at the next start"):
        database.execute("SELECT rowid FROM turn_words WHERE turn_words MATCH 'words'")
    database.close()
    again = Database(path)
    assert again.set_aside is not None
    assert again.salvage()["turns"] == 50
    assert len(again.execute("SELECT rowid FROM turn_words WHERE turn_words MATCH 'words'")) == 50
    again.close()


def test_a_sound_database_that_was_doubted_stays_where_it_is(path: Path, talk: str) -> None:
    doubted = path.with_name("vibedesk.db.doubted")
    doubted.touch()
    database = Database(path)
    assert (database.problem, doubted.exists()) == ("", False)
    assert len(History(database).load(talk).turns) == 50
    database.close()


def test_a_damaged_database_of_an_older_format_is_salvaged_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = "2025-01-01T00:00:00.000000+00:00"
    with monkeypatch.context() as earlier:
        earlier.setattr(database_module, "MIGRATIONS", MIGRATIONS[:2])
        older = Database(path)
        for id in map(str, range(50)):
            older.execute("INSERT INTO conversations VALUES (?, 'old', ?, ?, '[]')", (id, now, now))
            older.execute("INSERT INTO turns VALUES (?, ?, 0, ?, ?, '[]')", (id, id, "words " * 300, now))
        older.close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = os.urandom(8192)
    path.write_bytes(content)

    database = Database(path)
    saved = database.salvage()
    assert 0 < saved["turns"] <= saved["conversations"] == 50
    assert {row.title for row in History(database).list()} == {"old"}
    assert database.execute("PRAGMA integrity_check") == [("ok",)]
    database.close()


def test_a_transaction_is_kept_whole_or_not_at_all(path: Path) -> None:
    database = Database(path)

    def write_and_fail() -> None:
        with database.transaction():
            database.execute("INSERT INTO key_notes (key_id) VALUES ('a')")
            with database.transaction():
                database.execute("INSERT INTO key_notes (key_id) VALUES ('b')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert database.execute("SELECT * FROM key_notes") == []
    database.close()


def test_many_threads_take_turns(path: Path) -> None:
    database = Database(path)

    def write(name: str) -> None:
        for number in range(50):
            with database.transaction():
                database.execute("INSERT INTO key_notes (key_id) VALUES (?)", (f"{name}{number}",))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.execute("SELECT count(*) FROM key_notes") == [(200,)]
    database.close()


def test_two_programs_write_at_once(path: Path) -> None:
    first, second = Database(path), Database(path)
    for number in range(20):
        first.execute("INSERT INTO key_notes (key_id) VALUES (?)", (f"a{number}",))
        second.execute("INSERT INTO key_notes (key_id) VALUES (?)", (f"b{number}",))
    assert first.execute("SELECT count(*) FROM key_notes") == [(40,)]
    first.close()
    second.close()


def test_a_deleted_word_is_in_no_byte_of_any_file(path: Path) -> None:
    database = Database(path)
    history = History(database)
    id = history.create([LaneSpec(id="a", model="openai/x")])
    history.add_turn(id, "a very private sentence", [], ["a"])
    assert _holds(path.parent, b"a very private sentence")
    history.remove(id)
    assert not _holds(path.parent, b"a very private sentence")
    database.close()


def test_a_statement_that_fails_says_so_in_a_sentence(path: Path) -> None:
    database = Database(path)
    with pytest.raises(DatabaseProblem, match="The database failed: no such table: nowhere"):
        database.execute("SELECT * FROM nowhere")
    database.close()
    with pytest.raises(DatabaseProblem):
        database.execute("SELECT 1")


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("plain", "plain"),
        ("naïve 😀", "naïve 😀"),
        ("\ud83d\ude00", "😀"),
        ("cut \ud83d", "cut \ufffd"),
        ("\ude00 late", "\ufffd late"),
    ],
)
def test_surrogates_are_joined_or_replaced_before_they_are_stored(
    path: Path, given: str, stored: str
) -> None:
    database = Database(path)
    database.execute("INSERT INTO key_notes (key_id) VALUES (?)", (given,))
    assert database.execute("SELECT key_id FROM key_notes") == [(stored,)]
    assert storable(given) == stored
    assert storable(42) == 42
    database.close()


def test_a_lone_surrogate_in_a_struct_is_no_crash() -> None:
    attempt = Attempt(
        deployment="openai/x", via="direct", why_via="", key="", key_id="", rule="first choice", status=500,
        outcome="failed", kind="server_error", message="broken \ud83d", started_s=0.0, connected_s=None,
        first_token_s=None, ended_s=1.0, request_id="", finish_reason=None, usage=None, cost=None,
    )  # fmt: skip
    assert "broken \ufffd" in packed((attempt,))


WRITER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from vibedesk.store.database import Database
from vibedesk.store.history import History, LaneSpec, StoredAnswer

history = History(Database(Path(sys.argv[1])))
id = history.create([LaneSpec(id="a", model="openai/x")], title="killed")
turn = history.add_turn(id, "Hello", [], ["a"])
text = ""
while True:
    text += "word " * 50
    history.save_answer(id, StoredAnswer(id="one", turn_id=turn.id, lane_id="a", text=text,
    created=datetime.now(UTC)))
    print(len(text), flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
@pytest.mark.parametrize("writes", [1, 7, 40])
def test_a_program_killed_while_it_writes_leaves_a_sound_database_and_a_cut_answer(
    path: Path, writes: int
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        for _ in range(writes):
            seen = int(program.stdout.readline())
        time.sleep(0.001 * writes)
        program.send_signal(signal.SIGKILL)
    database = Database(path)
    assert database.problem == ""
    assert database.execute("PRAGMA integrity_check") == [("ok",)]
    [summary] = History(database).list()
    [answer] = History(database).load(summary.id).answers
    assert answer.outcome == "cut"
    assert len(answer.text) >= seen
    assert answer.text == "word " * (len(answer.text) // 5)
    database.close()


def _holds(folder: Path, words: bytes) -> bool:
    return any(words in entry.read_bytes() for entry in folder.iterdir())
