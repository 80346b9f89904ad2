"""The key wizard, driven as a person drives it, against providers on loopback."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QLineEdit

from tests.providers import Behaviour
from tests.sitting import ANTHROPIC_KEY, GROQ_KEY, OPENAI_KEY, PASSPHRASE, played_in, until
from tests.ui.looking import Key, press
from tests.ui.scene import Scene, scene_in
from vibedesk.ui.key_import import ImportSheet
from vibedesk.ui.settings import SettingsPage
from vibedesk.ui.unlock import PassphraseSheet
from vibedesk.ui.vault import KeysPage
from vibedesk.ui.welcome import WelcomePage
from vibedesk.ui.wizard import Wizard


def open_wizard(scene: Scene) -> Wizard:
    page = scene.show(lambda: KeysPage(scene.vault, scene.theme, scene.notices, scene.clipboard))
    page.add_key()
    wizard = page.window().findChild(Wizard)
    assert wizard.isVisible()
    return wizard


def kept(scene: Scene) -> list[str]:
    return [key.label for key in scene.vault.all_keys() if key.source == "vault"]


@played_in(scene_in)
async def test_from_paste_to_saved_with_the_check_between(scene: Scene) -> None:
    wizard = open_wizard(scene)
    wizard.field.setText(f"  export ANTHROPIC_API_KEY='{ANTHROPIC_KEY}'  ")
    await until(lambda: wizard.save.text() == "Save key" and wizard.save.isEnabled())
    assert wizard.line.name.text() == "Anthropic"
    assert wizard.label.text() == "ANTHROPIC_API_KEY"
    assert kept(scene) == []
    wizard.label.setText("work")
    wizard.save.click()
    await until(lambda: wizard.heading.text() == "Key saved")
    assert kept(scene) == ["work"]
    assert "models unlocked" in wizard.done_text.text()
    assert "Encrypted file and read back" in wizard.done_text.text()
    assert wizard.field.text() == ""
    asked: list[str] = []
    wizard.first_message.connect(asked.append)
    assert wizard.save.text() == "Send a first message"
    wizard.save.click()
    assert asked == ["anthropic"]
    assert not wizard.isVisible()


@played_in(scene_in)
async def test_a_failed_check_keeps_what_was_typed_and_says_what_to_do(scene: Scene) -> None:
    wizard = open_wizard(scene)
    wrong = "gsk_" + "w" * 52
    wizard.field.setText(wrong)
    await until(lambda: wizard.save.text() == "Check again")
    assert wizard.field.text() == wrong
    assert wizard.outcome.message.isVisible()
    assert wizard.outcome.fix.text()
    assert kept(scene) == []
    wizard.field.setText(GROQ_KEY)
    await until(lambda: wizard.save.text() == "Save key" and wizard.save.isEnabled())
    assert not wizard.outcome.isVisible()


@played_in(scene_in)
async def test_a_guess_is_not_checked_before_it_is_confirmed(scene: Scene) -> None:
    """Else a key of one provider would be shown to another's server."""
    wizard = open_wizard(scene)
    wizard.field.setText("sk-" + "a1B2" * 12)
    await until(lambda: wizard.save.text() == "Check")
    assert scene.vault.checks.run_of("") is None
    assert scene.groq.seen == scene.anthropic.seen == []


@played_in(scene_in)
async def test_the_check_can_be_skipped(scene: Scene) -> None:
    wizard = open_wizard(scene)
    wizard.field.setText("gsk_" + "w" * 52)
    await until(lambda: wizard.skip.isVisible())
    wizard.skip.click()
    assert (wizard.save.text(), wizard.save.isEnabled()) == ("Save key", True)
    wizard.save.click()
    await until(lambda: kept(scene))
    assert scene.vault.all_keys()[0].state == "untested"


@played_in(scene_in)
async def test_a_fragment_with_several_keys_is_a_list_to_choose_from(scene: Scene) -> None:
    wizard = open_wizard(scene)
    wizard.field.setText(
        f"OPENAI_API_KEY={OPENAI_KEY}\nGROQ_API_KEY={GROQ_KEY}\nexport DB_PASSWORD=hunter2hunter2"
    )
    await until(lambda: wizard.save.text() == "Save 2 keys")
    assert scene.groq.seen == []
    wizard.keys._checks["0"].setChecked(False)
    assert wizard.save.text() == "Save 1 key"
    wizard.save.click()
    await until(lambda: kept(scene))
    assert kept(scene) == ["GROQ_API_KEY"]


@played_in(scene_in)
async def test_what_is_no_key_is_told_why(scene: Scene) -> None:
    wizard = open_wizard(scene)
    wizard.field.setText("https://console.groq.com/keys")
    await until(lambda: wizard.outcome.isVisible())
    assert "web address" in wizard.outcome.message.text()
    assert not wizard.save.isEnabled()


@played_in(scene_in)
async def test_leaving_forgets_the_key(scene: Scene) -> None:
    wizard = open_wizard(scene)
    wizard.field.setText(GROQ_KEY)
    await until(lambda: scene.vault.checks.run_of("") is not None)
    wizard.reject()
    assert wizard.field.text() == ""
    assert scene.vault.checks.run_of("") is None
    assert kept(scene) == []


@played_in(scene_in)
async def test_the_key_is_dots_until_somebody_asks(scene: Scene) -> None:
    wizard = open_wizard(scene)
    assert wizard.field.echoMode() == QLineEdit.EchoMode.Password


@played_in(scene_in)
async def test_a_new_secret_for_a_kept_key(scene: Scene) -> None:
    key_id = await scene.add("groq", "gsk_" + "o" * 52, "fast")
    page = scene.show(lambda: KeysPage(scene.vault, scene.theme, scene.notices, scene.clipboard))
    page.table.choose(key_id)
    page.panel.replace.click()
    wizard = page.window().findChild(Wizard)
    wizard.field.setText(GROQ_KEY)
    await until(lambda: wizard.save.text() == "Replace" and wizard.save.isEnabled())
    wizard.save.click()
    await until(lambda: scene.vault.row(key_id).hint == "gsk_…qqqq")  # type: ignore[union-attr]


@played_in(scene_in)
async def test_keys_of_the_environment_are_imported_masked(scene: Scene) -> None:
    page = scene.show(lambda: KeysPage(scene.vault, scene.theme, scene.notices, scene.clipboard))
    page.import_keys()
    sheet = page.window().findChild(ImportSheet)
    assert sheet.go.text() == "Import 1 key"
    sheet.go.click()
    await until(lambda: kept(scene) == ["CEREBRAS_API_KEY"])
    await until(lambda: sheet.heading.text() == "1 key imported")
    sheet.go.click()
    assert not scene.window.has_sheet()  # type: ignore[union-attr]


async def test_without_a_keychain_the_file_is_offered_and_the_key_kept_after_it_is_made(
    tmp_path: Path,
) -> None:
    async with scene_in(tmp_path, passphrase_is_given=False) as scene:
        codes: list[str] = []
        scene.vault.created.connect(codes.append)
        wizard = open_wizard(scene)
        wizard.field.setText(GROQ_KEY)
        await until(lambda: wizard.save.text() == "Save key" and wizard.save.isEnabled())
        assert wizard.kept_in.text() == "Encrypted file, new"
        wizard.save.click()
        sheet = wizard.window().findChild(PassphraseSheet)
        sheet.passphrase.setText(PASSPHRASE)
        assert not sheet.go.isEnabled()
        sheet.again.setText(PASSPHRASE)
        sheet.go.click()
        await until(lambda: kept(scene) == ["Groq"])
        assert len(codes) == 1


@played_in(scene_in)
async def test_the_fix_of_a_refused_key_is_one_button_that_shows_where_it_leads(scene: Scene) -> None:
    wizard = open_wizard(scene)
    wizard.field.setText("gsk_" + "w" * 52)
    await until(lambda: wizard.step.phase == "failed")
    assert wizard.outcome.button.text() == "Open console.groq.com/keys"
    assert wizard.skip.text() == "Save anyway"
    wizard.skip.click()
    assert not wizard.outcome.isVisible()
    assert (wizard.save.text(), wizard.save.isEnabled()) == ("Save key", True)


@played_in(scene_in)
async def test_another_provider_s_key_is_pointed_out_and_used_for_that_one_on_a_press(scene: Scene) -> None:
    page = scene.show(lambda: KeysPage(scene.vault, scene.theme, scene.notices, scene.clipboard))
    page.add_key(scene.vault.provider("anthropic"))
    wizard = page.window().findChild(Wizard)
    assert wizard.steps.isVisible()
    assert wizard.link.text() == "Open platform.claude.com/settings/keys"
    wizard.field.setText(GROQ_KEY)
    await until(lambda: wizard.outcome.isVisible())
    assert wizard.outcome.message.text() == "This has the shape of a key of Groq, not of Anthropic."
    assert wizard.save.text() == "Check anyway"
    assert scene.anthropic.seen == []
    wizard.outcome.button.click()
    await until(lambda: wizard.step.phase == "good")
    assert wizard.line.name.text() == "Groq"
    assert scene.anthropic.seen == []


@played_in(scene_in)
async def test_a_check_under_way_stops_at_once(scene: Scene) -> None:
    scene.groq.behaviour = Behaviour(stall_before_headers=True, on="all")
    wizard = open_wizard(scene)
    wizard.field.setText(GROQ_KEY)
    await until(lambda: scene.groq.seen)
    assert wizard.stages.isVisible()
    assert not wizard.save.isEnabled()
    wizard.stop.click()
    assert not wizard.stages.isVisible()
    assert (wizard.save.text(), wizard.save.isEnabled()) == ("Check", True)
    assert wizard.field.text() == GROQ_KEY


@played_in(scene_in)
async def test_one_real_answer_is_asked_for_on_a_press_and_its_cost_stands_before_it(scene: Scene) -> None:
    wizard = open_wizard(scene)
    wizard.field.setText(ANTHROPIC_KEY)
    await until(lambda: wizard.step.phase == "good")
    assert wizard.ask.isVisible()
    assert wizard.ask_text.text().endswith("It costs nothing.")  # of a server on this machine; else a sum
    assert scene.anthropic.asked == []
    wizard.ask_button.click()
    await until(lambda: wizard.step.phase == "good")
    assert len(scene.anthropic.asked) == 1
    assert not wizard.ask.isVisible()


@played_in(scene_in)
async def test_a_fragment_pasted_with_its_line_breaks_is_read_line_by_line(scene: Scene) -> None:
    """From the clipboard into the one-line field, which keeps line breaks in its own way."""
    wizard = open_wizard(scene)
    QGuiApplication.clipboard().setText(
        f"# mine\r\nGROQ_API_KEY={GROQ_KEY}\r\nOPENAI_API_KEY='{OPENAI_KEY}'\r\n"
    )
    press(wizard.field, Key.Key_V, control=True)
    await until(lambda: wizard.save.text() == "Save 2 keys")
    QGuiApplication.clipboard().clear()


@played_in(scene_in)
async def test_a_replacement_that_fails_is_said_in_the_sheet(scene: Scene) -> None:
    key_id = await scene.add("groq", "gsk_" + "o" * 52, "fast")
    page = scene.show(lambda: KeysPage(scene.vault, scene.theme, scene.notices, scene.clipboard))
    page.table.choose(key_id)
    page.panel.replace.click()
    wizard = page.window().findChild(Wizard)
    wizard.field.setText(GROQ_KEY)
    await until(lambda: wizard.step.phase == "good")
    vault_file = scene.desk.paths.vault
    whole = vault_file.read_bytes()
    vault_file.write_bytes(b"damaged")
    wizard.save.click()
    await until(lambda: wizard.outcome.isVisible())
    assert "was left alone" in wizard.outcome.message.text()
    assert wizard.outcome.fix.text() == "Nothing was changed, and what you pasted is still here."
    assert wizard.isVisible()
    assert wizard.field.text() == GROQ_KEY
    vault_file.write_bytes(whole)
    wizard.save.click()
    await until(lambda: wizard.heading.text() == "Key replaced")


@played_in(scene_in)
async def test_keys_of_llm_are_offered_too_and_what_stays_readable_is_named(
    scene: Scene, tmp_path: Path
) -> None:
    folder = tmp_path / "llm"
    folder.mkdir()
    (folder / "keys.json").write_text(f'{{"groq": "{GROQ_KEY}", "// Note": "x"}}', encoding="utf-8")
    scene.desk.environ["LLM_USER_PATH"] = str(folder)  # type: ignore[index]
    page = scene.show(lambda: KeysPage(scene.vault, scene.theme, scene.notices, scene.clipboard))
    page.import_keys()
    sheet = page.window().findChild(ImportSheet)
    await until(lambda: sheet.go.text() == "Import 2 keys")
    texts = [label.text() for label in sheet.findChildren(QLabel)]
    assert "gsk_…qqqq" in texts
    assert not [text for text in texts if GROQ_KEY in text]
    assert f"{folder / 'keys.json'} (1 key)" in sheet.clear.text()
    sheet.go.click()
    await until(lambda: sheet.heading.text() == "2 keys imported")
    assert sorted(kept(scene)) == ["CEREBRAS_API_KEY", "groq"]
    assert sheet.clear.text().startswith("These files still hold keys in the clear")
    assert (folder / "keys.json").read_text(encoding="utf-8").count(GROQ_KEY) == 1


async def test_the_passphrase_is_changed_from_a_sheet(tmp_path: Path) -> None:
    async with scene_in(tmp_path, passphrase_is_given=False) as scene:
        scene.vault.door.create_file(PASSPHRASE)
        await until(lambda: scene.vault.door.is_ready)
        page = scene.show(lambda: SettingsPage(scene.settings, scene.vault, scene.theme))
        assert page.vault_button.text() == "Lock now"
        page.passphrase_button.click()
        sheet = page.window().findChild(PassphraseSheet)
        for field, words in (
            (sheet.now, "wrong one"),
            (sheet.passphrase, "new words"),
            (sheet.again, "new words"),
        ):
            field.setText(words)
        sheet.go.click()
        await until(lambda: sheet.problem.isVisible())
        assert sheet.problem.text() == "That passphrase does not open the encrypted file."
        sheet.now.setText(PASSPHRASE)
        assert sheet.go.isEnabled()
        sheet.go.click()
        await until(lambda: not scene.window.has_sheet())  # type: ignore[union-attr]
        page.idle.choose(15)
        page.idle.activated.emit(page.idle.currentIndex())
        assert scene.settings.get("vault.lock_after_minutes") == 15
        page.vault_button.click()
        await until(lambda: page.vault_button.text() == "Unlock…")


async def test_what_was_opened_by_something_else_does_not_end_the_change_of_the_passphrase(
    tmp_path: Path,
) -> None:
    async with scene_in(tmp_path, passphrase_is_given=False) as scene:
        page = scene.show(lambda: WelcomePage(scene.theme))
        sheet = PassphraseSheet(page, scene.theme, scene.vault, change=True)
        ended: list[int] = []
        sheet.finished.connect(ended.append)

        def press() -> None:  # the file is there, and that it is open is told next
            sheet.open()
            for field in (sheet.now, sheet.passphrase, sheet.again):
                field.setText("words of mine")
            sheet.go.click()

        scene.vault.door.created.connect(press)
        scene.vault.door.create_file(PASSPHRASE)
        await until(lambda: bool(ended) or sheet.problem.isVisible())
        assert not ended
        assert sheet.problem.text() == "That passphrase does not open the encrypted file."


@played_in(scene_in)
async def test_a_key_pasted_over_the_welcome_page_is_told(scene: Scene) -> None:
    page = scene.show(lambda: WelcomePage(scene.theme))
    page.take(scene.vault)
    told: list[str] = []
    page.pasted.connect(told.append)
    QGuiApplication.clipboard().setText(GROQ_KEY)
    press(page, Key.Key_V, control=True)
    assert told == [GROQ_KEY]
    QGuiApplication.clipboard().clear()
