"""The transport under the client: a connection pool for the straight way and one for each proxy, over our wires."""

from __future__ import annotations

import importlib.util
import ssl
import sys
from collections.abc import Sequence
from typing import Protocol

import httpx

from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.proxies import proxy_for, proxy_host
from vibedesk.engine.to_the_end import to_the_end
from vibedesk.engine.wires import Wires

if importlib.util.find_spec("sniffio") is None:
    # httpcore imports it anew for every lock, and each time in vain: Python would search the disk four times a request.
    sys.modules["sniffio"] = None  # type: ignore[assignment]


class _Open(Protocol):
    async def aclose(self) -> None:
        """Closes it."""


class Roads(httpx.AsyncBaseTransport):
    """One connection pool a way out, each opened when it is first needed."""

    def __init__(self, ssl_context: ssl.SSLContext, limits: httpx.Limits) -> None:
        self._ssl = ssl_context
        self._limits = limits
        self._pools: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pool = self._pool(proxy_for(request.url))
        try:
            return await pool.handle_async_request(request)
        except BaseException:
            await _close(_lost(pool, request))
            raise

    async def leave(self, response: httpx.Response) -> None:
        """Closes the answer, read to its end or not, whoever is cancelled meanwhile."""
        try:
            await response.aclose()
        finally:
            await _close([one for pool in self._pools.values() for one in _lost(pool, response.request)])

    def _pool(self, proxy: str | None) -> httpx.AsyncHTTPTransport:
        if proxy not in self._pools:
            self._pools[proxy] = self._open(proxy)
        return self._pools[proxy]

    def _open(self, proxy: str | None) -> httpx.AsyncHTTPTransport:
        try:
            transport = httpx.AsyncHTTPTransport(
                verify=self._ssl, trust_env=False, limits=self._limits, proxy=proxy, http2=False
            )
            # httpcore takes it as an argument; httpx has none to pass it on with.
            transport._pool._network_backend = Wires()
            return transport
        except ImportError as exc:
            raise Misconfigured("a SOCKS proxy is set, which VibeDesk cannot use", setting="proxy") from exc
        except (ValueError, httpx.InvalidURL) as exc:
            host = proxy_host(proxy or "")
            raise Misconfigured(
                f"the proxy setting is not an http address ({host})", setting="proxy", host=host
            ) from exc

    async def close_idle(self) -> None:
        """Closes what nobody uses now. Who was about to take such a connection is given another by the pool."""
        for pool in list(self._pools.values()):
            for connection in pool._pool.connections:
                if connection.is_idle():
                    await connection.aclose()

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()


def _lost(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> list[_Open]:
    """Takes out of the pool what httpcore leaves open where it is cancelled while it closes, or before it has begun: a
    connection in use that nobody uses. It would be a place less for ever, and its answer would go on coming. (httpcore
    trusts in the shields of anyio, and a task's own `cancel` passes through them.)"""
    pool = transport._pool
    left = [one for one in pool._requests if one.request.extensions is request.extensions]
    for one in left:
        pool._requests.remove(one)
    used = [one.connection for one in pool._requests]
    lost = [one for one in pool.connections if one not in used and not (one.is_idle() or one.is_closed())]
    for connection in lost:
        pool._connections.remove(connection)
    # Whoever waits for a place is given it.
    return [*lost, *(pool._assign_requests_to_connections() if left or lost else ())]


async def _close(connections: Sequence[_Open]) -> None:
    """To the end, whoever is cancelled meanwhile."""

    async def close_each() -> None:
        for connection in connections:
            await connection.aclose()

    if connections:
        await to_the_end(close_each())
