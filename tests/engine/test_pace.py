"""Resting between reads: only fast streams, never before the first words, and short against the time so far."""

from __future__ import annotations

from contextlib import ExitStack, closing

import pytest

from vibedesk.engine.pace import BEAT_S, BEATS, CROWD, CROWD_BEATS, FAST_BEATS, FULL, PHASES, SHARE, Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def rests(bytes_a_second: float, gap_s: float, seconds: float) -> list[tuple[float, float]]:
    """(time since the first words, rest) of a stream whose reads come every `gap_s`."""
    clock = Clock()
    with closing(Pace(clock)) as pace:
        found = []
        while (elapsed := clock.now - 100.0) < seconds:
            found.append((elapsed, pace.rest_s(int(bytes_a_second * gap_s))))
            clock.now += gap_s
        return found


def test_the_first_words_are_never_followed_by_a_rest() -> None:
    assert Pace(Clock()).rest_s(8_000) == 0


@pytest.mark.parametrize("speed", [700_000, 27_000])
def test_a_rest_is_a_small_part_of_the_time_so_far(speed: float) -> None:
    found = rests(speed, 0.010, 5)
    assert any(rest for _, rest in found)
    assert all(rest <= elapsed * SHARE for elapsed, rest in found)


def test_a_stream_at_reading_speed_is_never_held_up() -> None:
    assert not any(rest for _, rest in rests(40 * 270, 0.025, 10))


def test_a_fast_stream_rests_for_two_beats_at_most_and_a_slower_one_for_more() -> None:
    fast = [rest for elapsed, rest in rests(2_500 * 270, 0.0101, 10) if elapsed > 2]
    slow = [rest for elapsed, rest in rests(100 * 270, 0.0101, 10) if elapsed > 2]
    assert 0 < max(fast) <= FAST_BEATS * BEAT_S
    assert FAST_BEATS * BEAT_S < max(slow) <= BEATS * BEAT_S


def test_many_fast_streams_rest_longer_and_wake_one_after_the_other() -> None:
    clock = Clock()
    with ExitStack() as stack:
        paces = [stack.enter_context(closing(Pace(clock))) for _ in range(PHASES)]
        for pace in paces:
            pace.rest_s(1)
        clock.now += 2.0
        rests = [[pace.rest_s(FULL - 1) for _ in range(9)] for pace in paces]
        assert Pace.fast == PHASES >= CROWD
        long = CROWD_BEATS * BEAT_S
        assert all(rest[-1] <= long + 1e-9 for rest in rests)
        rests = [[pace.rest_s(FULL - 1)] for pace in paces]
        woken = [(clock.now + rest[-1]) / long * PHASES for rest in rests]
        assert all(abs(phase - round(phase)) < 1e-6 for phase in woken)
        assert len({round(phase) % PHASES for phase in woken}) == PHASES
    assert Pace.fast == 0


def test_slower_streams_wake_on_the_same_beat() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.rest_s(1)
    clock.now += 1.2
    woken = []
    for _ in range(3):
        clock.now += 0.0013
        woken.append((clock.now + pace.rest_s(30_000)) / BEAT_S)
    assert all(abs(beat - round(beat)) < 1e-6 for beat in woken)
    assert len({round(beat) for beat in woken}) <= 2


def test_a_read_with_more_behind_it_is_followed_at_once() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.rest_s(1)
    clock.now += 3.0
    assert pace.rest_s(FULL) == 0
    assert pace.rest_s(FULL - 1) > 0
