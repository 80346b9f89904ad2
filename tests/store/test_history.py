"""Conversations: kept, found, reopened as they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from vibedesk.engine.types import Attempt, Cost, Image, Parameters, Usage
from vibedesk.store.database import Database
from vibedesk.store.history import LONGEST_TITLE, History, LaneSpec, StoredAnswer, title_of

LANES = (
    LaneSpec(
        id="a", model="openai/gpt-6-luna", via="direct", parameters=Parameters(temperature=0.5, max_tokens=9)
    ),
    LaneSpec(id="b", model="", route="small", system="Be short.", linked=False),
)
ATTEMPT = Attempt(
    deployment="openai/gpt-6-luna", via="direct", why_via="no gateway is set up", key="work …a1b2", key_id="k1",
    rule="first choice", status=200, outcome="complete", kind=None, message="", started_s=0.0, connected_s=0.1,
    first_token_s=0.2, ended_s=1.5, request_id="req_1", finish_reason="stop",
    usage=Usage(input_tokens=9, output_tokens=2), cost=Cost(usd=Decimal("0.0000012"), source="list"), notes=("a note",),
)  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "vibedesk.db")
    yield database
    database.close()


@pytest.fixture
def history(database: Database) -> History:
    return History(database)


def answer(turn_id: str, **fields: object) -> StoredAnswer:
    made = StoredAnswer(id="one", turn_id=turn_id, lane_id="a", created=datetime.now(UTC))
    return replace(made, **fields)


def test_a_conversation_comes_back_as_it_was(history: History, database: Database) -> None:
    id = history.create(LANES)
    picture = Image("image/png", b"\x89PNG\0" * 10)
    turn = history.add_turn(id, "What is this?\nLook.", [picture, Image("image/gif", b"GIF")], ["a", "b"])
    given = answer(
        turn.id, text="A cat.", reasoning="It has ears.", outcome="complete", finish_reason="stop",
        model="gpt-6-luna-2026", deployment="openai/gpt-6-luna", reasoning_s=0.4, ttft_s=0.2, tokens_per_s=71.2,
        took_s=1.5, usage=Usage(input_tokens=9, output_tokens=2, reasoning_tokens=1),
        cost=Cost(usd=Decimal("0.00000123456789"), source="list"), attempts=(ATTEMPT,),
    )  # fmt: skip
    history.save_answer(id, given)

    loaded = History(database).load(id)
    assert loaded.lanes == LANES
    assert loaded.turns == (turn,)
    assert loaded.turns[0].images[0] == picture
    assert loaded.answers == (given,)
    assert loaded.title == "What is this?"
    assert loaded.created <= loaded.updated


def test_an_answer_is_written_again_while_it_streams(history: History) -> None:
    id = history.create(LANES)
    turn = history.add_turn(id, "Hi", [], ["a"])
    for text in ("H", "He", "Hello"):
        history.save_answer(id, answer(turn.id, text=text))
    [streaming] = history.load(id).answers
    assert (streaming.text, streaming.outcome) == ("Hello", None)
    history.save_answer(id, answer(turn.id, text="Hello.", outcome="complete"))
    assert [one.outcome for one in history.load(id).answers] == ["complete"]


def test_what_streamed_when_the_program_died_is_cut(history: History, database: Database) -> None:
    id = history.create(LANES)
    turn = history.add_turn(id, "Hi", [], ["a"])
    history.save_answer(id, answer(turn.id, text="Hel"))
    [left] = History(database).load(id).answers
    assert (left.text, left.outcome) == ("Hel", "cut")


def test_siblings_are_kept_in_order_and_the_older_one_is_replaced(history: History) -> None:
    id = history.create(LANES)
    turn = history.add_turn(id, "Hi", [], ["a"])
    first = answer(turn.id, outcome="complete", text="one")
    history.save_answer(id, first)
    history.save_answer(id, replace(first, id="two", text="two", created=datetime.now(UTC)))
    history.save_answer(id, replace(first, replaced=True))
    assert [(one.text, one.replaced) for one in history.load(id).answers] == [("one", True), ("two", False)]


def test_turns_are_numbered_from_zero(history: History) -> None:
    id = history.create(LANES)
    assert [history.add_turn(id, text, [], ["a"]).position for text in "abc"] == [0, 1, 2]
    assert [turn.text for turn in history.load(id).turns] == ["a", "b", "c"]


def test_the_list_shows_the_latest_first(history: History) -> None:
    older, newer = history.create(LANES, title="older"), history.create(LANES[:1], title="newer")
    assert [one.id for one in history.list()] == [newer, older]
    history.add_turn(older, "again", [], ["a"])
    [first, second] = history.list()
    assert (first.title, first.turns, first.models) == ("older", 1, ("openai/gpt-6-luna", "small"))
    assert (second.title, second.turns, second.models) == ("newer", 0, ("openai/gpt-6-luna",))
    assert [one.title for one in history.list(limit=1)] == ["older"]


@pytest.mark.parametrize("word", ["Paris", "capital", "seine", "100%", "a_b"])
def test_it_is_found_by_title_question_and_answer(history: History, word: str) -> None:
    id = history.create(LANES, title="Paris 100% a_b")
    turn = history.add_turn(id, "What is the capital?", [], ["a"])
    history.save_answer(id, answer(turn.id, text="On the Seine.", outcome="complete"))
    history.create(LANES, title="other 100 axb")
    assert [one.id for one in history.list(search=word)] == [id]
    assert history.list(search="nowhere") == ()


def test_a_given_title_is_not_overwritten(history: History) -> None:
    id = history.create(LANES, title="Mine")
    history.add_turn(id, "Something else", [], ["a"])
    assert history.load(id).title == "Mine"
    history.set_title(id, "Yours \ud83d")
    assert history.load(id).title == "Yours \ufffd"


def test_lanes_can_be_changed(history: History) -> None:
    id = history.create(LANES)
    history.set_lanes(id, LANES[1:])
    assert history.load(id).lanes == LANES[1:]


def test_a_removed_conversation_takes_everything_with_it(history: History, database: Database) -> None:
    id = history.create(LANES)
    turn = history.add_turn(id, "Hi", [Image("image/png", b"x")], ["a"])
    history.save_answer(id, answer(turn.id, text="Hello", outcome="complete"))
    history.remove(id)
    with pytest.raises(KeyError):
        history.load(id)
    for table in ("conversations", "turns", "images", "answers"):
        assert database.execute(f"SELECT count(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hello", "Hello"),
        ("\n  \n first   line \nsecond", "first line"),
        ("", ""),
        ("word " * 40, ("word " * 15).strip() + "…"),
        ("x" * 200, "x" * (LONGEST_TITLE - 1) + "…"),
    ],
)
def test_the_first_line_is_the_title(text: str, title: str) -> None:
    assert title_of(text) == title
    assert len(title_of(text)) <= LONGEST_TITLE


def test_pinned_conversations_stand_first(history: History) -> None:
    first, second = history.create(LANES, title="first"), history.create(LANES, title="second")
    history.set_pinned(first, True)
    assert [(one.id, one.pinned) for one in history.list()] == [(first, True), (second, False)]


def test_tags_are_kept_once_each_and_leave_those_that_carry_them(history: History) -> None:
    first, second = history.create(LANES, title="first"), history.create(LANES, title="second")
    history.set_tags(first, [" work ", "work", "", "art"])
    history.set_tags(second, ["home"])
    assert history.load(first).tags == ("work", "art")
    assert [one.id for one in history.list(tag="art")] == [first]
    assert history.list(search="second", tag="art") == ()
    assert history.tags() == ("art", "home", "work")


def test_what_followed_a_removed_turn_follows_the_one_before_it(history: History) -> None:
    id = history.create(LANES)
    one = history.add_turn(id, "one", [], ["a"], {"a": ""})
    two = history.add_turn(id, "two", [], ["a"], {"a": one.id})
    history.add_turn(id, "three", [], ["a"], {"a": two.id})
    history.save_answer(id, answer(two.id, text="to two", outcome="complete"))
    history.remove_turn(id, two.id)
    loaded = history.load(id)
    assert [(turn.text, turn.parents) for turn in loaded.turns] == [
        ("one", {"a": ""}),
        ("three", {"a": one.id}),
    ]
    assert loaded.answers == ()


def test_a_whole_conversation_can_be_put_back_as_it_was(history: History) -> None:
    id = history.create(LANES)
    turn = history.add_turn(id, "Hi", [Image("image/png", b"x")], ["a"], {"a": ""})
    history.save_answer(id, answer(turn.id, text="Hello", outcome="complete"))
    history.set_tags(id, ["work"])
    history.set_pinned(id, True)
    before = history.load(id)
    history.remove(id)
    history.keep(before)
    history.keep(before)
    assert history.load(id) == before
    assert [one.id for one in history.list(search="hello")] == [id]
