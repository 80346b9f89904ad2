"""The stages of a check that cost nothing, in their order: each gives a short fact, is skipped, or raises."""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from vibedesk.engine import local, probes
from vibedesk.engine.catalog import origin_of
from vibedesk.engine.check_asking import Asking, Skipped, parsed, port_of
from vibedesk.engine.check_places import is_api, is_the_gateway_s, put_right
from vibedesk.engine.check_proof import proof
from vibedesk.engine.errors import (
    ConnectionLost,
    EngineError,
    Garbled,
    Misconfigured,
    NoKey,
    ProviderError,
    Unreachable,
)
from vibedesk.engine.faults import through_proxy
from vibedesk.engine.http import Answered
from vibedesk.engine.proxies import is_loopback, proxy_for, proxy_host
from vibedesk.engine.shapes import look_of
from vibedesk.engine.transport import assert_may_send
from vibedesk.engine.types import Gateway, Model

if TYPE_CHECKING:
    import httpx

_ACCOUNT_ID = re.compile(r"[0-9a-f]{32}")
_GATEWAY_ID = re.compile(r"[a-z0-9_-]{1,64}")


class FreeStages:
    """The stages up to the list of models."""

    def __init__(self, ask: Asking) -> None:
        self._ask = ask
        self._addresses: tuple[str, ...] = ()

    async def shape(self) -> str:
        """The key's form, and whether it may be sent where it would go. Sends nothing."""
        await asyncio.to_thread(importlib.import_module, "httpx")  # slow to load, and the window is watching
        subject = self._ask.subject
        if subject.provider.simulated:
            raise Skipped("the demo needs no key")
        if subject.provider.id in subject.catalog.gateways and not subject.of_gateway:
            raise Misconfigured("the account or the name of the gateway is missing", setting="gateway")
        _check_gateway(self._ask.deployment.gateway)
        assert_may_send(self._ask.deployment, self._ask.url(self._ask.list_call()))
        secret = self._ask.token if subject.of_gateway else self._ask.secret
        if not secret:
            if subject.provider.keyless:
                raise Skipped("no key is needed")
            if self._ask.deployment.via == "gateway":
                raise Skipped("the gateway’s stored key is used")
            raise NoKey(f"no key for {subject.provider.name}")
        return look_of(secret.reveal(), subject.provider, subject.catalog, insist=subject.insist)

    async def host(self) -> str:
        """The name has an address."""
        target, proxy = self._target()
        waits = self._ask.timers.connect_s
        with _blaming(proxy):
            self._addresses = await probes.addresses_of(target.host, port_of(target), within_s=waits)
        self._ask.found.evidence["addresses"] = ", ".join(self._addresses)
        if proxy:
            self._ask.found.evidence["proxy"] = proxy_host(proxy)
        return f"through the proxy {proxy_host(proxy)}" if proxy else target.host

    async def port(self) -> str:
        """Something takes a connection there."""
        target, proxy = self._target()
        number, waits = port_of(target), self._ask.timers.connect_s
        with _blaming(proxy):
            address = await probes.reach(self._addresses, target.host, number, within_s=waits)
        self._ask.found.evidence |= {"address": address, "port": str(number)}
        return f"{target.host}:{number} takes connections"

    async def tls(self) -> str:
        """A certificate that somebody trusted vouches for, before anything is sent."""
        address = self._ask.remote()
        if address.scheme == "http":
            raise Skipped(
                "plain http on this machine" if is_loopback(address.host) else "plain http, as set up"
            )
        if proxy_for(address):
            raise Skipped("checked with the request, through the proxy")
        context = await self._ask.http.ssl_context()
        secured = await probes.secure(
            address.host, port_of(address), context, within_s=self._ask.timers.connect_s
        )
        until = f"{secured.until:%Y-%m-%d}" if secured.until else ""
        known = {"version": secured.version, "issuer": secured.issuer, "until": until}
        self._ask.found.evidence |= {name: fact for name, fact in known.items() if fact}
        return f"{secured.version}, issued by {secured.issuer}" if secured.issuer else secured.version

    async def api(self) -> str:
        """Asked without any key: what answers must answer as this API does."""
        self._ask.remote()
        try:
            answered = await self._ask.get(self._ask.list_call(), secrets=False)
            if answered.status < 300:
                models = self._ask.dialect.read_models(answered.body, self._ask.provider)
                return await self._open(answered, models)
            error = self._ask.refusal(answered)
            if self._ask.subject.of_gateway and not is_the_gateway_s(error):
                self._ask.found.open_to_all = True  # it let somebody without a token through to the provider
            if is_api(error):
                return "it answers as this API does"
            raise error
        except (Garbled, ConnectionLost, ProviderError) as error:
            await put_right(self._ask, error)
            raise

    async def _open(self, answered: Answered, models: tuple[Model, ...]) -> str:
        self._ask.found.open_to_all = True
        self._ask.found.listed, self._ask.found.live = answered, models
        if self._ask.provider.local:
            told = await local.facts_of(self._ask.provider.id, self._fact)
            self._ask.found.evidence |= told
            self._ask.found.passport |= told
        loaded = self._ask.found.evidence.get("loaded")
        if self._ask.subject.provider.keyless:
            return f"it runs, with {loaded} loaded" if loaded else "it runs"
        return "its list of models is open to everyone"

    async def _fact(self, path: str) -> bytes | None:
        """What stands at a path of the same origin, outside the API; None where there is no such place."""
        ask = self._ask
        here = replace(ask.provider, base_url=origin_of(ask.provider.base_url))
        try:
            answered = await ask.aside(replace(ask.deployment, provider=here, key=None), path)
        except EngineError:
            return None
        return answered.body if answered.status == 200 else None

    async def key(self) -> str:
        """The key is accepted, where a place can be found that takes no other."""
        self._ask.remote()
        if not (self._ask.secret or self._ask.token):
            raise Skipped("no key is needed")
        try:
            return await proof(self._ask)
        except ProviderError as error:
            await put_right(self._ask, error)  # some ask for a key before they look at the path
            raise

    async def models(self) -> str:
        """The list of models this key sees."""
        self._ask.remote()
        if self._ask.subject.of_gateway:
            self._ask.found.listed = None
            raise Skipped("a gateway has no list of its own")
        if self._ask.found.unlisted is not None:
            raise Skipped("the key may not list them")
        answered = self._ask.found.listed or await self._ask.get(self._ask.list_call())
        if answered.status >= 300:
            raise self._ask.refusal(answered)
        self._ask.found.live = self._ask.dialect.read_models(answered.body, self._ask.provider)
        self._ask.found.listed = answered
        number = len(self._ask.found.live)
        self._ask.found.evidence["count"] = str(number)
        return f"{number} model{'' if number == 1 else 's'}"

    def _target(self) -> tuple[httpx.URL, str | None]:
        """What is connected to: the host, or the proxy before it."""
        address = self._ask.remote()
        proxy = proxy_for(address)
        return (parsed(proxy) if proxy else address), proxy


@contextmanager
def _blaming(proxy: str | None) -> Iterator[None]:
    """What is not there is then the proxy, not the provider."""
    try:
        yield
    except Unreachable as error:
        if proxy is None:
            raise
        raise through_proxy(error, proxy_host(proxy)) from error


def _check_gateway(gateway: Gateway | None) -> None:
    """Ids that no gateway can have are told before anything is sent (wire facts §1.2)."""
    if gateway is None:
        return
    if not _ACCOUNT_ID.fullmatch(gateway.account):
        raise Misconfigured("no account has this id", setting="gateway_id", nuance="account_form")
    if not _GATEWAY_ID.fullmatch(gateway.name):
        raise Misconfigured("no gateway has this name", setting="gateway_id", nuance="gateway_form")
