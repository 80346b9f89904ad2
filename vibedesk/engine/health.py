"""Keys × models: which answers at the moment, and how fast. What it will cost is known before it runs."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from datetime import date
from decimal import Decimal

from msgspec import Struct

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.check import TIMERS
from vibedesk.engine.check_answers import QUESTION, asked, cost_of_check
from vibedesk.engine.errors import EngineError
from vibedesk.engine.http import Http, Timers
from vibedesk.engine.router import Router
from vibedesk.engine.to_the_end import end_all
from vibedesk.engine.transport import choose
from vibedesk.engine.types import ApiKey, Cost, Deployment, Finished, Gateway, Model, Rung, Secret
from vibedesk.engine.verdicts import nuance_of, verdict_of

AT_ONCE = 4
A_KEY_AT_ONCE = 2
"""Free tiers allow few requests at the same time, and a limit run into by the test would be its own doing."""


class Cell(Struct, frozen=True, kw_only=True):
    """One key asked for one model. `verdict` is one of `VERDICTS`; the times are None where nothing came.

    `finished` is the whole record, for the ledger.
    """

    key_id: str
    key: str
    model: str
    verdict: str
    nuance: str
    error: EngineError | None
    ttft_s: float | None
    took_s: float
    cost: Cost | None
    finished: Finished


class Estimate(Struct, frozen=True, kw_only=True):
    """The most it can cost, as far as prices are known; `unpriced` are the models whose are not."""

    usd: Decimal
    requests: int
    unpriced: tuple[str, ...]


def pairs_of(
    keys: Iterable[ApiKey], models: Sequence[Model], catalog: Catalog, gateway: Gateway | None = None
) -> tuple[Deployment, ...]:
    """Every key with every one of these models that is its provider's. Keys of no known provider are left out."""
    pairs = []
    for key in keys:
        provider = catalog.providers.get(key.provider)
        if provider is None:
            continue
        via, why = choose(provider, None, gateway, key)
        through = gateway if via == "gateway" else None
        pairs += [
            Deployment(provider=provider, model=model, key=key, via=via, why_via=why, gateway=through)
            for model in models
            if model.provider == provider.id
        ]
    return tuple(pairs)


def cost_of_pairs(pairs: Sequence[Deployment], *, on: date) -> Estimate:
    """What asking all of them once can cost at most."""
    costs = [(pair, cost_of_check(pair.model, pair.provider, on=on)) for pair in pairs]
    return Estimate(
        usd=sum((cost.usd for _, cost in costs if cost), Decimal(0)),
        requests=len(pairs),
        unpriced=tuple(dict.fromkeys(pair.model.full_id for pair, cost in costs if cost is None)),
    )


async def health(
    pairs: Sequence[Deployment],
    http: Http,
    secret_of: Callable[[ApiKey], Awaitable[Secret]],
    *,
    at_once: int = AT_ONCE,
    timers: Timers = TIMERS,
) -> AsyncGenerator[Cell, None]:
    """One short real answer of each, as they come; at most `at_once` under way, and of a key `A_KEY_AT_ONCE`.

    Never raises `EngineError`. Closing the generator stops what is under way and closes its sockets.
    """
    router = Router(http, secret_of, timers=timers)
    everyone = asyncio.Semaphore(max(1, at_once))
    of_key: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(A_KEY_AT_ONCE))

    async def one(pair: Deployment) -> Cell:
        async with of_key[pair.key.id if pair.key else ""], everyone:
            return _cell(pair, await _asked(router, pair))

    tasks = [asyncio.create_task(one(pair)) for pair in pairs]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        await end_all(tasks)


async def _asked(router: Router, pair: Deployment) -> Finished:
    answer = router.ask(asked(QUESTION, pair.model), [Rung(deployment=pair, reason="health")])
    async with aclosing(answer.events()) as events:
        async for event in events:
            if isinstance(event, Finished):
                return event
    return answer.stopped()


def _cell(pair: Deployment, finished: Finished) -> Cell:
    error = finished.error
    if error is not None and error.kind in ("empty_answer", "content_blocked"):
        error = None  # it answered, if not with words
    return Cell(
        key_id=pair.key.id if pair.key else "",
        key=pair.key_name,
        model=pair.model.full_id,
        verdict=verdict_of(error, proven=True) if error else "ready",
        nuance=nuance_of(error, pair.provider, proven=True),
        error=error,
        ttft_s=finished.ttft_s,
        took_s=finished.took_s,
        cost=finished.cost,
        finished=finished,
    )
