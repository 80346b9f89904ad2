"""What the router keeps over a restart: breakers, dead keys, cooled scopes; counts come from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.test_ledger import ATTEMPT, FINISHED, NOW, REFUSED
from vibedesk.engine.allowance import Uses
from vibedesk.engine.breaker import Breaker
from vibedesk.engine.rates import Bucket
from vibedesk.engine.world import Out, World
from vibedesk.store.database import Database
from vibedesk.store.ledger import Ledger
from vibedesk.store.standing import Standing

SINCE = NOW.timestamp()
WORLD = World(
    breakers={
        "a": Breaker(failures=3, opens=1, open_until=SINCE + 9, probe_until=SINCE + 99),
        "b": Breaker(),
    },
    dead={"k1": Out(kind="invalid_key", since=SINCE, hint="…1"), "k2@a": Out(kind="restricted", since=SINCE)},
    cooled={"openai:|m": Out(kind="rate_limited", since=SINCE, until=SINCE + 30)},
    uses={"k1": Uses(day=1)},
    said={"k1|m": {"requests": Bucket(limit=100, remaining=0, reset_at=SINCE + 5, said_at=SINCE)}},
    learned={"k1": "org-1"},
    endings={"http://lab": 3},
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "vibedesk.db")
    yield opened
    opened.close()


def test_what_lasts_comes_back_and_what_was_under_way_does_not(database: Database) -> None:
    assert Standing(database).load() == World()
    Standing(database).save(WORLD)
    kept = Standing(database).load()
    assert kept.breakers == {"a": replace(WORLD.breakers["a"], probe_until=0.0)}
    assert (kept.dead, kept.cooled, kept.said) == (WORLD.dead, WORLD.cooled, WORLD.said)
    assert (kept.learned, kept.endings, kept.uses) == (WORLD.learned, WORLD.endings, {})


def test_a_key_that_a_later_check_found_good_is_not_out(database: Database) -> None:
    Standing(database).save(WORLD)
    for key_id, state, at in (("k1", "ready", NOW.replace(hour=11)), ("k2", "invalid", NOW.replace(hour=13))):
        database.execute(
            "INSERT INTO key_notes (key_id, state, checked) VALUES (?, ?, ?)", (key_id, state, at.isoformat())
        )
    assert set(Standing(database).load().dead) == {"k1", "k2@a"}
    database.execute("UPDATE key_notes SET checked = ?, state = 'ready'", (NOW.replace(hour=13).isoformat(),))
    assert Standing(database).load().dead == {}


def test_what_cannot_be_read_is_as_if_nothing_had_been_kept(database: Database) -> None:
    database.execute("INSERT INTO router_world (id, world) VALUES (1, '{\"breakers\": 3}')")
    assert Standing(database).load() == World()


def test_the_ledger_tells_what_a_key_was_used_for(database: Database) -> None:
    ledger = Ledger(database)
    unreached = replace(ATTEMPT, status=None, usage=None, cost=None)
    ledger.record(replace(FINISHED, attempts=(REFUSED, unreached, ATTEMPT)), NOW)
    ledger.record(FINISHED, datetime(2026, 6, 30, tzinfo=UTC))
    month = NOW.replace(day=1, hour=0)
    [use] = ledger.uses_by_key(["k1", "k2"], month)["k1"]
    assert (use.at, use.tokens, use.usd) == (NOW.timestamp(), 15, Decimal("0.001"))
    assert "k2" not in ledger.uses_by_key(["k1", "k2"], month)
