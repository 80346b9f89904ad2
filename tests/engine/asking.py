"""Deployments over the loopback providers, and short ways to ask them: what the engine's tests share."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from tests.providers import Behaviour, Loopback
from vibedesk.engine.catalog import origin_of
from vibedesk.engine.errors import EngineError
from vibedesk.engine.http import Http, Timers
from vibedesk.engine.router import Router
from vibedesk.engine.types import (
    ApiKey,
    Deployment,
    DialectName,
    Event,
    Finished,
    Gateway,
    Model,
    Provider,
    Request,
    Rung,
    Secret,
    request_of,
)

SHORT = Timers(connect_s=2.0, first_token_s=0.4, idle_s=0.4, total_s=8.0)
BRISK = Timers(connect_s=5.0, first_token_s=1.5, idle_s=1.5, total_s=120.0)
CALM = Timers(connect_s=5.0, first_token_s=60.0, idle_s=60.0, total_s=120.0)


def timers_beside(fault: Behaviour) -> Timers:
    """Short ones where the fault is silence, so that a loaded machine is silent for no other reason."""
    silent = fault.stall_before_headers or fault.stall_after is not None or fault.ping_only
    return BRISK if silent else CALM


def provider_of(server: Loopback, dialect: DialectName, id: str = "openai", **more: Any) -> Provider:
    return Provider(id=id, name=id.title(), dialect=dialect, base_url=server.base_url, **more)


def key_of(provider: Provider, **more: Any) -> ApiKey:
    facts = {"id": f"key-{provider.id}", "label": "work", "hint": "loop…-key", "source": "vault"}
    return ApiKey(**(facts | {"provider": provider.id, "origin": origin_of(provider.base_url)} | more))


def rung_of(
    server: Loopback,
    dialect: DialectName,
    model: str,
    *,
    id: str = "openai",
    obstacle: EngineError | None = None,
    gateway: Gateway | None = None,
    provider: Provider | None = None,
    **about_model: Any,
) -> Rung:
    provider = provider or provider_of(server, dialect, id)
    deployment = Deployment(
        provider=provider,
        model=Model(provider=id, id=model, name=model, **about_model),
        key=key_of(provider),
        via="gateway" if gateway else "direct",
        why_via="no gateway is set up",
        gateway=gateway,
    )
    return Rung(deployment=deployment, reason="first choice", obstacle=obstacle)


def router_of(http: Http, *, timers: Timers = BRISK, **secrets: str) -> Router:
    """`secrets`: key id with "-" as "_" → secret; any other key is the loopback's own."""

    async def secret_of(key: ApiKey) -> Secret:
        return Secret(secrets.get(key.id.replace("-", "_"), "loopback-key"))

    return Router(http, secret_of, timers=timers, pause=no_pause)


async def no_pause(_: float) -> None:
    """Waits between attempts are tested as numbers, not by waiting."""


async def events_of(router: Router, rungs: Sequence[Rung], request: Request | None = None) -> list[Event]:
    """Everything one ask says."""
    answer = router.ask(request or request_of("Hi"), rungs)
    async with aclosing(answer.events()) as events:
        return [event async for event in events]


async def ask(router: Router, rungs: Sequence[Rung], request: Request | None = None) -> Finished:
    """The one `Finished` of one ask, last and alone."""
    events = await events_of(router, rungs, request)
    finished = [event for event in events if isinstance(event, Finished)]
    assert len(finished) == 1
    assert events[-1] is finished[0]
    return finished[0]
