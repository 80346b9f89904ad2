"""Finding conversations by their words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from vibedesk.store.database import Database
from vibedesk.store.history import History, LaneSpec, StoredAnswer, new_id
from vibedesk.store.search import END_MARK, MARK, query_of

LANE = LaneSpec(id="a", model="openai/gpt-6-luna")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "vibedesk.db")
    yield database
    database.close()


@pytest.fixture
def history(database: Database) -> History:
    return History(database)


def talk(history: History, question: str, said: str, outcome: str | None = "complete") -> StoredAnswer:
    """One conversation with one turn; its answer."""
    id = history.create([LANE], "a title")
    turn = history.add_turn(id, question, [], ["a"])
    answer = StoredAnswer(
        id=new_id(), turn_id=turn.id, lane_id="a", text=said, outcome=outcome, created=datetime.now(UTC)
    )
    history.save_answer(id, answer)
    return answer


def excerpts(history: History, words: str) -> list[str]:
    return [
        one.hit.excerpt.replace(MARK, "[").replace(END_MARK, "]")
        for one in history.list(search=words)
        if one.hit
    ]


def test_the_beginning_of_a_word_is_enough_and_case_and_accents_do_not_matter(history: History) -> None:
    talk(history, "Which RIVER?", "The Café stands by the Seine.")
    assert excerpts(history, "riv") == ["Which [RIV]ER?"]
    assert excerpts(history, "cafe sein") == ["The [Café] stands by the [Sein]e."]
    assert excerpts(history, "afe") == []


def test_all_words_must_stand_in_one_text(history: History) -> None:
    talk(history, "apples", "pears")
    assert excerpts(history, "apples pears") == []


def test_an_answer_goes_before_the_question_and_the_latest_before_the_older(history: History) -> None:
    older, newer = talk(history, "tea?", "tea, the first"), talk(history, "tea?", "tea, the second")
    found = history.list(search="tea")
    assert [one.hit.answer_id for one in found if one.hit] == [newer.id, older.id]


@pytest.mark.parametrize(
    "typed", ['"', "tea OR", "NEAR(", "a*b", "-tea", "^", "text:tea", "tea'", "(((", "*"]
)
def test_nothing_a_person_types_is_syntax(history: History, typed: str) -> None:
    talk(history, "tea", "or a b near text")
    history.list(search=typed)


def test_names_in_code_are_found_by_their_parts(history: History) -> None:
    talk(history, "Explain", "Call `rate_limit.acquire()` first.")
    assert excerpts(history, "rate_limit acq") == ["Call `[rate_limit].[acq]uire()` first."]


def test_scripts_without_spaces_are_found_anywhere(history: History) -> None:
    talk(history, "何ですか", "東京タワーは高いです。")
    assert excerpts(history, "タワー") == ["東京[タワー]は高いです。"]


def test_an_answer_is_found_while_it_grows_and_once_it_has_ended(
    history: History, database: Database
) -> None:
    growing = talk(history, "Say", "an elephant walks", outcome=None)
    assert excerpts(history, "elephant") == ["an [elephant] walks"]
    [summary] = history.list()
    history.save_answer(summary.id, replace(growing, text="an elephant sleeps", outcome="complete"))
    assert excerpts(history, "elephant slee") == ["an [elephant] [slee]ps"]
    assert excerpts(history, "walks") == []


def test_what_was_said_before_there_was_an_index_is_found(tmp_path: Path) -> None:
    import sqlite3

    from vibedesk.store.schema import MIGRATIONS

    old = sqlite3.connect(tmp_path / "old.db")
    for script in MIGRATIONS[:2]:
        old.executescript(script)
    old.execute("PRAGMA user_version = 2")
    old.execute(
        "INSERT INTO conversations VALUES ('c', 'old', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00', '[]')"
    )
    old.execute("INSERT INTO turns VALUES ('t', 'c', 0, 'a walrus', '2026-01-01T00:00:00+00:00', '[]')")
    old.commit()
    old.close()
    database = Database(tmp_path / "old.db")
    history = History(database)
    assert excerpts(history, "walrus") == ["a [walrus]"]
    assert history.load("c").turns[0].parents is None
    database.close()


def test_what_was_deleted_is_in_no_page_of_the_file(history: History, database: Database) -> None:
    talk(history, "keep this", "harmless")
    talk(history, "the xylophonist", "zugzwang")
    history.remove(history.list(search="zugzwang")[0].id)
    assert history.list(search="xylo") == ()
    database.close()
    for file in database.path.parent.iterdir():
        content = file.read_bytes().lower()
        assert b"xylophonist" not in content
        assert b"zugzwang" not in content


def test_the_words_of_a_query_are_quoted() -> None:
    assert query_of('a "b" c_d') == '"a"* "b"* "c"* "d"*'
    assert query_of(" …! ") == ""
