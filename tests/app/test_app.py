"""The whole program in a real window: first start, a key added, two providers asked, one stopped, closed."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.providers import Anthropic, Behaviour, OpenAI
from tests.sitting import ANTHROPIC_KEY, GROQ_KEY, home_at, until
from vibedesk.app import Sitting, run
from vibedesk.desk import Desk
from vibedesk.engine.catalog import origin_of
from vibedesk.engine.types import Secret
from vibedesk.store.history import LaneSpec
from vibedesk.store.paths import Paths
from vibedesk.store.sole import Sole
from vibedesk.ui.picker import ModelPicker
from vibedesk.ui.playground import PlaygroundPage
from vibedesk.ui.vault import KeysPage
from vibedesk.ui.welcome import WelcomePage
from vibedesk.ui.window import Window
from vibedesk.ui.wizard import Wizard


def the_app() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app


def everything_in(folder: Path) -> bytes:
    """All bytes of all files, but for the passphrase's own."""
    return b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "passphrase"
    )


async def add_key(sitting: Sitting, key: str) -> None:
    """Through the wizard, as a person does it."""
    sitting.add_key()
    wizard = next(one for one in sitting.window.findChildren(Wizard) if one.isVisible())
    QTest.keyClicks(wizard.field, key)
    await until(lambda: wizard.save.text() == "Save key" and wizard.save.isEnabled())
    wizard.save.click()
    await until(lambda: wizard.save.text() == "Send a first message")
    for sheet in sitting.window.findChildren(Wizard):
        sheet.reject()
    for sheet in sitting.window.open_sheets():
        sheet.done(0)


async def test_from_the_first_start_to_two_answers_and_the_end(tmp_path: Path) -> None:
    slow = Behaviour(text="one two three four five six seven eight nine ten " * 20, tokens_per_s=20)
    async with Anthropic(key=ANTHROPIC_KEY) as anthropic, OpenAI(key=GROQ_KEY) as groq:
        environ = home_at(tmp_path, {"anthropic": anthropic.base_url, "groq": groq.base_url})
        desk = await asyncio.to_thread(lambda: Desk.open(environ, cwd=tmp_path))
        sitting = Sitting(the_app(), desk, passphrase_is_given=True)
        await sitting.begin()
        assert sitting.window.current_page() == "welcome"
        assert anthropic.seen == groq.seen == []
        await add_key(sitting, ANTHROPIC_KEY)
        await add_key(sitting, GROQ_KEY)
        groq.behaviour = slow
        playground = sitting.playground
        sitting.try_provider("anthropic")
        live = next(model for model in desk.catalog.models("groq") if model.listed_live)
        playground.add_lane(live.full_id)
        assert sitting.window.current_page() == "playground"
        asked = len(anthropic.asked), len(groq.asked)
        playground.ask("Count, please")
        await until(lambda: len(playground.lanes[1].text) > 20)
        playground.stop(1)
        await until(lambda: not playground.running)
        assert (len(anthropic.asked), len(groq.asked)) == (asked[0] + 1, asked[1] + 1)
        answers = [lane.exchanges[-1].answer for lane in playground.lanes]
        assert [answer.outcome for answer in answers if answer] == ["complete", "stopped"]
        sitting.window.close()
        await sitting.end()
        assert sitting.tasks.names() == ()
    home = everything_in(tmp_path)
    for key in (ANTHROPIC_KEY, GROQ_KEY):
        assert key.encode() not in home
        assert key.encode("utf-16-le") not in home


async def test_closing_the_window_ends_the_program(tmp_path: Path) -> None:
    ended = asyncio.create_task(run(the_app(), home_at(tmp_path), tmp_path))
    await until(
        lambda: any(
            isinstance(window, Window) and window.isVisible() for window in the_app().topLevelWidgets()
        )
    )
    window = next(one for one in the_app().topLevelWidgets() if isinstance(one, Window) and one.isVisible())
    window.close()
    assert await asyncio.wait_for(ended, 10) == 0


async def test_the_demo_answers_without_a_key_or_network(tmp_path: Path) -> None:
    desk = await asyncio.to_thread(lambda: Desk.open(home_at(tmp_path), cwd=tmp_path))
    sitting = Sitting(the_app(), desk, passphrase_is_given=True)
    await sitting.begin()
    page = sitting.window.findChild(WelcomePage)
    page.demo.click()
    assert sitting.window.current_page() == "playground"
    assert not sitting.network_is_watched
    sitting.playground.ask("Who are you?")
    lane = sitting.playground.lanes[0]
    await until(lambda: lane.exchanges and lane.exchanges[-1].answer and not lane.running, 20)
    answer = sitting.playground.lanes[0].exchanges[-1].answer
    assert answer is not None
    assert "simulation" in answer.text
    await until(lambda: sitting.network_is_watched)
    sitting.window.close()
    await sitting.end()


async def test_a_file_edited_outside_reaches_the_window(tmp_path: Path) -> None:
    desk = await asyncio.to_thread(lambda: Desk.open(home_at(tmp_path), cwd=tmp_path))
    sitting = Sitting(the_app(), desk, passphrase_is_given=True)
    await sitting.begin()
    desk.paths.settings.write_text('[appearance]\ntheme = "dark"\n', encoding="utf-8")
    await until(lambda: sitting.theme.name == "dark")
    desk.paths.settings.write_text('[appearance]\ntheme = "sepia"\n', encoding="utf-8")
    await until(lambda: any("appearance.theme" in notice.text for notice in sitting.notices.current()))
    assert sitting.theme.name == "dark"
    sitting.window.close()
    await sitting.end()


async def test_the_shortcuts_open_what_they_say(tmp_path: Path) -> None:
    desk = await asyncio.to_thread(lambda: Desk.open(home_at(tmp_path), cwd=tmp_path))
    sitting = Sitting(the_app(), desk, passphrase_is_given=True)
    await sitting.begin()
    window = sitting.window
    window.activateWindow()
    await until(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    await until(lambda: window.current_page() == "settings")
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    await until(window.has_sheet)
    window.close()
    await sitting.end()


def picker_of(sitting: Sitting) -> ModelPicker:
    return next(one for one in sitting.window.findChildren(ModelPicker) if one.isVisible())


async def test_a_lane_is_added_once_its_model_is_picked(tmp_path: Path) -> None:
    desk = await asyncio.to_thread(lambda: Desk.open(home_at(tmp_path), cwd=tmp_path))
    sitting = Sitting(the_app(), desk, passphrase_is_given=True)
    await sitting.begin()
    sitting.try_provider("demo")
    page = sitting.window.page("playground")
    assert isinstance(page, PlaygroundPage)
    page.add_button.click()
    QTest.keyClick(picker_of(sitting).search, Qt.Key.Key_Escape)
    assert len(sitting.playground.lanes) == 1
    page.add_button.click()
    QTest.keyClicks(picker_of(sitting).search, "demo quick")
    QTest.keyClick(picker_of(sitting).search, Qt.Key.Key_Return)
    assert [lane.spec.model for lane in sitting.playground.lanes][1:] == ["demo/quick"]
    assert page.current == 1
    sitting.window.close()
    await sitting.end()


async def test_what_a_provider_said_of_a_key_is_what_the_keys_page_says(tmp_path: Path) -> None:
    async with Anthropic(key=ANTHROPIC_KEY) as anthropic, OpenAI(key=GROQ_KEY) as groq:
        environ = home_at(tmp_path, {"anthropic": anthropic.base_url, "groq": groq.base_url})
        desk = await asyncio.to_thread(lambda: Desk.open(environ, cwd=tmp_path))
        sitting = Sitting(the_app(), desk, passphrase_is_given=True)
        await sitting.begin()
        await add_key(sitting, ANTHROPIC_KEY)
        await add_key(sitting, GROQ_KEY)
        groq.key = "gsk_" + "n" * 52  # revoked there since
        sitting.playground.set_model(0, "groq/openai/gpt-oss-120b")
        sitting.playground.ask("Hi")
        lane = sitting.playground.lanes[0]
        await until(lambda: lane.phase == "failed" and not sitting.tasks.names())
        sitting.help_lane("open_keys", 0)
        page = sitting.window.page("keys")
        assert isinstance(page, KeysPage)
        await until(lambda: page.panel.row is not None and page.panel.row.chip == "refused")
        assert page.panel.row is not None
        assert page.panel.row.provider is not None
        assert page.panel.row.provider.id == "groq"
        assert page.panel.when.text().startswith("Last heard · today")
        sitting.window.close()
        await sitting.end()


async def test_a_second_start_brings_the_first_window_to_the_front(tmp_path: Path) -> None:
    environ = home_at(tmp_path)
    place = Sole(Paths.find(environ))
    assert place.take()
    desk = await asyncio.to_thread(lambda: Desk.open(environ, cwd=tmp_path))
    sitting = Sitting(the_app(), desk, passphrase_is_given=True)
    await sitting.begin()
    sitting.window.showMinimized()
    await until(sitting.window.isMinimized)
    second = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vibedesk", env={**os.environ, **environ}, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await second.communicate()
    assert (second.returncode, told.decode().startswith("VibeDesk is open already")) == (0, True)
    await until(lambda: not sitting.window.isMinimized())
    place.leave()
    sitting.window.close()
    await sitting.end()


async def test_what_a_damaged_database_still_holds_is_brought_back_when_it_is_wanted(tmp_path: Path) -> None:
    environ = home_at(tmp_path)
    desk = await asyncio.to_thread(lambda: Desk.open(environ, cwd=tmp_path))
    origin = origin_of(desk.catalog.provider("groq").base_url)
    key = await asyncio.to_thread(desk.vault.add, "groq", Secret(GROQ_KEY), label="fast", origin=origin)
    for number in range(50):
        id = desk.history.create([LaneSpec(id="a", model="groq/x")], title=f"Talk {number}")
        desk.history.add_turn(id, "words " * 2000, [], ["a"])
    await desk.close()
    content = bytearray(desk.paths.database.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = os.urandom(8192)
    desk.paths.database.write_bytes(content)

    desk = await asyncio.to_thread(lambda: Desk.open(environ, cwd=tmp_path))
    sitting = Sitting(the_app(), desk, passphrase_is_given=True)
    await sitting.begin()
    [notice] = sitting.notices.current()
    assert notice.text.startswith("The database was damaged.")
    sitting.notices.act(notice.id)
    await until(lambda: sitting.notices.current() and not sitting.tasks.names())
    [told] = sitting.notices.current()
    assert re.fullmatch(r"Brought back \d+ conversations and 1 key\.", told.text)
    assert sitting.window.current_page() == "playground"
    assert len(sitting.history.rows.rows()) == int(told.text.split()[2]) > 10
    assert [one.id for one in sitting.vault.all_keys()] == [key.id]
    assert (await desk.secret_of(sitting.vault.all_keys()[0])).reveal() == GROQ_KEY
    sitting.window.close()
    await sitting.end()
