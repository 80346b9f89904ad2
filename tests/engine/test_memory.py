"""What the router keeps over a restart, where the disk is slow: nobody's answer and nobody's news get lost."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress

from tests.engine.asking import SHORT, ask, no_pause, rung_of
from tests.providers import Behaviour, OpenAI
from vibedesk.engine.http import Http
from vibedesk.engine.memory import Forgetful
from vibedesk.engine.router import Router
from vibedesk.engine.types import ApiKey, Secret, request_of
from vibedesk.engine.world import Out, World


class SlowDisk(Forgetful):
    """Reads and writes one time after the other, each when it is let."""

    def __init__(self, held: World | None = None) -> None:
        self.held = held or World()
        self.turns: list[asyncio.Event] = []
        self.busy = asyncio.Event()

    async def _turn(self) -> None:
        turn = asyncio.Event()
        self.turns.append(turn)
        self.busy.set()
        await turn.wait()

    async def recall(self) -> World:
        held = self.held
        await self._turn()
        return held

    async def keep(self, world: World) -> None:
        await self._turn()
        self.held = world


async def secret_of(key: ApiKey) -> Secret:
    return Secret("loopback-key")


async def test_a_stop_while_the_disk_is_written_to_does_not_turn_a_whole_answer_into_a_stopped_one(
    http: Http,
) -> None:
    disk = SlowDisk()
    router = Router(http, secret_of, timers=SHORT, memory=disk, pause=no_pause)
    async with OpenAI(Behaviour(status=402, times=1)) as server:
        rungs = [rung_of(server, "openai-chat", "gpt-4.1-mini", id=name) for name in ("first", "second")]
        answer = router.ask(request_of("Hi"), rungs)

        async def listen() -> None:
            async with aclosing(answer.events()) as events:
                async for _ in events:
                    pass

        listening = asyncio.create_task(listen())
        await asyncio.wait_for(disk.busy.wait(), 5)
        disk.busy.clear()
        disk.turns[0].set()
        await asyncio.wait_for(disk.busy.wait(), 5)
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
    stopped = answer.stopped()
    assert (stopped.outcome, stopped.error) == ("complete", None)
    assert [attempt.outcome for attempt in stopped.attempts] == ["failed", "complete"]


async def test_the_latest_news_is_what_is_kept_however_long_the_disk_took_for_the_news_before(
    http: Http,
) -> None:
    disk = SlowDisk()
    router = Router(http, secret_of, timers=SHORT, memory=disk)
    router.world = World(learned={"a": "one"})
    first = asyncio.create_task(router.keep())
    await asyncio.wait_for(disk.busy.wait(), 5)
    router.world = World(learned={"a": "two"})
    second = asyncio.create_task(router.keep())
    await asyncio.sleep(0)
    for turn in (*disk.turns[1:], disk.turns[0]):  # the later one is the quicker
        turn.set()
        await asyncio.sleep(0)
    while not second.done():
        disk.turns[-1].set()
        await asyncio.sleep(0)
    await first
    assert disk.held.learned == {"a": "two"}


async def test_what_was_not_written_down_because_of_a_stop_is_written_down_the_next_time(http: Http) -> None:
    disk = SlowDisk()
    router = Router(http, secret_of, timers=SHORT, memory=disk)
    router.world = World(learned={"a": "one"})
    keeping = asyncio.create_task(router.keep())
    await asyncio.wait_for(disk.busy.wait(), 5)
    keeping.cancel()
    await asyncio.wait([keeping])
    again = asyncio.create_task(router.keep())
    await asyncio.sleep(0)
    disk.turns[-1].set()
    await again
    assert disk.held.learned == {"a": "one"}


async def test_a_key_that_was_changed_while_the_disk_was_read_is_asked_with_again(http: Http) -> None:
    disk = SlowDisk(World(dead={"key-openai": Out(kind="invalid_key", since=0.0, hint="loop…-key")}))
    router = Router(http, secret_of, timers=SHORT, memory=disk, pause=no_pause)
    async with OpenAI() as server:
        rungs = [rung_of(server, "openai-chat", "gpt-4.1-mini", id=name) for name in ("openai", "spare")]
        asking = asyncio.create_task(ask(router, rungs))
        await asyncio.wait_for(disk.busy.wait(), 5)
        router.key_changed("key-openai")
        disk.turns[0].set()
        async with asyncio.timeout(10):
            while not asking.done():
                disk.turns[-1].set()
                await asyncio.sleep(0.005)
        finished = await asking
    assert finished.deployment == "openai/gpt-4.1-mini"
