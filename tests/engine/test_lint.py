"""What is off about a route, found without asking anybody."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.engine.asking import key_of
from tests.engine.test_rungs import GATEWAY, PROVIDERS, one_each
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.lint import lint
from vibedesk.engine.types import CachePolicy, Gateway, Parameters, Route, Timeouts

MODELS: dict[str, Any] = {
    "models": {
        "openai": {
            "big": {"name": "Big", "window": 400_000, "output": 8_000},
            "small": {"name": "Small", "window": 100_000, "output": 4_000},
            "old": {"name": "Old", "gone": True, "use": "big"},
        }
    },
    "traits": [
        {"provider": "openai", "temperature": "never", "efforts": ["low", "high"], "thinking": "effort"}
    ],
}  # fmt: skip


def rules(route: Route, *, gateway: Gateway | None = None, keys: Any = one_each) -> list[str]:
    catalog = Catalog.read(PROVIDERS, MODELS, today=date(2026, 11, 22))
    return [found.rule for found in lint(route, catalog, keys, gateway)]


def test_a_sound_route_has_nothing_to_say() -> None:
    assert rules(Route(name="r", model="openai/big", fallback_models=("openai/big2",))) == []


def test_a_fallback_that_equals_its_primary_is_found() -> None:
    """The seed's own example does it."""
    assert rules(Route(name="r", model="openai/big", fallback_models=("openai/big",))) == [
        "fallback_equals_primary"
    ]


def test_missing_keys_unknown_providers_and_retired_models_are_found() -> None:
    route = Route(name="r", model="openai/old", fallback_models=("nobody/x", "groq/y"))
    assert rules(route, keys=lambda provider: [] if provider.id == "groq" else one_each(provider)) == [
        "retired_model",
        "unknown_provider",
        "no_key",
    ]


def test_a_limit_over_the_models_own_is_found() -> None:
    route = Route(name="r", model="openai/big", parameters=Parameters(max_tokens=8_001))
    assert rules(route) == ["max_tokens_over_limit"]


def test_a_fallback_with_a_smaller_window_is_found() -> None:
    assert rules(Route(name="r", model="openai/big", fallback_models=("openai/small",))) == ["window_smaller"]


def test_parameters_the_model_refuses_are_found() -> None:
    parameters = Parameters(temperature=0.5, reasoning_effort="minimal")
    assert rules(Route(name="r", model="openai/big", parameters=parameters)) == ["parameter_refused"] * 2


def test_a_route_that_leaves_the_way_open_is_told_where_the_gateway_cannot_be_had() -> None:
    assert rules(Route(name="r", model="together/x"), gateway=GATEWAY) == ["no_gateway"]
    assert rules(Route(name="r", model="together/x", provider_override="together"), gateway=GATEWAY) == []
    assert rules(Route(name="r", model="openai/big", provider_override="gateway")) == ["no_gateway"]


def test_an_answer_as_long_as_the_window_leaves_no_room_to_ask() -> None:
    route = Route(name="r", model="openai/small", parameters=Parameters(max_tokens=100_000))
    assert "window_too_small" in rules(route)


def test_keys_of_one_account_are_told_to_be_one_life() -> None:
    def two(first: str, second: str) -> Any:
        return lambda provider: [
            key_of(provider, id=f"key-{scope}-{n}", label=f"k{n}", scope=scope)
            for n, scope in enumerate((first, second))
        ]

    route = Route(name="r", model="openai/big")
    assert rules(route, keys=two("", "")) == ["same_quota_scope"]
    assert rules(route, keys=two("acme", "acme")) == ["same_quota_scope"]
    assert rules(route, keys=two("acme", "home")) == []


def test_a_route_that_contradicts_itself_is_found() -> None:
    route = Route(
        name="r",
        model="openai/big",
        timeouts=Timeouts(first_token_s=30, total_s=20),
        cache=CachePolicy(on=True),
    )
    assert rules(route) == ["waits_contradict"]
    warm = Route(
        name="r",
        model="groq/y",
        parameters=Parameters(temperature=0.7),
        cache=CachePolicy(on=True),
    )
    assert rules(warm) == ["cache_with_temperature"]


def test_every_message_names_the_model_and_ends_as_a_sentence() -> None:
    catalog = Catalog.read(PROVIDERS, MODELS, today=date(2026, 11, 22))
    route = Route(name="r", model="openai/old", fallback_models=("groq/y", "openai/old"))
    found = lint(route, catalog, lambda provider: [], None)
    assert found
    assert all(item.route == "r" and "/" in item.message and item.message.endswith(".") for item in found)
