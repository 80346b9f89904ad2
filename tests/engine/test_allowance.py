"""What the user allows a key: never overstepped, whatever comes when; and never held back for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from vibedesk.engine.allowance import MINUTE_S, Reservation, Use, Uses, free_at, reserved, settled, uses_of
from vibedesk.engine.types import Limits

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOW = NOON.timestamp()


def waited(limits: Limits, uses: Uses, now: float, tokens: int = 1, usd: str = "0") -> tuple[float, str]:
    at, limit = free_at(limits, uses, now, tokens, Decimal(usd))
    return at - now, limit


@given(
    gaps=some.lists(some.floats(0, 40), min_size=1, max_size=60),
    most=some.integers(1, 5),
    tokens=some.integers(1, 400),
    tokens_most=some.integers(1, 1_000),
)
def test_no_minute_holds_more_than_is_allowed(
    gaps: list[float], most: int, tokens: int, tokens_most: int
) -> None:
    limits = Limits(requests_per_minute=most, tokens_per_minute=tokens_most)
    now, uses, left = NOW, Uses(), []
    for gap in gaps:
        now += gap
        for _ in range(100):
            at, limit = free_at(limits, uses, now, tokens)
            if not limit:
                break
            assert at > now
            now = at + 1e-6
        else:
            raise AssertionError("held back for ever")
        uses = settled(reserved(uses, Reservation(1, tokens)), 1, Use(now, tokens))
        left.append(now)
    for at in left:
        within = [other for other in left if at - MINUTE_S < other <= at]
        assert len(within) <= most
        assert len(within) == 1 or len(within) * tokens <= tokens_most


def test_a_request_larger_than_the_limit_leaves_when_the_minute_is_empty() -> None:
    limits = Limits(tokens_per_minute=100)
    assert waited(limits, Uses(), NOW, tokens=5_000) == (0, "")
    used = settled(Uses(), 0, Use(NOW - 20, 10))
    assert waited(limits, used, NOW, tokens=5_000) == (pytest.approx(40), "tokens_per_minute")


def test_days_and_months_begin_anew_in_utc() -> None:
    limits = Limits(requests_per_day=1)
    used = uses_of([Use(NOW, 5)], NOW)
    wait, limit = waited(limits, used, NOW)
    assert (wait, limit) == (12 * 3600, "requests_per_day")
    assert waited(limits, used, NOW + 12 * 3600) == (0, "")
    budget = Limits(monthly_usd=Decimal("1.00"))
    spent = uses_of([Use(NOW, 5, Decimal("0.60")), Use(NOW + 1, 5, Decimal("0.40"))], NOW)
    wait, limit = waited(budget, spent, NOW)
    assert limit == "monthly_usd"
    assert datetime.fromtimestamp(NOW + wait, UTC) == datetime(2026, 12, 1, tzinfo=UTC)
    assert waited(budget, spent, (NOON + timedelta(days=7)).timestamp()) == (0, "")


def test_a_budget_counts_what_is_under_way_and_what_this_one_may_cost() -> None:
    budget = Limits(monthly_usd=Decimal("1.00"))
    under_way = reserved(Uses(), Reservation(1, 10, Decimal("0.70")))
    assert waited(budget, under_way, NOW, usd="0.20")[1] == ""
    assert waited(budget, under_way, NOW, usd="0.40")[1] == "monthly_usd"


def test_requests_of_another_day_are_not_counted_from_the_ledger() -> None:
    yesterday = Use(NOW - 86_400, 100)
    uses = uses_of([yesterday, Use(NOW - 70, 7), Use(NOW - 5, 3)], NOW)
    assert (uses.day_requests, uses.day_tokens, len(uses.minute)) == (2, 10, 1)


def test_what_was_used_while_the_clock_was_ahead_frees_no_budget_and_blocks_no_month() -> None:
    past = [Use(NOW - 3600.0 * number, 10, Decimal(1)) for number in range(1, 10)]
    ahead = Use(NOW + 40 * 86_400, 10, Decimal("0.01"))
    assert waited(Limits(monthly_usd=Decimal(5)), uses_of([*past, ahead], NOW), NOW)[1] == "monthly_usd"
    wait_s, limit = waited(Limits(requests_per_minute=1), uses_of([ahead], NOW), NOW)
    assert (limit, wait_s <= MINUTE_S) == ("requests_per_minute", True)


def test_as_many_at_once_as_are_allowed() -> None:
    limits = Limits(concurrent=2)
    one = reserved(Uses(), Reservation(1, 0))
    two = reserved(one, Reservation(2, 0))
    assert waited(limits, one, NOW)[1] == ""
    assert waited(limits, two, NOW)[1] == "concurrent"
    assert waited(limits, settled(two, 1, None), NOW)[1] == ""
