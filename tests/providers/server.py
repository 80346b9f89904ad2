"""A small HTTP/1.1 server over real sockets that answers like a provider, or fails like one."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.providers.behaviour import Behaviour, behaviour_named

PAGE = b"<!doctype html><html><head><title>Sign in to the network</title></head><body>Welcome</body></html>"
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(slots=True)
class Seen:
    """One request as it arrived. Header names are lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    raw: bytes
    at: float
    """`time.monotonic()` when it had arrived whole."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client hung up before the answer's end."""

    @property
    def body(self) -> Any:
        return json.loads(self.raw) if self.raw else None


@dataclass(slots=True)
class Event:
    """Bytes of one event. `kind`: what comes before the first word, a word, what comes after the last."""

    kind: Literal["start", "delta", "end"]
    data: bytes


@dataclass(slots=True)
class Reply:
    """A whole body, or events."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    events: Sequence[Event] | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)


class Refused(Exception):
    """The request is not what this API takes; carries the answer."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.reply = json_reply(body, status, headers)


def json_reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, {"content-type": "application/json"} | (headers or {}), json.dumps(body).encode())


def sse(data: Any, event: str = "") -> bytes:
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return (f"event: {event}\n" if event else "").encode() + f"data: {text}\n\n".encode()


def words(text: str) -> list[str]:
    """The text in pieces as a model would say them; joined they give it back."""
    return re.findall(r"\s*\S+|\s+$", text)


class Loopback:
    """One provider on 127.0.0.1. Use as an async context manager; `base_url` is what a `Provider` gets."""

    prefix = ""
    ping = b": keep-alive\n\n"

    def __init__(
        self, behaviour: Behaviour | None = None, *, key: str = "loopback-key", port: int = 0
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.behaviours: dict[str, Behaviour] = {}
        """Model id → what to do when it is asked, instead of `behaviour`."""
        self.key = key
        self.seen: list[Seen] = []
        self._port = port
        self._faults = 0
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self._port, limit=64 * 1024 * 1024
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        return self.origin + self.prefix

    @property
    def talks(self) -> int:
        """How many connections are open."""
        return len(self._conversations)

    @property
    def asked(self) -> list[Seen]:
        """The requests for an answer, without those for the list of models."""
        return [seen for seen in self.seen if seen.method == "POST"]

    # What a provider defines

    def answer(self, seen: Seen) -> Reply:
        """The reply to one request. Raises `Refused`."""
        raise NotImplementedError

    def refusal(self, status: int) -> Any:
        """The body this provider documents for that status."""
        raise NotImplementedError

    def in_band_error(self) -> bytes:
        """An error inside a stream."""
        raise NotImplementedError

    def whole(self, model: str, behaviour: Behaviour) -> Any:
        """The answer in one piece."""
        raise NotImplementedError

    # What they share

    def behaviour_for(self, model: str, kind: Literal["ask", "list"]) -> Behaviour:
        """What to do with this request. Each one that is to go wrong counts against `times`."""
        behaviour = self.behaviours.get(model) or behaviour_named(model, self.behaviour) or self.behaviour
        if not behaviour.faulty or behaviour.on not in (kind, "all"):
            return behaviour.well() if behaviour.faulty else behaviour
        self._faults += 1
        return (
            behaviour.well() if behaviour.times is not None and self._faults > behaviour.times else behaviour
        )

    def reply(self, behaviour: Behaviour, well: Reply, model: str = "") -> Reply:
        """`well`, or what the behaviour wants instead of it."""
        well.behaviour = behaviour
        well.headers = dict(behaviour.headers) | well.headers
        if behaviour.redirect_to:
            return Reply(307, {"location": behaviour.redirect_to}, behaviour=behaviour)
        if behaviour.status is not None:
            return self._failure(behaviour)
        match behaviour.instead:
            case "html":
                return Reply(200, {"content-type": "text/html; charset=utf-8"}, PAGE, behaviour=behaviour)
            case "empty":
                return Reply(200, {"content-type": well.headers["content-type"]}, b"", behaviour=behaviour)
            case "json_error":
                failure = json_reply(self.refusal(500))
                failure.behaviour = behaviour
                return failure
            case "whole":
                return json_reply(self.whole(model, behaviour))
        return well

    def _failure(self, behaviour: Behaviour) -> Reply:
        assert behaviour.status is not None
        headers = {"content-type": "application/json"} | dict(behaviour.headers)
        if isinstance(behaviour.body, bytes):
            body = behaviour.body
        else:
            body = json.dumps(behaviour.body or self.refusal(behaviour.status)).encode()
        return Reply(behaviour.status, headers, body, behaviour=behaviour)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.create_task(self._converse(reader, writer))
        self._conversations.add(conversation)
        conversation.add_done_callback(self._conversations.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (seen := await read_request(reader)) is not None:
                self.seen.append(seen)
                if not await self._respond(seen, reader, writer):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _respond(self, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Writes one answer; False when the connection is over. Notices a client that hangs up meanwhile."""
        writing = asyncio.create_task(self._write(seen, writer))
        watching = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({writing, watching}, return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                seen.closed.set()
                return False
            return writing.result()
        except ConnectionError:
            seen.closed.set()
            return False
        finally:
            for task in (writing, watching):
                task.cancel()
            await asyncio.gather(writing, watching, return_exceptions=True)

    async def _write(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        try:
            reply = self.answer(seen)
        except Refused as refused:
            reply = refused.reply
        behaviour = reply.behaviour
        if behaviour.hang_up_before_headers:
            return False
        if behaviour.stall_before_headers:
            await asyncio.Event().wait()
        if reply.events is None:
            await _send_whole(reply, writer)
            return seen.headers.get("connection") != "close"
        if seen.headers.get("connection") == "close":
            reply.headers["connection"] = "close"
        return await _Stream(self, reply, writer).run()


class _Stream:
    """Events on their way out, with whatever is to happen to them."""

    def __init__(self, loopback: Loopback, reply: Reply, writer: asyncio.StreamWriter) -> None:
        self.loopback = loopback
        self.reply = reply
        self.behaviour = reply.behaviour
        self.writer = writer
        self.whole = False
        self.chunked = self.behaviour.cut != "eof" and reply.headers.get("connection") != "close"

    async def run(self) -> bool:
        """False when the connection is over."""
        framing = {"transfer-encoding": "chunked"} if self.chunked else {"connection": "close"}
        self.writer.write(_head(self.reply.status, self.reply.headers | framing))
        await self.writer.drain()
        deltas = 0
        ended = False
        for event in self.reply.events or ():
            closing = event.kind == "end" and not ended
            if (event.kind == "delta" or closing) and not await self._before(deltas, closing):
                return self.whole
            ended = ended or closing
            deltas += event.kind == "delta"
            await self._put(event.data)
            if event.kind == "delta" and self.behaviour.tokens_per_s:
                await asyncio.sleep(1 / self.behaviour.tokens_per_s)
        return await self._last_chunk()

    async def _last_chunk(self) -> bool:
        """True when the connection can be used again."""
        if self.chunked:
            self.writer.write(b"0\r\n\r\n")
            await self.writer.drain()
        return self.chunked

    async def _before(self, deltas: int, closing: bool) -> bool:
        """What is due before this delta (or the end). False: the stream ends here."""
        behaviour = self.behaviour

        def due(count: int | None) -> bool:
            return count is not None and (deltas == count or (closing and count > deltas))

        if deltas == 0 and behaviour.first_token_s:
            await asyncio.sleep(behaviour.first_token_s)
        while behaviour.ping_only:
            await self._put(self.loopback.ping)
            await asyncio.sleep(behaviour.ping_every_s)
        if due(behaviour.stall_after):
            await asyncio.Event().wait()
        if due(behaviour.malformed_after):
            await self._put(b"data: {this is not JSON}\n\n")
        if due(behaviour.error_after):
            await self._put(self.loopback.in_band_error())
            self.whole = await self._last_chunk()
            return False
        if behaviour.cut and due(behaviour.cut_after):
            if behaviour.cut == "reset":
                await self._reset()
            return False
        return True

    async def _reset(self) -> None:
        """RST instead of FIN; a moment first, so that what was written is read before it is thrown away."""
        await asyncio.sleep(0.05)
        connection: socket.socket = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def _put(self, data: bytes) -> None:
        if self.behaviour.crlf:
            data = data.replace(b"\n", b"\r\n")
        size = self.behaviour.split or len(data)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            self.writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if self.chunked else piece)
            await self.writer.drain()
            await asyncio.sleep(0)


async def read_request(reader: asyncio.StreamReader) -> Seen | None:
    """One request off the wire, None when the client is gone."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Seen(method, unquote(parts.path), parse_qs(parts.query), headers, raw, time.monotonic())


async def _send_whole(reply: Reply, writer: asyncio.StreamWriter) -> None:
    writer.write(_head(reply.status, reply.headers | {"content-length": str(len(reply.body))}) + reply.body)
    await writer.drain()


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\n{lines}\r\n".encode("latin-1")
