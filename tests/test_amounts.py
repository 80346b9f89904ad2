"""Money, time, speed and counts are written one way everywhere."""

from __future__ import annotations

from decimal import Decimal

import pytest

from vibedesk.amounts import at_most, count, duration, money, speed, spent


@pytest.mark.parametrize(
    ("usd", "written"),
    [
        (None, "—"),
        ("0", "$0"),
        ("0.0042", "$0.0042"),
        ("0.00000012", "<$0.0001"),
        ("12.3", "$12.30"),
        ("1234.5", "$1,234.50"),
        ("0.99995", "$1.0000"),
    ],
)
def test_money(usd: str | None, written: str) -> None:
    assert money(None if usd is None else Decimal(usd)) == written


@pytest.mark.parametrize(
    ("usd", "written"),
    [
        ("0", "at most $0"),
        ("0.00000012", "at most $0.0001"),
        ("0.00421", "at most $0.0043"),
        ("1.231", "at most $1.24"),
    ],
)
def test_a_bound_is_no_estimate_and_never_rounded_down(usd: str, written: str) -> None:
    assert at_most(Decimal(usd)) == written


def test_an_estimate_begins_with_about() -> None:
    assert money(Decimal("0.0042"), estimated=True) == "≈$0.004"
    assert money(None, estimated=True) == "—"


def test_a_sum_of_nothing_known_is_no_zero() -> None:
    assert [spent(Decimal(usd), unpriced) for usd, unpriced in ((0, 0), (0, 2), (3, 2))] == [
        "$0",
        "—",
        "$3.00+",
    ]


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (None, "—"),
        (0.412, "412 ms"),
        (0.9999, "1.0 s"),
        (1.8, "1.8 s"),
        (60.0, "60.0 s"),
        (125, "2 min 5 s"),
        (180, "3 min"),
    ],
)
def test_duration(seconds: float | None, written: str) -> None:
    assert duration(seconds) == written


def test_speed_and_count() -> None:
    assert speed(71.23) == "71.2 tok/s"
    assert speed(1904.4) == "1,904 tok/s"
    assert speed(None) == "—"
    assert count(1950) == "1,950"
    assert count(None) == "—"
