"""What was asked and what it cost: a real ledger, filled by real asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.browsing import DEMO, browsing
from tests.providers import Behaviour


async def test_every_ask_is_listed_the_latest_first_and_summed(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        await scene.ask(DEMO)
        await scene.ask("lab/gpt-4.1-mini")
        scene.usage.reload()
        await scene.rest()
        assert [row.deployment for row in scene.usage.calls.rows()] == ["lab/gpt-4.1-mini", DEMO]
        assert [row.outcome for row in scene.usage.calls.rows()] == ["complete", "complete"]
        assert scene.usage.sums is not None
        assert (scene.usage.sums.requests, scene.usage.sums.attempts) == (2, 2)
        assert {row.model for row in scene.usage.models.rows()} == {DEMO, "lab/gpt-4.1-mini"}


async def test_a_failed_ask_is_listed_with_its_kind_and_no_cost(tmp_path: Path) -> None:
    async with browsing(tmp_path, Behaviour(status=401)) as scene:
        await scene.ask("lab/gpt-4.1-mini")
        scene.usage.reload()
        await scene.rest()
        [row] = scene.usage.calls.rows()
        assert (row.outcome, row.cost_usd, row.input_tokens) == ("failed", None, None)
        assert row.kind


async def test_a_period_leaves_out_what_was_before_it(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        ended = await scene.ask(DEMO)
        scene.desk.ledger.record(ended, datetime.now(UTC) - timedelta(days=10))
        for days, number in ((7, 1), (30, 2), (None, 2), (0, 1)):
            scene.usage.show(days)
            await scene.rest()
            assert scene.usage.calls.rowCount() == number
            assert scene.usage.sums is not None
            assert scene.usage.sums.requests == number


async def test_today_begins_at_local_midnight(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        scene.usage.show(0)
        since = scene.usage.since()
        await scene.rest()
        assert since is not None
        here = since.astimezone()
        assert (here.hour, here.minute, here.date()) == (0, 0, datetime.now().astimezone().date())
