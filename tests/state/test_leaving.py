"""Whoever closes the window right after changing something finds it changed, however slow the disk was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.playing import GOOD, Scene, playing
from tests.sitting import slow_disk
from vibedesk.engine.types import Parameters, Route
from vibedesk.state import history
from vibedesk.state.catalog import CatalogState
from vibedesk.state.lane_sets import LaneSets
from vibedesk.state.prompts import Prompt
from vibedesk.state.routes import RoutesState


@asynccontextmanager
async def leaving(scene: Scene) -> AsyncIterator[None]:
    """What is wished for inside is wished on a machine whose disk is slow and whose threads all wait for it, by a
    person who then leaves."""
    with slow_disk(scene.desk) as free:
        waiting = [asyncio.ensure_future(asyncio.to_thread(scene.desk.history.tags)) for _ in range(40)]
        await asyncio.sleep(0.02)
        yield
        await asyncio.sleep(0.02)
        closing = asyncio.ensure_future(scene.tasks.close())
        await asyncio.sleep(0.02)
        free.set()
        await closing
        await asyncio.gather(*waiting)


async def test_a_name_a_pin_and_a_tag_are_kept(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask()
        id = scene.playground.conversation
        async with leaving(scene):
            scene.history.rename(id, "A name")
            scene.history.pin(id, True)
            scene.history.set_tags(id, ["one"])
        [row] = scene.desk.history.list()
        assert (row.title, row.pinned, row.tags) == ("A name", True, ("one",))


async def test_a_conversation_whose_time_to_undo_ends_on_the_way_out_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "UNDO_S", 0.05)
    async with playing(tmp_path) as scene:
        await scene.ask()
        scene.history.refresh()
        await scene.rest()
        scene.history.remove(scene.playground.conversation)
        await scene.tasks.close()
        await asyncio.sleep(0.2)
        await scene.history.finish()
        assert scene.desk.history.list() == ()


async def test_a_vote_is_counted(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, "groq/split"]) as scene:
        contest = scene.playground.contest
        assert contest.begin()
        await scene.ask()
        assert contest.stage == "voting"
        async with leaving(scene):
            contest.vote(0)
        assert len(scene.desk.votes.all()) == 1
        assert scene.desk.votes.hidden_since(scene.playground.conversation) is None


async def test_a_key_switched_off_is_off(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        vault = await scene.vault()
        [key] = vault.all_keys()
        async with leaving(scene):
            vault.set_enabled(key.id, False)
            vault.rename(key.id, "slow")
        [key] = scene.desk.vault.keys()
        assert (key.enabled, key.label) == (False, "slow")


async def test_a_route_a_prompt_a_set_and_a_favourite_are_kept(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        routes = RoutesState(scene.desk, scene.tasks, scene.notices)
        sets = LaneSets(scene.desk, scene.tasks, scene.notices, scene.playground)
        catalog = CatalogState(scene.desk, scene.tasks)
        async with leaving(scene):
            routes.save(Route(name="mine", model=GOOD))
            scene.playground.prompts.save(Prompt("mine", "Say it."))
            scene.playground.presets.save("mine", Parameters(temperature=1.0))
            sets.save("mine")
            catalog.like(GOOD, True)
        assert [route.name for route in scene.desk.routes.routes()] == ["mine"]
        assert list(scene.desk.prompts.values()) == ["mine"]
        assert list(scene.desk.presets.values()) == ["mine"]
        assert [one.name for one in scene.desk.lane_sets.all()] == ["mine"]
        assert scene.desk.settings.get("models.favourites") == [GOOD]
