"""The transport under the client: a connection pool for the straight way and one for each proxy, over our wires."""

from __future__ import annotations

import importlib.util
import ssl
import sys

import httpx

from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.proxies import proxy_for, proxy_host
from vibedesk.engine.wires import Wires

if importlib.util.find_spec("sniffio") is None:
    # httpcore imports it anew for every lock, and each time in vain: Python would search the disk four times a request.
    sys.modules["sniffio"] = None  # type: ignore[assignment]


class Roads(httpx.AsyncBaseTransport):
    """One connection pool a way out, each opened when it is first needed."""

    def __init__(self, ssl_context: ssl.SSLContext, limits: httpx.Limits) -> None:
        self._ssl = ssl_context
        self._limits = limits
        self._pools: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._pool(proxy_for(request.url)).handle_async_request(request)

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
        for pool in self._pools.values():
            for connection in pool._pool.connections:
                if connection.is_idle():
                    await connection.aclose()

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()
