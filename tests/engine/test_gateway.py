"""What goes to the AI gateway beside the question, and whose keys it needs, over a gateway on loopback."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.engine.asking import ask, key_of, provider_of, router_of
from tests.engine.test_rungs import GATEWAY, PROVIDERS, one_each
from tests.providers import Gateway as Front
from tests.providers import OpenAI
from vibedesk.engine import errors
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.dialects import Call
from vibedesk.engine.fitting import fitted
from vibedesk.engine.gateway import headers_for
from vibedesk.engine.http import Http
from vibedesk.engine.router import rungs_of
from vibedesk.engine.types import (
    ApiKey,
    CachePolicy,
    Deployment,
    Finished,
    Gateway,
    GatewayPolicy,
    Model,
    Price,
    Provider,
    Route,
    Rung,
    Timeouts,
)
from vibedesk.wording import words_for

DAY = date(2026, 11, 22)
STORED = replace(GATEWAY, stored_keys=True)


def rungs(route: Route, gateway: Gateway | None = GATEWAY, keys: Any = one_each) -> tuple[Rung, ...]:
    catalog = Catalog.read(PROVIDERS, {}, today=DAY)
    return fitted(rungs_of(route, catalog, keys, gateway), route, today=DAY)


def test_a_route_is_named_in_the_gateways_logs_and_its_wishes_become_headers() -> None:
    route = Route(
        name="chät",
        model="openai/m",
        timeouts=Timeouts(first_token_s=2.5),
        gateway=GatewayPolicy(cache_ttl_s=3600, cache_key="mine"),
        cache=CachePolicy(on=True),
    )
    [rung] = rungs(route)
    assert rung.cache.on
    assert rung.deployment.gateway is not None
    headers = headers_for(rung.deployment.gateway, Call(method="POST", path="/x", body={"a": 1}))
    assert json.loads(headers["cf-aig-metadata"]) == {"app": "vibedesk", "route": "chät"}
    assert headers["cf-aig-metadata"].isascii()
    assert (headers["cf-aig-cache-ttl"], headers["cf-aig-request-timeout"]) == ("3600", "2500")
    assert "cf-aig-skip-cache" not in headers


def test_a_cache_key_never_gives_one_questions_answer_to_another() -> None:
    [rung] = rungs(Route(name="r", model="openai/m", gateway=GatewayPolicy(cache_key="mine")))
    assert rung.deployment.gateway is not None
    keys = [
        headers_for(rung.deployment.gateway, Call(method="POST", path=path, body=body))["cf-aig-cache-key"]
        for path, body in [("/x", {"a": 1}), ("/x", {"a": 2}), ("/y", {"a": 1}), ("/x", {"a": 1})]
    ]
    assert len(set(keys)) == 3
    assert keys[0] == keys[3]
    assert all(key.startswith("mine-") for key in keys)


def test_a_price_goes_along_as_dollars_a_token() -> None:
    provider = Provider(
        id="openai", name="OpenAI", dialect="openai-chat", base_url="https://api.openai.com/v1"
    )
    price = Price(input=Decimal("1.25"), output=Decimal(10))
    deployment = Deployment(
        provider=provider,
        model=Model(provider="openai", id="m", name="M", price=price),
        key=key_of(provider),
        via="gateway",
        gateway=GATEWAY,
    )
    route = Route(name="r", model="openai/m", gateway=GatewayPolicy(send_price=True, skip_cache=True))
    [rung] = fitted([Rung(deployment=deployment, reason="first choice")], route, today=DAY)
    assert rung.deployment.gateway is not None
    headers = headers_for(rung.deployment.gateway, Call(method="POST", path="/x", body={}))
    assert json.loads(headers["cf-aig-custom-cost"]) == {"per_token_in": 0.00000125, "per_token_out": 0.00001}
    assert headers["cf-aig-skip-cache"] == "true"


def test_keys_stored_at_the_gateway_make_ours_needless_there_and_only_there() -> None:
    route = Route(name="r", model="openai/m", fallback_models=("together/x",))
    first, second = rungs(route, STORED, keys=lambda provider: [])
    assert (first.deployment.via, first.deployment.key, first.obstacle) == ("gateway", None, None)
    assert "keeps the key" in first.deployment.why_via
    assert (second.deployment.via, second.obstacle and second.obstacle.kind) == ("direct", "no_key")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"account": "0" * 31}, "account id"),
        ({"account": "A" * 32}, "account id"),
        ({"name": "my gw"}, "name"),
    ],
)
def test_a_gateway_that_cannot_be_is_told_before_asking(changes: dict[str, str], said: str) -> None:
    [rung] = rungs(Route(name="r", model="openai/m"), replace(GATEWAY, **changes))
    assert isinstance(rung.obstacle, errors.Misconfigured)
    assert said in words_for(rung.obstacle).sentence
    elsewhere = replace(GATEWAY, base_url="https://gateway.example/v1", **changes)
    [rung] = rungs(Route(name="r", model="openai/m"), elsewhere)
    assert rung.obstacle is None or rung.obstacle.kind == "wrong_origin"


def test_several_keys_are_one_way_where_the_gateway_has_its_own() -> None:
    def two(provider: Provider) -> list[ApiKey]:
        return [key_of(provider, id=f"key-{n}", label=f"k{n}", scope=f"s{n}") for n in range(2)]

    route = Route(name="r", model="openai/m")
    assert len(rungs(route, GATEWAY, keys=two)) >= 1
    [rung] = rungs(route, STORED, keys=two)
    assert rung.deployment.key is None


def front_of(front: Front, server: OpenAI, *, stored_keys: bool = True) -> Rung:
    token = ApiKey(
        id="cf",
        provider="cloudflare-ai-gateway",
        label="cf",
        hint="",
        source="vault",
        origin=front.origin,
    )
    gateway = Gateway(
        account=front.account,
        name=front.name,
        token=token,
        base_url=front.base_url,
        stored_keys=stored_keys,
    )
    provider = provider_of(server, "openai-chat", gateway_slug="openai", gateway_strips=server.base_url)
    route = Route(name="r", model="openai/gpt-4.1-mini")
    deployment = Deployment(
        provider=provider,
        model=Model(provider="openai", id="gpt-4.1-mini", name="M"),
        key=key_of(provider),
        via="gateway",
        gateway=gateway,
    )
    [rung] = fitted([Rung(deployment=deployment, reason="first choice")], route, today=DAY)
    return rung


async def asked(front: Front, server: OpenAI) -> Finished:
    http = Http()
    try:
        return await ask(router_of(http, cf="gateway-token"), [front_of(front, server)])
    finally:
        await http.close()


async def test_with_stored_keys_no_provider_key_leaves_this_machine() -> None:
    stored = {"openai": "loopback-key"}
    async with OpenAI() as server, Front({"openai": server.base_url}, stored=stored) as front:
        finished = await asked(front, server)
        assert finished.outcome == "complete", finished.error
        assert "authorization" not in front.asked[0].headers
        assert front.asked[0].headers["cf-aig-authorization"] == "Bearer gateway-token"
        assert server.asked[0].headers["authorization"] == "Bearer loopback-key"
    assert finished.attempts[0].key == ""


async def test_a_key_the_gateway_lacks_is_told_apart_from_a_wrong_one() -> None:
    async with OpenAI() as server, Front({"openai": server.base_url}) as front:
        finished = await asked(front, server)
    assert isinstance(finished.error, errors.GatewayError)
    assert finished.error.facts["fault"] == "provider_key"
    wrong = {"openai": "another"}
    async with OpenAI() as server, Front({"openai": server.base_url}, stored=wrong) as front:
        finished = await asked(front, server)
    assert isinstance(finished.error, errors.InvalidKey)
