"""Joined chunks: the same bytes of the body, whatever the cuts, and nothing else touched."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some

from vibedesk.engine.errors import Cut
from vibedesk.engine.http import Body, Http, Timers
from vibedesk.engine.wires import ChunkJoiner

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunked(pieces: Sequence[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)


def cut(data: bytes, at: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted({place % (len(data) + 1) for place in at}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges) if a < b]


def read_by_h11(reads: Sequence[bytes], *, ended: bool = False) -> tuple[bytes, list[str], int]:
    """What a client sees: the body, how it ended, and in how many pieces it came."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    client.send(h11.EndOfMessage())
    body, events, pieces = b"", [], 0
    for data in [*reads, *([b""] if ended else [])]:
        try:
            client.receive_data(data)
            while (event := client.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.Data):
                    body += event.data
                    pieces += bool(event.data)
                else:
                    events.append(type(event).__name__)
                    if isinstance(event, h11.ConnectionClosed):
                        return body, events, pieces
        except h11.RemoteProtocolError:
            return body, [*events, "broken"], pieces
    return body, events, pieces


def joined(reads: Sequence[bytes]) -> list[bytes]:
    joiner = ChunkJoiner()
    return [shown for data in reads if (shown := joiner.feed(data))]


@given(some.lists(some.binary(max_size=40), max_size=8), some.lists(some.integers(0, 2000), max_size=30))
def test_the_body_is_the_same_however_it_is_cut(pieces: list[bytes], at: list[int]) -> None:
    reads = cut(HEAD + chunked(pieces) + END, at)
    body, events, _ = read_by_h11(joined(reads))
    assert body == b"".join(pieces)
    assert events == ["Response", "EndOfMessage"]


@given(some.lists(some.binary(max_size=40), max_size=8), some.integers(1, 300), some.integers(0, 300))
def test_a_body_that_breaks_off_is_as_broken_as_it_was(pieces: list[bytes], missing: int, at: int) -> None:
    whole = HEAD + chunked(pieces) + END
    reads = cut(whole[: max(len(HEAD), len(whole) - missing)], [at])
    plain, ours = read_by_h11(reads, ended=True), read_by_h11(joined(reads), ended=True)
    assert ours[:2] == plain[:2]
    assert ours[1][-1] == "broken"


@given(some.binary(max_size=60), some.lists(some.integers(0, 2000), max_size=10))
def test_nonsense_between_chunks_is_named_by_the_same_reader(nonsense: bytes, at: list[int]) -> None:
    reads = cut(HEAD + chunked([b"one", b"two"]) + nonsense + chunked([b"three"]) + END, at)
    plain, ours = read_by_h11(reads, ended=True), read_by_h11(joined(reads), ended=True)
    assert ours[1] == plain[1]
    assert ours[0] == plain[0]


def test_many_chunks_of_one_read_come_as_one() -> None:
    reads = [HEAD, chunked([b"event %d" % number for number in range(50)]), END]
    body, _, pieces = read_by_h11(joined(reads))
    assert pieces == 1
    assert body.endswith(b"event 49")


def test_sizes_may_have_extensions_and_bodies_trailers() -> None:
    data = HEAD + b"5;a=b\r\nhello\r\n" + b"0\r\nx-late: 1\r\n\r\n"
    assert read_by_h11(joined([data])) == (b"hello", ["Response", "EndOfMessage"], 1)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n5\r\nhello",
        b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n5\nhello",
        b"not HTTP at all\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ],
    ids=["length", "old", "no body", "bare line feeds", "nonsense"],
)
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_whatever_is_not_plainly_chunked_passes_as_it_is(answer: bytes, step: int) -> None:
    reads = [answer[place : place + step] for place in range(0, len(answer), step)]
    assert b"".join(joined(reads)) == answer


def test_an_announcement_before_the_answer_is_passed_over() -> None:
    data = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + HEAD + chunked([b"a", b"b"]) + END
    assert read_by_h11(joined([data])) == (
        b"ab",
        ["InformationalResponse", "Response", "EndOfMessage"],
        1,
    )


def test_a_connection_serves_one_answer_after_the_other() -> None:
    joiner = ChunkJoiner()
    for pieces in ([b"one", b"1"], [b"two", b"2"]):
        joiner.asked()
        shown = joiner.feed(HEAD + chunked(pieces) + END)
        assert read_by_h11([shown])[2] == 1


@asynccontextmanager
async def serving(reads: Sequence[bytes]) -> AsyncIterator[asyncio.Server]:
    """Answers every request with these writes; nothing of it is open when the context ends."""
    talks: list[asyncio.Task[None] | None] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                for data in reads:
                    writer.write(data)
                    await writer.drain()
                if not reads[-1].endswith(END):
                    break
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server
    await asyncio.gather(*filter(None, talks))


async def body_of(http: Http, server: asyncio.Server) -> list[bytes]:
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with http.stream("GET", url, {}, None, timers=Timers()) as response:
        assert isinstance(response, httpx.Response)
        body, got = Body(response), []
        while data := await body.read():
            got.append(data)
        return got


async def test_the_client_reads_through_it_and_keeps_the_connection(http: Http) -> None:
    events = [b"data: %d\n\n" % number for number in range(200)]
    async with serving([HEAD + chunked(events) + END]) as server:
        for _ in range(3):
            got = await body_of(http, server)
            assert b"".join(got) == b"".join(events)
            assert len(got) < 20
        await http.close()


async def test_the_client_notices_a_body_that_breaks_off(http: Http) -> None:
    async with serving([HEAD + chunked([b"data: 1\n\n"]) + b"20\r\ndata: "]) as server:
        with pytest.raises(Cut):
            await body_of(http, server)
