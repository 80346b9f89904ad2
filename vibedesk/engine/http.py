"""The one way out: a single AsyncClient with our time limits, the system's trust store, no redirects and no cookies.

httpx takes longer to load than all the rest of the engine, so it is loaded with the first request, in a thread.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from vibedesk.engine.errors import (
    AnswerTooLong,
    EngineError,
    Misconfigured,
    NotThisApi,
    TimedOut,
)
from vibedesk.engine.faults import interrupted, through_proxy, unanswered
from vibedesk.engine.issuer import certificate_of
from vibedesk.engine.proxies import proxy_for, proxy_host
from vibedesk.engine.timers import Timers

if TYPE_CHECKING:
    import httpx

    from vibedesk.engine.roads import Roads

__all__ = ["Answered", "Body", "Http", "Timers"]

BODY_CAP = 32 * 1024 * 1024
"""Bytes of a whole answer, after decompression."""
REFUSAL_CAP = 1024 * 1024
"""Bytes of an error's body."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")


class Answered(Struct, frozen=True):
    """A whole answer. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Body:
    """The bytes of a streamed answer, read piece by piece; failures come as our errors."""

    def __init__(self, response: httpx.Response) -> None:
        self._chunks = response.aiter_bytes()

    async def read(self) -> bytes:
        """The next bytes, b"" at the end. Raises `Cut` when the connection broke first."""
        import httpx

        try:
            async for chunk in self._chunks:
                if chunk:
                    return chunk
        except (httpx.HTTPError, httpx.StreamError) as exc:
            raise interrupted(exc) from exc
        return b""

    async def read_all(self, cap: int) -> bytes:
        """Everything that is left. Raises `AnswerTooLong` over `cap` bytes."""
        pieces: list[bytes] = []
        size = 0
        while chunk := await self.read():
            size += len(chunk)
            if size > cap:
                raise AnswerTooLong(f"over {cap // 1024} KiB", cap=cap)
            pieces.append(chunk)
        return b"".join(pieces)

    async def read_upto(self, cap: int, seconds: float) -> bytes:
        """What comes within `seconds`, cut at `cap` bytes: an error's body is wanted, but never worth another
        error."""
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(seconds):
                while sum(map(len, pieces)) < cap and (chunk := await self.read()):
                    pieces.append(chunk)
        except (TimeoutError, EngineError):
            return b"".join(pieces)[:cap]
        return b"".join(pieces)[:cap]


class Http:
    """Opens nothing before the first request."""

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None, user_agent: str = "VibeDesk") -> None:
        self._ssl = ssl_context
        self._user_agent = user_agent
        self._opened: tuple[httpx.AsyncClient, Roads] | None = None
        self._opening = asyncio.Lock()

    async def ssl_context(self) -> ssl.SSLContext:
        """The trust of the operating system. Built in a thread: reading the store takes up to half a
        second."""
        if self._ssl is None:
            self._ssl = await asyncio.to_thread(_trust_of_the_system)
        return self._ssl

    async def get(self, url: str, headers: Mapping[str, str], *, timers: Timers) -> Answered:
        """A whole answer, whatever its status. Raises `Unreachable`, `NotThisApi` (a redirect), `Cut`,
        `AnswerTooLong`."""
        try:
            async with (
                asyncio.timeout(timers.total_s),
                self.stream("GET", url, headers, None, timers=timers) as response,
            ):
                body = await Body(response).read_all(BODY_CAP)
                return Answered(response.status_code, headers_of(response), body)
        except TimeoutError as exc:
            raise TimedOut(f"no whole answer in {timers.total_s:g} s", timer="total") from exc

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None,
        *,
        timers: Timers,
        before_sending: Callable[[], Awaitable[object]] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """The answer once its headers are there; leaving the block closes the socket. `body` is sent as JSON.

        `before_sending` is awaited when the connection stands, just before the first byte of the request.

        Only the connect timer runs in here: who reads runs the others. Raises `Unreachable`, `NotThisApi` for a
        redirect, `Misconfigured` for a header or address that cannot be sent.
        """
        client, roads = await self._open()
        import httpx

        fields = _checked(headers)
        try:
            request = client.build_request(
                method, _parsed(url), headers=fields, content=_encoded(body), timeout=_timeout(timers)
            )
            if before_sending is not None:
                request.extensions["trace"] = _told_before_sending(before_sending)
            # Straight to the transport: what `client.send` adds (redirects, cookies, logins) is what we never want.
            response = await roads.handle_async_request(request)
            response.request = request
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise await self._unanswered(exc, url) from exc
        try:
            _refuse_redirect(response)
            yield response
        except (httpx.HTTPError, httpx.StreamError) as exc:
            raise interrupted(exc) from exc
        finally:
            await roads.leave(response)

    async def close(self) -> None:
        """Closes every socket. A later request opens the client anew."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened[0].aclose()

    async def close_idle(self) -> None:
        """Closes the sockets that wait for another request; answers that are being read go on."""
        if self._opened is not None:
            await self._opened[1].close_idle()

    async def _open(self) -> tuple[httpx.AsyncClient, Roads]:
        if self._opened is None:
            async with self._opening:
                if self._opened is None:
                    self._opened = await asyncio.to_thread(self._built, await self.ssl_context())
        return self._opened

    def _built(self, context: ssl.SSLContext) -> tuple[httpx.AsyncClient, Roads]:
        import httpx

        from vibedesk.engine.roads import Roads

        limits = httpx.Limits(max_connections=128, max_keepalive_connections=16, keepalive_expiry=30.0)
        roads = Roads(context, limits)
        fields = {"user-agent": self._user_agent, "accept-encoding": "identity"}
        return httpx.AsyncClient(transport=roads, trust_env=False, headers=fields), roads

    async def _unanswered(self, exc: Exception, url: str) -> EngineError:
        error = unanswered(exc, url)
        if error.kind == "misconfigured":
            return error
        import httpx

        address = httpx.URL(url)
        if proxy := proxy_for(address):
            return through_proxy(error, proxy_host(proxy))
        if error.kind == "tls_untrusted" and (
            shown := await certificate_of(address.host, address.port or 443)
        ):
            error.facts |= shown.facts
        return error


def _told_before_sending(tell: Callable[[], Awaitable[object]]) -> Callable[[str, Any], Awaitable[None]]:
    """httpcore's trace hook (its "trace" extension): it names each step before it takes it, and waits for us."""

    async def trace(step: str, facts: Any) -> None:
        # A proxy is first sent a request of its own, to open the tunnel.
        if step.endswith("send_request_headers.started") and facts["request"].method != b"CONNECT":
            await tell()

    return trace


def _trust_of_the_system() -> ssl.SSLContext:
    import truststore

    context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return context


@lru_cache(maxsize=64)
def _parsed(url: str) -> httpx.URL:
    import httpx

    return httpx.URL(url)


def headers_of(response: httpx.Response) -> dict[str, str]:
    """The answer's headers, names in lower case, repeated ones joined by a comma."""
    return {name.lower(): value for name, value in response.headers.items()}


def _refuse_redirect(response: httpx.Response) -> None:
    """Neither key nor prompt is carried on to another address (security.md N1)."""
    if not 300 <= response.status_code < 400:
        return
    target = _redirect_target(response)
    host = re.sub(r"[^\x21-\x7e]", "", target.host)[:200] or "?" if target else "?"
    facts: dict[str, Any] = {"host": host, "redirect": True}
    if target is not None and _is_the_same_place(target, response.request.url):
        facts |= {"same_host": True, "target": f"{target.copy_with(query=None, fragment=None)}"[:200]}
    raise NotThisApi(f"it answers with a redirect to {host}", status=response.status_code, **facts)


def _is_the_same_place(target: httpx.URL, here: httpx.URL) -> bool:
    """The same resource of the same host, only written otherwise: https, a slash, another prefix. No sign-in page."""
    name = here.path.rstrip("/").rpartition("/")[2]
    same_name = target.path.rstrip("/").rpartition("/")[2] == name
    return target.host == here.host and same_name and not target.userinfo and here.port == target.port


def _redirect_target(response: httpx.Response) -> httpx.URL | None:
    import httpx

    try:
        return response.request.url.join(response.headers.get("location", ""))
    except (httpx.InvalidURL, ValueError):
        return None


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    """httpx and h11 put a bad value into their exception text and log: it never gets that far (security.md
    K9)."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise Misconfigured("a header's name has characters no header can carry", setting="headers")
        if value and not _VALUE.fullmatch(value):
            raise Misconfigured(f"the value for {name} has characters no header can carry", header=name)
    return dict(headers)


def _encoded(body: Mapping[str, Any] | None) -> bytes | None:
    """Lone surrogates (half of a pasted emoji) become "?": no UTF-8 can carry them."""
    if body is None:
        return None
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
        "utf-8", "replace"
    )


def _timeout(timers: Timers) -> httpx.Timeout:
    import httpx

    return httpx.Timeout(
        connect=timers.connect_s, read=None, write=max(30.0, timers.connect_s), pool=timers.connect_s
    )
