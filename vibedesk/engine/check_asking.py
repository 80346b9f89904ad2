"""How a check asks: of whom, with which of the secrets, and what it keeps of the answers."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from vibedesk.engine import passport
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.dialects import Call, dialect_of
from vibedesk.engine.errors import EngineError, TimedOut, TlsUntrusted, Unreachable
from vibedesk.engine.http import BODY_CAP, Answered, Body, Http, Timers, headers_of
from vibedesk.engine.transport import assert_may_send, choose, speaks, url_of
from vibedesk.engine.transport import headers_of as headers_for
from vibedesk.engine.types import ApiKey, Deployment, Finished, Gateway, Model, Provider, Secret

if TYPE_CHECKING:
    import httpx

_AGAIN_S = 0.3
"""Between a server's fault and the second try."""
_ASIDE_S = 3.0
"""How long an answer is waited for that the check can do without."""


class Skipped(Exception):
    """This stage has nothing to check; says why."""


class Subject(Struct, frozen=True, kw_only=True):
    """What is checked: `key` and its `secret`, at `provider`, through `gateway` where there is one.

    `insist`: the key goes to this provider even where its form is another's.
    """

    key: ApiKey
    secret: Secret | None
    provider: Provider
    catalog: Catalog
    gateway: Gateway | None = None
    gateway_secret: Secret | None = None
    insist: bool = False

    @property
    def of_gateway(self) -> bool:
        """The key is the gateway's own token."""
        return self.gateway is not None and self.gateway.token.id == self.key.id


class Found:
    """What a check has found so far."""

    def __init__(self) -> None:
        self.evidence: dict[str, str] = {}
        """Of the stage under way."""
        self.status: int | None = None
        self.listed: Answered | None = None
        self.live: tuple[Model, ...] = ()
        self.limits: dict[str, str] = {}
        self.passport: dict[str, str] = {}
        self.open_to_all = False
        """It answers without a key, so that an answer proves nothing about one."""
        self.proven = False
        """The key itself was accepted."""
        self.unlisted: EngineError | None = None
        """The key may not list models; whether it may ask one is open."""
        self.capabilities: dict[str, bool] = {}
        self.answers: list[Finished] = []


class Asking:
    """One check's way to its provider, and what it has `found` there."""

    def __init__(self, subject: Subject, http: Http, timers: Timers) -> None:
        self.subject, self.http, self.timers = subject, http, timers
        self.found = Found()
        self.secret = None if subject.of_gateway else subject.secret
        self.token = subject.secret if subject.of_gateway else subject.gateway_secret
        self.deployment = _way(subject)
        gateway = self.deployment.gateway
        self.stored_instead = bool(self.secret) and gateway is not None and gateway.stored_keys
        """The gateway puts a key of its own in the place of this one, which is not sent."""
        self.dialect = dialect_of(speaks(self.deployment))

    @property
    def provider(self) -> Provider:
        """Whom it asks: behind a gateway, not the gateway."""
        return self.deployment.provider

    def list_call(self) -> Call:
        return self.dialect.list_models(self.provider)

    def url(self, call: Call) -> str:
        return url_of(self.deployment, call.path)

    def remote(self) -> httpx.URL:
        """The address of the list. Raises `Skipped` where there is none."""
        if self.subject.provider.simulated:
            raise Skipped("it runs inside the app")
        return parsed(self.url(self.list_call()))

    async def get(self, call: Call, *, secrets: bool = True) -> Answered:
        """One request, tried again once where the network or the server failed."""
        url = self.url(call)
        assert_may_send(self.deployment, url)
        secret, token = (self.secret, self.token) if secrets else (None, None)
        headers = headers_for(self.deployment, secret, token, call)
        try:
            answered = await self.once(call.method, url, headers, call.body, self.timers)
        except (TlsUntrusted, TimedOut):
            raise
        except Unreachable:
            answered = await self.once(call.method, url, headers, call.body, self.timers)
        if answered.status >= 500:
            await asyncio.sleep(_AGAIN_S)
            answered = await self.once(call.method, url, headers, call.body, self.timers)
        self.note(answered.status, answered.headers)
        return answered

    def note(self, status: int, headers: dict[str, str]) -> None:
        """Keeps what an answer's headers tell."""
        self.found.status = status
        self.found.evidence["status"] = str(status)
        self.found.limits |= passport.limits_in(headers)
        self.found.passport |= passport.passport_in(headers, self.provider.id)

    def refusal(self, answered: Answered) -> EngineError:
        error = self.dialect.refusal(answered.status, answered.headers, answered.body, self.provider)
        error.status = error.status or answered.status
        self.found.passport |= passport.passport_of_refusal(error)
        return error

    async def aside(self, deployment: Deployment, path: str) -> Answered:
        """A GET without any key, of what the check can do without: tried once, and not waited for long."""
        url = url_of(deployment, path)
        assert_may_send(deployment, url)
        call = Call(method="GET", path=path)
        timers = replace(self.timers, first_token_s=min(_ASIDE_S, self.timers.first_token_s))
        return await self.once("GET", url, headers_for(deployment, None, None, call), None, timers)

    async def once(
        self, method: str, url: str, headers: dict[str, str], body: dict[str, Any] | None, timers: Timers
    ) -> Answered:
        host = parsed(url).host
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(timers.first_token_s):
                    opened = self.http.stream(method, url, headers, body, timers=timers)
                    response = await stack.enter_async_context(opened)
            except TimeoutError as exc:
                limit = timers.first_token_s
                raise TimedOut("no answer in time", timer="silence", host=host, limit_s=limit) from exc
            try:
                async with asyncio.timeout(timers.idle_s):
                    content = await Body(response).read_all(BODY_CAP)
            except TimeoutError as exc:
                limit = timers.idle_s
                raise TimedOut("no whole answer in time", timer="body", host=host, limit_s=limit) from exc
            return Answered(response.status_code, headers_of(response), content)


def _way(subject: Subject) -> Deployment:
    """How the provider is reached. A gateway's token is tried on the first provider that has a path through it."""
    provider, gateway = subject.provider, subject.gateway
    if subject.of_gateway:
        gateway = replace(gateway, carries=None) if gateway else None  # no key of a provider is sent
        everyone = subject.catalog.providers.values()
        provider = next((one for one in everyone if choose(one, None, gateway)[0] == "gateway"), provider)
    via, why = choose(provider, None, gateway, subject.key)
    unkeyed = not subject.secret and (via == "gateway" or provider.keyless)
    return Deployment(
        provider=provider,
        model=Model(provider=provider.id, id="", name=""),
        key=None if subject.of_gateway or provider.simulated or unkeyed else subject.key,
        via=via,
        why_via=why,
        gateway=gateway if via == "gateway" else None,
    )


def port_of(address: httpx.URL) -> int:
    return address.port or (443 if address.scheme == "https" else 80)


def parsed(address: str) -> httpx.URL:
    import httpx

    return httpx.URL(address)
