"""Checks as the screen sees them: what they cost before, what they learnt after, and when a verdict is old."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.providers import Behaviour, OpenAI
from tests.sitting import OPENAI_KEY, desk_in, home_at, played_in, until
from vibedesk.desk import Desk
from vibedesk.engine.types import Secret
from vibedesk.state.check import Checks, chip_of, unsaved_key
from vibedesk.state.tasks import Tasks

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Scene(NamedTuple):
    desk: Desk
    checks: Checks
    server: OpenAI


@asynccontextmanager
async def scene_in(tmp_path: Path) -> AsyncIterator[Scene]:
    headers = {"openai-organization": "org-lab"}
    async with (
        OpenAI(Behaviour(headers=headers), key=OPENAI_KEY) as server,
        desk_in(tmp_path, home_at(tmp_path, {"openai": server.base_url})) as desk,
    ):
        tasks = Tasks()
        yield Scene(desk, Checks(desk, tasks), server)
        await tasks.close()


async def kept(scene: Scene) -> str:
    origin = scene.server.origin
    key = await asyncio.to_thread(
        lambda: scene.desk.vault.add("openai", Secret(OPENAI_KEY), label="work", origin=origin)
    )
    id: str = key.id
    return id


@played_in(scene_in)
async def test_what_a_check_learns_is_shown_and_kept(scene: Scene) -> None:
    key_id = await kept(scene)
    [key] = [key for key in scene.desk.keys.all() if key.id == key_id]
    scene.checks.start(key, scene.desk.catalog.provider("openai"), answer=True, capabilities=True)
    run = scene.checks.run_of(key_id)
    assert run is not None
    assert [line.id for line in run.lines][-4:] == ["answer", "stream", "vision", "json"]
    await until(lambda: not scene.checks.is_running(key_id))
    run = scene.checks.run_of(key_id)
    assert run is not None
    assert (run.verdict, run.nuance) == ("ready", "answered")
    assert dict(run.passport)["organisation"] == "org-lab"
    assert dict(run.capabilities)["stream"] is True
    assert next(line for line in run.lines if line.id == "host").evidence == (("addresses", "127.0.0.1"),)
    assert not run.is_stale()
    [key] = [key for key in scene.desk.keys.all() if key.id == key_id]
    assert key.passport == dict(run.passport)
    assert scene.desk.ledger.sums(None).requests == 3


@played_in(scene_in)
async def test_a_check_ends_also_where_what_it_found_cannot_be_kept(scene: Scene) -> None:
    key_id = await kept(scene)
    [key] = [key for key in scene.desk.keys.all() if key.id == key_id]
    folder = scene.desk.paths.cache / "models"
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("no folder")
    scene.checks.start(key, scene.desk.catalog.provider("openai"), answer=False)
    await until(lambda: not scene.checks.is_running(key_id))
    run = scene.checks.run_of(key_id)
    assert run is not None
    assert (run.verdict, run.running) == ("ready", False)
    [key] = [key for key in scene.desk.keys.all() if key.id == key_id]
    assert key.state == "ready"
    scene.desk.database.execute("PRAGMA query_only = ON")
    scene.checks.start(key, scene.desk.catalog.provider("openai"), answer=False)
    await until(lambda: not scene.checks.is_running(key_id))
    run = scene.checks.run_of(key_id)
    assert run is not None
    assert run.verdict == "ready"


@played_in(scene_in)
async def test_a_check_ends_also_where_the_database_cannot_be_read(scene: Scene) -> None:
    gateway = next(iter(scene.desk.catalog.gateways.values()))
    scene.desk.settings.set("gateway.account", "0123abcd")
    scene.desk.settings.set("gateway.name", "main")
    scene.desk.database.close()
    scene.checks.start(unsaved_key(gateway), gateway, secret=Secret("t" * 40), answer=False)
    await until(lambda: not scene.checks.is_running(""))
    run = scene.checks.run_of("")
    assert run is not None
    assert (run.verdict, run.running) == ("unknown", False)
    assert "database" in f"{run.message} {run.fix}"


@played_in(scene_in)
async def test_without_the_deeper_stages_nothing_is_asked(scene: Scene) -> None:
    provider = scene.desk.catalog.provider("openai")
    scene.checks.start(unsaved_key(provider), provider, secret=Secret(OPENAI_KEY), answer=False)
    await until(lambda: not scene.checks.is_running(""))
    run = scene.checks.run_of("")
    assert run is not None
    assert [line.id for line in run.lines] == ["shape", "host", "port", "tls", "api", "key", "models"]
    assert scene.server.asked == []


@played_in(scene_in)
async def test_another_provider_s_key_names_whose_it_is_and_goes_out_only_on_insisting(scene: Scene) -> None:
    provider = scene.desk.catalog.provider("openai")
    foreign = Secret("gsk_" + "q" * 52)
    scene.checks.start(unsaved_key(provider), provider, secret=foreign, answer=False)
    await until(lambda: not scene.checks.is_running(""))
    run = scene.checks.run_of("")
    assert run is not None
    assert (run.verdict, run.suggestion) == ("wrong_provider", "groq")
    assert scene.server.seen == []
    scene.checks.start(unsaved_key(provider), provider, secret=foreign, answer=False, insist=True)
    await until(lambda: not scene.checks.is_running(""))
    run = scene.checks.run_of("")
    assert run is not None
    assert run.verdict == "invalid"


@played_in(scene_in)
async def test_the_cost_of_a_check_is_known_before(scene: Scene) -> None:
    catalog = scene.desk.catalog
    answer = scene.checks.estimate(catalog.provider("groq"))
    deeper = scene.checks.estimate(catalog.provider("groq"), capabilities=True)
    assert answer is not None
    assert deeper is not None
    assert 0 < answer.usd < deeper.usd


@pytest.mark.parametrize(
    ("verdict", "age", "models", "words", "role"),
    [
        ("ready", timedelta(hours=1), 12, "ready · 12 models", "ok"),
        ("ready", timedelta(hours=1), 1, "ready · 1 model", "ok"),
        ("ready", timedelta(hours=1), 0, "no models", "warn"),
        ("ready", timedelta(days=3), 12, "ready · 12 models · 3 d ago", "neutral"),
        ("invalid", timedelta(days=3), None, "refused · 3 d ago", "bad"),
        ("no_credit", timedelta(), None, "no credit", "bad"),
    ],
)
def test_an_old_verdict_says_so(
    verdict: str, age: timedelta, models: int | None, words: str, role: str
) -> None:
    assert chip_of(verdict, NOON - age, NOON, models=models) == (words, role)


def test_a_key_that_was_never_checked_is_only_that() -> None:
    assert chip_of("untested", None, NOON) == ("untested", "neutral")
