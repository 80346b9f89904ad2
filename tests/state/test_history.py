"""The list of conversations: found, renamed, removed with a way back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.playing import Scene, playing
from tests.sitting import until
from vibedesk.state import history as module


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with playing(tmp_path) as scene:
        for title in ("Alpha", "Beta", "Gamma"):
            scene.desk.history.create([scene.playground.lanes[0].spec], title)
        scene.history.refresh()
        await scene.rest()
        yield scene


def titles(scene: Scene) -> list[str]:
    return [row.title for row in scene.history.rows.rows()]


async def test_the_latest_stands_first(scene: Scene) -> None:
    assert titles(scene) == ["Gamma", "Beta", "Alpha"]


async def test_searching_leaves_what_fits(scene: Scene) -> None:
    scene.history.find("et")
    await scene.rest()
    assert titles(scene) == ["Beta"]


async def test_renaming_is_kept(scene: Scene) -> None:
    scene.history.rename(scene.history.rows.value(0).id, " Delta ")
    await scene.rest()
    assert titles(scene)[0] == "Delta"


async def test_a_removal_can_be_undone(scene: Scene) -> None:
    id = scene.history.rows.value(1).id
    scene.history.remove(id)
    assert titles(scene) == ["Gamma", "Alpha"]
    [notice] = scene.notices.current()
    scene.notices.act(notice.id)
    await scene.rest()
    assert titles(scene) == ["Gamma", "Beta", "Alpha"]


async def test_a_removal_happens_when_nobody_has_undone_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNDO_S", 0.01)
    id = scene.history.rows.value(1).id
    scene.history.remove(id)
    await until(lambda: not any(one.id == id for one in scene.desk.history.list()))
    with pytest.raises(KeyError):
        scene.desk.history.load(id)
