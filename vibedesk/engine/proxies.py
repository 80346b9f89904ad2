"""Which way a request leaves this machine: straight, or through the proxy the environment names; loopback
always straight."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


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
    from urllib.request import getproxies, proxy_bypass  # brings half of `email` with it

    proxies = getproxies()
    chosen = proxies.get(url.scheme) or proxies.get("all")
    if not chosen or proxy_bypass(url.netloc.decode("ascii")) or proxy_bypass(url.host):
        return None
    return chosen if "://" in chosen else f"http://{chosen}"


def proxy_host(proxy: str) -> str:
    """The proxy as a person may see it: no user name, no password."""
    import httpx

    try:
        return httpx.URL(proxy).netloc.decode("ascii") or "?"
    except httpx.InvalidURL:
        return "?"
