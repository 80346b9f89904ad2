"""The routes page: listing, editing, linting, explaining, deleting and bringing back, over a real file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QStackedWidget, QWidget

from tests.browsing import LAB_KEY, LUNA, SONNET, Scene, browsing
from tests.sitting import until
from tests.ui.looking import columns_of, shown, themed
from vibedesk.engine.types import CachePolicy, GatewayPolicy, Route, Timeouts, request_of
from vibedesk.state.notices import Notices
from vibedesk.state.routes import FORMATS
from vibedesk.ui.route_editor import RouteEditor
from vibedesk.ui.route_files import RouteFiles
from vibedesk.ui.route_terms import seconds_of, span
from vibedesk.ui.routes import RoutesPage
from vibedesk.ui.widgets import Toast
from vibedesk.ui.window import Toasts


class Held(NamedTuple):
    scene: Scene
    page: RoutesPage
    opened: list[str]
    picks: list[tuple[str, Callable[[list[str]], None]]]

    @property
    def editor(self) -> RouteEditor:
        return self.page.editor

    def names(self) -> list[str]:
        return [row.id for row in self.scene.routes.rows.rows()]

    async def save(self) -> None:
        assert self.editor.save.isEnabled()
        self.editor.save.click()
        await self.scene.rest()


@asynccontextmanager
async def page_in(folder: Path, *routes: Route) -> AsyncIterator[Held]:
    async with browsing(folder) as scene:
        for route in routes:
            scene.desk.routes.save(route)
        opened: list[str] = []
        picks: list[tuple[str, Callable[[list[str]], None]]] = []
        page = RoutesPage(
            scene.routes, scene.catalog, themed(), lambda now, take: picks.append((now, take)), opened.append
        )
        shown(page)
        await until(page.isActiveWindow)
        await scene.rest()
        yield Held(scene, page, opened, picks)
        await scene.rest()
        page.close()


def words_in(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


TWO = (Route(name="one", model=SONNET), Route(name="two", model=LUNA, fallback_models=(SONNET,)))


async def test_an_empty_page_teaches_and_offers_its_first_actions(tmp_path: Path) -> None:
    async with page_in(tmp_path) as held:
        assert "No routes yet" in words_in(held.page)
        assert not held.editor.isVisible()
        offered = [button.text() for button in held.page.findChildren(QPushButton) if button.isVisible()]
        assert sorted(offered) == ["Add the starter set", "Import, export…", "New route"], "each action once"
        held.scene.routes.add_starters()
        await held.scene.rest()
        offered = [button.text() for button in held.page.findChildren(QPushButton) if button.isVisible()]
        assert {"Add starter set", "New route"} <= set(offered)


async def test_the_starter_set_fills_the_page_and_the_first_is_shown(tmp_path: Path) -> None:
    async with page_in(tmp_path) as held:
        held.scene.routes.add_starters()
        await held.scene.rest()
        assert held.page.count.text() == "13 routes"
        assert held.editor.name.text() == held.names()[0]
        assert not held.editor.save.isEnabled(), "nothing was edited"


async def test_a_new_route_is_written_with_what_differs_alone(tmp_path: Path) -> None:
    async with page_in(tmp_path) as held:
        held.page.new_route()
        assert held.editor.name.hasFocus()
        assert not held.editor.save.isEnabled(), "it has no name"
        held.editor.name.setText("quick")
        held.editor.model.setText(SONNET)
        held.editor.max_tokens.setText("2,000")
        await held.save()
        text = held.scene.desk.paths.routes.read_text(encoding="utf-8")
        assert text.strip() == f'[routes.quick]\nname = "{SONNET}"\nmax_tokens = 2000'
        assert held.page.table.value().id == "quick"
        assert not held.editor.edited


@pytest.mark.parametrize("is_new", [False, True])
async def test_what_is_typed_while_it_is_being_saved_stays(tmp_path: Path, is_new: bool) -> None:
    async with page_in(tmp_path, *TWO) as held:
        if is_new:
            held.page.new_route()
            held.editor.name.setText("quick")
            held.editor.model.setText(SONNET)
        held.editor.max_tokens.setText("2,000")
        held.editor.save.click()
        held.editor.temperature.setText("0.5")
        held.editor.name.setText("quicker")
        await held.scene.rest()
        assert (held.editor.temperature.text(), held.editor.name.text()) == ("0.5", "quicker")
        await held.save()
        names = [name for name in held.names() if name not in ("one", "two")]
        assert (names, len(held.names())) == (["quicker"], 3 if is_new else 2)
        saved = next(one for one in held.scene.desk.routes.routes() if one.name == "quicker")
        assert (saved.parameters.max_tokens, saved.parameters.temperature) == (2_000, 0.5)
        assert not held.editor.edited
        assert held.scene.notices.current() == ()


async def test_a_route_with_another_name_stays_on_show(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        held.editor.name.setText("uno")
        await held.save()
        assert (held.names(), held.page.table.value().id) == (["uno", "two"], "uno")
        assert (held.editor.name.text(), held.editor.edited) == ("uno", False)
        assert held.scene.notices.current() == ()


async def test_a_new_route_can_be_given_up(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        held.page.new_route()
        held.editor.delete.click()
        assert held.editor.name.text() == "one"
        assert held.names() == ["one", "two"]


async def test_the_picker_fills_model_and_fallbacks(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        held.editor._pick(held.editor.model.text(), held.editor._chosen)
        [(current, take)] = held.picks
        assert current == SONNET
        take([LUNA, "lab/gpt-4.1-mini"])
        assert held.editor.route().model == LUNA
        assert held.editor.route().fallback_models == ("lab/gpt-4.1-mini",)
        held.editor._drop("lab/gpt-4.1-mini")
        assert held.editor.route().fallback_models == ()


async def test_lint_speaks_while_one_types(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        held.editor.max_tokens.setText("99999999")
        await until(lambda: "answers with at most" in words_in(held.editor))
        held.editor.max_tokens.setText("")
        await until(lambda: "answers with at most" not in words_in(held.editor))


async def test_what_is_no_number_is_said_and_not_saved(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        for wrong in ("many", "0", "-1", "²"):
            held.editor.max_tokens.setText(wrong)
            assert not held.editor.save.isEnabled()
            await until(lambda: "whole number" in words_in(held.editor))
        held.editor.max_tokens.setText("")
        held.editor.temperature.setText("3")
        await until(lambda: "number from 0 to 2" in words_in(held.editor))
        assert not held.editor.save.isEnabled()


async def test_a_refusal_to_save_is_shown_in_the_form_and_keeps_the_edit(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        held.editor.name.setText("two")
        await held.save()
        assert "There is a route called two already." in words_in(held.editor)
        assert held.names() == ["one", "two"]
        assert held.editor.edited


async def test_explain_shows_the_ladder_and_why_a_rung_is_left_out(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        held.page.table.choose("two")
        held.editor.explain.click()
        await until(lambda: "left out" in words_in(held.editor.rungs))
        words = words_in(held.editor.rungs)
        assert "OpenAI" in words
        assert "ANTHROPIC_API_KEY" in words
        assert held.scene.lab.seen == []


async def test_what_was_explained_is_in_sight_in_a_low_window_too(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        held.page.resize(1100, 480)
        held.page.table.choose("two")
        await until(lambda: held.editor.rungs.visibleRegion().isEmpty())
        held.editor.explain.click()
        await until(lambda: held.editor.rungs.ladder.visibleRegion().boundingRect().height() > 60)
        assert not held.editor.explain.visibleRegion().isEmpty()


async def test_what_if_plays_faults_through_and_sends_nothing(tmp_path: Path) -> None:
    sure = Route(name="sure", model="lab/gpt-4.1-mini", fallback_models=("lab/house-blend-7b", SONNET))
    async with page_in(tmp_path, sure) as held:
        what_if, ladder = held.editor.rungs.what_if, held.editor.rungs.ladder

        def suppose(whom: str, what: str) -> None:
            what_if.whom.choose(whom)
            what_if.what.choose(what)
            what_if.what.activated.emit(what_if.what.currentIndex())

        held.editor.explain.click()
        await until(lambda: "lab/gpt-4.1-mini answers the first request." in words_in(ladder))
        suppose("lab/gpt-4.1-mini", "529")
        await until(lambda: "lab/house-blend-7b answers request" in words_in(ladder))
        assert "overloaded" in words_in(ladder)
        assert "lab/gpt-4.1-mini is overloaded (529)" in words_in(what_if)
        suppose("*", "offline")
        await until(lambda: "Nobody answers" in words_in(ladder))
        what_if.forget.click()
        await until(lambda: "lab/gpt-4.1-mini answers the first request." in words_in(ladder))
        assert held.scene.lab.seen == []


async def test_delete_can_be_undone(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        before = held.scene.desk.paths.routes.read_bytes()
        held.page.table.choose("one")
        held.editor.delete.click()
        await held.scene.rest()
        assert held.names() == ["two"]
        assert held.editor.name.text() == "two"
        held.scene.notices.act(held.scene.notices.current()[-1].id)
        await held.scene.rest()
        assert held.names() == ["one", "two"]
        assert held.page.table.value().id == "one"
        assert held.scene.desk.paths.routes.read_bytes() == before


async def test_edits_left_for_another_route_can_be_brought_back(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        held.editor.max_tokens.setText("77")
        held.page.table.choose("two")
        assert held.editor.name.text() == "two"
        [notice] = held.scene.notices.current()
        assert (notice.text, notice.action_label) == ("Edits to one were not saved.", "Bring back")
        held.scene.notices.act(notice.id)
        assert held.editor.route() == Route(
            name="one", model=SONNET, parameters=held.editor.route().parameters
        )
        assert held.editor.max_tokens.text() == "77"
        await held.save()
        assert held.scene.desk.routes.routes()[0].parameters.max_tokens == 77


async def test_an_edit_made_outside_is_shown(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        file = held.scene.desk.paths.routes
        file.write_text(file.read_text(encoding="utf-8").replace(SONNET, "lab/x", 1), encoding="utf-8")
        held.scene.desk.reload()
        held.scene.routes.reload()
        await held.scene.rest()
        assert held.editor.model.text() == "lab/x"
        assert not held.editor.edited


async def test_a_saved_route_opens_in_a_lane(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        held.editor.use.click()
        assert held.opened == ["one"]


async def test_a_narrow_page_keeps_the_names_and_the_whole_form(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        held.page.resize(644, 432)
        assert columns_of(held.page.table) == ["Route"]
        for button in (held.editor.save, held.editor.explain, held.editor.use, held.editor.delete):
            assert button.width() >= button.sizeHint().width()


ALL = Route(
    name="all",
    model="lab/gpt-4.1-mini",
    fallback_models=("lab/fail-402", LUNA),
    timeouts=Timeouts(first_token_s=20, total_s=120),
    fallback_on_policy=True,
    on_cut="continue",
    cache=CachePolicy(on=True, ttl_s=7200, replay="as_recorded"),
    gateway=GatewayPolicy(cache_ttl_s=600, cache_key="mine", skip_cache=True, send_price=True),
)


async def test_everything_a_route_says_stands_in_the_form_and_goes_back_as_it_was(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO, ALL) as held:
        terms = held.editor.terms
        assert terms.fold.isHidden(), "the first route says nothing of it"
        held.page.table.choose("all")
        assert not terms.fold.isHidden()
        assert held.editor.route() == ALL
        assert not held.editor.edited
        terms.waits["idle_s"].setText("1,5 min")
        terms.cache_ttl.setText("")
        await held.save()
        [*_, saved] = held.scene.desk.routes.routes()
        assert (saved.timeouts.idle_s, saved.cache.ttl_s) == (90, CachePolicy().ttl_s)
        assert "idle_s = 90" in held.scene.desk.paths.routes.read_text(encoding="utf-8")


async def test_a_time_that_is_none_is_said_and_not_saved(tmp_path: Path) -> None:
    async with page_in(tmp_path, ALL) as held:
        held.editor.terms.waits["total_s"].setText("soon")
        assert not held.editor.save.isEnabled()
        await until(lambda: "In all is a time such as 20 s" in words_in(held.editor))
        held.editor.terms.waits["total_s"].setText("2 d")
        await until(lambda: "In all is a time such as 20 s" in words_in(held.editor))
        held.editor.terms.waits["total_s"].setText("")
        held.editor.terms.gateway_ttl.setText("59 s")
        await until(lambda: "from 1 min to 30 d" in words_in(held.editor))


@pytest.mark.parametrize("seconds", [0.25, 1, 20, 90, 120, 3600, 5400, 86_400, 172_800])
def test_times_are_read_as_they_are_written(seconds: float) -> None:
    assert seconds_of(span(seconds), "Kept for") == seconds


async def test_what_the_cache_keeps_is_told_and_can_be_forgotten(tmp_path: Path) -> None:
    async with page_in(tmp_path, ALL) as held:
        terms, desk = held.editor.terms, held.scene.desk
        assert terms.held.text() == "No answer is kept yet."
        ask = desk.cache.ask(request_of("Hi"), desk.rungs(ALL))
        assert [event async for event in ask.events()]
        held.scene.routes.reload()
        await held.scene.rest()
        assert terms.held.text().startswith("1 answer kept")
        terms.forget.click()
        await held.scene.rest()
        assert terms.held.text() == "No answer is kept yet."
        assert desk.answers.held().answers == 0


async def test_a_test_asks_each_model_once_and_tells_the_truth(tmp_path: Path) -> None:
    async with page_in(tmp_path, ALL) as held:
        held.editor.test.click()
        await until(lambda: "1 of 3 answered" in words_in(held.editor.rungs))
        await held.scene.rest()
        words = words_in(held.editor.rungs)
        assert "Hello! This is the loopback server" in words
        assert "has no credit" in words
        assert "no usable key for OpenAI" in words
        assert len(held.scene.lab.asked) == 2
        assert held.scene.desk.ledger.sums().requests == 2
        assert held.scene.desk.answers.held().answers == 0, (
            "a test says nothing from a cache, and keeps nothing"
        )


async def test_routes_are_exported_without_a_key_and_imported_again(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO, ALL) as held:
        sheet = RouteFiles(held.page, themed(), held.scene.routes)
        sheet.open()
        for format in FORMATS:
            sheet.format.choose(format)
            await held.scene.rest()
            assert sheet.text.toPlainText()
            assert LAB_KEY not in sheet.text.toPlainText()
        sheet.format.choose("litellm")
        await until(lambda: "os.environ/LAB_API_KEY" in sheet.text.toPlainText())
        await until(lambda: "Not carried over" in words_in(sheet))
        sheet.format.choose("toml")
        await held.scene.rest()
        sheet.write_to(str(tmp_path / "out.toml"))
        await held.scene.rest()
        held.scene.desk.routes.remove("all")
        sheet.bring_in(str(tmp_path / "out.toml"))
        await held.scene.rest()
        assert ALL in held.scene.desk.routes.routes()
        assert "3 routes imported." in [notice.text for notice in held.scene.notices.current()]


async def test_a_file_without_routes_says_so(tmp_path: Path) -> None:
    async with page_in(tmp_path, *TWO) as held:
        (tmp_path / "no.ts").write_text("nothing", encoding="utf-8")
        held.scene.routes.bring_in(tmp_path / "no.ts")
        held.scene.routes.bring_in(tmp_path / "nowhere.ts")
        await held.scene.rest()
        told = [notice.text for notice in held.scene.notices.current()]
        assert any("AGENT_CONFIG" in text for text in told)
        assert any("cannot be read" in text for text in told)


@pytest.mark.parametrize("width", [640, 900, 1280])
async def test_a_notice_leaves_the_buttons_under_the_route_free(tmp_path: Path, width: int) -> None:
    async with page_in(tmp_path, *TWO) as held:
        host = QWidget()
        row = QHBoxLayout(host)
        row.setContentsMargins(0, 0, 0, 0)
        stack = QStackedWidget()
        row.addWidget(stack)
        stack.addWidget(held.page)
        shown(host, width, 600)
        notices = Notices()
        Toasts(stack, notices, themed())
        notices.add("Edits to the route one were not saved.")
        held.page.table.selectRow(0)
        QApplication.processEvents()
        assert held.editor.save.isVisible()
        toast = host.findChild(Toast)
        under = QRect(
            held.editor.save.mapTo(host, QPoint(0, 0)), held.editor.delete.mapTo(host, QPoint(80, 28))
        )
        assert not toast.geometry().intersects(under)
        assert toast.geometry().bottom() < under.top()
        host.close()
