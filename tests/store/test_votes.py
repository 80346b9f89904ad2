"""Votes and saved lanes in real SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from vibedesk.engine.types import Parameters
from vibedesk.store.database import Database
from vibedesk.store.history import History, LaneSpec
from vibedesk.store.lane_sets import LaneSets, fresh
from vibedesk.store.votes import BOTH_BAD, TIE, Votes


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "desk.db")


def test_votes_come_back_in_order_with_their_tags(database: Database) -> None:
    votes = Votes(database)
    cast = [
        votes.cast(("a/x", "b/y"), 1, "coding"),
        votes.cast(("a/x", "b/y", "c/z"), TIE),
        votes.cast(("a/x", "b/y"), BOTH_BAD, "coding"),
    ]
    assert votes.all() == tuple(cast)
    assert votes.tags() == ("coding",)
    votes.remove(cast[0].id)
    assert Votes(database).all() == tuple(cast[1:])


@pytest.mark.parametrize(("contenders", "choice"), [(("a/x",), 0), (("a/x", "b/y"), 2), (("a/x", "b/y"), -3)])
def test_a_vote_for_nobody_is_refused(database: Database, contenders: tuple[str, ...], choice: int) -> None:
    with pytest.raises(ValueError, match="no choice"):
        Votes(database).cast(contenders, choice)
    assert Votes(database).all() == ()


def test_a_hidden_conversation_lists_no_models_until_it_is_revealed(database: Database) -> None:
    history, votes = History(database), Votes(database)
    id = history.create([LaneSpec(id="1", model="groq/x"), LaneSpec(id="2", model="groq/y")], "T")
    votes.hide(id, 3)
    assert votes.hidden_since(id) == 3
    assert [row.models for row in history.list()] == [()]
    assert history.list(search="T") == ()
    votes.reveal(id)
    assert votes.hidden_since(id) is None
    assert [row.models for row in history.list()] == [("groq/x", "groq/y")]
    assert len(history.list(search="T")) == 1
    votes.hide(id, 0)
    history.remove(id)
    assert votes.hidden_since(id) is None


def test_a_set_keeps_everything_that_is_set_for_its_lanes(database: Database) -> None:
    sets = LaneSets(database)
    lanes = (
        LaneSpec(id="1", model="groq/x", via="direct", parameters=Parameters(temperature=0.0)),
        LaneSpec(id="2", model="", route="smart", system="Be brief.", linked=False),
    )
    sets.save("  Direct   against route ", lanes)
    sets.save("a first", lanes[:1])
    sets.keep_last(lanes)
    again = LaneSets(database)
    assert [one.name for one in again.all()] == ["a first", "Direct against route"]
    assert again.all()[1].lanes == again.last == lanes
    again.remove("a first")
    again.remove("")
    assert len(again.all()) == 1
    assert LaneSets(database).last == lanes


def test_a_set_without_a_name_or_lanes_is_refused(database: Database) -> None:
    for name, lanes in ((" ", (LaneSpec(id="1", model="m"),)), ("x", ())):
        with pytest.raises(ValueError, match="name"):
            LaneSets(database).save(name, lanes)


def test_opened_again_the_lanes_are_new_ones() -> None:
    old = LaneSpec(id="1", model="m", aside=True)
    [new] = fresh([old])
    assert new.id != old.id
    assert not new.aside
