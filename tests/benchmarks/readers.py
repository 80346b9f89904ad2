"""The ways to read N streams that are compared: run in a process each, which prints what it cost as JSON.

`python -m tests.benchmarks.readers WAY PORT STREAMS MODEL LOOP`; LOOP is `asyncio`, `qasync` (as it comes) or
`vibedesk` (as the window runs it).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import httpx
import msgspec

from vibedesk.engine.http import Http
from vibedesk.engine.router import Router
from vibedesk.engine.types import (
    ApiKey,
    Deployment,
    Finished,
    Model,
    Provider,
    Rung,
    Secret,
    TextDelta,
    request_of,
)

Read = Callable[[str], Awaitable[int]]
"""Model → how many deltas came."""


class Delta(msgspec.Struct, gc=False):
    content: str | None = None


class Choice(msgspec.Struct, gc=False):
    delta: Delta | None = None


class Chunk(msgspec.Struct, gc=False):
    choices: list[Choice] = []


decode = msgspec.json.Decoder(Chunk).decode


def count_of(buffer: bytes) -> tuple[int, bytes]:
    """The least that can be done with the bytes of a stream: the deltas of its whole events, and what is left."""
    *events, rest = buffer.split(b"\n\n")
    count = 0
    for event in events:
        at = event.find(b"data: ")
        if at < 0 or event.startswith(b"[DONE]", at + 6):
            continue
        choices = decode(event[at + 6 :]).choices
        if choices and (delta := choices[0].delta) is not None and delta.content:
            count += 1
    return count, rest


def body_of(model: str) -> dict[str, Any]:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    return {"model": model, "messages": [{"role": "user", "content": "Hi"}], **options}


class Raw:
    """The floor: a socket and msgspec. The sizes of HTTP chunks are left standing between the events."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def read(self, model: str) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        body = json.dumps(body_of(model)).encode()
        writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        )
        count, rest = 0, b""
        while not rest.endswith(b"0\r\n\r\n"):
            found, rest = count_of(rest + await reader.read(65_536))
            count += found
        writer.close()
        return count

    async def close(self) -> None:
        return


class Plain:
    """What anybody would write first: `httpx`, its bytes, msgspec."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/v1/chat/completions"
        self.client = httpx.AsyncClient(trust_env=False, verify=False, timeout=60)

    async def read(self, model: str) -> int:
        count, rest = 0, b""
        async with self.client.stream("POST", self.url, json=body_of(model)) as response:
            async for data in response.aiter_bytes():
                found, rest = count_of(rest + data)
                count += found
        return count

    async def close(self) -> None:
        await self.client.aclose()


class Engine:
    """Ours, end to end: events typed, usage, times, receipt."""

    def __init__(self, port: int, *, batches: bool = False) -> None:
        self.http = Http()
        self.router = Router(self.http, self.secret_of)
        self.provider = Provider(
            id="openai", name="Bench", dialect="openai-chat", base_url=f"http://127.0.0.1:{port}/v1"
        )
        self.key = ApiKey(
            id="k",
            provider="openai",
            label="work",
            hint="",
            source="vault",
            origin=f"http://127.0.0.1:{port}",
        )
        self.batches = batches

    async def secret_of(self, key: ApiKey) -> Secret:
        return Secret("bench-key-of-nobody")

    def rung(self, model: str) -> Rung:
        asked = Model(provider="openai", id=model, name=model)
        place = Deployment(provider=self.provider, model=asked, key=self.key, via="direct")
        return Rung(deployment=place, reason="first choice")

    async def read(self, model: str) -> int:
        answer = self.router.ask(request_of("Hi"), [self.rung(model)])
        count = await (self._batches(answer) if self.batches else self._events(answer))
        receipt = answer.stopped()
        assert receipt.outcome == "complete", receipt.error
        assert receipt.usage is not None
        return count

    async def _events(self, answer: Any) -> int:
        count = 0
        async with aclosing(answer.events()) as events:
            async for event in events:
                match event:
                    case TextDelta():
                        count += 1
                    case Finished():
                        break
        return count

    async def _batches(self, answer: Any) -> int:
        count = 0
        async with aclosing(answer.batches()) as batches:
            async for batch in batches:
                count += sum(type(event) is TextDelta for event in batch)
        return count

    async def close(self) -> None:
        await self.http.close()


WAYS: dict[str, Callable[[int], Any]] = {
    "raw": Raw,
    "httpx": Plain,
    "events": Engine,
    "batches": lambda port: Engine(port, batches=True),
}


async def measure(reader: Any, streams: int, model: str) -> dict[str, float]:
    """Seconds of processor and of the clock for `streams` at once, after one short answer to warm up."""
    await reader.read("count-20")
    wall, cpu = time.perf_counter(), time.process_time()
    counts = await asyncio.gather(*(reader.read(model) for _ in range(streams)))
    cost = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall, "events": sum(counts)}
    await reader.close()
    return cost


async def compare_short(port: int, times: int) -> dict[str, list[float]]:
    """Milliseconds of one short answer after the other, plain httpx and ours by turns."""
    ways = {"httpx": Plain(port), "events": Engine(port)}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(times + 20):
        for name, reader in ways.items():
            began = time.perf_counter()
            await reader.read("count-8")
            if turn >= 20:
                took[name].append((time.perf_counter() - began) * 1000)
    for reader in ways.values():
        await reader.close()
    return took


def run(loop: str, what: Callable[[], Awaitable[Any]]) -> Any:
    """On that loop."""
    if loop == "asyncio":
        return asyncio.run(what())  # type: ignore[arg-type]
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    app = QApplication([])
    if loop == "qasync":
        from qasync import QEventLoop as Loop
    else:
        from vibedesk.loop import QtLoop as Loop
    with asyncio.Runner(loop_factory=lambda: Loop(app)) as runner:
        return runner.run(what())  # type: ignore[arg-type]


def main() -> None:
    way, port, streams, model, loop = sys.argv[1:]
    if way == "short":
        result = run(loop, lambda: compare_short(int(port), int(streams)))
    else:
        result = run(loop, lambda: measure(WAYS[way](int(port)), int(streams), model))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
