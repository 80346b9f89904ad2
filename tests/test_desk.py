"""The desk: everything under the faces, built from a folder and an environment."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.providers import Gateway, OpenAI
from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError, KeyBoundElsewhere, UnknownProvider
from vibedesk.engine.transport import assert_may_send, url_of
from vibedesk.engine.types import Finished, Model, Parameters, Route, Secret, request_of
from vibedesk.log import redact

KEY = "desk-key-8x2m4n6b1v3c"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse\n")
    return {
        "VIBEDESK_HOME": str(tmp_path / "home"),
        "VIBEDESK_VAULT": "file",
        "VIBEDESK_PASSPHRASE_FILE": str(passphrase),
        "LAB_API_KEY": KEY,
    }


@pytest.fixture
async def lab() -> AsyncIterator[OpenAI]:
    async with OpenAI(key=KEY) as server:
        yield server


@pytest.fixture
def desk(environ: dict[str, str], lab: OpenAI, tmp_path: Path) -> Iterator[Desk]:
    write_lab(tmp_path, lab)
    desk = Desk.open(environ, cwd=tmp_path)
    yield desk
    desk.close_files()


def write_lab(tmp_path: Path, lab: OpenAI) -> Path:
    file = tmp_path / "home" / "config" / "providers.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f'[providers.lab]\nname = "Lab"\ndialect = "openai-chat"\nbase_url = "{lab.base_url}"\nenv = ["LAB_API_KEY"]\n'
    )
    return file


async def answer(desk: Desk, route: Route) -> Finished:
    events = [event async for event in desk.router.ask(request_of("Hi"), desk.rungs(route)).events()]
    last = events[-1]
    assert isinstance(last, Finished)
    return last


async def test_it_answers_through_router_keys_and_catalog(desk: Desk) -> None:
    finished = await answer(desk, desk.route_for("lab/gpt-4.1-mini"))
    assert finished.outcome == "complete"
    assert finished.attempts[0].key == f"LAB_API_KEY …{KEY[-4:]}"
    await desk.close()


def test_a_route_of_one_model_carries_what_was_asked(desk: Desk) -> None:
    route = desk.route_for("lab/x", via="direct", parameters=Parameters(max_tokens=5), system="Be brief")
    assert (route.name, route.provider_override, route.system) == ("", "direct", "Be brief")
    [rung] = desk.rungs(route)
    assert rung.deployment.why_via


async def test_secrets_handed_out_are_known_to_redaction(desk: Desk) -> None:
    [key] = desk.keys.all()
    assert desk.live_secrets() == ()
    assert await desk.secret_of(key) == Secret(KEY)
    assert KEY not in redact(f"no such key: {KEY}", desk.live_secrets())


def test_a_provider_can_be_asked_with_a_key_or_without_needing_one(desk: Desk) -> None:
    assert desk.can_ask("lab")
    assert desk.can_ask("demo")
    assert desk.can_ask("ollama")
    assert not desk.can_ask("groq")
    with pytest.raises(UnknownProvider):
        desk.can_ask("nobody")


async def test_a_refreshed_list_is_in_the_catalog_and_in_the_next_desk(
    desk: Desk, environ: dict[str, str], tmp_path: Path
) -> None:
    assert desk.catalog.models("lab") == ()
    live = await desk.refresh_models("lab")
    assert [model.id for model in desk.catalog.models("lab")] == [model.id for model in live]
    await desk.close()
    again = Desk.open(environ, cwd=tmp_path)
    assert [model.id for model in again.catalog.models("lab")] == [model.id for model in live]
    again.close_files()


async def test_a_refused_refresh_leaves_the_catalog_as_it_was(desk: Desk, lab: OpenAI) -> None:
    lab.key = "another"
    before = desk.catalog
    with pytest.raises(EngineError) as caught:
        await desk.refresh_models("lab")
    assert caught.value.kind == "invalid_key"
    assert caught.value.provider == "lab"
    assert desk.catalog is before
    await desk.close()


async def test_files_edited_meanwhile_are_seen(desk: Desk, lab: OpenAI, tmp_path: Path) -> None:
    assert desk.reload() == ()
    file = write_lab(tmp_path, lab)
    file.write_text(file.read_text().replace("LAB_API_KEY", "OTHER_KEY") + "\n[providers.attic\n")
    assert any("providers.toml" in problem for problem in desk.reload())
    assert desk.can_ask("lab"), "the last good state is kept"
    file.write_text(file.read_text().replace("[providers.attic\n", ""))
    assert desk.reload() == ()
    assert not desk.can_ask("lab"), "the variable it names now is not set"
    desk.paths.routes.write_text('[routes.x]\nname = "lab/gpt-4.1-mini"\n')
    desk.reload()
    assert [route.name for route in desk.routes.routes()] == ["x"]


async def test_closing_twice_is_no_error(desk: Desk) -> None:
    await answer(desk, desk.route_for("lab/gpt-4.1-mini"))
    await desk.close()
    await desk.close()


async def test_a_cloned_folder_leads_no_other_key_through_its_gateway(
    environ: dict[str, str], tmp_path: Path
) -> None:
    key, theirs = "gsk_" + "g" * 52, "gsk_" + "t" * 52
    async with OpenAI(key=theirs, flavour="groq") as groq, Gateway({"groq": groq.base_url}) as gateway:
        lines = {
            "CLOUDFLARE_AI_GATEWAY_URL": gateway.base_url,
            "CLOUDFLARE_ACCOUNT_ID": gateway.account,
            "CLOUDFLARE_AI_GATEWAY": gateway.name,
            "CLOUDFLARE_AI_GATEWAY_TOKEN": gateway.key,
            "GROQ_API_KEY": theirs,
        }
        (tmp_path / ".dev.vars").write_text("\n".join(f"{name}={value}" for name, value in lines.items()))
        desk = Desk.open(environ | {"GROQ_API_KEY": key}, cwd=tmp_path)
        mine, other = desk.rungs(desk.route_for("groq/openai/gpt-oss-120b"))
        assert [rung.deployment.via for rung in (mine, other)] == ["direct", "gateway"]
        assert "for the keys of that file alone" in mine.deployment.why_via
        insisted, _ = desk.rungs(desk.route_for("groq/openai/gpt-oss-120b", via="gateway"))
        assert insisted.obstacle is not None
        forced = replace(mine.deployment, via="gateway", gateway=other.deployment.gateway)
        with pytest.raises(KeyBoundElsewhere):
            assert_may_send(forced, url_of(forced, "/"))
        await desk.close()


async def test_where_a_gateway_is_set_up_a_bundled_provider_goes_through_it(
    environ: dict[str, str], tmp_path: Path
) -> None:
    key = "gsk_" + "g" * 52
    async with OpenAI(key=key, flavour="groq") as groq, Gateway({"groq": groq.base_url}) as gateway:
        environ |= {
            "GROQ_API_KEY": key,
            "CLOUDFLARE_AI_GATEWAY_URL": gateway.base_url,
            "CLOUDFLARE_ACCOUNT_ID": gateway.account,
            "CLOUDFLARE_AI_GATEWAY": gateway.name,
            "CLOUDFLARE_AI_GATEWAY_TOKEN": gateway.key,
        }
        desk = Desk.open(environ, cwd=tmp_path)
        found = desk.gateway()
        assert found is not None
        assert (found.account, found.name) == (gateway.account, gateway.name)
        finished = await answer(desk, desk.route_for("groq/openai/gpt-oss-120b"))
        assert finished.outcome == "complete", finished.error
        assert finished.attempts[0].via == "gateway"
        assert finished.cost is None or finished.cost.usd > Decimal(0)
        assert groq.asked[0].headers["authorization"] == f"Bearer {key}"
        await desk.close()


def test_of_lists_that_come_at_the_same_time_none_is_lost(desk: Desk) -> None:
    """As where all keys are checked at once."""
    providers = list(desk.catalog.providers)[:8]
    together = threading.Barrier(len(providers))

    def keep(id: str, turn: int) -> None:
        live = tuple(Model(provider=id, id=f"{turn}-{number}", name="") for number in range(500))
        together.wait()
        desk.keep_models(id, live)

    for turn in range(4):
        threads = [threading.Thread(target=keep, args=(id, turn)) for id in providers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen = {id: {model.id for model in desk.catalog.models(id)} for id in providers}
        assert [id for id in providers if f"{turn}-0" not in seen[id]] == []


def test_what_is_blanked_in_logs_can_be_looked_up_while_another_secret_is_handed_out(desk: Desk) -> None:
    """Threads write to the log as well."""
    for number in range(2_000):
        desk.remember_secret(Secret(f"secret-{number}"))
    known: list[int] = []

    def look() -> None:
        known.extend(len(desk.live_secrets()) for _ in range(200))

    looking = threading.Thread(target=look)
    looking.start()
    number = 2_000
    while looking.is_alive():
        desk.remember_secret(Secret(f"secret-{number}"))
        number += 1
        time.sleep(0)
    assert len(known) == 200
    assert known == sorted(known)
