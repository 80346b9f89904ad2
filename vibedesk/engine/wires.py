"""The sockets under httpx: of a chunked body they hand on one chunk a read instead of one an event.

Providers send every token as an HTTP chunk of its own, and h11 and httpcore take some 9 µs for each. What was read at
once is therefore rejoined into one chunk before they see it. Nothing else is changed: whatever is not plainly
`Transfer-Encoding: chunked` passes as it is, and a body that breaks off is as broken as before.
"""

# ruff: noqa: ASYNC109  (the time limits are httpcore's parameters)

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

_HEAD_LIMIT = 64 * 1024
_SIZE_LIMIT = 4096
_STATUS = re.compile(rb"HTTP/1\.1 ([1-5]\d\d)[ \r]")
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE)
_BARE_LF = re.compile(rb"(?<!\r)\n")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")


class ChunkJoiner:
    """One connection. `feed` it what is read, tell it with `asked` when something is sent."""

    def __init__(self) -> None:
        self._mode = "head"
        self._left = b""
        """The beginning of a head, or of a chunk's size: seen, and not yet understood."""
        self._missing = 0
        """Bytes of the chunk under way that are still to come."""
        self._closing = False
        """The line end after a chunk's data is still to come."""

    def asked(self) -> None:
        """A request goes out: an answer's head comes next."""
        if self._mode == "as it is":
            self._mode, self._left = "head", b""

    def feed(self, data: bytes) -> bytes:
        """What the reader above is to see of it; b"" when nothing of it can be told yet."""
        match self._mode:
            case "head":
                return self._head(data)
            case "body":
                return self._body(data)
        return data

    def _head(self, data: bytes) -> bytes:
        seen = self._left + data
        end = seen.find(b"\r\n\r\n") + 4
        if end < 4:
            self._left = seen
            if len(seen) > _HEAD_LIMIT:
                self._mode = "as it is"
            return data
        head, rest = seen[:end], seen[end:]
        shown = data[: len(data) - len(rest)]
        self._left = b""
        status = _STATUS.match(head)
        if status is None or _BARE_LF.search(head) or status[1] in (b"101", b"204", b"304"):
            self._mode = "as it is"
        elif status[1].startswith(b"1"):
            return shown + (self._head(rest) if rest else b"")
        else:
            self._mode = "body" if _CHUNKED.search(head) else "as it is"
            self._missing, self._closing = 0, False
        return shown + (self.feed(rest) if rest else b"")

    def _body(self, data: bytes) -> bytes:
        if self._left:
            data, self._left = self._left + data, b""
        if not (self._missing or self._closing) and (whole := _whole_chunks(data)) is not None:
            return b"%x\r\n%b\r\n" % (len(whole), whole)
        pieces: list[bytes] = []
        at, length = 0, len(data)
        rest = b""
        while at < length:
            if self._missing:
                piece = data[at : at + self._missing]
                pieces.append(piece)
                at += len(piece)
                self._missing -= len(piece)
                self._closing = not self._missing
            elif self._closing and data.startswith(b"\r\n", at):
                at += 2
                self._closing = False
            elif not self._closing and (size := _SIZE.match(data, at)) and (count := int(size[1], 16)):
                at = size.end()
                end = at + count
                if data.startswith(b"\r\n", end):  # nearly always: the chunk is there whole
                    pieces.append(data[at:end])
                    at = end + 2
                else:
                    self._missing = count
            elif self._unfinished(data, at):
                self._left = data[at:]
                break
            else:
                # The last chunk; or nonsense, which the reader above will name.
                self._mode = "as it is"
                rest = data[at:]
                break
        joined = b"".join(pieces)
        return (b"%x\r\n%b\r\n" % (len(joined), joined) if joined else b"") + rest

    def _unfinished(self, data: bytes, at: int) -> bool:
        """More is needed to tell what stands there."""
        if self._closing:
            return data[at:] == b"\r"
        return data.find(b"\n", at) < 0 and len(data) - at < _SIZE_LIMIT


def _whole_chunks(data: bytes) -> bytes | None:
    """The data of chunks that are all there, each size in plain hexadecimal and no line end within: nearly always.
    None where something is otherwise."""
    lines = data.split(b"\r\n")
    sizes, pieces = lines[:-1:2], lines[1::2]
    if lines[-1] or not pieces or sizes != [b"%x" % len(piece) for piece in pieces] or b"0" in sizes:
        return None
    return b"".join(pieces)


class Wire(httpcore.AsyncNetworkStream):
    """A stream of httpcore's with joined chunks."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._joiner = ChunkJoiner()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while data := await self._stream.read(max_bytes, timeout):
            if joined := self._joiner.feed(data):
                return joined
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._joiner.asked()
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            return Wire(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:  # httpcore closes it for a failure, and not for a cancellation
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Wires(httpcore.AsyncNetworkBackend):
    """Opens sockets as httpcore does."""

    def __init__(self) -> None:
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return Wire(await self._sockets.connect_tcp(host, port, timeout, local_address, socket_options))

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        return Wire(await self._sockets.connect_unix_socket(path, timeout, socket_options))

    async def sleep(self, seconds: float) -> None:
        await self._sockets.sleep(seconds)
