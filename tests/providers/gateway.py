"""A Cloudflare AI Gateway on loopback: checks its own token, then forwards to the loopback providers (wire.md
§10)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tests.providers.behaviour import Behaviour
from tests.providers.server import Loopback, Refused, Reply, Seen

ACCOUNT = "0123456789abcdef0123456789abcdef"
NAME = "vibe-gw"
CODES = {401: (2009, "Unauthorized"), 402: (2021, "Insufficient credit"), 429: (2003, "Rate limited")}


class Gateway(Loopback):
    """`upstreams`: slug → what stands in its place (`http://127.0.0.1:1234/v1`). Faults of its own come by `behaviour`.
    `stored`: slug → the provider's key kept here, for calls that bring none."""

    prefix = "/v1"

    def __init__(
        self,
        upstreams: Mapping[str, str],
        behaviour: Behaviour | None = None,
        *,
        key: str = "gateway-token",
        account: str = ACCOUNT,
        name: str = NAME,
        cache_status: str = "MISS",
        stored: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(behaviour, key=key, port=port)
        self.upstreams = dict(upstreams)
        self.account = account
        self.name = name
        self.cache_status = cache_status
        self.stored = dict(stored or {})

    def answer(self, seen: Seen) -> Reply:
        """Only what is refused; what is not goes on to `_forward`."""
        parts = seen.path.split("/", 5)
        if len(parts) < 5 or parts[1] != "v1":
            raise Refused(404, _error(404, 7003, "Could not route to the requested path"))
        if parts[2] != self.account or parts[3] != self.name:
            raise Refused(400, _error(400, 2001, "Please configure AI Gateway in the Cloudflare dashboard"))
        if seen.headers.get("cf-aig-authorization") != f"Bearer {self.key}":
            raise Refused(401, self.refusal(401))
        if parts[4] not in self.upstreams:
            raise Refused(400, _error(400, 2008, "Invalid provider"))
        behaviour = self.behaviour_for("", "ask" if seen.method == "POST" else "list")
        return self.reply(behaviour, Reply(0, {"content-type": "application/json"}))

    def refusal(self, status: int) -> Any:
        return _error(status, *CODES.get(status, (2005, "Failed to get response from provider")))

    def in_band_error(self) -> bytes:
        raise NotImplementedError("a gateway makes no events of its own")

    def whole(self, model: str, behaviour: Behaviour) -> Any:
        raise NotImplementedError("a gateway makes no answers of its own")

    async def _write(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        try:
            forwarded = self.answer(seen).status == 0
        except Refused:
            forwarded = False
        if not forwarded:
            return await super()._write(seen, writer)
        await self._forward(seen, writer)
        return False

    async def _forward(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        slug, _, rest = seen.path.split("/", 4)[4].partition("/")
        target = urlsplit(self.upstreams[slug])
        reader, upstream = await asyncio.open_connection(target.hostname, target.port)
        try:
            path = quote(f"{target.path}/{rest}", safe="/:")
            query = "?" + urlencode(seen.query, doseq=True) if seen.query else ""
            headers = dict(seen.headers)
            if slug in self.stored:
                headers.setdefault("authorization", f"Bearer {self.stored[slug]}")
            upstream.write(_request(seen.method, headers, path + query, target.netloc) + seen.raw)
            head, _, more = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
            own = f"cf-aig-log-id: log-{len(self.seen)}\r\ncf-aig-step: 0\r\n"
            cache = f"cf-aig-cache-status: {self.cache_status}\r\n"
            writer.write(head + b"\r\n" + own.encode() + cache.encode() + more)
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            upstream.close()


def _request(method: str, headers: Mapping[str, str], target: str, host: str) -> bytes:
    kept = {
        name: value
        for name, value in headers.items()
        if not name.startswith("cf-aig-") and name not in ("host", "connection")
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in kept.items())
    return f"{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\r\n".encode("latin-1")


def _error(status: int, code: int, message: str) -> dict[str, Any]:
    return {
        "success": False, "result": [], "messages": [], "error": [{"code": code, "message": message}],
        "name": "AiGatewayError", "httpCode": status, "internalCode": code,
    }  # fmt: skip
