"""From a failure to the next step: every row of the table."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from vibedesk.engine import errors
from vibedesk.engine.errors import EngineError
from vibedesk.engine.policy import WAIT_CAP_S, Step, backoff, step_after

Make = Callable[..., EngineError]
PASSING = [errors.ConnectionLost, errors.Overloaded, errors.ServerError, errors.Cut]
MOVING_ON = [
    errors.NoKey, errors.SecretUnavailable, errors.Unsupported, errors.NameNotFound, errors.ConnectionRefused,
    errors.TlsUntrusted, errors.TimedOut, errors.InvalidKey, errors.LeakedKey, errors.Restricted, errors.NoCredit,
    errors.SpendLimit, errors.ModelNotFound, errors.RegionBlocked, errors.NetworkBlocked, errors.NotThisApi,
    errors.EmptyAnswer, errors.TooLarge,
]  # fmt: skip
FINAL = [errors.BadRequest, errors.ContentBlocked, errors.ContextOverflow, errors.AnswerTooLong]


def move(error: EngineError, tries: int = 1, *, others: bool = False) -> str:
    return step_after(error, tries=tries, others=others).move


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_is_tried_twice_more_where_nobody_else_can_be_asked(kind: Make) -> None:
    assert [move(kind(), tries) for tries in (1, 2, 3)] == ["again", "again", "stop"]


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_is_tried_once_more_where_somebody_else_can(kind: Make) -> None:
    assert [move(kind(), tries, others=True) for tries in (1, 2)] == ["again", "next"]


@pytest.mark.parametrize("kind", MOVING_ON)
def test_what_stays_moves_on_at_once(kind: Make) -> None:
    assert move(kind(), others=True) == "next"
    assert move(kind()) == "stop"


@pytest.mark.parametrize("kind", FINAL)
def test_the_requests_own_fault_is_not_carried_to_somebody_else(kind: Make) -> None:
    assert move(kind(), others=True) == "stop"


@pytest.mark.parametrize(
    ("hint", "others", "expected"),
    [
        (2.0, False, Step("again", wait_s=2.0)),
        (2.0, True, Step("next")),
        (WAIT_CAP_S, False, Step("again", wait_s=WAIT_CAP_S)),
        (WAIT_CAP_S + 1, False, Step("stop")),
        (None, False, Step("stop")),
        (float("nan"), False, Step("stop")),
        (1e9, True, Step("next")),
        (-3.0, False, Step("stop")),
    ],
)
def test_a_rate_limit_is_waited_for_only_where_it_is_short_and_nobody_else_answers(
    hint: float | None, others: bool, expected: Step
) -> None:
    assert step_after(errors.RateLimited(retry_after_s=hint), tries=1, others=others) == expected


def test_an_overloaded_server_that_asks_for_a_long_pause_is_left() -> None:
    error = errors.Overloaded(retry_after_s=120.0)
    assert move(error, others=True) == "next"
    assert move(error) == "stop"


def test_a_refused_parameter_is_dropped_once_each_and_three_at_most() -> None:
    error = errors.BadRequest(parameter="temperature")
    drop = step_after(error, tries=1, others=True, parameter="temperature")
    assert drop == Step("drop", parameter="temperature")
    assert (
        step_after(error, tries=1, others=True, dropped=("temperature",), parameter="temperature").move
        == "stop"
    )
    full = ("a", "b", "c")
    assert step_after(error, tries=1, others=True, dropped=full, parameter="temperature").move == "stop"


@pytest.mark.parametrize(
    ("fault", "expected"), [("upstream", "again"), ("guardrail", "stop"), ("token", "next"), ("slug", "next")]
)
def test_a_gateways_own_error_counts_as_what_it_is_about(fault: str, expected: str) -> None:
    assert move(errors.GatewayError(fault=fault), others=True) == expected


def test_the_pause_doubles_and_ends_at_eight_seconds() -> None:
    assert [backoff(n, None, jitter=lambda low, high: 1.0) for n in range(6)] == [0.5, 1, 2, 4, 8, 8]


@given(n=some.integers(min_value=0, max_value=12), hint=some.none() | some.floats())
def test_a_pause_is_always_a_sane_number(n: int, hint: float | None) -> None:
    """N9: 1e9, negative, NaN, infinite."""
    seconds = backoff(n, hint)
    assert 0 < seconds < 1e9


@given(
    tries=some.integers(min_value=1, max_value=20), others=some.booleans(), hint=some.none() | some.floats()
)
def test_nobody_is_asked_for_ever_or_waited_for_long(tries: int, others: bool, hint: float | None) -> None:
    for kind in (*PASSING, *MOVING_ON, *FINAL, errors.RateLimited):
        step = step_after(kind(retry_after_s=hint), tries=tries, others=others)
        assert 0 <= step.wait_s <= WAIT_CAP_S
        assert step.move != "again" or tries <= 2
        assert others or step.move != "next"
