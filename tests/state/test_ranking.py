"""The ranking's arithmetic: what must hold whatever the votes are, and small cases worked out another way."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.state.ranking import DOUBT, MIDDLE, SCALE, Pair, Rank, pairs_of, ranked
from vibedesk.store.votes import BOTH_BAD, TIE, Vote

NAMES = "abcdef"
pairs = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from([0.0, 0.5, 1.0])).filter(
        lambda pair: pair[0] != pair[1]
    ),
    max_size=40,
)


def by_name(found: list[Rank]) -> dict[str, Rank]:
    return {rank.id: rank for rank in found}


def vote(choice: int, *contenders: str) -> Vote:
    return Vote(id="v", at=datetime.now(UTC), contenders=contenders, choice=choice)


@given(pairs)
def test_a_pair_told_from_the_other_side_is_the_same_pair(told: list[Pair]) -> None:
    turned = [(other, one, 1 - score) for one, other, score in told]
    assert close(ranked(told), ranked(turned))


@given(pairs)
def test_the_order_of_the_votes_does_not_matter(told: list[Pair]) -> None:
    assert close(ranked(told), ranked(told[::-1]))


@given(pairs)
def test_other_names_for_the_models_change_nothing(told: list[Pair]) -> None:
    renamed = [(chr(219 - ord(one)), chr(219 - ord(other)), score) for one, other, score in told]
    back = [_named(rank, chr(219 - ord(rank.id))) for rank in ranked(renamed)]
    assert close(ranked(told), back)


@given(pairs)
def test_turning_every_result_round_mirrors_the_points(told: list[Pair]) -> None:
    straight, mirrored = by_name(ranked(told)), by_name(ranked([(a, b, 1 - s) for a, b, s in told]))
    for name, rank in straight.items():
        assert mirrored[name].points - MIDDLE == pytest.approx(MIDDLE - rank.points, abs=1e-5)


@given(pairs)
def test_points_are_given_and_taken_and_lie_inside_their_intervals(told: list[Pair]) -> None:
    found = ranked(told)
    assert sum(rank.points - MIDDLE for rank in found) == pytest.approx(0, abs=1e-5)
    for rank in found:
        assert math.isfinite(rank.points)
        assert rank.low < rank.points < rank.high


@given(pairs.filter(bool))
def test_more_votes_of_the_same_kind_make_every_interval_narrower(told: list[Pair]) -> None:
    # Balanced, so that the points stay: far out the curve is flatter, and what rises there may be less sure.
    balanced = told + [(b, a, s) for a, b, s in told]
    few, many = by_name(ranked(balanced)), by_name(ranked(balanced * 3))
    assert all(many[name].high - many[name].low < few[name].high - few[name].low for name in few)


@pytest.mark.parametrize(("wins", "losses"), [(1, 0), (3, 1), (10, 10), (50, 2), (200, 0)])
def test_two_models_agree_with_the_one_equation_there_is_to_solve(wins: int, losses: int) -> None:
    found = by_name(ranked([("a", "b", 1.0)] * wins + [("b", "a", 1.0)] * losses))

    def slope(strength: float) -> float:  # of the posterior along a = t, b = -t
        return wins - (wins + losses) / (1 + math.exp(-2 * strength)) - strength / DOUBT**2

    low, high = -20.0, 20.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    assert (found["a"].points - MIDDLE) / SCALE == pytest.approx(low, abs=1e-6)


def test_many_votes_come_to_the_known_odds() -> None:
    # three to one is log 3, spread over both
    found = by_name(ranked([("a", "b", 1.0)] * 3000 + [("b", "a", 1.0)] * 1000))
    assert found["a"].points - found["b"].points == pytest.approx(SCALE * math.log(3), rel=0.002)


def test_ties_alone_leave_all_equal_and_make_it_surer() -> None:
    few, many = ranked([("a", "b", 0.5)]), ranked([("a", "b", 0.5)] * 30)
    assert [rank.points for rank in few + many] == pytest.approx([MIDDLE] * 4)
    assert many[0].high - many[0].low < few[0].high - few[0].low
    assert (many[0].wins, many[0].losses, many[0].ties) == (0, 0, 30)


def test_who_beat_the_winner_stands_above_who_never_met_it() -> None:
    found = ranked([("a", "b", 1.0), ("a", "b", 1.0), ("c", "a", 1.0)])
    assert [rank.id for rank in found] == ["c", "a", "b"]


def test_no_votes_no_ranks() -> None:
    assert ranked([]) == []


def test_a_vote_among_several_is_read_as_pairs() -> None:
    assert pairs_of([vote(1, "a", "b", "c")]) == [("b", "a", 1.0), ("b", "c", 1.0)]
    assert pairs_of([vote(TIE, "a", "b")]) == pairs_of([vote(BOTH_BAD, "a", "b")]) == [("a", "b", 0.5)]
    assert pairs_of([vote(0, "a", "a")]) == []


def _named(rank: Rank, name: str) -> Rank:
    from msgspec.structs import replace

    return replace(rank, id=name)


def close(some: list[Rank], others: list[Rank]) -> bool:
    one, other = by_name(some), by_name(others)
    return one.keys() == other.keys() and all(
        (a.wins, a.losses, a.ties) == (b.wins, b.losses, b.ties)
        and all(
            math.isclose(getattr(a, field), getattr(b, field), abs_tol=1e-5)
            for field in ("points", "low", "high")
        )
        for a, b in ((one[name], other[name]) for name in one)
    )
