"""The keys page: rows, panel, deletion with undo, the clipboard, narrow windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from tests.providers import Behaviour
from tests.sitting import ANTHROPIC_KEY, GROQ_KEY, PASSPHRASE, played_in, until
from tests.ui.looking import Key, press, stops_of
from tests.ui.scene import Scene, scene_in
from vibedesk.state import deletions
from vibedesk.state.vault import LOCAL
from vibedesk.ui.unlock import PassphraseSheet
from vibedesk.ui.vault import KeysPage
from vibedesk.ui.wizard import Wizard


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
        window = scene.window
        assert window is not None
        await until(lambda: not window.has_sheet())


async def three_of_groq(scene: Scene) -> list[str]:
    return [await scene.add("groq", "gsk_" + letter * 52, letter) for letter in "abc"]


def order_of(scene: Scene) -> list[str]:
    return [row.label for row in scene.vault.rows.rows() if row.provider and row.provider.id == "groq"]


@played_in(scene_in)
async def test_the_order_of_a_provider_s_keys_is_changed_by_the_keyboard(scene: Scene) -> None:
    other = await scene.add("anthropic", ANTHROPIC_KEY, "work")
    ids = await three_of_groq(scene)
    page = open_page(scene)
    page.table.choose(ids[2])
    QTest.keyClick(page.table, Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    await until(lambda: order_of(scene) == ["a", "c", "b"])
    assert page.table.value().id == ids[2]
    QTest.keyClick(page.table, Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    await until(lambda: order_of(scene) == ["c", "a", "b"])
    scene.vault.move_by(ids[2], -1)
    scene.vault.move_by(ids[1], 1)
    scene.vault.move_by(other, 1)
    await until(lambda: not scene.tasks.names())
    assert order_of(scene) == ["c", "a", "b"]
    assert [key.label for key in scene.desk.keys.usable(scene.vault.provider("groq"))] == ["c", "a", "b"]  # type: ignore[arg-type]


@played_in(scene_in)
async def test_the_order_is_changed_by_dragging_within_the_provider(scene: Scene) -> None:
    await scene.add("anthropic", ANTHROPIC_KEY, "work")
    ids = await three_of_groq(scene)
    page = open_page(scene)
    table = page.table

    def middle(key_id: str) -> QPoint:
        return table.visualRect(table.model().index(scene.vault.rows.row_of(key_id), 0)).center()

    def drag(key_id: str, to: QPoint) -> None:
        view = table.viewport()
        QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=middle(key_id))
        for step in (QPoint(0, 12), QPoint(0, 0)):
            move = QMouseEvent(
                QMouseEvent.Type.MouseMove,
                QPointF(to + step),
                view.mapToGlobal(QPointF(to + step)),
                Qt.MouseButton.NoButton,
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.NoModifier,
            )
            QCoreApplication.sendEvent(view, move)
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=to)

    drag(ids[0], middle(ids[2]) + QPoint(0, 15))
    await until(lambda: order_of(scene) == ["b", "c", "a"])
    drag(ids[0], QPoint(middle(ids[0]).x(), 0))
    await until(lambda: order_of(scene) == ["a", "b", "c"])


@played_in(scene_in)
async def test_all_keys_are_checked_at_once_with_how_far_it_is_and_can_be_stopped(scene: Scene) -> None:
    ids = [await scene.add("groq", GROQ_KEY, "good"), *await three_of_groq(scene)]
    page = open_page(scene)
    scene.vault.set_enabled(ids[3], False)
    await until(lambda: scene.vault.row(ids[3]).chip == "switched off")  # type: ignore[union-attr]
    scene.groq.behaviour = Behaviour(stall_before_headers=True, on="all")
    page.check_button.click()
    assert page.check_button.text().startswith("Stop · 0 of 4")
    assert scene.vault.row(ids[0]).chip == "checking…"  # type: ignore[union-attr]
    page.check_button.click()
    assert page.check_button.text() == "Check all"
    assert not scene.vault.checks.is_running(ids[0])
    scene.groq.behaviour = Behaviour()
    page.check_button.click()
    await until(lambda: page.check_button.text() == "Check all", 30)
    assert scene.vault.row(ids[0]).chip.startswith("ready · ")  # type: ignore[union-attr]
    assert scene.vault.row(ids[1]).chip == "refused"  # type: ignore[union-attr]
    assert scene.vault.row(ids[3]).chip == "switched off"  # type: ignore[union-attr]
    assert "4 keys checked: 1 ready, 3 not." in [notice.text for notice in scene.notices.current()]
    assert scene.groq.asked == []


@played_in(scene_in)
async def test_an_old_result_is_shown_as_old_and_a_bad_one_with_its_fix(scene: Scene) -> None:
    key_id = await scene.add("groq", GROQ_KEY, "fast")
    now = datetime.now(UTC)
    scene.desk.keys.note_check(key_id, "ready", now - timedelta(days=3), {"tier": "paid"})
    page = open_page(scene)
    page.table.choose(key_id)
    await until(lambda: scene.vault.row(key_id).chip.endswith("· 3 d ago"))  # type: ignore[union-attr]
    assert scene.vault.row(key_id).role == "neutral"  # type: ignore[union-attr]
    facts = [label.text() for line in page.panel.passport._lines for label in line if label.isVisible()]
    assert facts[:2] == ["Tier", "paid"]
    assert "Added" in facts
    scene.desk.keys.note_check(key_id, "no_credit", now)
    scene.vault.load()
    await until(lambda: page.panel.outcome.isVisible())
    assert "no credit" in page.panel.outcome.message.text()
    assert page.panel.outcome.button.text() == "Open console.groq.com/keys"


@played_in(scene_in)
async def test_a_deletion_the_vault_refuses_gives_the_key_back_in_use(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "UNDO_S", 0.05)
    key_id = await scene.add("groq", GROQ_KEY, "fast")
    vault_file = scene.desk.paths.vault
    whole = vault_file.read_bytes()
    vault_file.write_bytes(b"damaged")
    refused: list[str] = []
    scene.vault.refused.connect(refused.append)
    scene.vault.delete(key_id)
    await until(lambda: refused)
    row = scene.vault.row(key_id)
    assert row is not None
    assert row.key is not None
    assert row.key.enabled
    vault_file.write_bytes(whole)
    assert scene.desk.vault.secret(row.key).reveal() == GROQ_KEY


@played_in(scene_in)
async def test_a_damaged_file_is_told_in_the_banner_and_no_new_one_is_offered(scene: Scene) -> None:
    await scene.add("groq", GROQ_KEY, "fast")
    page = open_page(scene)
    await until(lambda: scene.vault.door.is_ready)
    assert not page.banner.isVisible()
    scene.desk.paths.vault.write_bytes(b"damaged")
    scene.vault.load()
    await until(lambda: page.banner.isVisible())
    assert "was left alone" in page.banner.text.text()
    assert not page.banner.file.isVisible()
    assert page.chip.text() == "Vault unavailable"


@played_in(scene_in)
async def test_what_is_pasted_over_the_page_opens_the_wizard_with_it(scene: Scene) -> None:
    page = open_page(scene)
    QGuiApplication.clipboard().setText(f"GROQ_API_KEY={GROQ_KEY}")
    press(page, Key.Key_V, control=True)
    wizard = page.window().findChild(Wizard)
    await until(lambda: wizard.step.phase == "good")
    QGuiApplication.clipboard().clear()


@played_in(scene_in)
async def test_the_page_and_its_sheet_are_named_in_the_accessibility_tree(scene: Scene) -> None:
    """Everything a person can press or type into has a name there."""
    await scene.add("groq", GROQ_KEY, "fast")
    page = open_page(scene)
    page.add_key()
    wizard = page.window().findChild(Wizard)
    wizard.field.setText(GROQ_KEY)
    await until(lambda: wizard.step.phase == "good")
    nameless = [
        type(widget).__name__
        for widget in page.window().findChildren(QWidget)
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not _name(widget)
    ]
    assert nameless == []
    field = QAccessible.queryAccessibleInterface(wizard.field)
    assert GROQ_KEY not in field.text(QAccessible.Text.Value)
    press_by_tree(wizard.save)
    await until(lambda: wizard.step.phase == "saved")


def _name(widget: QWidget) -> str:
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def press_by_tree(button: QWidget) -> None:
    """As a screen reader presses it."""
    actions = QAccessible.queryAccessibleInterface(button).actionInterface()
    actions.doAction("Press")


@pytest.mark.parametrize("width", [640, 900, 1000, 1280])
@played_in(scene_in)
async def test_the_name_of_a_key_is_not_shortened_beside_the_panel(scene: Scene, width: int) -> None:
    await scene.add("anthropic", ANTHROPIC_KEY, "personal")
    page = open_page(scene)
    assert scene.window is not None
    scene.window.resize(width, 600)
    QCoreApplication.processEvents()
    assert page.panel.isVisible() == (width >= 900)
    assert page.table.columnWidth(0) >= page.table.sizeHintForColumn(0)
    await until(lambda: not scene.tasks.names())


@played_in(scene_in)
async def test_tab_comes_to_the_bar_as_well(scene: Scene) -> None:
    await scene.add("anthropic", ANTHROPIC_KEY, "work")
    page = open_page(scene)
    assert scene.window is not None
    scene.window.activateWindow()
    await until(scene.window.isActiveWindow)
    forward = stops_of(page.table, Key.Key_Tab)
    assert {page.import_button, page.health_button, page.check_button, page.add_button} <= set(forward)
    assert set(stops_of(page.table, Key.Key_Backtab)) == set(forward)
    await until(lambda: not scene.tasks.names())
