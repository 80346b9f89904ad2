"""The settings page writes at once, and says what is set up and where from."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from tests.sitting import played_in, until
from tests.ui.scene import Scene, scene_in
from vibedesk.engine.types import Secret
from vibedesk.ui.settings import SettingsPage

TOKEN = "cfut_" + "t" * 48


def open_page(scene: Scene) -> SettingsPage:
    return scene.show(lambda: SettingsPage(scene.settings, scene.vault, scene.theme))


@played_in(scene_in)
async def test_the_theme_is_written_when_it_is_chosen(scene: Scene) -> None:
    page = open_page(scene)
    page.theme.choose("dark")
    page.theme.activated.emit(page.theme.currentIndex())
    assert scene.desk.settings.get("appearance.theme") == "dark"
    assert 'theme = "dark"' in scene.desk.paths.settings.read_text(encoding="utf-8")


@played_in(scene_in)
async def test_enter_sends_is_a_tick(scene: Scene) -> None:
    page = open_page(scene)
    assert page.enter.isChecked()
    page.enter.click()
    assert scene.desk.settings.get("composer.enter_sends") is False


@played_in(scene_in)
async def test_a_gateway_is_set_up_when_account_name_and_token_are_there(scene: Scene) -> None:
    page = open_page(scene)
    assert page.gateway_chip.text() == "not set up"
    for field, text in ((page.account, "0123abcd"), (page.gateway_name, "main")):
        field.setFocus()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)
    assert page.gateway_chip.text() == "missing: token"
    page.token.setText(TOKEN)
    saved: list[object] = []
    scene.vault.saved.connect(saved.append)
    scene.vault.add([("groq", Secret("gsk_" + "q" * 52), "another")])
    await until(lambda: saved)
    assert page.token.text() == TOKEN, "another key was kept meanwhile"
    page.keep_token.click()
    await until(lambda: page.gateway_chip.text() == "set up · main")
    await until(lambda: page.token.text() == "")
    assert page.token_place.text().endswith("from the vault")
    assert TOKEN not in page.token_place.text()


@played_in(scene_in)
async def test_folders_are_added_and_removed(scene: Scene, tmp_path: Path) -> None:
    page = open_page(scene)
    scene.settings.add_folder(str(tmp_path))
    assert scene.desk.settings.get("keys.folders") == [str(tmp_path)]
    scene.settings.remove_folder(str(tmp_path))
    assert scene.desk.settings.get("keys.folders") == []
    assert page.folders.isVisible()


@played_in(scene_in)
async def test_where_things_are_kept_is_shown(scene: Scene) -> None:
    shown = " ".join(place.path for place in scene.settings.places())
    assert str(scene.desk.paths.data) in shown
    assert str(scene.desk.paths.logs) in shown


@played_in(scene_in)
async def test_an_edit_outside_reaches_the_page(scene: Scene) -> None:
    page = open_page(scene)
    scene.desk.paths.settings.write_text("[composer]\nenter_sends = false\n", encoding="utf-8")
    scene.desk.settings.reload()
    scene.settings.reread()
    assert not page.enter.isChecked()


@played_in(scene_in)
async def test_every_button_that_opens_a_folder_says_which(scene: Scene) -> None:
    page = open_page(scene)
    names = [one.accessibleName() for one in page.findChildren(QPushButton) if one.text() == "Open"]
    assert names == ["Open Settings", "Open Data", "Open Cache", "Open Logs"]
