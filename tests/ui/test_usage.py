"""The usage page over a ledger that real asks filled."""

from __future__ import annotations

from pathlib import Path

from tests.browsing import DEMO, browsing
from tests.providers import Behaviour
from tests.ui.looking import columns_of, shown, themed
from vibedesk.ui.usage import UsagePage


def said(page: UsagePage, column: int) -> list[str]:
    model = page.calls.model()
    return [str(model.index(row, column).data()) for row in range(model.rowCount())]


async def test_an_empty_period_says_so_and_leads_to_the_first_question(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        page = shown(UsagePage(scene.usage, themed()))
        asked: list[bool] = []
        page.ask.connect(lambda: asked.append(True))
        await scene.rest()
        assert page.first.isVisible()
        page.first.click()
        assert asked == [True]
        page.close()


async def test_calls_and_sums_are_shown_and_what_is_unknown_is_a_dash(tmp_path: Path) -> None:
    async with browsing(tmp_path, Behaviour(status=401)) as scene:
        await scene.ask(DEMO)
        await scene.ask("lab/gpt-4.1-mini")
        page = shown(UsagePage(scene.usage, themed()))
        await scene.rest()
        assert page.sums["Requests"].number.text() == "2"
        outcomes = said(page, columns_of(page.calls).index("Outcome"))
        assert outcomes[0].startswith("failed · ")
        assert outcomes[1] == "complete"
        assert said(page, columns_of(page.calls).index("In"))[0] == "—"
        assert said(page, columns_of(page.calls).index("Cost"))[0] == "—"
        assert page.sums["Cost"].number.text() == "—", "none of them has a known cost"
        page.close()


async def test_another_period_is_read_again(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        await scene.ask(DEMO)
        page = shown(UsagePage(scene.usage, themed()))
        await scene.rest()
        page.period.choose(0)
        await scene.rest()
        assert scene.usage.days == 0
        assert page.calls.model().rowCount() == 1
        page.close()


async def test_a_small_page_gives_the_calls_room_and_does_without_columns(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        await scene.ask(DEMO)
        page = shown(UsagePage(scene.usage, themed()), 520, 420)
        await scene.rest()
        assert columns_of(page.calls) == ["Asked", "Outcome", "Cost"]
        assert page.calls.height() >= 100
        page.close()
