"""The kept answers: found by their hash, not when too old, and the longest unused make room."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from vibedesk.engine.kept import Kept, Spoken
from vibedesk.engine.types import CacheUse, Cost, Finished, Usage
from vibedesk.store.answers import Answers
from vibedesk.store.database import Database
from vibedesk.store.ledger import Ledger

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEPT = Kept(
    deployment="openai/m",
    model="m",
    finish_reason="stop",
    usage=Usage(input_tokens=3, output_tokens=2),
    cost=Cost(usd=Decimal("0.0042"), source="list"),
    took_s=1.5,
    reasoning_s=None,
    spoken=(Spoken(0.1, "reasoning", "Hm."), Spoken(0.2, "text", "Grüße 😀")),
    at=NOW,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "vibedesk.db")
    yield database
    database.close()


def test_what_is_kept_is_found_as_it_was(database: Database) -> None:
    answers = Answers(database)
    answers.keep("a", KEPT)
    assert answers.find("a", 60, NOW) == KEPT
    assert answers.find("b", 60, NOW) is None


def test_what_is_too_old_is_not_found_and_a_longer_patience_finds_it(database: Database) -> None:
    answers = Answers(database)
    answers.keep("a", KEPT)
    later = NOW + timedelta(seconds=61)
    assert answers.find("a", 60, later) is None
    assert answers.find("a", 62, later) == KEPT


def test_the_longest_unused_make_room(database: Database) -> None:
    answers = Answers(database)
    answers.keep("a", KEPT)
    small = Answers(database, cap=answers.held().size * 5 // 2)
    small.keep("b", KEPT)
    assert small.find("a", 60, NOW + timedelta(seconds=1))
    small.keep("c", KEPT)
    assert [bool(small.find(key, 60, NOW)) for key in "abc"] == [True, False, True]
    assert small.held().answers == 2


def test_an_answer_that_cannot_be_read_any_more_is_as_good_as_none(database: Database) -> None:
    answers = Answers(database)
    answers.keep("a", KEPT)
    database.execute("UPDATE kept_answers SET answer = ?", (b"torn",))
    assert answers.find("a", 60, NOW) is None
    assert answers.held().answers == 0


def test_cleared_is_gone_from_the_file(database: Database) -> None:
    answers = Answers(database)
    answers.keep("a", KEPT)
    answers.clear()
    assert answers.held() == answers.held().__class__(0, 0)


def test_the_ledger_counts_it_as_a_request_that_cost_nothing(database: Database) -> None:
    finished = Finished(
        outcome="complete",
        finish_reason="stop",
        text="Hi",
        reasoning="",
        deployment="openai/m",
        model="m",
        usage=KEPT.usage,
        cost=Cost(usd=Decimal(0), source="answer cache"),
        ttft_s=0.01,
        tokens_per_s=None,
        reasoning_s=None,
        took_s=0.01,
        cached=True,
        error=None,
        attempts=(),
        cache=CacheUse(verdict="hit", kept_at=NOW, saved=KEPT.cost, saved_s=1.5),
    )
    ledger = Ledger(database)
    ledger.record(finished, NOW)
    sums = ledger.sums()
    assert (sums.requests, sums.cached, sums.attempts, sums.unpriced) == (1, 1, 0, 0)
    assert (sums.input_tokens, sums.output_tokens, sums.cost_usd) == (0, 0, 0)
    assert ledger.rows()[0].cached
