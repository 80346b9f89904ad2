"""What one run learns, the next one knows: breakers, dead keys, and how much of a key's limit is used up."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

from tests.providers import Behaviour, OpenAI
from tests.sitting import GROQ_KEY, desk_in, home_at
from vibedesk.desk import Desk
from vibedesk.engine.catalog import origin_of
from vibedesk.engine.types import Finished, Limits, Secret, request_of

MODEL = "groq/openai/gpt-oss-120b"


async def asked(desk: Desk) -> Finished:
    """One ask, written into the ledger."""
    rungs = await asyncio.to_thread(desk.rungs, desk.route_for(MODEL))
    async with aclosing(desk.router.ask(request_of("Hi"), rungs).events()) as events:
        [finished] = [event async for event in events if isinstance(event, Finished)]
    if finished.attempts:
        await asyncio.to_thread(desk.ledger.record, finished, datetime.now(UTC))
    return finished


async def test_a_limit_that_is_used_up_stays_so_over_a_restart(tmp_path: Path) -> None:
    async with OpenAI(key=GROQ_KEY, flavour="groq") as groq:
        environ = home_at(tmp_path, {"groq": groq.base_url})
        async with desk_in(tmp_path, environ) as desk:
            origin = origin_of(groq.base_url)
            key = await asyncio.to_thread(
                desk.vault.add, "groq", Secret(GROQ_KEY), label="fast", origin=origin
            )
            await asyncio.to_thread(desk.keys.set_terms, key.id, limits=Limits(requests_per_day=2))
            assert [(await asked(desk)).outcome for _ in range(2)] == ["complete", "complete"]
        async with desk_in(tmp_path, environ) as desk:
            told = await asyncio.to_thread(desk.explain, desk.route_for(MODEL))
            assert told.rungs[0].verdict == "own_limit"
            finished = await asked(desk)
            assert finished.error is not None
            assert (finished.outcome, finished.error.kind) == ("failed", "own_limit")
            assert finished.error.retry_after_s is not None
            assert 0 < finished.error.retry_after_s <= 86_400
            await asyncio.to_thread(desk.keys.set_terms, key.id, limits=Limits(requests_per_day=3))
            assert (await asked(desk)).outcome == "complete"
        assert len(groq.asked) == 3


async def test_a_breaker_and_a_dead_key_are_known_to_the_next_run(tmp_path: Path) -> None:
    async with OpenAI(Behaviour(status=401), key=GROQ_KEY, flavour="groq") as groq:
        environ = home_at(tmp_path, {"groq": groq.base_url})
        async with desk_in(tmp_path, environ) as desk:
            origin = origin_of(groq.base_url)
            key = await asyncio.to_thread(
                desk.vault.add, "groq", Secret(GROQ_KEY), label="fast", origin=origin
            )
            assert (await asked(desk)).outcome == "failed"
            groq.behaviour = Behaviour(status=500)
            assert (await asked(desk)).outcome == "failed"
            assert {out.kind for out in desk.router.world.dead.values()} == {"invalid_key"}
        async with desk_in(tmp_path, environ) as desk:
            world = await asyncio.to_thread(desk.standing.load)
            assert set(world.dead) == {key.id}
            assert [breaker.failures for breaker in world.breakers.values()] == [3]
            groq.behaviour = Behaviour()
            assert (await asked(desk)).outcome == "complete"
            assert (desk.router.world.dead, await asyncio.to_thread(desk.standing.load)) == (
                {},
                desk.standing.load(),
            )
        async with desk_in(tmp_path, environ) as desk:
            world = await asyncio.to_thread(desk.standing.load)
            assert (world.dead, world.breakers) == ({}, {})


async def test_on_another_network_nobody_is_left_alone_for_what_happened_before(tmp_path: Path) -> None:
    async with OpenAI(Behaviour(status=503), key=GROQ_KEY, flavour="groq") as groq:
        environ = home_at(tmp_path, {"groq": groq.base_url})
        environ["GROQ_API_KEY"] = GROQ_KEY
        async with desk_in(tmp_path, environ) as desk:
            desk.network_changed()  # before anybody was asked: nothing to forget
            origin = origin_of(groq.base_url)
            await asyncio.to_thread(desk.vault.add, "groq", Secret(GROQ_KEY), label="fast", origin=origin)
            await asked(desk)
            assert desk.router.world.breakers
            desk.network_changed()
            assert not desk.router.world.breakers
