"""Usage → cost: to the last decimal, and unknown where it is unknown."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as some

from vibedesk.engine.pricing import cost_of, estimate_tokens
from vibedesk.engine.types import Model, Price, Usage

TODAY = date(2026, 11, 22)
PLAIN = Price(input=D("3"), output=D("15"), cached=D("0.3"), cache_write=D("3.75"), source="price list")
TIERED = Price(
    input=D("1.25"), output=D("10"), cached=D("0.125"), threshold=200_000, long_input=D("2.5"), long_output=D("15"),
    source="price list",
)  # fmt: skip


def model(price: Price | None) -> Model:
    return Model(provider="p", id="m", name="m", price=price)


def usd(usage: Usage, price: Price, on: date = TODAY) -> D:
    cost = cost_of(usage, model(price), on=on)
    assert cost is not None
    return cost.usd


def test_input_and_output_cost_their_price_a_million() -> None:
    assert usd(Usage(input_tokens=1_000, output_tokens=500), PLAIN) == D("0.0105")


def test_cached_and_written_tokens_have_prices_of_their_own() -> None:
    usage = Usage(input_tokens=1_000, output_tokens=0, cached_tokens=600, cache_write_tokens=300)
    assert usd(usage, PLAIN) == D("0.001605")  # 100 × 3 + 600 × 0.3 + 300 × 3.75, per million


def test_a_cached_token_without_a_price_costs_what_an_input_token_costs() -> None:
    price = Price(input=D("2"), output=D("4"))
    assert usd(Usage(input_tokens=10, output_tokens=0, cached_tokens=10), price) == D("0.00002")


def test_a_free_model_costs_nothing_which_is_known() -> None:
    assert usd(Usage(input_tokens=10, output_tokens=10), Price(input=D(0), output=D(0))) == 0


@pytest.mark.parametrize(("tokens", "expected"), [(200_000, D("0.26")), (200_001, D("0.5150025"))])
def test_over_the_threshold_the_whole_request_costs_the_long_price(tokens: int, expected: D) -> None:
    assert usd(Usage(input_tokens=tokens, output_tokens=1_000), TIERED) == expected


def test_a_long_cached_token_without_a_price_grows_with_the_input() -> None:
    usage = Usage(input_tokens=300_000, output_tokens=0, cached_tokens=300_000)
    assert usd(usage, TIERED) == D("0.075")


def test_an_announced_price_holds_from_its_day_on() -> None:
    later = Price(input=D("1"), output=D("1"))
    price = Price(input=D("9"), output=D("9"), starts=date(2026, 12, 1), then=later)
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    assert usd(usage, price, date(2026, 11, 30)) == 9
    assert usd(usage, price, date(2026, 12, 1)) == 1


def test_what_the_provider_says_it_charged_comes_first() -> None:
    cost = cost_of(Usage(input_tokens=1, output_tokens=1), model(PLAIN), on=TODAY, reported_usd=D("0.42"))
    assert cost is not None
    assert (cost.usd, cost.source) == (D("0.42"), "charged by p")


@pytest.mark.parametrize("reported", [D("NaN"), D("Infinity"), D("-1")])
def test_a_nonsensical_charge_is_not_believed(reported: D) -> None:
    cost = cost_of(
        Usage(input_tokens=1_000_000, output_tokens=0), model(PLAIN), on=TODAY, reported_usd=reported
    )
    assert cost is not None
    assert (cost.usd, cost.source) == (D("3"), "price list")


@pytest.mark.parametrize(
    "usage",
    [
        Usage(input_tokens=-1, output_tokens=1),
        Usage(input_tokens=1, output_tokens=-1),
        Usage(input_tokens=1, output_tokens=1, cached_tokens=2),
    ],
)
def test_counts_that_contradict_each_other_have_no_price(usage: Usage) -> None:
    assert cost_of(usage, model(PLAIN), on=TODAY) is None


def test_unknown_usage_or_price_is_unknown_cost_never_zero() -> None:
    assert cost_of(None, model(PLAIN), on=TODAY) is None
    assert cost_of(Usage(input_tokens=1, output_tokens=1), model(None), on=TODAY) is None


COUNTS = some.integers(min_value=0, max_value=10**7)


@given(first=COUNTS, second=COUNTS)
def test_the_parts_add_up_to_the_whole_exactly(first: int, second: int) -> None:
    parts = [usd(Usage(input_tokens=count, output_tokens=count), PLAIN) for count in (first, second)]
    assert sum(parts, D(0)) == usd(Usage(input_tokens=first + second, output_tokens=first + second), PLAIN)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("Hi", 1, 1),
        ("The quick brown fox jumps", 5, 8),
        ("你好，世界", 4, 6),
        ("😀" * 4, 4, 8),
        ("Привет", 2, 4),
    ],
)
def test_an_estimate_is_near_what_tokenizers_say(text: str, least: int, most: int) -> None:
    assert least <= estimate_tokens(text) <= most
