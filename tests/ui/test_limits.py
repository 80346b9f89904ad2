"""The editor of a key's limits: what it takes, what it refuses, what the table and the panel say of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sitting import GROQ_KEY, played_in, until
from tests.ui.scene import Scene, scene_in
from vibedesk.engine.types import Limits
from vibedesk.ui.key_table import LIMIT, MONTH
from vibedesk.ui.limits import LimitsSheet, limit_words, short_limit
from vibedesk.ui.vault import KeysPage


async def open_sheet(scene: Scene) -> tuple[KeysPage, LimitsSheet, str]:
    key_id = await scene.add("groq", GROQ_KEY, "fast")
    page = scene.show(lambda: KeysPage(scene.vault, scene.theme, scene.notices, scene.clipboard))
    page.table.choose(key_id)
    page.panel.limits.click()
    sheet = page.window().findChild(LimitsSheet)
    assert sheet.isVisible()
    return page, sheet, key_id


@played_in(scene_in)
async def test_what_is_entered_is_kept_and_shown(scene: Scene) -> None:
    page, sheet, key_id = await open_sheet(scene)
    assert sheet.limits() == Limits()
    sheet.budget.setText("$20")
    sheet._fields["requests_per_minute"].setText("50")
    sheet._fields["tokens_per_minute"].setText("400k")
    sheet.scope.setText("acme")
    sheet.note.setText("Paid by the client")
    sheet.save.click()
    await until(lambda: scene.vault.row(key_id).key.note == "Paid by the client")  # type: ignore[union-attr]
    key = scene.vault.row(key_id).key  # type: ignore[union-attr]
    assert key.limits == Limits(monthly_usd=Decimal(20), requests_per_minute=50, tokens_per_minute=400_000)
    assert key.scope == "acme"
    assert scene.vault.scopes("groq") == ("acme",)
    row = scene.vault.rows.row_of(key_id)
    assert page.table.model().index(row, LIMIT).data() == "$20.00"
    assert page.panel.limits.text() == "$20.00 a month · 50 req/min · 1 more"
    assert page.panel.note.text() == "Paid by the client"
    page.panel.limits.click()
    again = next(one for one in page.window().findChildren(LimitsSheet) if one.isVisible())
    assert again.budget.text() == "20"
    again.budget.clear()
    again.save.click()
    await until(lambda: scene.vault.row(key_id).key.limits.monthly_usd is None)  # type: ignore[union-attr]


@pytest.mark.parametrize("budget", ["abc", "0", "-5", "nan", "inf", "1e40", "5 apples"])
async def test_an_amount_that_is_none_is_refused_in_words(budget: str, tmp_path: object) -> None:
    async with scene_in(tmp_path) as scene:  # type: ignore[arg-type]
        _, sheet, _ = await open_sheet(scene)
        sheet.budget.setText(budget)
        assert not sheet.save.isEnabled()
        assert sheet.problem.text().startswith("Budget a month:")


@pytest.mark.parametrize("count", ["0", "-1", "1.5", "many", "1e9", "9" * 40])
async def test_a_count_that_is_none_is_refused_in_words(count: str, tmp_path: object) -> None:
    async with scene_in(tmp_path) as scene:  # type: ignore[arg-type]
        _, sheet, _ = await open_sheet(scene)
        sheet._fields["concurrent"].setText(count)
        assert not sheet.save.isEnabled()
        assert sheet.problem.text().startswith("At once:")


@played_in(scene_in)
async def test_a_budget_that_is_used_up_is_marked(scene: Scene) -> None:
    page, sheet, key_id = await open_sheet(scene)
    sheet.reject()
    scene.desk.keys.set_terms(key_id, limits=Limits(monthly_usd=Decimal("0.001")))
    scene.vault._spent = {key_id: Decimal("0.002")}
    scene.vault._keys = scene.desk.keys.all()
    scene.vault._show()
    row = scene.vault.rows.row_of(key_id)
    index = page.table.model().index(row, MONTH)
    assert page.table.model().cell(index).role == "bad"  # type: ignore[attr-defined]
    assert "used up" in str(index.data(3))


def test_the_words_of_limits() -> None:
    assert short_limit(Limits()) == "—"
    assert short_limit(Limits(concurrent=2)) == "2 at once"
    assert short_limit(Limits(tokens_per_day=1_500_000, monthly_usd=Decimal("7.5"))) == "$7.50"
    assert limit_words(Limits(requests_per_day=14_400, monthly_usd=Decimal(5))) == [
        "$5.00 a month",
        "14,400 req/day",
    ]
