"""Stopped at every moment, once and twice: whatever was open is closed, and the place of it is free again."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from tests.engine.asking import CALM, ask, router_of, rung_of
from tests.providers import Behaviour, OpenAI
from vibedesk.engine.errors import EngineError, TimedOut
from vibedesk.engine.http import Http, Timers
from vibedesk.engine.tryout import try_each
from vibedesk.engine.types import request_of

LONG_ENOUGH = 10.0


async def until(true: Callable[[], object]) -> None:
    """Fails when it takes too long."""
    for _ in range(2000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come about in time")


async def stopped_after(turns: int, again_after: int | None, work: asyncio.Task[Any]) -> bool:
    """Stops it after so many turns of the loop, and again some turns later; whether it was still running then."""
    for _ in range(turns):
        await asyncio.sleep(0)
    running = not work.done()
    work.cancel()
    if again_after is not None:
        for _ in range(again_after):
            await asyncio.sleep(0)
        work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    return running


@pytest.mark.parametrize("again_after", [None, 0, 1, 2, 3])
async def test_an_ask_that_is_stopped_at_any_moment_leaves_no_connection_behind(
    http: Http, again_after: int | None
) -> None:
    async with OpenAI(Behaviour(text="One two three.")) as server:
        router, rungs = router_of(http, timers=CALM), [rung_of(server, "openai-chat", "gpt-4.1-mini")]
        await ask(router, rungs)
        for turns in itertools.count():
            work = asyncio.create_task(ask(router, rungs))
            if not await stopped_after(turns, again_after, work):
                break
        await http.close_idle()
        await until(lambda: not server.talks)
        assert (await ask(router, rungs)).outcome == "complete"


@pytest.mark.parametrize("again_after", [None, 1, 3])
async def test_a_try_of_a_route_that_is_stopped_at_any_moment_is_over_when_it_says_so(
    http: Http, again_after: int | None
) -> None:
    """Whoever waited for it closes the sockets next."""
    async with OpenAI(Behaviour(text="One two three.")) as server:
        rungs = [rung_of(server, "openai-chat", "gpt-4.1-mini", id=name) for name in ("a", "b", "c")]
        router = router_of(http, timers=CALM)
        await ask(router, rungs)
        for turns in itertools.count():
            work = asyncio.create_task(try_each(router, request_of("Hi"), rungs))
            if not await stopped_after(turns, again_after, work):
                break
            running = [str(task.get_coro()) for task in asyncio.all_tasks()]
            assert not [name for name in running if "try_each" in name]


@asynccontextmanager
async def silent() -> AsyncIterator[tuple[int, asyncio.Event, asyncio.Event]]:
    """Takes connections and says nothing: its port, when it was spoken to, and when whoever did hung up."""
    spoken_to, hung_up = asyncio.Event(), asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            spoken_to.set()
        writer.close()
        hung_up.set()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], spoken_to, hung_up


async def test_stopping_in_the_middle_of_a_tls_handshake_closes_the_socket(http: Http) -> None:
    async with silent() as (port, spoken_to, hung_up):
        work = asyncio.create_task(http.get(f"https://127.0.0.1:{port}/", {}, timers=Timers()))
        await asyncio.wait_for(spoken_to.wait(), LONG_ENOUGH)
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await asyncio.wait_for(hung_up.wait(), LONG_ENOUGH)


async def test_a_proxy_behind_which_no_tls_is_spoken_can_be_tried_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More often than there are places for connections."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await reader.read(1)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        http = Http(ssl_context=ssl.create_default_context())
        for _ in range(130):
            with pytest.raises(EngineError) as caught:
                await http.get("https://example.invalid/", {}, timers=Timers(connect_s=1.0))
            assert not isinstance(caught.value, TimedOut)
        await http.close()
