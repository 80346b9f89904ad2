"""Route → rungs: who would be asked, in which order, and what stands in the way. No network anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest

from tests.engine.asking import key_of
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.router import rungs_of
from vibedesk.engine.types import ApiKey, Gateway, Provider, Route, Rung

PROVIDERS: dict[str, Any] = {
    "providers": {
        "openai": {
            "name": "OpenAI", "dialect": "openai-chat", "base_url": "https://api.openai.com/v1",
            "gateway_slug": "openai", "gateway_strips": "https://api.openai.com/v1", "env": ["OPENAI_API_KEY"],
        },
        "groq": {
            "name": "Groq", "dialect": "openai-chat", "base_url": "https://api.groq.com/openai/v1",
            "gateway_slug": "groq", "gateway_strips": "https://api.groq.com/openai/v1", "env": ["GROQ_API_KEY"],
        },
        "together": {
            "name": "Together AI", "dialect": "openai-chat", "base_url": "https://api.together.ai/v1",
            "env": ["TOGETHER_API_KEY"],
        },
        "ollama": {
            "name": "Ollama", "dialect": "openai-chat", "base_url": "http://127.0.0.1:11434/v1", "keyless": True,
            "local": True,
        },
    }
}  # fmt: skip
TOKEN = ApiKey(
    id="cf", provider="cloudflare-ai-gateway", label="cf", hint="", source="vault",
    origin="https://gateway.ai.cloudflare.com",
)  # fmt: skip
GATEWAY = Gateway(account="0" * 32, name="vibe-gw", token=TOKEN)
Keys = Callable[[Provider], Sequence[ApiKey]]


def catalog() -> Catalog:
    return Catalog.read(PROVIDERS, {}, today=date(2026, 11, 22))


def one_each(provider: Provider) -> Sequence[ApiKey]:
    return [key_of(provider)]


def rungs(route: Route, *, keys: Keys = one_each, gateway: Gateway | None = None) -> tuple[Rung, ...]:
    return rungs_of(route, catalog(), keys, gateway)


def names(found: Sequence[Rung]) -> list[str]:
    return [rung.deployment.name for rung in found]


def test_the_primary_comes_first_then_the_fallbacks_in_their_order() -> None:
    found = rungs(Route(name="r", model="openai/a", fallback_models=("groq/b", "together/c/d")))
    assert names(found) == ["openai/a", "groq/b", "together/c/d"]
    assert [rung.reason for rung in found] == ["first choice", "fallback 1", "fallback 2"]
    assert [rung.obstacle for rung in found] == [None, None, None]


def test_a_fallback_that_repeats_what_was_asked_is_left_out() -> None:
    assert names(
        rungs(Route(name="r", model="openai/a", fallback_models=("openai/a", "groq/b", "groq/b")))
    ) == [
        "openai/a",
        "groq/b",
    ]


def test_only_the_first_segment_of_a_name_is_the_provider() -> None:
    [rung] = rungs(Route(name="r", model="groq/openai/gpt-oss-120b"))
    assert (rung.deployment.provider.id, rung.deployment.model.id) == ("groq", "openai/gpt-oss-120b")


@pytest.mark.parametrize(
    ("override", "gateway", "via", "why"),
    [
        (None, GATEWAY, "gateway", "gateway 00000000/vibe-gw"),
        (None, None, "direct", "no gateway is set up"),
        ("direct", GATEWAY, "direct", "this route says direct"),
        ("openai", GATEWAY, "direct", "this route says openai"),
    ],
)
def test_the_override_means_what_the_seed_says(
    override: str | None, gateway: Gateway | None, via: str, why: str
) -> None:
    [rung] = rungs(Route(name="r", model="openai/a", provider_override=override), gateway=gateway)
    assert (rung.deployment.via, rung.deployment.why_via) == (via, why)


def test_together_has_no_path_through_the_gateway_and_says_so() -> None:
    [rung] = rungs(Route(name="r", model="together/x/y"), gateway=GATEWAY)
    assert (rung.deployment.via, rung.obstacle) == ("direct", None)
    assert "no path through the gateway" in rung.deployment.why_via


def test_a_provider_named_by_the_route_speaks_for_its_own_models_only() -> None:
    route = Route(name="r", model="together/x", provider_override="together", fallback_models=("groq/y",))
    assert [rung.deployment.via for rung in rungs(route, gateway=GATEWAY)] == ["direct", "gateway"]


def test_a_provider_named_by_the_route_is_asked_for_anothers_model() -> None:
    [rung] = rungs(Route(name="r", model="groq/openai/gpt-oss-120b", provider_override="together"))
    assert rung.deployment.name == "together/openai/gpt-oss-120b"


def test_the_gateway_asked_for_and_not_there_is_an_obstacle() -> None:
    [rung] = rungs(Route(name="r", model="openai/a", provider_override="gateway"))
    assert rung.obstacle is not None
    assert (rung.obstacle.kind, rung.obstacle.facts["setting"]) == ("misconfigured", "gateway")


def test_no_key_is_an_obstacle_except_where_none_is_needed() -> None:
    found = rungs(Route(name="r", model="openai/a", fallback_models=("ollama/b",)), keys=lambda provider: [])
    assert [rung.obstacle and rung.obstacle.kind for rung in found] == ["no_key", None]


def test_a_key_stored_for_another_origin_is_an_obstacle_and_one_for_this_origin_is_preferred() -> None:
    def astray(provider: Provider) -> Sequence[ApiKey]:
        return [key_of(provider, id="old", origin="https://evil.example")]

    def both(provider: Provider) -> Sequence[ApiKey]:
        return [*astray(provider), key_of(provider, id="good")]

    [rung] = rungs(Route(name="r", model="openai/a"), keys=astray)
    assert rung.obstacle is not None
    assert rung.obstacle.kind == "wrong_origin"
    [rung] = rungs(Route(name="r", model="openai/a"), keys=both)
    assert (rung.obstacle, rung.deployment.key and rung.deployment.key.id) == (None, "good")


@pytest.mark.parametrize("name", ["nobody/a", "gpt-6", "", "openai/"])
def test_a_name_nobody_knows_is_a_rung_with_an_obstacle(name: str) -> None:
    [rung] = rungs(Route(name="r", model=name))
    assert rung.obstacle is not None
    assert rung.obstacle.kind in ("unknown_provider", "misconfigured")


def test_a_retired_model_names_its_replacement() -> None:
    rows = {"models": {"openai": {"old": {"name": "Old", "gone": True, "use": "new"}}}}
    read = Catalog.read(PROVIDERS, rows, today=date(2026, 11, 22))
    [rung] = rungs_of(Route(name="r", model="openai/old"), read, one_each, None)
    assert rung.obstacle is not None
    assert (rung.obstacle.kind, rung.obstacle.facts["replacement"]) == ("retired_model", "new")
