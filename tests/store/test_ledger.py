"""The ledger: what every request and attempt took, summed without rounding."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from vibedesk.engine.errors import RateLimited
from vibedesk.engine.types import Attempt, Cost, Finished, Usage
from vibedesk.store.database import Database
from vibedesk.store.ledger import Ledger, ModelSum

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
ATTEMPT = Attempt(
    deployment="openai/a", via="direct", why_via="", key="work …a1b2", key_id="k1", rule="first choice", status=200,
    outcome="complete", kind=None, message="", started_s=0.0, connected_s=0.1, first_token_s=0.2, ended_s=1.5,
    request_id="req_1", finish_reason="stop", usage=Usage(input_tokens=10, output_tokens=5),
    cost=Cost(usd=Decimal("0.001"), source="list"),
)  # fmt: skip
FINISHED = Finished(
    outcome="complete", finish_reason="stop", text="Hello", reasoning="", deployment="openai/a", model="a-2026",
    usage=ATTEMPT.usage, cost=ATTEMPT.cost, ttft_s=0.2, tokens_per_s=3.0, reasoning_s=None, took_s=1.5, cached=False,
    error=None, attempts=(ATTEMPT,),
)  # fmt: skip
REFUSED = replace(
    ATTEMPT, deployment="groq/b", key_id="k2", status=429, outcome="failed", kind="rate_limited",
    first_token_s=None, usage=None, cost=None, finish_reason=None,
)  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    database = Database(tmp_path / "vibedesk.db")
    yield Ledger(database)
    database.close()


def test_a_request_is_one_row(ledger: Ledger) -> None:
    id = ledger.record(FINISHED, NOW, conversation_id="c1")
    [row] = ledger.rows()
    assert (row.request_id, row.at, row.conversation_id) == (id, NOW, "c1")
    assert (row.deployment, row.model, row.via, row.key) == ("openai/a", "a-2026", "direct", "work …a1b2")
    assert (row.outcome, row.kind, row.attempts, row.took_s, row.ttft_s) == ("complete", "", 1, 1.5, 0.2)
    assert (row.input_tokens, row.output_tokens, row.cost_usd) == (10, 5, Decimal("0.001"))


def test_what_nobody_said_is_unknown_not_zero(ledger: Ledger) -> None:
    attempt = replace(ATTEMPT, usage=None, cost=None)
    ledger.record(replace(FINISHED, usage=None, cost=None, attempts=(attempt,)), NOW)
    [row] = ledger.rows()
    assert (row.input_tokens, row.output_tokens, row.cost_usd) == (None, None, None)
    sums = ledger.sums()
    assert (sums.cost_usd, sums.unpriced) == (0, 1)


def test_a_refused_request_costs_nothing_and_is_not_unpriced(ledger: Ledger) -> None:
    error = RateLimited(retry_after_s=12)
    refused = replace(
        FINISHED, outcome="failed", usage=None, cost=None, ttft_s=None, error=error, attempts=(REFUSED,)
    )
    ledger.record(refused, NOW)
    ledger.record(replace(refused, attempts=()), NOW)
    assert [row.kind for row in ledger.rows()] == ["rate_limited", "rate_limited"]
    sums = ledger.sums()
    assert (sums.requests, sums.attempts, sums.unpriced) == (2, 1, 0)


def test_every_attempt_of_a_request_is_paid_for(ledger: Ledger) -> None:
    cut = replace(
        ATTEMPT,
        deployment="groq/b",
        key_id="k2",
        outcome="cut",
        cost=Cost(usd=Decimal("0.02"), source="list"),
    )
    ledger.record(replace(FINISHED, attempts=(REFUSED, cut, ATTEMPT)), NOW)
    sums = ledger.sums()
    assert (sums.requests, sums.attempts, sums.input_tokens, sums.output_tokens) == (1, 3, 20, 10)
    assert sums.cost_usd == Decimal("0.021")
    assert sums.by_model == (
        ModelSum(
            model="groq/b",
            requests=0,
            attempts=2,
            input_tokens=10,
            output_tokens=5,
            cost_usd=Decimal("0.02"),
            unpriced=0,
        ),
        ModelSum(
            model="openai/a",
            requests=1,
            attempts=1,
            input_tokens=10,
            output_tokens=5,
            cost_usd=Decimal("0.001"),
            unpriced=0,
        ),
    )
    assert ledger.spent_by_key() == {"k1": Decimal("0.001"), "k2": Decimal("0.02")}


def test_a_partly_known_cost_is_summed_and_marked(ledger: Ledger) -> None:
    ledger.record(replace(FINISHED, attempts=(replace(ATTEMPT, outcome="cut", cost=None), ATTEMPT)), NOW)
    sums = ledger.sums()
    assert (sums.cost_usd, sums.unpriced) == (Decimal("0.001"), 1)


def test_a_total_without_parts_belongs_to_the_last_attempt(ledger: Ledger) -> None:
    bare = replace(ATTEMPT, usage=None, cost=None)
    ledger.record(replace(FINISHED, attempts=(REFUSED, bare)), NOW)
    sums = ledger.sums()
    assert (sums.cost_usd, sums.unpriced) == (Decimal("0.001"), 0)
    assert {one.model: one.cost_usd for one in sums.by_model} == {"openai/a": Decimal("0.001"), "groq/b": 0}


def test_a_total_without_attempts_is_counted_by_its_model(ledger: Ledger) -> None:
    ledger.record(replace(FINISHED, attempts=()), NOW)
    [one] = ledger.sums().by_model
    assert (one.model, one.requests, one.attempts, one.cost_usd) == ("openai/a", 1, 0, Decimal("0.001"))


def test_only_what_came_since_then_counts(ledger: Ledger) -> None:
    for days in range(4):
        ledger.record(FINISHED, NOW - timedelta(days=days))
    elsewhere = (NOW - timedelta(days=1)).astimezone(timezone(timedelta(hours=9)))
    assert ledger.sums(elsewhere).requests == 2
    assert [row.at for row in ledger.rows(elsewhere)] == [NOW, NOW - timedelta(days=1)]
    assert ledger.spent_by_key(NOW) == {"k1": Decimal("0.001")}
    assert len(ledger.rows(limit=3)) == 3


def test_what_nobody_counted_is_used_up_after_a_restart_too(ledger: Ledger) -> None:
    about = Cost(usd=Decimal("0.004"), source="list", estimated=True)
    guess = Usage(input_tokens=100, output_tokens=20)
    cut = replace(ATTEMPT, outcome="cut", usage=None, cost=about, guess=guess)
    ledger.record(replace(FINISHED, outcome="cut", usage=None, cost=about, attempts=(cut,)), NOW)
    [use] = ledger.uses_by_key(["k1"], NOW)["k1"]
    assert (use.tokens, use.usd) == (120, Decimal("0.004"))
    [row] = ledger.rows()
    assert (row.input_tokens, row.cost_usd, ledger.sums().unpriced) == (None, Decimal("0.004"), 0)


def test_an_empty_ledger_sums_to_nothing(ledger: Ledger) -> None:
    sums = ledger.sums()
    assert (sums.requests, sums.cost_usd, sums.by_model) == (0, 0, ())


@given(st.lists(st.decimals(min_value=0, max_value=10**12, places=18), max_size=12))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sums_are_exact_to_the_last_digit(tmp_path: Path, amounts: list[Decimal]) -> None:
    database = Database(tmp_path / "sums.db")
    database.execute("DELETE FROM ledger")
    ledger = Ledger(database)
    for usd in amounts:
        attempt = replace(ATTEMPT, cost=Cost(usd=usd, source="list"))
        ledger.record(replace(FINISHED, attempts=(attempt,), cost=attempt.cost), NOW)
    quanta = sum(map(_quanta, amounts))
    assert _quanta(ledger.sums().cost_usd) == quanta
    assert sum(map(_quanta, ledger.spent_by_key().values())) == quanta
    database.close()


def _quanta(usd: Decimal) -> int:
    """Whole 10⁻¹⁸ dollars, without any context's rounding."""
    _, digits, exponent = usd.as_tuple()
    assert isinstance(exponent, int)
    return int("".join(map(str, digits)) or "0") * 10 ** (exponent + 18)
