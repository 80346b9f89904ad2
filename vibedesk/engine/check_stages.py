"""The stages of a check that cost nothing, in their order: each gives a short fact, is skipped, or raises."""

from __future__ import annotations

import asyncio
import importlib
import re
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from vibedesk.engine import local, passport, probes
from vibedesk.engine.catalog import Catalog, origin_of
from vibedesk.engine.dialects import Call, dialect_of
from vibedesk.engine.errors import (
    ConnectionLost,
    EngineError,
    Garbled,
    GatewayError,
    Malformed,
    Misconfigured,
    NetworkBlocked,
    NoKey,
    NotThisApi,
    Overloaded,
    ProviderError,
    RegionBlocked,
    Restricted,
    ServerError,
    TimedOut,
    TlsUntrusted,
    Unreachable,
)
from vibedesk.engine.http import BODY_CAP, Answered, Body, Http, Timers, headers_of
from vibedesk.engine.proxies import is_loopback, proxy_for, proxy_host
from vibedesk.engine.shapes import look_of
from vibedesk.engine.transport import assert_may_send, choose, speaks, url_of
from vibedesk.engine.transport import headers_of as headers_for
from vibedesk.engine.types import ApiKey, Deployment, Finished, Gateway, Model, Provider, Secret

if TYPE_CHECKING:
    import httpx

_AGAIN_S = 0.3
"""Between a server's fault and the second try."""
_ELSEWHERE_S = 3.0
"""How long each other place of the API is waited for."""
_ENDPOINTS = re.compile(r"/(?:chat/completions|completions|responses|messages|models)$")
_TLS_WANTED = re.compile(r"http request .{0,20}(?:to|on) (?:an? )?https", re.IGNORECASE)
_ACCOUNT_ID = re.compile(r"[0-9a-f]{32}")
_GATEWAY_ID = re.compile(r"[a-z0-9_-]{1,64}")


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


class FreeStages:
    """The stages up to the list of models."""

    def __init__(self, subject: Subject, http: Http, timers: Timers) -> None:
        self.subject, self.http, self.timers = subject, http, timers
        self.found = Found()
        self.secret = None if subject.of_gateway else subject.secret
        self.token = subject.secret if subject.of_gateway else subject.gateway_secret
        self.deployment = _way(subject)
        self.dialect = dialect_of(speaks(self.deployment))
        self._addresses: tuple[str, ...] = ()

    @property
    def provider(self) -> Provider:
        """Whom it asks: behind a gateway, not the gateway."""
        return self.deployment.provider

    async def shape(self) -> str:
        """The key's form, and whether it may be sent where it would go. Sends nothing."""
        await asyncio.to_thread(importlib.import_module, "httpx")  # slow to load, and the window is watching
        subject = self.subject
        if subject.provider.simulated:
            raise Skipped("the demo needs no key")
        if subject.provider.id in subject.catalog.gateways and not subject.of_gateway:
            raise Misconfigured("the account or the name of the gateway is missing", setting="gateway")
        _check_gateway(self.deployment.gateway)
        assert_may_send(self.deployment, self.url(self.list_call()))
        secret = self.token if subject.of_gateway else self.secret
        if not secret:
            if subject.provider.keyless:
                raise Skipped("no key is needed")
            if self.deployment.via == "gateway":
                raise Skipped("the gateway’s stored key is used")
            raise NoKey(f"no key for {subject.provider.name}")
        return look_of(secret.reveal(), subject.provider, subject.catalog, insist=subject.insist)

    async def host(self) -> str:
        """The name has an address."""
        target, proxy = self._target()
        port = _port(target)
        self._addresses = await probes.addresses_of(target.host, port, within_s=self.timers.connect_s)
        self.found.evidence["addresses"] = ", ".join(self._addresses)
        if proxy:
            self.found.evidence["proxy"] = proxy_host(proxy)
        return f"through the proxy {proxy_host(proxy)}" if proxy else target.host

    async def port(self) -> str:
        """Something takes a connection there."""
        target, _ = self._target()
        address = await probes.reach(
            self._addresses, target.host, _port(target), within_s=self.timers.connect_s
        )
        self.found.evidence |= {"address": address, "port": str(_port(target))}
        return f"{target.host}:{_port(target)} takes connections"

    async def tls(self) -> str:
        """A certificate that somebody trusted vouches for, before anything is sent."""
        address = self.remote()
        if address.scheme == "http":
            raise Skipped(
                "plain http on this machine" if is_loopback(address.host) else "plain http, as set up"
            )
        if proxy_for(address):
            raise Skipped("checked with the request, through the proxy")
        context = await self.http.ssl_context()
        secured = await probes.secure(address.host, _port(address), context, within_s=self.timers.connect_s)
        until = f"{secured.until:%Y-%m-%d}" if secured.until else ""
        known = {"version": secured.version, "issuer": secured.issuer, "until": until}
        self.found.evidence |= {name: fact for name, fact in known.items() if fact}
        return f"{secured.version}, issued by {secured.issuer}" if secured.issuer else secured.version

    async def api(self) -> str:
        """Asked without any key: what answers must answer as this API does."""
        self.remote()
        try:
            answered = await self.get(self.list_call(), secrets=False)
            if answered.status < 300:
                models = self.dialect.read_models(answered.body, self.provider)
                return await self._open(answered, models)
            error = self.refusal(answered)
            if self.subject.of_gateway and not isinstance(error, GatewayError):
                self.found.open_to_all = True  # it let somebody without a token through to the provider
            if _is_api(error):
                return "it answers as this API does"
            raise error
        except (Garbled, ConnectionLost, ProviderError) as error:
            await self._where_else(error)
            raise

    async def _open(self, answered: Answered, models: tuple[Model, ...]) -> str:
        self.found.open_to_all = True
        self.found.listed, self.found.live = answered, models
        if self.provider.local:
            told = await local.facts_of(self.provider.id, self._fact)
            self.found.evidence |= told
            self.found.passport |= told
        loaded = self.found.evidence.get("loaded")
        if self.subject.provider.keyless:
            return f"it runs, with {loaded} loaded" if loaded else "it runs"
        return "its list of models is open to everyone"

    async def _fact(self, path: str) -> bytes | None:
        """A GET of the same origin, outside the API; None where it has no such place."""
        url = origin_of(self.provider.base_url) + path
        assert_may_send(self.deployment, url)
        timers = replace(self.timers, first_token_s=min(_ELSEWHERE_S, self.timers.first_token_s))
        try:
            answered = await self._once("GET", url, {}, None, timers)
        except EngineError:
            return None
        return answered.body if answered.status == 200 else None

    async def _where_else(self, error: EngineError) -> None:
        """Adds to a failure where the API is, if it can be found at this origin. Raises what is truer instead."""
        address = self.remote()
        wanted = bool(_TLS_WANTED.search(error.provider_message)) or error.kind == "connection_lost"
        silent = isinstance(error, NotThisApi) and "speak HTTP" in error.detail
        if address.scheme == "http" and (wanted or silent) and await self._tls_there(address):
            there = "https" + self.provider.base_url[len("http") :]
            facts = {"nuance": "needs_tls", "suggestion": there, "host": address.host}
            raise Misconfigured("this port speaks TLS", setting="base_url", **facts)
        strays = isinstance(error, NotThisApi | Malformed) or error.status in (404, 405)
        if strays and not self.provider.bundled and self.deployment.via == "direct":
            for base_url in _other_places(self.provider.base_url):
                if await self._answers_at(base_url):
                    error.facts["suggestion"] = base_url
                    return

    async def _tls_there(self, address: httpx.URL) -> bool:
        return not proxy_for(address) and await probes.speaks_tls(address.host, _port(address))

    async def _answers_at(self, base_url: str) -> bool:
        """Whether this API answers there; asked without a key."""
        there = replace(self.provider, base_url=base_url)
        deployment = replace(self.deployment, provider=there, key=None)
        call = self.dialect.list_models(there)
        timers = replace(self.timers, first_token_s=min(_ELSEWHERE_S, self.timers.first_token_s))
        try:
            url = url_of(deployment, call.path)
            answered = await self._once("GET", url, headers_for(deployment, None, None, call), None, timers)
            if answered.status < 300:
                return bool(self.dialect.read_models(answered.body, there))
        except EngineError:
            return False
        return answered.status in (400, 401, 403) and _is_api(self.refusal(answered))

    async def key(self) -> str:
        """The key is accepted, where a place can be found that takes no other."""
        self.remote()
        if not (self.secret or self.token):
            raise Skipped("no key is needed")
        try:
            return await self._proof()
        except ProviderError as error:
            await self._where_else(error)  # some ask for a key before they look at the path
            raise

    async def _proof(self) -> str:
        path = self.provider.check_path
        if self.subject.of_gateway:
            return await self._token_accepted()
        if path and self.deployment.via == "direct" and await self._is_guarded(path):
            return await self._account(path)
        if not self.found.open_to_all:
            return await self._may_list()
        return await self._refused_without_it()

    async def _is_guarded(self, path: str) -> bool:
        """Bundled places are known to be; those a user names are tried without the key first."""
        if self.provider.bundled:
            return True
        answered = await self.get(Call(method="GET", path=path), secrets=False)
        return answered.status in (400, 401, 403)

    async def _account(self, path: str) -> str:
        answered = await self.get(Call(method="GET", path=path))
        if answered.status >= 300:
            raise self.refusal(answered)
        if not passport.is_account(answered.body):
            self.dialect.read_models(answered.body, self.provider)
        told, obstacle = passport.account_in(answered.body)
        self.found.passport |= told
        limits = {"spending limit": "limit", "left to spend": "limit_remaining", "balance": "balance"}
        self.found.limits |= {limits[name]: words for name, words in told.items() if name in limits}
        if obstacle is not None:
            raise obstacle
        return self._accepted(answered)

    async def _may_list(self) -> str:
        answered = await self.get(self.list_call())
        if answered.status >= 300:
            error = self.refusal(answered)
            if isinstance(error, Restricted) and "scope" in f"{error.provider_message} {error.code}".lower():
                error.facts["lacks"] = "list"
                self.found.unlisted, self.found.proven = error, True
                return "a real key, that may not list models"
            raise error
        self.found.listed = answered
        return self._accepted(answered)

    async def _refused_without_it(self) -> str:
        """A request for nothing, which costs nothing: where it is turned away without a key and understood with one,
        the key was accepted. Where it makes no difference, nothing is proven."""
        path = {"openai-chat": "/chat/completions", "openai-responses": "/responses"}.get(self.dialect.name)
        if path is not None:
            call = Call(method="POST", path=path, body={})
            without = await self.get(call, secrets=False)
            if without.status in (401, 403):
                answered = await self.get(call)
                if answered.status in (401, 403, 402, 429):
                    raise self.refusal(answered)
                if answered.status in (400, 404, 415, 422):
                    return self._accepted(answered)
        raise Skipped("nothing proven: it answers everyone alike")

    async def _token_accepted(self) -> str:
        """A gateway that lets the request through has accepted its token, whatever the provider behind it says."""
        if self.found.open_to_all:
            raise Skipped("nothing proven: the gateway asks nobody for a token")
        answered = await self.get(self.list_call())
        if answered.status >= 300 and isinstance(error := self.refusal(answered), GatewayError):
            raise error
        self._accepted(answered)
        return "the gateway accepts the token"

    def _accepted(self, answered: Answered) -> str:
        self.found.proven = True
        self.found.evidence["status"] = str(answered.status)
        return "accepted"

    async def models(self) -> str:
        """The list of models this key sees."""
        self.remote()
        if self.subject.of_gateway:
            self.found.listed = None
            raise Skipped("a gateway has no list of its own")
        if self.found.unlisted is not None:
            raise Skipped("the key may not list them")
        answered = self.found.listed or await self.get(self.list_call())
        if answered.status >= 300:
            raise self.refusal(answered)
        self.found.live = self.dialect.read_models(answered.body, self.provider)
        self.found.listed = answered
        number = len(self.found.live)
        self.found.evidence["count"] = str(number)
        return f"{number} model{'' if number == 1 else 's'}"

    # What they use

    def list_call(self) -> Call:
        return self.dialect.list_models(self.provider)

    def url(self, call: Call) -> str:
        return url_of(self.deployment, call.path)

    def remote(self) -> httpx.URL:
        """The address of the list. Raises `Skipped` where there is none."""
        if self.subject.provider.simulated:
            raise Skipped("it runs inside the app")
        return _url(self.url(self.list_call()))

    def _target(self) -> tuple[httpx.URL, str | None]:
        """What is connected to: the host, or the proxy before it."""
        address = self.remote()
        proxy = proxy_for(address)
        return (_url(proxy) if proxy else address), proxy

    async def get(self, call: Call, *, secrets: bool = True) -> Answered:
        """One request, tried again once where the network or the server failed."""
        url = self.url(call)
        assert_may_send(self.deployment, url)
        secret, token = (self.secret, self.token) if secrets else (None, None)
        headers = headers_for(self.deployment, secret, token, call)
        try:
            answered = await self._once(call.method, url, headers, call.body, self.timers)
        except (TlsUntrusted, TimedOut):
            raise
        except Unreachable:
            answered = await self._once(call.method, url, headers, call.body, self.timers)
        if answered.status >= 500:
            await asyncio.sleep(_AGAIN_S)
            answered = await self._once(call.method, url, headers, call.body, self.timers)
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

    async def _once(
        self, method: str, url: str, headers: dict[str, str], body: dict[str, Any] | None, timers: Timers
    ) -> Answered:
        host = _url(url).host
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
        everyone = subject.catalog.providers.values()
        provider = next((one for one in everyone if choose(one, None, gateway)[0] == "gateway"), provider)
    via, why = choose(provider, None, gateway)
    stored = via == "gateway" and not subject.secret
    return Deployment(
        provider=provider,
        model=Model(provider=provider.id, id="", name=""),
        key=None if subject.of_gateway or provider.simulated or stored else subject.key,
        via=via,
        why_via=why,
        gateway=gateway if via == "gateway" else None,
    )


def _check_gateway(gateway: Gateway | None) -> None:
    """Ids that no gateway can have are told before anything is sent (wire facts §1.2)."""
    if gateway is None:
        return
    if not _ACCOUNT_ID.fullmatch(gateway.account):
        raise Misconfigured("no account has this id", setting="gateway_id", nuance="account_form")
    if not _GATEWAY_ID.fullmatch(gateway.name):
        raise Misconfigured("no gateway has this name", setting="gateway_id", nuance="gateway_form")


def _is_api(error: EngineError) -> bool:
    """Whether this refusal is one that the API itself gives."""
    if isinstance(error, GatewayError):
        return error.facts.get("fault") in ("token", "rate_limit", "credit", "spend_limit")
    strange = NetworkBlocked | RegionBlocked | ServerError | Overloaded
    return (
        isinstance(error, ProviderError) and not isinstance(error, strange) and error.status not in (404, 405)
    )


def _other_places(base_url: str) -> list[str]:
    """Where the same API often is, when it is not here."""
    bare = _ENDPOINTS.sub("", base_url)
    places = [bare, f"{bare}/v1", f"{bare}/api/v1", f"{bare}/openai/v1", re.sub(r"/v1(?:beta)?$", "", bare)]
    return [place for place in dict.fromkeys(places) if place != base_url]


def _port(address: httpx.URL) -> int:
    return address.port or (443 if address.scheme == "https" else 80)


def _url(address: str) -> httpx.URL:
    import httpx

    return httpx.URL(address)
