"""The start line, with a clock of its own."""

from __future__ import annotations

import asyncio

from vibedesk.engine.gate import Gate


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
