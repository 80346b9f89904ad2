"""Whatever comes in is drawn once and in order, and written down when it is worth it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.state.incoming import FAR_BEHIND, LONGEST_PIECE, MOST_PASSED, VERY_LONG, Channel, Incoming


@pytest.mark.parametrize(
    ("size", "first"),
    [
        (LONGEST_PIECE, LONGEST_PIECE),
        (LONGEST_PIECE + 1, LONGEST_PIECE),
        (FAR_BEHIND, LONGEST_PIECE),
        (FAR_BEHIND + 1, FAR_BEHIND + 1),
    ],
)
def test_more_than_the_screen_can_follow_is_given_at_once(size: int, first: int) -> None:
    channel = Channel()
    channel.hear("x" * size)
    assert len(channel.take(whole=False)) == first
    assert channel.waiting == size - first


@given(
    st.lists(st.one_of(st.text(min_size=1), st.booleans()), max_size=30), st.integers(1, 3 * LONGEST_PIECE)
)
def test_what_is_drawn_is_what_was_heard(steps: list[str | bool], times: int) -> None:
    channel, heard, drawn = Channel(), "", ""
    for step in steps:
        if isinstance(step, bool):
            drawn += channel.take(whole=step)
        else:
            channel.hear(step * times)
            heard += step * times
        assert channel.waiting == len(heard) - len(drawn)
    drawn += channel.take(whole=True)
    assert drawn == heard == str(channel)
    assert (channel.size, channel.waiting) == (len(heard), 0)


def test_what_was_said_before_is_drawn_but_neither_timed_nor_counted() -> None:
    coming = Incoming("Once upon")
    assert (coming.first_at, coming.tokens) == (None, 0.0)
    coming.hear(coming.words, " a time.")
    assert coming.first_at is not None
    assert coming.tokens == 2.0
    assert coming.words.take(whole=True) == str(coming.words) == "Once upon a time."


def test_words_taken_back_are_gone_and_their_reasoning_where_none_are_left() -> None:
    coming = Incoming()
    coming.hear(coming.reasoning, "Hm.")
    coming.hear(coming.words, "One two")
    for channel in (coming.words, coming.reasoning):
        channel.take(whole=True)
    coming.take_back(3)
    assert (str(coming.words), str(coming.reasoning)) == ("One", "Hm.")
    coming.take_back(0)
    coming.hear(coming.words, "Anew")
    assert (str(coming.words), str(coming.reasoning)) == ("Anew", "")
    assert coming.words.waiting == 4


def test_of_any_other_all_that_came_is_written_each_time() -> None:
    coming = Incoming()
    for _ in range(300):
        coming.hear(coming.words, "word " * 40)
        assert coming.worth_saving()
        assert not coming.worth_saving()


def test_a_very_long_answer_is_not_written_anew_for_every_word() -> None:
    coming, saves = Incoming(), []
    for words in (VERY_LONG // 5 + 1, *[1] * (MOST_PASSED + 1)):
        coming.hear(coming.words, "word " * words)
        saves.append(coming.worth_saving())
    assert saves == [True, *[False] * MOST_PASSED, True]
    assert not any(coming.worth_saving() for _ in range(2 * MOST_PASSED))
    coming.words.take(whole=True)
    coming.take_back(0)
    coming.hear(coming.words, "Another")
    assert coming.worth_saving()
