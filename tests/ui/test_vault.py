"""The keys page: rows, panel, deletion with undo, the clipboard, narrow windows."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from tests.sitting import ANTHROPIC_KEY, GROQ_KEY, PASSPHRASE, played_in, until
from tests.ui.scene import Scene, scene_in
from vibedesk.state.vault import LOCAL
from vibedesk.ui.unlock import PassphraseSheet
from vibedesk.ui.vault import KeysPage


def open_page(scene: Scene) -> KeysPage:
    return scene.show(lambda: KeysPage(scene.vault, scene.theme, scene.notices, scene.clipboard))


@played_in(scene_in)
async def test_keys_stand_in_the_order_of_their_providers_and_local_servers_last(scene: Scene) -> None:
    await scene.add("groq", GROQ_KEY, "fast")
    await scene.add("anthropic", ANTHROPIC_KEY, "work")
    open_page(scene)
    rows = [row.label for row in scene.vault.rows.rows()]
    assert rows == ["work", "CEREBRAS_API_KEY", "fast", "Local servers"]


@played_in(scene_in)
async def test_the_table_says_what_is_unknown_with_a_dash(scene: Scene) -> None:
    key_id = await scene.add("anthropic", ANTHROPIC_KEY, "work")
    page = open_page(scene)
    row = scene.vault.rows.row_of(key_id)
    model = page.table.model()
    assert [model.index(row, column).data() for column in range(6)] == [
        "work sk-ant-…xxAA",
        "vault",
        "untested",
        "never",
        "—",
        "—",
    ]


@played_in(scene_in)
async def test_checking_from_the_panel_fills_the_stages(scene: Scene) -> None:
    key_id = await scene.add("anthropic", ANTHROPIC_KEY, "work")
    page = open_page(scene)
    page.table.choose(key_id)
    page.panel.check.click()
    await until(lambda: page.panel.when.text().startswith("Last check · today"))
    assert page.panel.stages.isVisible()
    assert page.panel.origin.text() == scene.anthropic.origin
    assert scene.vault.row(key_id).chip.startswith("ready · ")  # type: ignore[union-attr]


@played_in(scene_in)
async def test_delete_and_undo(scene: Scene) -> None:
    key_id = await scene.add("groq", GROQ_KEY, "fast")
    page = open_page(scene)
    page.table.choose(key_id)
    page.panel.delete.click()
    assert scene.vault.rows.row_of(key_id) == -1
    notice = scene.notices.current()[-1]
    assert (notice.text, notice.action_label) == ("“fast” was deleted.", "Undo")
    scene.notices.act(notice.id)
    await until(lambda: scene.vault.rows.row_of(key_id) >= 0)


@played_in(scene_in)
async def test_copy_puts_the_secret_on_the_clipboard_for_a_while(scene: Scene) -> None:
    key_id = await scene.add("groq", GROQ_KEY, "fast")
    page = open_page(scene)
    page.table.choose(key_id)
    page.panel.copy.click()
    await until(lambda: QGuiApplication.clipboard().text() == GROQ_KEY)
    assert GROQ_KEY not in scene.notices.current()[-1].text
    scene.clipboard.clear()
    assert QGuiApplication.clipboard().text() == ""


@played_in(scene_in)
async def test_a_key_of_the_environment_can_be_kept_but_not_deleted(scene: Scene) -> None:
    page = open_page(scene)
    page.table.choose("env:CEREBRAS_API_KEY")
    assert page.panel.keep.isVisible()
    assert not page.panel.delete.isVisible()
    assert not page.panel.replace.isVisible()


@played_in(scene_in)
async def test_the_line_of_local_servers_looks_for_them_on_demand(scene: Scene) -> None:
    page = open_page(scene)
    page.table.choose(LOCAL)
    assert page.panel.check.text() == "Look for servers"
    assert not page.panel.copy.isVisible()


@played_in(scene_in)
async def test_renaming_by_the_keyboard(scene: Scene) -> None:
    key_id = await scene.add("groq", GROQ_KEY, "fast")
    page = open_page(scene)
    page.table.choose(key_id)
    page.panel._start_renaming()
    page.panel.name.setText("lab")
    QTest.keyClick(page.panel.name, Qt.Key.Key_Return)
    await until(lambda: scene.vault.row(key_id).label == "lab")  # type: ignore[union-attr]


@played_in(scene_in)
async def test_in_a_narrow_window_the_panel_takes_the_place_of_the_list(scene: Scene) -> None:
    await scene.add("groq", GROQ_KEY, "fast")
    page = open_page(scene)
    assert scene.window is not None
    scene.window.resize(700, 480)
    await until(lambda: not page.panel.isVisible())
    page.table.opened.emit(page.table.value())
    assert page.panel.isVisible()
    assert not page.table.isVisible()
    page.panel.back.click()
    assert page.table.isVisible()


async def test_the_vault_says_how_it_is_and_is_unlocked_from_the_top_bar(tmp_path: Path) -> None:
    async with scene_in(tmp_path, passphrase_is_given=False) as scene:
        scene.vault.door.create_file(PASSPHRASE)
        await until(lambda: scene.vault.state is not None and scene.vault.state.kind == "ready")
        page = open_page(scene)
        assert page.chip.text() == "Encrypted file"
        scene.vault.door.lock()
        await until(lambda: page.chip.text() == "Vault locked")
        assert page.banner.text.text().startswith("The encrypted file is locked.")
        page.banner.action.click()
        sheet = page.window().findChild(PassphraseSheet)
        sheet.passphrase.setText("something else")
        sheet.go.click()
        await until(lambda: sheet.problem.isVisible())
        assert sheet.isVisible()
        sheet.passphrase.setText(PASSPHRASE)
        sheet.go.click()
        await until(lambda: page.chip.text() == "Encrypted file")
        assert scene.window is not None
        assert not scene.window.has_sheet()
