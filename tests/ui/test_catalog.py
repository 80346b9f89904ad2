"""The models page: filters, what Enter does, and lists asked of a provider on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from PySide6.QtTest import QTest

from tests.browsing import SONNET, Scene, browsing
from tests.providers import Behaviour
from tests.sitting import until
from tests.ui.looking import Key, columns_of, press, shown, stops_of, themed
from vibedesk.engine.types import Price
from vibedesk.ui.catalog import ModelsPage, dollars, price_tip, price_words, tokens


class Held(NamedTuple):
    scene: Scene
    page: ModelsPage
    asked: list[str]
    wanted: list[str]

    def ids(self) -> list[str]:
        return [row.id for row in self.scene.catalog.rows.rows()]


@asynccontextmanager
async def page_in(folder: Path, behaviour: Behaviour | None = None) -> AsyncIterator[Held]:
    async with browsing(folder, behaviour) as scene:
        held = Held(scene, ModelsPage(scene.catalog, themed()), [], [])
        held.page.asked.connect(held.asked.append)
        held.page.add_key.connect(held.wanted.append)
        shown(held.page)
        await until(held.page.isActiveWindow)
        yield held
        await scene.rest()
        held.page.close()


async def test_every_model_is_listed_and_counted(tmp_path: Path) -> None:
    async with page_in(tmp_path) as held:
        number = len(held.scene.desk.catalog.models())
        assert held.page.table.model().rowCount() == number
        assert held.page.count.text() == f"{number} listed"


async def test_typing_filters_and_enter_leads_to_the_first_which_enter_opens(tmp_path: Path) -> None:
    async with page_in(tmp_path) as held:
        QTest.keyClicks(held.page.search, "claude sonnet 5.5")
        press(held.page.search, Key.Key_Return)
        assert held.page.table.hasFocus()
        assert held.page.table.value().id == SONNET
        assert SONNET in held.page.note.text()
        press(held.page.table, Key.Key_Return)
        assert held.asked == [SONNET]


async def test_down_leads_from_the_field_into_the_list(tmp_path: Path) -> None:
    async with page_in(tmp_path) as held:
        QTest.keyClicks(held.page.search, "claude sonnet")
        press(held.page.search, Key.Key_Down)
        assert held.page.table.hasFocus()
        assert held.page.table.currentIndex().row() == 0
        press(held.page.table, Key.Key_Down)
        assert held.page.table.currentIndex().row() == 1


async def test_a_model_without_a_key_asks_for_one(tmp_path: Path) -> None:
    async with page_in(tmp_path) as held:
        QTest.keyClicks(held.page.search, "openai/gpt-6-luna")
        press(held.page.search, Key.Key_Return)
        assert "Enter adds a key for OpenAI" in held.page.note.text()
        press(held.page.table, Key.Key_Return)
        assert (held.asked, held.wanted) == ([], ["openai"])


async def test_the_boxes_narrow_the_list_and_one_button_shows_all_again(tmp_path: Path) -> None:
    async with page_in(tmp_path) as held:
        held.page.usable.setChecked(True)
        assert all(row.usable for row in held.scene.catalog.rows.rows())
        held.page.provider.choose("openai")
        assert held.ids() == []
        assert held.page.nothing.isVisible()
        held.page._show_all()
        assert not held.page.nothing.isVisible()
        assert len(held.ids()) == len(held.scene.desk.catalog.models())


async def test_a_provider_of_ones_own_is_in_the_list_and_its_models_come_live(tmp_path: Path) -> None:
    async with page_in(tmp_path) as held:
        assert held.page.provider.findText("The Lab") > 0
        held.page.provider.choose("lab")
        assert held.ids() == []
        held.page.refresh.click()
        assert held.page.note.text() == "Asking The Lab…"
        assert not held.page.refresh.isEnabled()
        await held.scene.rest()
        assert held.ids() == ["lab/gpt-4.1-mini", "lab/house-blend-7b"]
        assert held.page.note.text() == "The lists are up to date."
        assert held.page.refresh.isEnabled()


async def test_a_refused_list_is_told_with_the_providers_name(tmp_path: Path) -> None:
    async with page_in(tmp_path, Behaviour(status=401, on="list")) as held:
        held.page.provider.choose("lab")
        held.page.refresh.click()
        await held.scene.rest()
        assert held.page.note.text().startswith("The Lab: ")
        assert "up to date" not in held.page.note.text()


async def test_a_provider_added_while_the_page_is_open_is_offered(tmp_path: Path) -> None:
    async with page_in(tmp_path) as held:
        file = held.scene.desk.paths.config / "providers.toml"
        block = '\n[providers.cellar]\nname = "The Cellar"\ndialect = "openai-chat"\nbase_url = "http://127.0.0.1:1/v1"\n'
        file.write_text(file.read_text(encoding="utf-8") + block, encoding="utf-8")
        assert held.scene.desk.reload() == ()
        held.scene.catalog.reload()
        await until(lambda: held.page.provider.findText("The Cellar") > 0)


async def test_a_narrow_page_does_without_columns_and_never_without_model_and_price(tmp_path: Path) -> None:
    async with page_in(tmp_path) as held:
        wide = columns_of(held.page.table)
        held.page.resize(540, 400)
        assert columns_of(held.page.table) == ["Model", "$ / M in · out"]
        held.page.resize(1200, 760)
        assert columns_of(held.page.table) == wide


@pytest.mark.parametrize(
    ("amount", "words"),
    [("3", "$3"), ("0.1", "$0.10"), ("0.075", "$0.075"), ("12.50", "$12.50"), ("0", "free")],
)
def test_a_price_has_cents_or_none(amount: str, words: str) -> None:
    assert dollars(Decimal(amount)) == words


def test_an_unknown_price_is_a_dash() -> None:
    assert price_words(None) == "—"


def test_a_price_says_its_tiers_what_comes_and_where_it_is_from() -> None:
    later = Price(input=Decimal(2), output=Decimal(4))
    price = Price(
        input=Decimal(1),
        output=Decimal(2),
        cached=Decimal("0.1"),
        threshold=200_000,
        long_input=Decimal(3),
        long_output=Decimal(6),
        starts=date(2027, 1, 1),
        then=later,
        source="the price list",
    )
    assert price_tip(price) == (
        "$1 in, $2 out per million tokens · $0.10 cached in · $3 in, $6 out for prompts over 200,000 tokens"
        " · from 1 Jan 2027 $2 in, $4 out. From the price list."
    )


@pytest.mark.parametrize(
    ("count", "words"),
    [(None, "—"), (900, "900"), (131_072, "131k"), (1_000_000, "1M"), (1_050_000, "1.05M")],
)
def test_a_number_of_tokens_is_said_as_people_say_it(count: int | None, words: str) -> None:
    assert tokens(count) == words


async def test_tab_comes_to_the_bar_as_well(tmp_path: Path) -> None:
    async with page_in(tmp_path) as held:
        forward = stops_of(held.page.search, Key.Key_Tab)
        assert {held.page.usable, held.page.provider, held.page.refresh, held.page.table} <= set(forward)
        assert set(stops_of(held.page.search, Key.Key_Backtab)) == set(forward)
