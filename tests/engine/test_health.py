"""Keys × models: all asked, few at a time, stoppable, and the cost known before."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import date
from decimal import Decimal
from typing import Any

from tests.engine.asking import key_of
from tests.engine.checking import catalog_at
from tests.providers import Behaviour, OpenAI
from tests.providers.server import Seen
from tests.sitting import until
from vibedesk.engine.health import A_KEY_AT_ONCE, cost_of_pairs, health, pairs_of
from vibedesk.engine.http import Http
from vibedesk.engine.types import ApiKey, Deployment, Secret

MODELS = ("gpt-6-luna", "gpt-6.1-sol", "gpt-4.1-mini")
DAY = date(2026, 11, 24)


async def given(key: ApiKey) -> Secret:
    return Secret("wrong-key-000001" if key.id == "bad" else "loopback-key")


def pairs_at(server: OpenAI, *ids: str, models: tuple[str, ...] = MODELS) -> tuple[Deployment, ...]:
    catalog = catalog_at({"openai": server.base_url})
    keys = [key_of(catalog.provider("openai"), id=id) for id in ids]
    return pairs_of(keys, [catalog.model(f"openai/{model}") for model in models], catalog)


async def test_every_key_is_asked_for_every_model_and_each_cell_is_its_own(http: Http) -> None:
    async with OpenAI() as server:
        server.behaviours["gpt-6.1-sol"] = Behaviour(status=404)
        pairs = pairs_at(server, "good", "bad")
        async with aclosing(health(pairs, http, given)) as cells:
            found = {(cell.key_id, cell.model): cell async for cell in cells}
    assert len(found) == len(pairs) == 6
    assert {cell.verdict for (key, _), cell in found.items() if key == "bad"} == {"invalid"}
    assert found["good", "openai/gpt-6.1-sol"].verdict == "restricted"
    good = found["good", "openai/gpt-6-luna"]
    assert (good.verdict, good.error) == ("ready", None)
    assert good.ttft_s is not None
    assert good.cost is not None


async def test_what_it_costs_is_known_before_and_is_not_exceeded(http: Http) -> None:
    async with OpenAI(Behaviour(text="OK")) as server:
        pairs = pairs_at(server, "good")
        estimate = cost_of_pairs(pairs, on=DAY)
        async with aclosing(health(pairs, http, given)) as cells:
            spent = sum([cell.cost.usd async for cell in cells if cell.cost], Decimal(0))
    assert (estimate.requests, estimate.unpriced) == (3, ())
    assert 0 < spent <= estimate.usd < Decimal("0.01")


async def test_a_model_without_a_price_is_named() -> None:
    async with OpenAI() as server:
        estimate = cost_of_pairs(pairs_at(server, "good", models=("gpt-6-luna", "own-model")), on=DAY)
    assert estimate.unpriced == ("openai/own-model",)


class Counting(OpenAI):
    """Holds every answer back until it is told, and counts how many wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = 0
        self.most = 0
        self.open = asyncio.Event()

    async def _write(self, seen: Seen, writer: Any) -> bool:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        try:
            await self.open.wait()
            return await super()._write(seen, writer)
        finally:
            self.waiting -= 1


async def test_only_so_many_are_under_way_at_once(http: Http) -> None:
    async with Counting() as server:
        pairs = pairs_at(server, "a", "b", "c")

        async def all_of_them() -> int:
            async with aclosing(health(pairs, http, given, at_once=3)) as cells:
                return len([cell async for cell in cells])

        running = asyncio.create_task(all_of_them())
        await until(lambda: server.waiting == 3)
        await asyncio.sleep(0.1)
        assert server.waiting == 3
        server.open.set()
        assert await running == 9
        assert server.most == 3


async def test_a_key_is_not_asked_for_everything_at_once(http: Http) -> None:
    async with Counting() as server:
        pairs = pairs_at(server, "a")
        running = asyncio.create_task(first(health(pairs, http, given, at_once=9)))
        await until(lambda: server.waiting == A_KEY_AT_ONCE)
        await asyncio.sleep(0.1)
        assert server.waiting == A_KEY_AT_ONCE
        server.open.set()
        await running


async def first(cells: Any) -> None:
    async with aclosing(cells) as found:
        async for _ in found:
            return


async def test_stopping_it_closes_what_is_open_and_asks_no_more(http: Http) -> None:
    async with Counting() as server:
        running = asyncio.create_task(first(health(pairs_at(server, "a", "b"), http, given)))
        await until(lambda: server.waiting == 4)
        running.cancel()
        async with asyncio.timeout(10):
            await asyncio.gather(running, return_exceptions=True)
            await asyncio.gather(*(seen.closed.wait() for seen in server.seen))
        assert len(server.seen) == 4
