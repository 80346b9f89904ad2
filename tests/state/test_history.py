"""The list of conversations: found, renamed, removed with a way back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.playing import Scene, playing
from tests.providers import Behaviour
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


async def test_what_still_waits_to_be_removed_is_removed_at_the_end(scene: Scene) -> None:
    scene.history.remove(scene.history.rows.value(1).id)
    await scene.history.finish()
    assert [one.title for one in scene.desk.history.list()] == ["Gamma", "Alpha"]


async def test_the_open_conversation_is_left_when_it_is_removed_and_open_again_when_that_is_undone(
    scene: Scene,
) -> None:
    playground, history = scene.playground, scene.history
    history.removed.connect(playground.leave_removed)
    history.returned.connect(playground.take_back)
    await scene.ask("Hello")
    history.refresh()
    await scene.rest()
    id = playground.conversation
    history.remove(id)
    await scene.rest()
    assert (playground.conversation, playground.turns) == ("", 0)
    scene.notices.act(scene.notices.current()[-1].id)
    await until(lambda: playground.conversation == id)
    await scene.rest()
    assert [one.turn.text for one in playground.lanes[0].exchanges] == ["Hello"]


async def test_what_an_answer_cost_is_kept_though_its_conversation_is_gone(scene: Scene) -> None:
    scene.groq.behaviour = Behaviour(text="word " * 40, tokens_per_s=100)
    scene.playground.ask("Hello")
    await until(lambda: scene.playground.lanes[0].text and scene.playground.conversation)
    scene.desk.history.remove(scene.playground.conversation)
    await scene.rest()
    [row] = scene.desk.ledger.rows()
    assert row.outcome == "complete"


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
