"""The named routes: read, written with only what differs, and named where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.route_table import EFFORTS
from vibedesk.engine.types import CachePolicy, GatewayPolicy, Parameters, Route, Timeouts
from vibedesk.store.routes import RoutesFile

TYPED = """# my routes
[routes.conversationalResponse]
name = "together/deepseek-ai/DeepSeek-V4.1-Flash"
provider_override = "together"  # no slug
reasoning_effort = "low"
max_tokens = 4000
temperature = 0
fallback_model = ["groq/openai/gpt-oss-120b", "openai/gpt-6-luna"]

# the cheap one
[routes.small]
name = "groq/llama"
fallback_model = "openai/gpt-6-luna"
"""
CONVERSATIONAL = Route(
    name="conversationalResponse",
    model="together/deepseek-ai/DeepSeek-V4.1-Flash",
    provider_override="together",
    parameters=Parameters(max_tokens=4000, temperature=0.0, reasoning_effort="low"),
    fallback_models=("groq/openai/gpt-oss-120b", "openai/gpt-6-luna"),
)
SMALL = Route(name="small", model="groq/llama", fallback_models=("openai/gpt-6-luna",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "routes.toml"


def typed(path: Path, text: str = TYPED) -> RoutesFile:
    path.write_text(text, encoding="utf-8")
    return RoutesFile(path)


def test_without_a_file_there_are_no_routes(path: Path) -> None:
    file = RoutesFile(path)
    assert (file.routes(), file.problems, path.exists()) == ((), (), False)


def test_the_documented_form_is_read(path: Path) -> None:
    assert typed(path).routes() == (CONVERSATIONAL, SMALL)


def test_a_new_route_holds_only_what_differs(path: Path) -> None:
    RoutesFile(path).save(Route(name="plain", model="openai/gpt-6-luna"))
    assert path.read_text().strip() == '[routes.plain]\nname = "openai/gpt-6-luna"'


def test_saving_what_is_there_already_changes_no_byte(path: Path) -> None:
    file = typed(path)
    for route in file.routes():
        file.save(route)
    assert path.read_text() == TYPED


def test_an_edit_keeps_comments_and_drops_what_became_the_default(path: Path) -> None:
    file = typed(path)
    file.save(Route(name="conversationalResponse", model=CONVERSATIONAL.model, provider_override="direct"))
    text = path.read_text()
    assert "# my routes\n[routes.conversationalResponse]\n" in text
    assert 'provider_override = "direct"  # no slug' in text
    assert "max_tokens" not in text
    assert "# the cheap one" in text
    assert RoutesFile(path).routes()[1] == SMALL


def test_a_route_is_renamed_and_its_neighbour_is_not(path: Path) -> None:
    file = typed(path)
    renamed = Route(name="a name, with dots…", model="groq/llama")
    file.save(renamed, replacing="small")
    assert RoutesFile(path).routes() == file.routes() == (CONVERSATIONAL, renamed)
    first = Route(name="first", model="groq/llama")
    file.save(first, replacing="conversationalResponse")
    assert RoutesFile(path).routes() == (first, renamed)
    assert path.read_text().startswith("# my routes\n[routes.first]\n")
    assert "# the cheap one" in path.read_text()


def test_a_header_inside_a_text_misleads_nobody(path: Path) -> None:
    tricky = Route(name="tricky", model="openai/x", system="line\n[routes.small]\nname = 1\n")
    file = typed(path, f'''{TYPED}\n[routes.tricky]\nname = "openai/x"\nsystem = """\n{tricky.system}"""\n''')
    assert file.routes() == (CONVERSATIONAL, SMALL, tricky)
    file.save(Route(name="tiny", model="groq/llama"), replacing="small")
    file.remove("conversationalResponse")
    assert set(RoutesFile(path).routes()) == {Route(name="tiny", model="groq/llama"), tricky}


def test_a_rename_never_swallows_another_route(path: Path) -> None:
    file = typed(path)
    with pytest.raises(Misconfigured, match="There is a route called small already"):
        file.save(Route(name="small", model="openai/x"), replacing="conversationalResponse")
    assert path.read_text() == TYPED


def test_a_removed_route_is_gone_and_the_rest_is_as_typed(path: Path) -> None:
    file = typed(path)
    file.remove("conversationalResponse")
    file.remove("never there")
    assert file.routes() == RoutesFile(path).routes() == (SMALL,)
    assert "# the cheap one" in path.read_text()


SECONDS = st.none() | st.floats(0.001, 86_400)
ROUTES = st.builds(
    Route,
    name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip),
    model=st.sampled_from(["openai/gpt-6-luna", "together/a/b", "groq/openai/gpt-oss-120b"]),
    provider_override=st.sampled_from([None, "direct", "together"]),
    parameters=st.builds(
        Parameters,
        max_tokens=st.none() | st.integers(1, 10**6),
        temperature=st.none() | st.floats(0, 2),
        reasoning_effort=st.none() | st.sampled_from(EFFORTS),
    ),
    fallback_models=st.lists(st.sampled_from(["openai/a", "groq/b/c"]), max_size=3).map(tuple),
    system=st.text(st.characters(codec="utf-8")),
    timeouts=st.builds(Timeouts, connect_s=SECONDS, first_token_s=SECONDS, idle_s=SECONDS, total_s=SECONDS),
    fallback_on_policy=st.booleans(),
    on_cut=st.sampled_from(["keep", "continue", "restart"]),
    cache=st.builds(
        CachePolicy,
        on=st.booleans(),
        ttl_s=st.integers(1, 10**6),
        replay=st.sampled_from(["at_once", "as_recorded"]),
    ),
    gateway=st.builds(
        GatewayPolicy,
        cache_ttl_s=st.none() | st.integers(60, 2_592_000),
        skip_cache=st.booleans(),
        cache_key=st.text("abc-.:", max_size=9),
        send_price=st.booleans(),
    ),
)


@given(st.lists(ROUTES, max_size=4, unique_by=lambda route: route.name))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_saved_is_read_again(path: Path, routes: list[Route]) -> None:
    file = typed(path)
    before = {route.name: route for route in file.routes()}
    for route in routes:
        file.save(route)
    later = RoutesFile(path)
    assert later.problems == ()
    assert {route.name: route for route in later.routes()} == before | {route.name: route for route in routes}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("max_tokens = 0", "max_tokens is a whole number, 1 or more"),
        ("max_tokens = true", "max_tokens is a whole number, 1 or more"),
        ("temperature = 2.5", "temperature is a number from 0 to 2"),
        ("temperature = nan", "temperature is a number from 0 to 2"),
        (
            'reasoning_effort = "huge"',
            'reasoning_effort is one of "none", "minimal", "low", "medium", "high"',
        ),
        ('fallback_model = ["gpt"]', "fallback_model is a model, or a list of models"),
        ("provider_override = 7", 'provider_override is "direct" or a provider'),
        ("system = 1", "system is a text"),
        ("total_s = 0", "total_s is a number of seconds, more than 0 and at most 86,400"),
        ("idle_s = inf", "idle_s is a number of seconds, more than 0 and at most 86,400"),
        ('on_cut = "pray"', 'on_cut is one of "keep", "continue", "restart"'),
        ("cache = 1", "cache is true or false"),
        ('cache_replay = "slowly"', 'cache_replay is one of "at_once", "as_recorded"'),
        (
            "gateway_cache_ttl_s = 59",
            "gateway_cache_ttl_s is a whole number of seconds, 60 to 2,592,000",
        ),
        ('gateway_cache_key = "a\\nb"', "gateway_cache_key is a text of plain characters"),
    ],
)
def test_a_wrong_field_is_named_with_route_and_line_and_the_route_keeps_its_last_good_form(
    path: Path, line: str, problem: str
) -> None:
    file = typed(path)
    path.write_text(TYPED.replace('fallback_model = "openai/gpt-6-luna"', line), encoding="utf-8")
    assert file.reload() == (f"routes.toml, line 13: route small: {problem}.",)
    assert file.routes() == (CONVERSATIONAL, SMALL)


def test_a_new_route_that_is_wrong_is_left_out_and_the_others_hold(path: Path) -> None:
    file = typed(path, TYPED + "\n[routes.nameless]\nmax_tokens = 5\n")
    assert file.problems == ("routes.toml, line 15: route nameless: name is a model, PROVIDER/MODEL.",)
    assert file.routes() == (CONVERSATIONAL, SMALL)


def test_an_unknown_field_is_told_and_the_route_works(path: Path) -> None:
    file = typed(path, TYPED + "max_tokns = 5\n")
    assert file.problems == ("routes.toml, line 14: route small: max_tokns is not a field of a route.",)
    assert file.routes()[1] == SMALL


def test_a_file_that_cannot_be_read_keeps_the_last_good_state(path: Path) -> None:
    file = typed(path)
    path.write_text("[routes.small\n")
    assert file.changed()
    [problem] = file.reload()
    assert "line 1" in problem
    assert file.routes() == (CONVERSATIONAL, SMALL)
    with pytest.raises(Misconfigured, match="Nothing was saved"):
        file.save(SMALL)
    assert path.read_text() == "[routes.small\n"


def test_a_route_that_is_wrong_is_not_written(path: Path) -> None:
    file = typed(path)
    with pytest.raises(Misconfigured, match="Route small: name is a model"):
        file.save(Route(name="small", model="gpt"))
    with pytest.raises(Misconfigured, match="needs a name"):
        file.save(Route(name=" ", model="openai/x"))
    assert path.read_text() == TYPED
