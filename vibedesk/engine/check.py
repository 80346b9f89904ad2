"""Is this key good? Staged probes, each with its own verdict; the key is sent only to what has proven to be
its provider."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.dialects import Call, dialect_of
from vibedesk.engine.errors import (
    EngineError,
    GatewayError,
    InvalidKey,
    Misconfigured,
    NetworkBlocked,
    NoCredit,
    NoKey,
    Overloaded,
    ProviderError,
    RateLimited,
    RegionBlocked,
    ServerError,
    TimedOut,
    TlsUntrusted,
    Unreachable,
)
from vibedesk.engine.faults import unconnected
from vibedesk.engine.http import Answered, Http, Timers
from vibedesk.engine.issuer import issuer_of
from vibedesk.engine.proxies import proxy_for, proxy_host
from vibedesk.engine.router import Router
from vibedesk.engine.transport import assert_may_send, choose, headers_of, scrubbed, speaks, url_of
from vibedesk.engine.types import (
    ApiKey,
    Deployment,
    Finished,
    Gateway,
    Model,
    Provider,
    Rung,
    Secret,
    request_of,
)
from vibedesk.engine.verdicts import VERDICTS, verdict_of

if TYPE_CHECKING:
    import httpx

__all__ = ["VERDICTS", "CheckResult", "Stage", "check"]

TIMERS = Timers(connect_s=10.0, first_token_s=30.0, idle_s=20.0, total_s=30.0)
STAGES = ("shape", "host", "tls", "api", "key", "models", "answer")
_LIMITS = ("x-ratelimit-", "anthropic-ratelimit-", "x-tokenlimit-")


class Stage(Struct, frozen=True, kw_only=True):
    """`verdict`: running, ok, failed or skipped. `detail` is a short fact, without the key."""

    name: str
    verdict: str
    took_s: float = 0.0
    detail: str = ""


class CheckResult(Struct, frozen=True, kw_only=True):
    """`stage` is where it failed, or the last that passed. `models` None = the list was not seen."""

    key_id: str
    provider: str
    verdict: str
    stage: str
    error: EngineError | None
    http_status: int | None
    took_s: float
    models: int | None
    stages: tuple[Stage, ...]
    live: tuple[Model, ...]
    limits: dict[str, str]


async def check(
    key: ApiKey,
    secret: Secret | None,
    provider: Provider,
    catalog: Catalog,
    http: Http,
    *,
    answer: bool = False,
    gateway: Gateway | None = None,
    gateway_secret: Secret | None = None,
) -> AsyncGenerator[Stage | CheckResult, None]:
    """Each stage as it begins ("running") and as it ends, then the one `CheckResult`. Never raises `EngineError`.

    With a `gateway` the provider is reached through it; where `key` is that gateway's own token, the token is
    checked. `answer` asks for one real, short answer, which costs a few tokens.
    """
    run = _Check(key, secret, provider, catalog, http, gateway, gateway_secret)
    for name, step in run.steps(answer):
        yield Stage(name=name, verdict="running")
        yield await run.take(name, step)
        if run.verdict:
            break
    yield run.result()


class _Skipped(Exception):
    """This stage has nothing to check; says why."""


class _Check:
    """One check under way."""

    def __init__(
        self,
        key: ApiKey,
        secret: Secret | None,
        provider: Provider,
        catalog: Catalog,
        http: Http,
        gateway: Gateway | None,
        gateway_secret: Secret | None,
    ) -> None:
        self.of_gateway = gateway is not None and gateway.token.id == key.id
        self._key, self._catalog, self._http = key, catalog, http
        self._provider = provider
        self._secret = None if self.of_gateway else secret
        self._token = secret if self.of_gateway else gateway_secret
        self._deployment = self._way(provider, key, gateway)
        self._dialect = dialect_of(speaks(self._deployment))
        self._began = time.monotonic()
        self._listed: Answered | None = None
        self._live: tuple[Model, ...] = ()
        self._status: int | None = None
        self._limits: dict[str, str] = {}
        self._stages: list[Stage] = []
        self._error: EngineError | None = None
        self.verdict = ""

    def _way(self, provider: Provider, key: ApiKey, gateway: Gateway | None) -> Deployment:
        """How the provider is reached. A gateway's token is tried on the first provider that has a path through it."""
        if self.of_gateway:
            passing = (
                one for one in self._catalog.providers.values() if choose(one, None, gateway)[0] == "gateway"
            )
            provider = next(passing, provider)
        via, why = choose(provider, None, gateway)
        return Deployment(
            provider=provider,
            model=Model(provider=provider.id, id="", name=""),
            key=None if self.of_gateway or provider.simulated else key,
            via=via,
            why_via=why,
            gateway=gateway if via == "gateway" else None,
        )

    def steps(self, answer: bool) -> Sequence[tuple[str, Callable[[], Awaitable[str]]]]:
        """The stages in order."""
        steps = (self._shape, self._host, self._tls, self._api, self._accepted, self._models, self._answer)
        return list(zip(STAGES, steps, strict=True))[: None if answer else -1]

    async def take(self, name: str, step: Callable[[], Awaitable[str]]) -> Stage:
        """Runs one stage and keeps what it found."""
        began = time.monotonic()
        verdict, detail = "ok", ""
        try:
            detail = await step()
        except _Skipped as exc:
            verdict, detail = "skipped", str(exc)
        except RateLimited as exc:
            # Only a key that was accepted has a limit to run into.
            detail = "the key is accepted, and over its rate limit"
            self._conclude(exc)
        except EngineError as exc:
            verdict, detail = "failed", ""
            self._conclude(exc)
            detail = exc.provider_message or exc.detail
        stage = Stage(name=name, verdict=verdict, took_s=time.monotonic() - began, detail=detail)
        self._stages.append(stage)
        return stage

    def _conclude(self, error: EngineError) -> None:
        error.provider = error.provider or self._provider.id
        error.key = error.key or self._key.name
        self._error = scrubbed(error, (self._secret, self._token))
        self._status = error.status if error.status is not None else self._status
        self.verdict = verdict_of(error, of_gateway=self.of_gateway)

    def result(self) -> CheckResult:
        reached = self._stages[-1].name if self._stages else STAGES[0]
        if not self.verdict:
            passed = [stage.name for stage in self._stages if stage.verdict == "ok"]
            reached = passed[-1] if passed else reached
        taken = {stage.name for stage in self._stages}
        left = tuple(Stage(name=name, verdict="skipped") for name in STAGES if name not in taken)
        return CheckResult(
            key_id=self._key.id,
            provider=self._provider.id,
            verdict=self.verdict or "ready",
            stage=reached,
            error=self._error,
            http_status=self._status,
            took_s=time.monotonic() - self._began,
            models=len(self._live) if self._listed is not None else None,
            stages=(*self._stages, *left),
            live=self._live,
            limits=self._limits,
        )

    # The stages: each gives a short fact, skips, or raises

    async def _shape(self) -> str:
        """The key's form, and whether it may be sent where it would go. Sends nothing."""
        if self._provider.simulated:
            raise _Skipped("the demo needs no key")
        if self._provider.id not in self._catalog.providers and not self.of_gateway:
            raise Misconfigured("the account or the name of the gateway is missing", setting="gateway")
        assert_may_send(self._deployment, self._url(self._list_call()))
        secret = self._token if self.of_gateway else self._secret
        if not secret:
            if self._provider.keyless:
                raise _Skipped("no key is needed")
            raise NoKey(f"no key for {self._provider.name}")
        return self._shape_of(secret)

    def _shape_of(self, secret: Secret) -> str:
        guesses = self._catalog.recognise(secret.reveal())
        if self._provider.id in guesses or not self._provider.key_pattern:
            return "looks right"
        if len(guesses) == 1:
            other = self._catalog.provider(guesses[0]).name
            raise Misconfigured(f"this looks like a key of {other}", setting="key", suggestion=guesses[0])
        return "an unusual form for this provider"

    async def _host(self) -> str:
        address = self._remote()
        proxy = proxy_for(address)
        target = _url(proxy) if proxy else address
        await self._connect(target, None)
        return f"through the proxy {proxy_host(proxy)}" if proxy else address.host

    async def _tls(self) -> str:
        address = self._remote()
        if address.scheme == "http":
            raise _Skipped(
                "plain http on this machine" if not self._provider.allow_http else "plain http, as set up"
            )
        if proxy_for(address):
            raise _Skipped("checked with the request, through the proxy")
        try:
            return await self._connect(address, await self._http.ssl_context())
        except TlsUntrusted as exc:
            exc.facts["issuer"] = await issuer_of(address.host, address.port or 443)
            raise

    async def _api(self) -> str:
        """Asked without any key: what answers must answer as this API does."""
        self._remote()
        answered = await self._get(self._list_call(), secrets=False)
        if answered.status < 300:
            self._dialect.read_models(answered.body, self._deployment.provider)
            return "its list of models is public"
        error = self._refusal(answered)
        strange = NetworkBlocked | RegionBlocked | ServerError | Overloaded
        if isinstance(error, strange) or not isinstance(error, ProviderError) or error.status == 404:
            raise error
        return "it answers as this API does"

    async def _accepted(self) -> str:
        self._remote()
        if not (self._secret or self._token):
            raise _Skipped("no key is needed")
        path = self._provider.check_path
        call = Call(method="GET", path=path) if path and not self.of_gateway else self._list_call()
        answered = await self._get(call)
        if answered.status >= 300:
            return self._tolerated(self._refusal(answered))
        if path:
            return self._account(answered)
        self._listed = answered
        return "accepted"

    def _tolerated(self, error: EngineError) -> str:
        """A gateway that lets the request through has accepted its token, whatever the provider behind it says."""
        if self.of_gateway and not isinstance(error, GatewayError):
            return "the gateway accepts the token"
        raise error

    async def _models(self) -> str:
        self._remote()
        if self.of_gateway:
            self._listed = None
            raise _Skipped("a gateway has no list of its own")
        answered = self._listed or await self._get(self._list_call())
        if answered.status >= 300:
            raise self._refusal(answered)
        self._live = self._dialect.read_models(answered.body, self._deployment.provider)
        self._listed = answered
        return f"{len(self._live)} models"

    async def _answer(self) -> str:
        """One short real answer: what finds a key without credit, or without access to any model."""
        if self.of_gateway:
            raise _Skipped("a gateway answers nothing itself")
        model = self._cheapest()
        deployment = replace(self._deployment, model=model)
        rung = Rung(deployment=deployment, reason="check")
        effort: Any = "none" if "none" in model.traits.efforts else next(iter(model.traits.efforts), None)
        request = request_of(
            "Reply with the word OK.", max_tokens=16 if effort is None else 64, reasoning_effort=effort
        )
        finished = await self._finished(Router(self._http, self._given, timers=TIMERS), request, rung)
        if finished.error is not None and finished.error.kind != "empty_answer":
            raise finished.error
        return f"{model.id} answered"

    async def _finished(self, router: Router, request: Any, rung: Rung) -> Finished:
        asked = router.ask(request, [rung])
        async with aclosing(asked.events()) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event
        return asked.stopped()

    # What they use

    def _cheapest(self) -> Model:
        """The preferred model where the key sees it, else the first it sees, else the first known."""
        preferred = self._catalog.preferred(self._provider.id)
        seen = {model.id for model in self._live}
        if preferred is not None and (not seen or preferred.id in seen):
            return preferred
        known = self._live or self._catalog.models(self._provider.id)
        if not known:
            raise Misconfigured("no model of this provider is known", setting="model")
        return self._catalog.model(known[0].full_id)

    async def _given(self, key: ApiKey) -> Secret:
        gateway = self._deployment.gateway
        secret = self._token if gateway is not None and key.id == gateway.token.id else self._secret
        if secret is None:
            raise NoKey(f"no key for {self._provider.name}")
        return secret

    def _list_call(self) -> Call:
        return self._dialect.list_models(self._deployment.provider)

    def _url(self, call: Call) -> str:
        return url_of(self._deployment, call.path)

    def _remote(self) -> httpx.URL:
        if self._provider.simulated:
            raise _Skipped("it runs inside the app")
        return _url(self._url(self._list_call()))

    async def _connect(self, address: httpx.URL, context: ssl.SSLContext | None) -> str:
        """TCP, and TLS where a context is given; the protocol's version. Sends nothing of ours."""
        port = address.port or (443 if address.scheme == "https" else 80)
        name = address.host if context else None
        try:
            async with asyncio.timeout(TIMERS.connect_s):
                _, writer = await asyncio.open_connection(
                    address.host, port, ssl=context, server_hostname=name
                )
        except TimeoutError as exc:
            raise TimedOut("no connection in time", timer="connect", host=address.host) from exc
        except OSError as exc:
            raise unconnected(exc, address.host) from exc
        version = writer.get_extra_info("ssl_object")
        writer.transport.abort()
        return str(version.version()) if version is not None else ""

    async def _get(self, call: Call, *, secrets: bool = True) -> Answered:
        """One GET, tried again once where the network or the server failed."""
        url = self._url(call)
        assert_may_send(self._deployment, url)
        secret, token = (self._secret, self._token) if secrets else (None, None)
        headers = headers_of(self._deployment, secret, token, call)
        try:
            answered = await self._http.get(url, headers, timers=TIMERS)
        except (TlsUntrusted, TimedOut):
            raise
        except Unreachable:
            answered = await self._http.get(url, headers, timers=TIMERS)
        if answered.status >= 500:
            await asyncio.sleep(0.3)
            answered = await self._http.get(url, headers, timers=TIMERS)
        self._status = answered.status
        self._limits |= {name: value for name, value in answered.headers.items() if name.startswith(_LIMITS)}
        return answered

    def _refusal(self, answered: Answered) -> EngineError:
        provider = self._deployment.provider
        error = self._dialect.refusal(answered.status, answered.headers, answered.body, provider)
        error.status = error.status or answered.status
        return error

    def _account(self, answered: Answered) -> str:
        """What OpenRouter, DeepSeek and xAI tell about the key itself (wire.md §9.1, §9.3, §9.4)."""
        try:
            facts = msgspec.json.decode(answered.body)
        except msgspec.DecodeError:
            self._dialect.read_models(answered.body, self._deployment.provider)
            return "accepted"
        facts = facts.get("data", facts) if isinstance(facts, dict) else {}
        if facts.get("is_available") is False:
            raise NoCredit("the balance is used up", status=answered.status)
        if any(facts.get(name) is True for name in ("api_key_blocked", "api_key_disabled", "team_blocked")):
            raise InvalidKey("blocked at the provider", status=answered.status, code="key_blocked")
        self._limits |= {
            name: str(facts[name]) for name in ("limit", "limit_remaining") if facts.get(name) is not None
        }
        for balance in facts.get("balance_infos") or ():
            self._limits["balance"] = f"{balance.get('total_balance')} {balance.get('currency')}"
        return "accepted"


def _url(address: str) -> httpx.URL:
    import httpx

    return httpx.URL(address)
