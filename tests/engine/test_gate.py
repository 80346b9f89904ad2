"""The start line, with a clock of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

from tests.engine.asking import CALM, no_pause, rung_of
from tests.providers import OpenAI
from vibedesk.engine.gate import Gate, Ticket
from vibedesk.engine.http import Http
from vibedesk.engine.router import Router
from vibedesk.engine.types import ApiKey, Finished, Rung, Secret, request_of


async def test_nobody_leaves_before_the_last_is_ready() -> None:
    gate = Gate()
    tickets = [gate.ticket() for _ in range(3)]
    leaving = [asyncio.create_task(ticket.leave()) for ticket in tickets[:2]]
    await asyncio.sleep(0.02)
    assert not any(task.done() for task in leaving)
    await tickets[2].leave()
    await asyncio.gather(*leaving)
    assert all(ticket.left_at is not None for ticket in tickets)
    assert min(ticket.after_first_s or 0.0 for ticket in tickets) == 0.0


async def test_one_that_failed_before_it_could_leave_holds_nobody_up() -> None:
    gate = Gate(patience_s=60)
    going, failing = gate.ticket(), gate.ticket()
    leaving = asyncio.create_task(going.leave())
    await asyncio.sleep(0)
    failing.give_back()
    await asyncio.wait_for(leaving, 5)
    assert failing.left_at is None
    assert failing.after_first_s is None
    assert gate.spread_s is None


async def test_patience_ends_and_the_ready_leave_without_the_late_one() -> None:
    gate = Gate(patience_s=0.02)
    ready, late = gate.ticket(), gate.ticket()
    assert await ready.leave() >= 0.015
    assert late.left_at is None
    assert await late.leave() < 60


async def test_a_ticket_waits_once_and_the_retry_goes_at_once() -> None:
    gate = Gate(patience_s=60)
    one, other = gate.ticket(), gate.ticket()
    await asyncio.gather(one.leave(), other.leave())
    left_at = one.left_at
    assert await one.leave() == 0.0
    assert one.left_at == left_at
    assert gate.spread_s is not None


async def test_who_asks_somebody_else_before_the_others_can_leave_leaves_with_them(http: Http) -> None:
    """And that it waits for them is not told as the time of whoever answers."""
    now, came = 0.0, asyncio.Event()

    def clock() -> float:
        came.set()
        return now

    async def secret_of(key: ApiKey) -> Secret:
        return Secret("loopback-key")

    gate = Gate(patience_s=60, clock=clock)
    falling, slow = gate.ticket(), gate.ticket()
    async with OpenAI() as gone, OpenAI() as server:
        rungs = [
            rung_of(one, "openai-chat", "gpt-4.1-mini", id=id) for one, id in ((gone, "a"), (server, "b"))
        ]
        await gone.__aexit__()
        router = Router(http, secret_of, timers=CALM, clock=lambda: now, pause=no_pause)
        asking = asyncio.create_task(finished_of(router, rungs, falling))
        await asyncio.wait_for(came.wait(), 30)
        assert not server.asked
        now = 50.0
        await slow.leave()
        finished = await asyncio.wait_for(asking, 30)
    assert (finished.outcome, finished.deployment, finished.took_s) == ("complete", "b/gpt-4.1-mini", 0.0)
    assert falling.after_first_s == 0.0


async def finished_of(router: Router, rungs: Sequence[Rung], ticket: Ticket) -> Finished:
    async with aclosing(router.ask(request_of("Hi"), rungs, ticket).events()) as events:
        *_, last = [event async for event in events]
    assert isinstance(last, Finished)
    return last
