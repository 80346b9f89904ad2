"""The text of an answer while it comes in pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.record import LOOSE, Words


@given(
    reads=st.lists(st.tuples(st.integers(1, LOOSE + 3), st.booleans()), max_size=12),
    letters=st.lists(st.text("aé😀", min_size=1, max_size=3), min_size=1, max_size=5),
)
def test_no_piece_is_lost_or_moved(reads: list[tuple[int, bool]], letters: list[str]) -> None:
    words, said = Words(), ""
    for size, looked_at in reads:
        pieces = [letters[number % len(letters)] for number in range(size)]
        words.add(pieces)
        said += "".join(pieces)
        if looked_at:
            assert str(words) == said
    assert str(words) == said
    assert bool(words) == bool(said)


def test_many_pieces_are_not_kept_one_by_one() -> None:
    words = Words()
    for _ in range(1000):
        words.add(["token "] * 100)
    assert len(words._joined) + len(words._loose) < 1_000
    assert str(words) == "token " * 100_000
