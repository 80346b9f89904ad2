"""The bundled data files: they can be read, they fit together, and the starter routes can be asked as they stand."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.engine.test_rungs import one_each
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.lint import lint
from vibedesk.store.paths import resources
from vibedesk.store.routes import RoutesFile

CATALOG = resources() / "catalog"
ACTIONS = {
    *("templateSelection", "blueprint", "projectSetup", "phaseGeneration", "phaseImplementation"),
    *(
        "firstPhaseImplementation",
        "fileRegeneration",
        "screenshotAnalysis",
        "realtimeCodeFixer",
        "fastCodeFixer",
    ),
    *("conversationalResponse", "deepDebugger", "agenticProjectBuilder"),
}
THERE = date(2026, 11, 22)
"""The day the lists were written."""


def document(name: str) -> dict[str, Any]:
    return tomllib.loads((CATALOG / f"{name}.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.read(document("providers"), document("models"), today=THERE)


@pytest.mark.parametrize("path", sorted(CATALOG.glob("*.toml")), ids=lambda path: path.name)
def test_a_data_file_is_plain_text_that_says_what_it_is(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith("# ")
    assert "\t" not in text
    assert "\r" not in text


def test_every_table_of_models_belongs_to_a_provider(catalog: Catalog) -> None:
    assert set(document("models")["models"]) <= set(catalog.providers)


def test_every_trait_rule_is_for_something_that_exists(catalog: Catalog) -> None:
    dialects = {provider.dialect for provider in catalog.providers.values()}
    for rule in document("models")["traits"]:
        assert rule.get("provider", "groq") in catalog.providers
        assert rule.get("dialect", "demo") in dialects


def test_every_trait_rule_fits_a_model(catalog: Catalog) -> None:
    for rule in document("models")["traits"]:
        owners = [
            provider.id
            for provider in catalog.providers.values()
            if rule.get("provider", provider.id) == provider.id
            and rule.get("dialect", provider.dialect) == provider.dialect
        ]
        matched = [
            m for owner in owners for m in catalog.models(owner) if re.match(rule.get("match", ""), m.id)
        ]
        assert matched, rule


def test_no_address_names_a_key_or_plain_http_to_another_machine(catalog: Catalog) -> None:
    for provider in catalog.providers.values():
        assert "key=" not in provider.base_url
        assert provider.base_url.startswith("https://") or provider.local


def test_the_starter_set_has_the_thirteen_actions() -> None:
    assert set(document("routes")["routes"]) == ACTIONS


def test_the_starter_set_is_read_as_routes_without_a_problem() -> None:
    file = RoutesFile(CATALOG / "routes.toml")
    assert file.problems == ()
    assert {route.name for route in file.routes()} == ACTIONS


def test_no_starter_route_names_a_model_that_is_gone_or_itself_as_fallback(catalog: Catalog) -> None:
    for route in RoutesFile(CATALOG / "routes.toml").routes():
        assert route.model not in route.fallback_models, route.name
        for name in (route.model, *route.fallback_models):
            assert catalog.model(name).state in ("current", "retiring"), (route.name, name)


def test_no_starter_route_sends_what_its_model_refuses_or_more_than_it_can_answer(catalog: Catalog) -> None:
    for route in RoutesFile(CATALOG / "routes.toml").routes():
        model, asked = catalog.model(route.model), route.parameters
        assert asked.temperature is None or model.traits.temperature != "never", route.name
        assert asked.reasoning_effort is None or asked.reasoning_effort in model.traits.efforts, route.name
        assert asked.max_tokens is None or model.max_output is None or asked.max_tokens <= model.max_output, (
            route.name
        )


def test_the_starter_routes_have_nothing_to_say_to_whoever_has_all_keys(catalog: Catalog) -> None:
    routes = RoutesFile(CATALOG / "routes.toml").routes()
    assert [one for route in routes for one in lint(route, catalog, one_each, None)] == []
