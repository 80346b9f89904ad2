"""Which way a request leaves this machine: straight, or through the proxy the environment names; loopback
always straight."""

from __future__ import annotations

import ipaddress
import ssl
from urllib.request import getproxies, proxy_bypass

import httpx

from vibedesk.engine.errors import Misconfigured


def is_loopback(host: str) -> bool:
    """`localhost`, `*.localhost`, 127.0.0.0/8 and ::1: never leaves this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy's URL for this address, or None. Reads HTTP(S)_PROXY, ALL_PROXY and NO_PROXY (or the system's
    settings)."""
    if is_loopback(url.host):
        return None
    proxies = getproxies()
    chosen = proxies.get(url.scheme) or proxies.get("all")
    if not chosen or proxy_bypass(url.netloc.decode("ascii")) or proxy_bypass(url.host):
        return None
    return chosen if "://" in chosen else f"http://{chosen}"


def proxy_host(proxy: str) -> str:
    """The proxy as a person may see it: no user name, no password."""
    try:
        return httpx.URL(proxy).netloc.decode("ascii") or "?"
    except httpx.InvalidURL:
        return "?"


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
            return httpx.AsyncHTTPTransport(
                verify=self._ssl, trust_env=False, limits=self._limits, proxy=proxy, http2=False
            )
        except ImportError as exc:
            raise Misconfigured("a SOCKS proxy is set, which VibeDesk cannot use", setting="proxy") from exc
        except (ValueError, httpx.InvalidURL) as exc:
            host = proxy_host(proxy or "")
            raise Misconfigured(
                f"the proxy setting is not an http address ({host})", setting="proxy", host=host
            ) from exc

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()
