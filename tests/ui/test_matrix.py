"""Keys × models on the screen: the sum before, the cells as they come, and a stop."""

from __future__ import annotations

from tests.providers import Behaviour
from tests.sitting import ANTHROPIC_KEY, GROQ_KEY, played_in, until
from tests.ui.scene import Scene, scene_in
from vibedesk.ui.matrix import MatrixSheet
from vibedesk.ui.vault import KeysPage


async def open_sheet(scene: Scene) -> tuple[MatrixSheet, dict[str, str]]:
    ids = {
        "work": await scene.add("anthropic", ANTHROPIC_KEY, "work"),
        "wrong": await scene.add("anthropic", "sk-ant-api03-" + "w" * 93 + "AA", "wrong"),
        "fast": await scene.add("groq", GROQ_KEY, "fast"),
    }
    page = scene.show(lambda: KeysPage(scene.vault, scene.theme, scene.notices, scene.clipboard))
    page.health_button.click()
    sheet = page.window().findChild(MatrixSheet)
    await until(lambda: sheet.run.isEnabled())
    return sheet, ids


@played_in(scene_in)
async def test_the_sum_is_named_before_anything_is_asked(scene: Scene) -> None:
    sheet, _ = await open_sheet(scene)
    assert "requests, at most $0.0" in sheet.cost.text()
    before = sheet.matrix.progress[1]
    assert sheet.run.text() == f"Ask {before}"
    assert scene.anthropic.asked == scene.groq.asked == []
    model = sheet.matrix.blocks[0].models[0].full_id
    sheet.matrix.choose(model, False)
    await until(lambda: sheet.matrix.progress[1] < before)
    assert sheet.matrix.spot("", model).told == "left out"


@played_in(scene_in)
async def test_each_cell_says_how_it_went(scene: Scene) -> None:
    sheet, ids = await open_sheet(scene)
    for block in sheet.matrix.blocks:
        for model in block.models:
            if block.provider.id not in ("anthropic", "groq"):
                sheet.matrix.choose(model.full_id, False)
    await until(lambda: sheet.matrix.estimate is not None and sheet.matrix.progress[1] <= 9)
    sheet.run.click()
    assert sheet.run.text() == "Stop"
    await until(lambda: not sheet.matrix.running)
    block = next(one for one in sheet.matrix.blocks if one.provider.id == "anthropic")
    names = [model.full_id for model in block.models]
    assert {sheet.matrix.spot(ids["wrong"], name).text for name in names} == {"refused"}
    assert "ok" in {sheet.matrix.spot(ids["work"], name).role for name in names}
    assert sheet.matrix.spent_usd > 0
    assert "answered" in sheet.cost.text()
    assert sum(scene.desk.ledger.spent_by_key().values()) == sheet.matrix.spent_usd


@played_in(scene_in)
async def test_closing_the_sheet_stops_what_is_under_way(scene: Scene) -> None:
    scene.anthropic.behaviour = scene.groq.behaviour = Behaviour(stall_before_headers=True)
    sheet, _ = await open_sheet(scene)
    sheet.run.click()
    await until(lambda: scene.anthropic.asked)
    sheet.reject()
    assert not sheet.matrix.running
    await until(lambda: not [name for name in scene.tasks.names() if "health" in name])
