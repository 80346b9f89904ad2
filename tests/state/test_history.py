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


async def test_pins_and_tags_order_and_leave_what_fits(scene: Scene) -> None:
    alpha = scene.history.rows.value(2).id
    scene.history.pin(alpha, True)
    scene.history.set_tags(alpha, ["work"])
    await scene.rest()
    assert titles(scene) == ["Alpha", "Gamma", "Beta"]
    assert scene.history.tags == ("work",)
    scene.history.find_tag("work")
    await scene.rest()
    assert titles(scene) == ["Alpha"]


async def test_an_export_is_read_back_beside_what_is_there(scene: Scene, tmp_path: Path) -> None:
    ids = [row.id for row in scene.history.rows.rows()]
    scene.history.export(ids[:2], str(tmp_path / "two.json"))
    await scene.rest()
    scene.history.import_from(str(tmp_path / "two.json"))
    await scene.rest()
    assert sorted(titles(scene)) == ["Alpha", "Beta", "Beta", "Gamma", "Gamma"]


async def test_what_cannot_be_written_or_read_is_said_and_changes_nothing(
    scene: Scene, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_text("{}")
    for wish in (
        lambda: scene.history.import_from(str(tmp_path / "bad.json")),
        lambda: scene.history.import_from(str(tmp_path / "none.json")),
        lambda: scene.history.export([scene.history.rows.value(0).id], str(tmp_path / "none" / "x.json")),
    ):
        before = len(scene.notices.current())
        wish()
        await scene.rest()
        assert len(scene.notices.current()) == before + 1
        assert scene.notices.current()[-1].role == "bad"
    assert titles(scene) == ["Gamma", "Beta", "Alpha"]
