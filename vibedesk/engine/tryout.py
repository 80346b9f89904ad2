"""Trying a route out: its model and each fallback is asked the same short question, each on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from msgspec.structs import replace

from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.to_the_end import end_all
from vibedesk.engine.types import Finished, Request, Route, Rung, request_of

if TYPE_CHECKING:
    from vibedesk.engine.router import Router

PROMPT = "Reply with one short sentence that says you are working."
MOST_TOKENS = 512
"""A try costs at most so many tokens of output, reasoning included."""


def question_of(route: Route) -> Request:
    """The short question with the route's own parameters: what a model refuses is refused here too."""
    most = min(route.parameters.max_tokens or MOST_TOKENS, MOST_TOKENS)
    request = request_of(PROMPT, system=route.system)
    return replace(request, parameters=replace(route.parameters, max_tokens=most))


async def try_each(
    router: Router,
    request: Request,
    rungs: Sequence[Rung],
    *,
    tell: Callable[[int, Finished], object] = lambda place, finished: None,
) -> list[Finished]:
    """All at the same time, past every cache. `tell(place, finished)` as soon as each has ended."""

    async def one(place: int, rung: Rung) -> Finished:
        finished = await _try(router, request, rung)
        tell(place, finished)
        return finished

    tasks = [asyncio.create_task(one(place, rung)) for place, rung in enumerate(rungs)]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await end_all(tasks)


async def _try(router: Router, request: Request, rung: Rung) -> Finished:
    async with aclosing(router.ask(request, [rung]).events()) as events:
        async for event in events:
            if isinstance(event, Finished):
                return event
    raise Misconfigured("The answer ended without an end.")
