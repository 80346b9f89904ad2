"""Versions of questions and answers, and the path that is shown."""

from __future__ import annotations

from datetime import UTC, datetime

from vibedesk.state.story import Exchange, Story
from vibedesk.store.history import StoredAnswer, StoredTurn

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def turn(id: str, after: str | None = None) -> StoredTurn:
    return StoredTurn(
        id=id, position=0, text=id, created=NOW, parents=None if after is None else {"lane": after}
    )


def story(*turns: StoredTurn, leaf: str = "") -> Story:
    return Story("lane", [Exchange(one) for one in turns], leaf)


def shown(story: Story) -> str:
    return " ".join(one.turn.id for one in story.path)


def test_turns_kept_before_there_were_branches_follow_one_another() -> None:
    told = story(turn("a"), turn("b"), turn("c"))
    assert shown(told) == "a b c"
    assert not told.branched


def test_the_latest_branch_is_shown_unless_another_is_named() -> None:
    turns = turn("a", ""), turn("b", "a"), turn("c", "b"), turn("b2", "a")
    assert shown(story(*turns)) == "a b2"
    assert shown(story(*turns, leaf="c")) == "a b c"
    assert shown(story(*turns, leaf="gone")) == "a b2"


def test_an_edited_question_begins_a_branch_and_the_other_one_stays() -> None:
    told = story(turn("a", ""), turn("b", "a"), turn("c", "b"))
    told.rewind(told.path[1])
    told.add(turn("b2", "a"))
    assert shown(told) == "a b2"
    first, second = told.versions(told.path[1])
    assert (first.turn.id, second.turn.id) == ("b", "b2")
    told.show(first)
    assert shown(told) == "a b c"


def test_the_first_question_has_versions_too() -> None:
    told = story(turn("a", ""), turn("b", "a"), turn("a2", ""))
    assert shown(told) == "a2"
    assert [one.turn.id for one in told.versions(told.path[0])] == ["a", "a2"]


def test_what_followed_a_removed_turn_follows_the_one_before() -> None:
    told = story(turn("a", ""), turn("b", "a"), turn("c", "b"))
    told.remove(told.path[1])
    assert shown(told) == "a c"
    told.remove(told.path[0])
    assert shown(told) == "c"
    told.remove(told.path[0])
    assert shown(told) == ""


def test_a_turn_whose_parent_is_gone_is_a_first_one() -> None:
    told = story(turn("a", "gone"), turn("b", "a"))
    assert shown(told) == "a b"


def test_circles_in_a_damaged_file_do_not_hang() -> None:
    told = story(turn("a", "b"), turn("b", "a"))
    assert set(shown(told).split()) == {"a", "b"}


def test_the_chosen_answer_counts() -> None:
    def answer(id: str, replaced: bool) -> StoredAnswer:
        return StoredAnswer(id=id, turn_id="a", lane_id="lane", created=NOW, replaced=replaced)

    exchange = Exchange(turn("a"), [answer("1", True), answer("2", True), answer("3", False)])
    assert (exchange.answer and exchange.answer.id, exchange.place) == ("3", 2)
    changed = exchange.choose(0)
    assert [(one.id, one.replaced) for one in changed] == [("1", False), ("3", True)]
    assert (exchange.answer and exchange.answer.id, exchange.place) == ("1", 0)
