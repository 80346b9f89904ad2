"""The model picker, by the keyboard alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from tests.browsing import LUNA, SONNET, Scene, browsing
from tests.sitting import until
from tests.ui.looking import Key, press, shown, themed
from vibedesk.ui.picker import ModelPicker
from vibedesk.ui.sheet import Overlay


class Told(NamedTuple):
    picked: list[list[str]]
    wanted: list[str]
    cancelled: list[bool]


class Held(NamedTuple):
    scene: Scene
    picker: ModelPicker
    told: Told

    def ids(self) -> list[str]:
        return [option.id for option in self.picker.rows.rows()]

    def current(self) -> str:
        return str(self.picker.rows.value(self.picker.list.currentIndex().row()).id)

    def type(self, text: str) -> None:
        QTest.keyClicks(self.picker.search, text)


@asynccontextmanager
async def picking(folder: Path, *, current: str = "", routes: bool = False) -> AsyncIterator[Held]:
    """The picker as the window shows it: in an overlay, with the focus."""
    async with browsing(folder) as scene:
        if routes:
            scene.routes.add_starters()
            await scene.rest()
        theme = themed()
        window = shown(QWidget())
        picker = ModelPicker(scene.catalog, theme, current=current, routes=scene.routes if routes else None)
        told = Told([], [], [])
        picker.picked.connect(told.picked.append)
        picker.add_key.connect(told.wanted.append)
        picker.cancelled.connect(lambda: told.cancelled.append(True))
        Overlay(window, theme, picker).open()
        await scene.rest()
        await until(picker.search.hasFocus)
        yield Held(scene, picker, told)
        await scene.rest()
        window.close()


async def test_the_field_has_the_focus_and_typing_filters(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        assert QApplication.focusWidget() is held.picker.search
        held.type("sonnet")
        assert held.ids()
        assert all("sonnet" in full_id for full_id in held.ids())
        assert held.current() == held.ids()[0]


async def test_arrows_move_and_enter_opens_while_the_focus_stays_in_the_field(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        held.type("sonnet")
        press(held.picker.search, Key.Key_Down, Key.Key_Down, Key.Key_Up)
        assert QApplication.focusWidget() is held.picker.search
        press(held.picker.search, Key.Key_Return)
        assert held.told.picked == [[held.ids()[1]]]


async def test_what_was_picked_is_remembered_as_recent(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        held.type("claude sonnet 5.5")
        press(held.picker.search, Key.Key_Return)
        await held.scene.rest()
        assert held.told.picked == [[SONNET]]
        assert held.scene.catalog.find()[0].id == SONNET


async def test_space_marks_and_enter_opens_a_lane_for_each_in_the_order_marked(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        press(held.picker.search, Key.Key_Down, Key.Key_Space, Key.Key_Up, Key.Key_Space)
        first, second = held.ids()[:2]
        assert held.picker.marked == [second, first]
        assert held.picker.open.text() == "Open 2 lanes"
        assert [option.marked for option in held.picker.rows.rows()[:2]] == [2, 1]
        held.type("haiku")
        press(held.picker.search, Key.Key_Return)
        assert held.told.picked == [[second, first]]


async def test_space_after_typing_is_a_letter_and_after_an_arrow_a_mark(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        held.type("claude ")
        assert held.picker.search.text() == "claude "
        press(held.picker.search, Key.Key_Down, Key.Key_Space)
        assert held.picker.search.text() == "claude "
        assert held.picker.marked == [held.ids()[1]]
        press(held.picker.search, Key.Key_Space)
        assert held.picker.marked == []


async def test_a_ninth_lane_cannot_be_marked(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        for _ in range(9):
            press(held.picker.search, Key.Key_Down, Key.Key_Space)
        assert len(held.picker.marked) == 8


async def test_a_model_without_a_key_offers_one_and_is_not_marked(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        held.type("openai/gpt-6-luna")
        assert held.current() == LUNA
        assert held.picker.open.text() == "Add key"
        press(held.picker.search, Key.Key_Down, Key.Key_Up, Key.Key_Space)
        assert held.picker.marked == []
        press(held.picker.search, Key.Key_Return)
        assert (held.told.picked, held.told.wanted) == ([], ["openai"])


async def test_a_retired_model_opens_its_replacement(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        gone = next(
            model
            for model in held.scene.desk.catalog.models("anthropic")
            if model.state == "retired" and model.replacement
        )
        held.type(gone.full_id)
        press(held.picker.search, Key.Key_Return)
        [[picked]] = held.told.picked
        assert held.scene.desk.catalog.model(picked).state != "retired"


async def test_control_d_likes_the_current_model_and_stays_on_it(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        press(held.picker.search, Key.Key_Down, Key.Key_Down, Key.Key_Down)
        liked = held.current()
        press(held.picker.search, Key.Key_D, control=True)
        assert held.ids()[0] == held.current() == liked
        assert held.picker.search.text() == ""
        press(held.picker.search, Key.Key_D, control=True)
        assert not held.scene.catalog.row(liked).favourite


async def test_escape_gives_up_from_the_field_and_from_the_button(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        press(held.picker.search, Key.Key_Escape)
        assert held.told.cancelled == [True]
        held.picker.open.setFocus(Qt.FocusReason.TabFocusReason)
        press(held.picker.open, Key.Key_Escape)
        assert held.told.cancelled == [True, True]


async def test_letters_typed_while_the_button_has_the_focus_go_to_the_field(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        held.picker.open.setFocus(Qt.FocusReason.TabFocusReason)
        press(held.picker.open, Key.Key_H)
        assert held.picker.search.text() == "h"
        assert QApplication.focusWidget() is held.picker.search


async def test_a_model_nobody_listed_is_asked_by_its_whole_id(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        held.type("zzz-not-there")
        assert held.ids() == []
        assert not held.picker.open.isEnabled()
        press(held.picker.search, Key.Key_Return)
        assert held.told.picked == []
        held.picker.search.clear()
        held.type("lab/zzz-not-there")
        press(held.picker.search, Key.Key_Return)
        assert held.told.picked == [["lab/zzz-not-there"]]


async def test_the_current_model_is_chosen_when_it_opens(tmp_path: Path) -> None:
    async with picking(tmp_path, current=LUNA) as held:
        assert held.current() == LUNA
        rect = held.picker.list.visualRect(held.picker.list.currentIndex())
        assert held.picker.list.viewport().rect().contains(rect.center())


async def test_a_provider_that_stands_in_the_users_file_alone_is_found_after_its_list_was_read(
    tmp_path: Path,
) -> None:
    async with picking(tmp_path) as held:
        held.scene.catalog.refresh("lab")
        await held.scene.rest()
        held.type("the lab blend")
        press(held.picker.search, Key.Key_Return)
        assert held.told.picked == [["lab/house-blend-7b"]]


async def test_routes_are_offered_by_name_before_models(tmp_path: Path) -> None:
    async with picking(tmp_path, routes=True) as held:
        held.type("conv")
        assert held.ids()[0] == "route:conversationalResponse"
        press(held.picker.search, Key.Key_Return)
        assert held.told.picked == [["route:conversationalResponse"]]
        assert held.scene.catalog.find()[0].recent is False


async def test_without_routes_none_is_offered(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        assert not [full_id for full_id in held.ids() if full_id.startswith("route:")]


async def test_a_screen_reader_is_told_which_row_is_current(tmp_path: Path) -> None:
    async with picking(tmp_path) as held:
        assert held.picker.accessibleName() == "Choose a model"
        assert held.picker.search.accessibleName() == "Find a model"
        held.type("claude sonnet 5.5")
        assert held.picker.search.accessibleDescription() == "Claude Sonnet 5.5, Anthropic, ready"
        press(held.picker.search, Key.Key_Down, Key.Key_Up, Key.Key_Space)
        assert held.picker.search.accessibleDescription() == "Claude Sonnet 5.5, Anthropic, ready, marked 1"
        held.type("zzz")
        assert "No model fits" in held.picker.search.accessibleDescription()
