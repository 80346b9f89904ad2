"""The prompt library and the parameters' sheet, pressed as a person presses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests.sitting import until
from tests.ui.looking import press, shown, themed
from vibedesk.engine.dialects.taken import taken_by
from vibedesk.engine.types import Model, Parameters, Provider, Traits
from vibedesk.state.prompts import Preset, Presets, Prompt, Prompts
from vibedesk.state.tasks import Tasks
from vibedesk.store.presets import PresetsFile
from vibedesk.store.prompts import PromptsFile
from vibedesk.ui.parameters import ParametersSheet
from vibedesk.ui.prompts import BlanksSheet, PromptEditor, PromptsSheet

SCHEMA = '{"type": "object", "properties": {"a": {"type": "integer"}}}'


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    window = shown(QWidget())
    qtbot.addWidget(window)
    return window


async def library(folder: Path, *prompts: Prompt) -> Prompts:
    file = PromptsFile(folder / "prompts.toml")
    for prompt in prompts:
        file.keep(prompt)
    return Prompts(file, Tasks())


async def test_an_empty_library_teaches_and_offers_its_first_action(window: QWidget, tmp_path: Path) -> None:
    prompts = await library(tmp_path)
    sheet = PromptsSheet(window, themed(), prompts, lambda _: None, "What I have just written")
    sheet.open()
    await until(lambda: prompts.loaded)
    assert sheet.empty.isVisible()
    assert not sheet.insert.isEnabled()
    sheet.new.click()
    [editor] = window.findChildren(PromptEditor)
    assert editor.words.toPlainText() == "What I have just written"
    assert not editor.save.isEnabled()
    editor.name.setText("Mine")
    editor.save.click()
    await until(lambda: prompts.prompts == (Prompt("Mine", "What I have just written"),))
    assert sheet.chosen() == Prompt("Mine", "What I have just written")


async def test_a_prompt_is_found_by_typing_and_stands_in_the_composer(
    window: QWidget, tmp_path: Path, qtbot: QtBot
) -> None:
    prompts = await library(
        tmp_path, Prompt("Explain", "Explain it."), Prompt("Translate", "Into {{language}}: {{text}}")
    )
    used: list[str] = []
    sheet = PromptsSheet(window, themed(), prompts, used.append)
    sheet.open()
    await until(lambda: prompts.loaded)
    press(sheet.field, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Return)
    assert used == ["Explain it."]
    sheet = PromptsSheet(window, themed(), prompts, used.append)
    sheet.open()
    qtbot.keyClicks(sheet.field, "trl")
    press(sheet.field, Qt.Key.Key_Return)
    [blanks] = window.findChildren(BlanksSheet)
    first, second = blanks.fields.values()
    first.setPlainText("Dutch")
    assert blanks.insert.text() == "Insert with 1 left blank"
    assert blanks.preview.text() == "Into Dutch: {{text}}"
    press(first, Qt.Key.Key_Return)
    second.setPlainText("{{language}} stays")
    press(second, Qt.Key.Key_Return)
    assert used[1:] == ["Into Dutch: {{language}} stays"]


async def test_a_deleted_prompt_comes_back(window: QWidget, tmp_path: Path) -> None:
    prompts = await library(tmp_path, Prompt("A", "a"), Prompt("B", "b"))
    sheet = PromptsSheet(window, themed(), prompts, lambda _: None)
    sheet.open()
    await until(lambda: prompts.loaded)
    sheet.delete.click()
    await until(lambda: len(prompts.prompts) == 1)
    assert sheet.undo.isVisible()
    sheet.undo.click()
    await until(lambda: len(prompts.prompts) == 2)
    sheet._edit(Prompt("A", "a"))
    [editor] = window.findChildren(PromptEditor)
    editor.name.setText("B")
    said: list[str] = []
    prompts.refused.connect(said.append)
    editor.save.click()
    await until(lambda: said)
    assert said == ["“B” is there already."]


# Parameters

UNSET = Parameters()
Opened = Callable[..., ParametersSheet]


@pytest.fixture
def opened(window: QWidget, tmp_path: Path) -> Opened:
    def opened(
        provider: Provider,
        traits: Traits,
        parameters: Parameters = UNSET,
        **model: object,
    ) -> ParametersSheet:
        one = Model(provider=provider.id, id="m", name="M", traits=traits, **model)  # type: ignore[arg-type]
        presets = Presets(PresetsFile(tmp_path / "presets.toml"), Tasks())
        kept: list[Parameters] = []
        sheet = ParametersSheet(
            window, themed(), parameters, taken_by(one, provider), "M", presets, kept.append
        )
        sheet.setProperty("kept", kept)
        sheet.kept, sheet.presets = kept, presets  # type: ignore[attr-defined]
        sheet.open()
        return sheet

    return opened


def provider(dialect: str, id: str = "lab") -> Provider:
    return Provider(id=id, name=id, dialect=dialect, base_url="http://127.0.0.1")  # type: ignore[arg-type]


async def test_only_what_the_model_takes_is_shown(opened: Opened) -> None:
    chat = opened(provider("openai-chat"), Traits(efforts=("low", "high")))
    assert set(chat.fields) == {
        "reasoning_effort", "temperature", "top_p", "max_tokens", "stop", "seed", "json_schema",
    }  # fmt: skip
    bare = opened(
        provider("openai-responses"), Traits(temperature="never"), capabilities=frozenset({"tools"})
    )
    assert set(bare.fields) == {"max_tokens"}
    claude = opened(provider("anthropic", "anthropic"), Traits(temperature_max=1.0), max_output=64_000)
    assert set(claude.fields) == {"temperature", "top_p", "max_tokens", "stop", "json_schema"}
    assert claude.temperature.maximum() == 1.0
    assert claude.tokens.maximum() == 64_000


async def test_what_is_saved_is_what_was_set_and_the_rest_is_not_sent(opened: Opened) -> None:
    sheet = opened(provider("openai-chat"), Traits(efforts=("low", "high")))
    assert sheet.parameters() == Parameters()
    sheet.effort.choose("high")
    sheet.temperature.setValue(0.3)
    sheet.top_p.setValue(0.0)
    sheet.tokens.setValue(256)
    sheet.stops.setPlainText("END\n\n\\n\\nUser:\na\nb\nc")
    sheet.seed.setText(" 42 ")
    sheet.schema.setPlainText(SCHEMA)
    sheet._save()
    expected = Parameters(
        reasoning_effort="high",
        temperature=0.3,
        top_p=0.0,
        max_tokens=256,
        stop=("END", "\n\nUser:", "a", "b"),
        seed=42,
        json_schema=SCHEMA,
    )
    assert sheet.kept == [expected]  # type: ignore[attr-defined]
    again = opened(provider("openai-chat"), Traits(efforts=("low", "high")), expected)
    assert again.parameters() == expected
    again.show_parameters(Parameters())
    assert again.parameters() == Parameters()


async def test_a_schema_that_is_none_is_not_saved_and_says_why(opened: Opened) -> None:
    sheet = opened(provider("openai-chat"), Traits())
    sheet.schema.setPlainText('{"type": "objekt"}')
    sheet._save()
    assert sheet.kept == []  # type: ignore[attr-defined]
    assert sheet.fault.isVisible()
    assert "objekt" in sheet.fault.text()
    sheet.schema.setPlainText(SCHEMA)
    await until(lambda: sheet.fault.text() == "A valid schema.")


async def test_a_preset_is_kept_and_applied(opened: Opened) -> None:
    sheet = opened(provider("openai-chat"), Traits())
    presets: Presets = sheet.presets  # type: ignore[attr-defined]
    sheet.temperature.setValue(0.1)
    sheet.save_as.click()
    sheet.preset_name.setText("Precise")
    sheet.by_default.setChecked(True)
    press(sheet.preset_name, Qt.Key.Key_Return)
    await until(lambda: presets.presets == (Preset("Precise", Parameters(temperature=0.1), True),))
    assert presets.beginning() == Parameters(temperature=0.1)
    sheet.show_parameters(Parameters(seed=1))
    sheet.preset.setCurrentIndex(1)
    sheet.preset.activated.emit(1)
    assert sheet.parameters() == Parameters(temperature=0.1)
    sheet.delete.click()
    await until(lambda: presets.presets == ())
