"""The playground page over a real desk: what is shown, clicked and typed."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from tests.playing import GOOD, LONG, REFUSING, Scene, playing
from tests.providers import TEXT, Behaviour
from tests.sitting import until
from tests.ui.looking import stops_of
from vibedesk.amounts import duration
from vibedesk.engine.pricing import estimate_tokens
from vibedesk.engine.types import Image, Terms
from vibedesk.state.attached import Attached, message_of
from vibedesk.store.paths import resources
from vibedesk.ui.errors import ErrorCard
from vibedesk.ui.lane import LEAST_WIDTH, LaneView, _marks
from vibedesk.ui.lane_sheets import LinkSheet, SystemSheet
from vibedesk.ui.parameters import ParametersSheet
from vibedesk.ui.playground import PlaygroundPage
from vibedesk.ui.receipt import Receipt
from vibedesk.ui.theme import Theme
from vibedesk.ui.turns import EditSheet


class Shown(NamedTuple):
    scene: Scene
    page: PlaygroundPage
    picked: list[int]
    qtbot: QtBot

    async def send(self, text: str) -> None:
        before = self.scene.playground.turns
        self.qtbot.keyClicks(self.page.composer.words, text)
        self.qtbot.keyClick(self.page.composer.words, Qt.Key.Key_Return)
        await until(lambda: self.scene.playground.turns > before)
        await self.scene.rest()

    def view(self, place: int = 0) -> LaneView:
        return self.page.views[place]


@pytest.fixture
async def shown(tmp_path: Path, qtbot: QtBot, request: pytest.FixtureRequest) -> AsyncIterator[Shown]:
    models, behaviour = getattr(request, "param", ([GOOD, GOOD], None))
    async with playing(tmp_path, models, behaviour) as scene:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme = Theme(resources())
        theme.apply(app, "light")
        picked: list[int] = []
        page = PlaygroundPage(scene.playground, scene.history, theme, pick_model=picked.append)
        qtbot.addWidget(page)
        page.resize(1200, 760)
        page.show()
        await scene.rest()
        yield Shown(scene, page, picked, qtbot)
        await scene.rest()


async def test_typed_words_go_to_every_lane_and_the_answers_are_shown(shown: Shown) -> None:
    await shown.send("Hello there")
    for view in shown.page.views:
        assert view.transcript.text() == f"Hello there\n{TEXT}"
        # two equal lanes: which one was sooner is chance, and the praise takes the place of the word "first"
        assert re.fullmatch(r"first [\d.]+ m?s|[\d.]+ m?s soonest", view.figures.first.text())
        assert "tok/s" in view.figures.speed.text()
    assert shown.page.title.text() == "Hello there"
    assert shown.page.lanes_chip.text() == "2 lanes · turn 1"


async def test_the_ground_of_a_lane_is_that_of_the_theme_while_and_after_words_come(shown: Shown) -> None:
    view = shown.view()
    theme = shown.page._theme

    def ground() -> set[str]:
        QApplication.processEvents()
        window = view.window()
        shot = window.screen().grabWindow(window.winId()).toImage()
        corner = view.mapTo(window, QPoint(0, 0))
        places = [(2, 2), (2, view.height() - 3), (2, view.height() // 2)]
        return {shot.pixelColor(corner.x() + x, corner.y() + y).name() for x, y in places}

    assert ground() == {theme.colour("surface").name()}
    shown.scene.playground.ask("Hello")
    await until(lambda: bool(view.transcript.text()))
    assert ground() == {theme.colour("surface").name()}
    await shown.scene.rest()
    assert ground() == {theme.colour("surface").name()}


async def test_the_head_says_which_model_through_what_and_with_which_key(shown: Shown) -> None:
    head = shown.view().head
    assert head.name.text() == "openai/gpt-oss-120b"
    assert head.name.accessibleName() == "openai/gpt-oss-120b, Groq"
    assert head.chips["via"].text() == "direct"
    assert head.chips["key"].text().startswith("fast …")
    assert not head.chips["simulation"].text()


@pytest.mark.parametrize("shown", [(["demo/quick"], None)], indirect=True)
async def test_the_demo_never_poses_as_a_real_model(shown: Shown) -> None:
    assert shown.view().head.chips["simulation"].text() == "simulation"


@pytest.mark.parametrize("shown", [([LONG, GOOD], Behaviour(tokens_per_s=150))], indirect=True)
async def test_escape_stops_and_the_text_stays_marked(shown: Shown) -> None:
    lane = shown.scene.playground.lanes[0]
    shown.qtbot.keyClicks(shown.page.composer.words, "Go")
    shown.qtbot.keyClick(shown.page.composer.words, Qt.Key.Key_Return)
    await until(lambda: len(lane.text) > 50)
    assert shown.page.composer.stop.isVisible()
    shown.page._stop.trigger()
    await shown.scene.rest()
    assert shown.view().transcript.text().endswith("\nstopped")
    assert not shown.page.composer.stop.isVisible()


@pytest.mark.parametrize("shown", [([LONG, GOOD], Behaviour(tokens_per_s=150))], indirect=True)
async def test_a_stopped_answer_keeps_its_figures_as_estimates_also_when_it_is_opened_again(
    shown: Shown,
) -> None:
    lane, figures = shown.scene.playground.lanes[0], shown.view().figures
    shown.scene.playground.ask("Go")
    await until(lambda: figures.speed.text().startswith("≈ "))
    first = figures.first.text()
    assert lane.first_s is not None
    assert first == f"first {duration(lane.first_s)}"
    shown.page._stop.trigger()
    await shown.scene.rest()
    answer = shown.scene.answer()
    assert answer.ttft_s == lane.first_s
    kept = figures.tokens.text(), figures.speed.text(), figures.first.text()
    assert kept[0] == f"≈ {estimate_tokens(answer.text):,} tok"
    assert re.fullmatch(r"≈ [\d.,]+ tok/s", kept[1])
    assert kept[2] == first
    shown.page.praise()
    shown.view().show_history()
    assert (figures.tokens.text(), figures.speed.text(), figures.first.text()) == kept


LEFT_OFF = ([GOOD], Behaviour(cut="eof", cut_after=9, times=1))


@pytest.mark.parametrize("shown", [LEFT_OFF], indirect=True)
async def test_the_card_of_an_answer_that_was_cut_offers_to_go_on_with_it(shown: Shown) -> None:
    await shown.send("Hi")
    lane, card = shown.scene.playground.lanes[0], shown.view().transcript.card(0)
    assert isinstance(card, ErrorCard)
    assert lane.can_continue
    assert (card.main.text(), card.other.text()) == ("Continue", "Retry")
    card.main.click()
    await until(lambda: len(lane.exchanges[-1].answers) == 2)
    await shown.scene.rest()
    assert shown.scene.answer().outcome == "complete"
    assert shown.scene.answer().text.startswith(lane.exchanges[-1].answers[0].text)


@pytest.mark.parametrize("shown", [([REFUSING, GOOD], None)], indirect=True)
async def test_a_failure_is_a_card_in_its_lane_and_the_sibling_goes_on(shown: Shown) -> None:
    await shown.send("Hi")
    card = shown.view().transcript.card(0)
    assert card.isVisible()
    assert card.main.text().startswith("Retry")  # type: ignore[attr-defined]
    assert TEXT in shown.view(1).transcript.text()
    shown.scene.playground.lanes[0].set_spec(model=GOOD)
    card.acted.emit("retry")  # type: ignore[attr-defined]
    await until(lambda: TEXT in shown.view().transcript.text())
    await shown.scene.rest()


@pytest.mark.parametrize("shown", [([REFUSING, GOOD], None)], indirect=True)
async def test_what_a_card_offers_beyond_this_page_is_told_to_the_window(shown: Shown) -> None:
    await shown.send("Hi")
    card = shown.view().transcript.card(0)
    with shown.qtbot.waitSignal(shown.page.acted) as told:
        card.acted.emit("open_keys")  # type: ignore[attr-defined]
    assert told.args == ["open_keys", 0]
    card.acted.emit("use_another_model")  # type: ignore[attr-defined]
    assert shown.picked == [0]


@pytest.mark.parametrize("shown", [([REFUSING, GOOD], None)], indirect=True)
async def test_the_card_of_an_earlier_turn_keeps_its_words_and_offers_nothing(shown: Shown) -> None:
    await shown.send("First")
    card = shown.view().transcript.card(0)
    assert isinstance(card, ErrorCard)
    assert card.main.isVisible()
    shown.scene.playground.lanes[0].set_spec(model=GOOD)
    await shown.send("Second")
    assert shown.view().transcript.card(0) is card
    assert "rate limit" in card.title.text().lower()
    shown.view().transcript.verticalScrollBar().setValue(0)
    offered = [one for one in (card.main, card.other) if not one.isHidden()]
    assert offered == []
    assert not card.fold.isHidden()


@pytest.mark.parametrize("shown", [([REFUSING, GOOD], None)], indirect=True)
async def test_shorten_takes_up_the_question_of_its_own_lane(shown: Shown) -> None:
    await shown.send("Too long")
    card = shown.view().transcript.card(0)
    shown.scene.playground.ask_lane(1, "Another")
    await until(lambda: shown.scene.playground.turns == 2)
    await shown.scene.rest()
    card.acted.emit("shorten")  # type: ignore[attr-defined]
    assert shown.page.composer.text() == "Too long"


async def test_adding_a_lane_asks_for_its_model(shown: Shown) -> None:
    shown.page.add_button.click()
    assert shown.picked == [2]
    assert len(shown.page.views) == 2  # nothing is added before something is picked
    assert shown.page.linked_chip.text() == "linked"


async def test_lanes_share_the_width_and_never_fall_under_their_least(shown: Shown) -> None:
    widths = {view.width() for view in shown.page.views}
    assert max(widths) - min(widths) <= 1
    for _ in range(6):
        shown.scene.playground.add_lane()
    await asyncio.sleep(0.1)
    assert all(view.width() >= LEAST_WIDTH for view in shown.page.views)
    assert shown.page.area.horizontalScrollBar().maximum() > 0


async def test_a_lane_that_stays_keeps_its_view(shown: Shown) -> None:
    await shown.send("Hi")
    second = shown.view(1)
    shown.scene.playground.close_lane(0)
    assert shown.page.views == [second]
    assert TEXT in second.transcript.text()


async def test_an_empty_lane_teaches(shown: Shown) -> None:
    assert "Ctrl+T" in shown.view()._empty.text.text()
    shown.scene.playground.set_model(0, "")
    assert shown.view()._choose.isVisible()
    shown.view()._choose.click()
    assert shown.picked == [0]


async def test_the_lane_menu_does_what_it_says(shown: Shown) -> None:
    await shown.send("Hi")
    menu = shown.page.lane_menu(1)
    actions = {action.text(): action for action in menu.actions() if action.text()}
    actions["Copy answer as Markdown"].trigger()
    assert QGuiApplication.clipboard().text() == TEXT
    actions["Unlink"].trigger()
    assert shown.page.linked_chip.text() == "1 of 2 linked"
    assert shown.view(1).head.chips["unlinked"].text() == "unlinked"
    actions["Parameters…"].trigger()
    [sheet] = shown.page.findChildren(ParametersSheet)
    sheet.tokens.setValue(300)
    sheet._save()
    assert shown.scene.playground.lanes[1].spec.parameters.max_tokens == 300
    actions["Receipt…"].trigger()
    assert len(shown.page.findChildren(Receipt)) == 1
    ways = menu.findChild(QMenu)
    assert ways is not None
    ways.actions()[2].trigger()
    assert shown.scene.playground.lanes[1].spec.via == "direct"
    menu.close()


async def test_a_system_prompt_for_all_lanes_goes_along(shown: Shown) -> None:
    shown.page.composer.system.click()
    [sheet] = shown.page.findChildren(SystemSheet)
    sheet.words.setPlainText(" Be brief. ")
    sheet._save()
    await shown.send("Hi")
    for seen in shown.scene.groq.asked:
        assert seen.body["messages"][0] == {"role": "system", "content": "Be brief."}


async def test_a_link_shows_where_it_leads_before_anything_opens(shown: Shown) -> None:
    shown.view().link_clicked.emit("https://example.org/" + "a/" * 40 + "?q=\u202egpj")
    [sheet] = shown.page.findChildren(LinkSheet)
    said = sheet.target.text().replace("\u200b", "")
    assert said.startswith("https://example.org/a/a/")
    assert "⟨U+202E⟩" in said
    sheet.reject()


async def test_up_brings_the_last_message_back(shown: Shown) -> None:
    await shown.send("Once more")
    shown.qtbot.keyClick(shown.page.composer.words, Qt.Key.Key_Up)
    assert shown.page.composer.text() == "Once more"


async def test_a_reopened_conversation_looks_as_it_did(shown: Shown) -> None:
    await shown.send("First")
    await shown.send("Second")
    before = [view.transcript.text() for view in shown.page.views]
    id = shown.scene.playground.conversation
    shown.scene.playground.new_conversation()
    await until(lambda: not shown.scene.playground.conversation)
    assert shown.view().transcript.text() == ""
    shown.page.panel.opened.emit(id)
    await until(lambda: shown.scene.playground.conversation == id)
    assert [view.transcript.text() for view in shown.page.views] == before
    assert shown.page.title.text() == "First"


async def test_the_list_of_conversations_slides_in_with_the_new_one(shown: Shown) -> None:
    await shown.send("A name for it")
    shown.page.toggle_history()
    await shown.scene.rest()
    assert shown.page.panel.isVisible()
    assert shown.scene.history.rows.value(0).title == "A name for it"
    shown.page.toggle_history()
    assert shown.page.panel.isHidden()


async def test_the_title_is_edited_where_it_stands(shown: Shown) -> None:
    await shown.send("Hi")
    shown.page.title.setText("Better name")
    shown.page.title.editingFinished.emit()
    await shown.scene.rest()
    assert shown.scene.desk.history.load(shown.scene.playground.conversation).title == "Better name"


async def test_without_a_model_sending_is_refused_with_its_reason(shown: Shown) -> None:
    for place in (0, 1):
        shown.scene.playground.set_model(place, "")
    shown.qtbot.keyClicks(shown.page.composer.words, "Hi")
    assert not shown.page.composer.send.isEnabled()
    assert shown.page.composer.note.text() == "Choose a model first."


async def test_every_action_of_the_page_has_a_name_for_the_palette(shown: Shown) -> None:
    names = [action.text() for action in shown.page.actions() if action.isVisible()]
    assert {"New conversation", "Add lane", "Close lane", "Choose model", "Regenerate", "Stop all"} <= set(
        names
    )
    assert "Go to lane C" not in names


def hover(view: LaneView, entry: int) -> None:
    """The pointer over one thing said."""
    view.transcript.entry_hovered.emit(entry, view.transcript.entry_rect(entry))


async def test_the_bar_offers_what_can_be_done_with_what_the_pointer_is_over(shown: Shown) -> None:
    await shown.send("Hi")
    view = shown.view()
    middle = view.transcript.entry_rect(1).center().y()
    assert view.transcript.entry_at(middle) == 1
    assert view.transcript.entry_at(view.transcript.entry_rect(0).center().y()) == 0
    hover(view, 0)
    offered = [action for action, button in view.bar.buttons.items() if button.isVisible()]
    assert offered == ["edit", "copy", "remove"]
    hover(view, 1)
    offered = [action for action, button in view.bar.buttons.items() if button.isVisible()]
    assert offered == ["again", "copy", "plain"]
    view.bar.buttons["copy"].click()
    assert QGuiApplication.clipboard().text() == TEXT
    hover(view, -1)
    assert not view.bar.isVisible()


async def test_versions_of_an_answer_are_counted_and_stepped_through(shown: Shown) -> None:
    await shown.send("Hi")
    first = shown.scene.answer().id
    hover(shown.view(), 1)
    shown.view().bar.buttons["again"].click()
    await until(lambda: shown.scene.answer().id != first)
    await shown.scene.rest()
    assert shown.view().transcript.text().endswith("answer 2 of 2")
    hover(shown.view(), 1)
    assert shown.view().bar.place.text() == "2/2"
    shown.view().bar.buttons["earlier"].click()
    assert shown.scene.answer().id == first
    assert shown.view().transcript.text().endswith("answer 1 of 2")
    await shown.scene.rest()


async def test_a_question_is_edited_in_a_sheet_and_both_versions_stay(shown: Shown) -> None:
    await shown.send("Hi")
    hover(shown.view(), 0)
    shown.view().bar.buttons["edit"].click()
    sheet = shown.page.window().findChildren(EditSheet)[-1]
    assert sheet.words.toPlainText() == "Hi"
    sheet.words.setPlainText("Hello")
    sheet._save()
    await until(lambda: shown.scene.playground.turns == 2)
    await shown.scene.rest()
    for view in shown.page.views:
        assert view.transcript.text() == f"Hello\nquestion 2 of 2\n{TEXT}"
    hover(shown.view(), 0)
    shown.view().bar.buttons["earlier"].click()
    for view in shown.page.views:
        assert view.transcript.text() == f"Hi\nquestion 1 of 2\n{TEXT}"
    await shown.scene.rest()


async def test_a_question_that_is_edited_keeps_what_went_along_by_its_name(shown: Shown) -> None:
    notes = Attached("notes.txt", "text", text="one\ntwo", tokens=2)
    more = Attached("more.txt", "text", text="three", tokens=2)
    picture = Attached("Picture 1", "picture", Image("image/png", b"\x89PNG"), tokens=1)
    shown.scene.playground.ask(message_of("What is in it?", [notes, more]), [picture.image])  # type: ignore[list-item]
    await until(lambda: shown.scene.playground.turns == 1)
    await shown.scene.rest()
    hover(shown.view(), 0)
    shown.view().bar.buttons["edit"].click()
    sheet = shown.page.window().findChildren(EditSheet)[-1]
    assert sheet.words.toPlainText() == "What is in it?"
    assert [view.one.name for view in sheet.along.shown] == ["Picture 1", "notes.txt", "more.txt"]
    shown.qtbot.keyClicks(sheet.words, " And why?")
    sheet.along.shown[2].removed.emit()
    shown.qtbot.keyClick(sheet.words, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert not sheet.isVisible()
    await until(lambda: shown.scene.playground.turns == 2)
    await shown.scene.rest()
    turn = shown.scene.playground.lanes[0].exchanges[-1].turn
    assert turn.text == message_of("What is in it? And why?", [notes])
    assert turn.images == (picture.image,)


async def test_a_turn_is_removed_by_its_bar(shown: Shown) -> None:
    await shown.send("One")
    await shown.send("Two")
    hover(shown.view(), 2)
    shown.view().bar.buttons["remove"].click()
    await until(lambda: shown.view().transcript.text() == f"One\n{TEXT}")
    await shown.scene.rest()


WAITING = ([GOOD], Behaviour(status=429, headers={"retry-after": "2"}, times=1))


@pytest.mark.parametrize("shown", [WAITING], indirect=True)
async def test_a_lane_that_waits_says_how_long_and_why(shown: Shown) -> None:
    before = shown.scene.playground.turns
    shown.scene.playground.ask("Hi")
    chip = shown.view().head.chips["waiting"]
    await until(chip.isVisible)
    assert re.fullmatch(r"asks again in [12] s", chip.text())
    assert "rate limit" in chip.toolTip()
    await until(lambda: shown.scene.playground.turns > before)
    await shown.scene.rest()
    assert not chip.isVisible()


MENDED = ([GOOD], Behaviour(cut="eof", cut_after=4, times=1))


@pytest.mark.parametrize("shown", [MENDED], indirect=True)
async def test_an_answer_that_was_begun_again_says_so(shown: Shown) -> None:
    lane = shown.scene.playground.lanes[0]
    told = tuple(replace(rung, terms=Terms(on_cut="restart")) for rung in await asyncio.to_thread(lane.rungs))
    await shown.send("Hi")
    assert "cut" in [word for word, _, _ in _marks(shown.scene.answer())]
    shown.scene.groq.behaviour = dataclasses.replace(MENDED[1], times=2)
    lane.start(lane.request(), told)
    await shown.scene.rest()
    assert [word for word, _, _ in _marks(shown.scene.answer())] == ["begun again"]
    assert TEXT in shown.view().transcript.text()


async def test_words_are_found_place_by_place_in_every_lane(shown: Shown) -> None:
    await shown.send("smile at me")
    page = shown.page
    page.find_bar.open()
    shown.qtbot.keyClicks(page.find_bar.field, "Smile")
    assert page.find_bar.count.text() == "1 of 4"
    assert shown.view().transcript.textCursor().selectedText() == "smile"
    shown.qtbot.keyClick(page.find_bar.field, Qt.Key.Key_Return)
    assert page.find_bar.count.text() == "2 of 4"
    shown.qtbot.keyClick(page.find_bar.field, Qt.Key.Key_Return)
    assert page.find_bar.count.text() == "3 of 4"
    assert shown.view(1).transcript.textCursor().selectedText() == "smile"
    for _ in range(3):
        shown.qtbot.keyClick(page.find_bar.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert page.find_bar.count.text() == "4 of 4"
    shown.qtbot.keyClicks(page.find_bar.field, " nowhere")
    assert page.find_bar.count.text() == "none"
    shown.qtbot.keyClick(page.find_bar.field, Qt.Key.Key_Escape)
    assert not page.find_bar.isVisible()


def marked(view: LaneView, colour: QColor) -> bool:
    """Whether something in the lane is drawn on this ground."""
    image = view.transcript.viewport().grab().toImage()
    return any(
        image.pixelColor(x, y) == colour
        for y in range(0, image.height(), 3)
        for x in range(0, image.width(), 3)
    )


@pytest.mark.parametrize("name", ["light", "dark"])
async def test_only_the_place_that_is_shown_is_marked_and_only_while_one_looks(
    shown: Shown, name: str
) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    shown.page._theme.apply(app, name)
    colour = shown.page._theme.colour("find")
    bar, enter = shown.page.find_bar, Qt.Key.Key_Return
    await shown.send("smile at me")
    bar.open("smile")
    assert [marked(view, colour) for view in shown.page.views] == [True, False]  # in a bubble
    shown.qtbot.keyClick(bar.field, enter)
    assert [marked(view, colour) for view in shown.page.views] == [True, False]
    shown.qtbot.keyClick(bar.field, enter)
    assert bar.count.text() == "3 of 4"
    assert [marked(view, colour) for view in shown.page.views] == [False, True]
    shown.qtbot.keyClicks(bar.field, " nowhere")
    assert [marked(view, colour) for view in shown.page.views] == [False, False]
    bar.field.setText("smile")
    shown.qtbot.keyClick(bar.field, Qt.Key.Key_Escape)
    assert [marked(view, colour) for view in shown.page.views] == [False, False]
    assert not any(view.transcript.textCursor().hasSelection() for view in shown.page.views)
    await shown.scene.rest()


async def test_what_was_selected_by_hand_while_one_looked_stays_selected(shown: Shown) -> None:
    await shown.send("smile at me")
    view, bar = shown.view(), shown.page.find_bar
    bar.open("smile")
    middle = view.transcript.entry_rect(1).center().toPoint()
    shown.qtbot.mouseClick(view.transcript.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    view.transcript.selectAll()
    bar.leave()
    assert view.transcript.textCursor().hasSelection()


async def test_the_find_bar_covers_no_lane(shown: Shown) -> None:
    page = shown.page
    page.find_bar.open()
    QApplication.processEvents()
    lowest = page.find_bar.mapTo(page, page.find_bar.rect().bottomLeft()).y()
    assert all(view.mapTo(page, QPoint()).y() > lowest for view in page.views)
    page.find_bar.leave()


async def test_opening_what_was_found_shows_the_place(shown: Shown) -> None:
    await shown.send("smile at me")
    id = shown.scene.playground.conversation
    shown.scene.playground.new_conversation()
    await until(lambda: not shown.scene.playground.conversation)
    shown.page.find_everywhere()
    shown.qtbot.keyClicks(shown.page.panel.search, "smi")
    await until(lambda: bool(shown.scene.history.rows.rows()) and shown.scene.history.rows.value(0).hit)
    await shown.scene.rest()
    shown.page.panel.list.clicked.emit(shown.scene.history.rows.index(0))
    await until(lambda: shown.scene.playground.conversation == id)
    await until(shown.page.find_bar.isVisible)
    assert shown.page.find_bar.field.text() == "smi"
    assert shown.view().transcript.textCursor().selectedText() == "smi"
    await shown.scene.rest()


async def test_where_there_is_no_room_beside_the_lanes_the_conversations_lie_over_them(shown: Shown) -> None:
    page = shown.page
    page.activateWindow()
    page.resize(584, 480)
    alone = page.stage.width()
    page.toggle_history()
    QApplication.processEvents()
    assert page.panel.isVisible()
    assert (page.stage.width(), page.panel.pos()) == (alone, QPoint(0, 0))
    assert page.panel.height() == page.height()
    page.composer.setFocus()
    assert page.panel.isHidden(), "what is written is not covered"
    page.toggle_history()
    shown.qtbot.keyClick(page.panel.search, Qt.Key.Key_Escape)
    assert page.panel.isHidden()
    assert page.composer.isAncestorOf(QApplication.focusWidget())
    page.toggle_history()
    page.resize(1200, 760)
    QApplication.processEvents()
    assert page.panel.isVisible()
    assert page.stage.x() == page.panel.width()
    page.composer.setFocus()
    assert page.panel.isVisible(), "beside the lanes it stays"


async def test_the_conversations_over_the_lanes_close_once_one_is_opened(shown: Shown) -> None:
    await shown.send("Hello there")
    kept = shown.scene.playground.conversation
    shown.page.activateWindow()
    shown.page.resize(584, 480)
    for leave in (shown.page.panel.new_wanted.emit, lambda: shown.page.panel.opened.emit(kept)):
        shown.page.toggle_history()
        leave()
        await shown.scene.rest()
        assert shown.page.panel.isHidden()


async def test_tab_comes_to_the_bar_as_well_and_to_all_that_the_way_back_comes_to(shown: Shown) -> None:
    page = shown.page
    page.activateWindow()
    forward = stops_of(page.composer.words, Qt.Key.Key_Tab)
    places = [forward.index(one) for one in (page.stage.blind, page.add_button, page.stage.more)]
    assert places == sorted(places)
    assert set(stops_of(page.composer.words, Qt.Key.Key_Backtab)) == set(forward)


async def test_every_lane_menu_is_named_by_its_lane(shown: Shown) -> None:
    names = [view.head.menu.accessibleName() for view in shown.page.views]
    assert names == ["Lane menu A, openai/gpt-oss-120b", "Lane menu B, openai/gpt-oss-120b"]
