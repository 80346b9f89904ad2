"""A streaming server in a process of its own: Chat Completions as fast as it is told, over raw asyncio.

The model's id says what comes: `rate-2500-3` = 2,500 events a second for 3 seconds, `draw-2500-3` = the same with the
Markdown of a long answer, `count-20000` = so many events as fast as the socket takes them. Every event is a write and a
chunk of its own, as providers send them.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
from collections.abc import Iterator

TEXT = "The quick **brown** fox jumps over `the lazy dog`, then sleeps — and dreams of 42 streams."
PARAGRAPH = (
    "A **paragraph** of `words` that goes on for a while, with [a link](https://example.org/page) in it, "
    "some *weight* and no end in sight.\n\n"
)
CODE = """```python
def total(rows: list[dict[str, float]], key: str) -> float:
    # every row counts once
    found = 0.0
    for row in rows:
        if key in row:
            found += row[key] * 1.19
    return round(found, 2)
```

"""
TABLE = "| model | tokens | price |\n|---|--:|--:|\n" + "| a `small` one | 1,200 | $0.002 |\n" * 4 + "\n"
LIST = "1. first of **all**\n2. then the second, which is longer\n   - and what hangs on it\n\n"
MARKDOWN = (
    "## A heading\n\n" + PARAGRAPH * 3 + CODE + PARAGRAPH * 2 + LIST + TABLE + "> Somebody said it.\n\n"
)
"""One round of an answer as models write them: about 400 tokens."""
TOKEN = 4
"""Characters of a token of it."""
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
BUNDLE = 32
"""Events between two looks at the socket at full speed."""


def event(document: object) -> bytes:
    """A chunk of the body with one event in it."""
    data = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
    body = f"data: {data}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(body), body)


def chunk(choices: list[object], **more: object) -> bytes:
    """One `chat.completion.chunk` of usual size, about 270 bytes."""
    about = {
        "id": "chatcmpl-BxY0aHk2nWq8fVd3LmTz91cRsUe5P",
        "object": "chat.completion.chunk",
        "created": 1790000000,
    }
    named = {"model": "bench-1", "service_tier": "default", "system_fingerprint": "fp_3f58d112f7"}
    return event(about | named | {"choices": choices} | more)


def deltas(words: list[str]) -> Iterator[bytes]:
    """For ever."""
    made = [
        chunk(
            [{"index": 0, "delta": {"content": word}, "logprobs": None, "finish_reason": None}],
            usage=None,
        )
        for word in words
    ]
    while True:
        yield from made


def ending(count: int) -> bytes:
    """The finish, the usage and the mark."""
    usage = {"prompt_tokens": 20, "completion_tokens": count, "total_tokens": 20 + count}
    finish = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    return chunk([finish], usage=None) + chunk([], usage=usage) + event("[DONE]") + END


PROSE = [f"{word} " for word in TEXT.split()]
DOCUMENT = [MARKDOWN[at : at + TOKEN] for at in range(0, len(MARKDOWN), TOKEN)]


async def at_rate(writer: asyncio.StreamWriter, rate: float, seconds: float, words: list[str]) -> int:
    """One write an event; what a slow reader does not take is left out, not saved up."""
    loop, said = asyncio.get_running_loop(), deltas(words)
    began = loop.time()
    sent = due = 0
    while (now := loop.time() - began) < seconds:
        new = int(now * rate) - due
        due += new
        for _ in range(new):
            writer.write(next(said))
        sent += new
        await writer.drain()
        due = max(due, int((loop.time() - began) * rate) - int(rate * 0.05) - 1)
        await asyncio.sleep(max(0.0, (due + 1) / rate - (loop.time() - began)))
    return sent


async def at_full_speed(writer: asyncio.StreamWriter, count: int) -> int:
    said = deltas(PROSE)
    for place in range(count):
        writer.write(next(said))
        if place % BUNDLE == 0:
            await writer.drain()
    return count


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Every request of one connection."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            size = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(size[1]) if size else 0)
            kind, *numbers = json.loads(body)["model"].split("-")
            writer.write(HEAD)
            if kind in ("rate", "draw"):
                words = PROSE if kind == "rate" else DOCUMENT
                sent = await at_rate(writer, float(numbers[0]), float(numbers[1]), words)
            else:
                sent = await at_full_speed(writer, int(numbers[0]))
            writer.write(ending(sent))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve() -> None:
    """Prints the port, then serves until its input is closed."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=4 * 1024 * 1024)
    server.sockets[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
