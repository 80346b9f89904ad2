"""Finding words in a conversation."""

from __future__ import annotations

import pytest

from vibedesk.state.finding import MOST, Finder, Found

LANES = [["Tea?", "Tea, tea and TEA."], ["Tea?", "Coffee."]]


def test_every_place_is_counted_lane_by_lane_case_aside() -> None:
    assert Finder().places_of("tea", LANES) == [
        Found(0, 0, 0),
        Found(0, 1, 0),
        Found(0, 1, 1),
        Found(0, 1, 2),
        Found(1, 0, 0),
    ]
    assert Finder().places_of("Tea, t", LANES) == [Found(0, 1, 0)]


@pytest.mark.parametrize("words", ["", "  ", "milk"])
def test_nothing_is_found_of_nothing(words: str) -> None:
    assert Finder().places_of(words, LANES) == []


def test_a_flood_of_places_ends_somewhere() -> None:
    assert len(Finder().places_of("a", [["a" * 50_000]])) == MOST


def test_what_has_changed_since_is_found() -> None:
    finder = Finder()
    assert len(finder.places_of("tea", LANES)) == 5
    assert len(finder.places_of("tea", [["Tea?", "Tea, tea and TEA. More tea"], ["Tea?", "Coffee."]])) == 6
    assert finder.places_of("coffee", [["Tea?"], []]) == []
