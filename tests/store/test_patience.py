"""Calls that never return, and what waits for them."""

from __future__ import annotations

import threading
import time

import pytest

from vibedesk.store.patience import Patience


def test_it_gives_what_the_call_returns() -> None:
    assert Patience(1).call(lambda: 42) == 42


def test_it_raises_what_the_call_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        Patience(1).call(lambda: 1 // 0)


def test_a_call_that_hangs_ends_in_time_and_the_next_one_sooner() -> None:
    patience, gate = Patience(0.4), threading.Event()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        patience.call(gate.wait)
    first = time.monotonic() - began
    with pytest.raises(TimeoutError):
        patience.call(lambda: None)
    second = time.monotonic() - began - first
    gate.set()
    assert 0.4 <= first < 1
    assert second < 0.4


def test_calls_left_behind_never_pile_up() -> None:
    patience, gate = Patience(0.05), threading.Event()
    begun: list[int] = []

    def hang() -> None:
        begun.append(1)
        gate.wait()

    for _ in range(5):
        with pytest.raises(TimeoutError):
            patience.call(hang)
    assert begun == [1]
    gate.set()


def test_after_the_hanging_call_ends_all_is_well_again() -> None:
    patience, gate = Patience(0.1), threading.Event()
    regretted = threading.Event()
    with pytest.raises(TimeoutError):
        patience.call(gate.wait, regretted.set)
    assert not regretted.is_set()
    gate.set()
    assert regretted.wait(2)
    assert Patience(2).call(lambda: "again") == "again"
    patience.seconds = 2
    assert patience.call(lambda: "again") == "again"


def test_nothing_is_regretted_that_failed_late() -> None:
    patience, gate = Patience(0.05), threading.Event()
    regretted: list[int] = []

    def fail() -> None:
        gate.wait()
        raise OSError

    with pytest.raises(TimeoutError):
        patience.call(fail, lambda: regretted.append(1))
    gate.set()
    patience.seconds = 2
    patience.call(lambda: None)
    assert regretted == []
