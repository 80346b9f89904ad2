"""Prompts and presets: files that people edit, too."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.types import Parameters
from vibedesk.store.presets import Preset, PresetsFile
from vibedesk.store.prompts import Prompt, PromptsFile


def test_what_is_kept_is_there_again_and_a_persons_comments_stay(tmp_path: Path) -> None:
    path = tmp_path / "prompts.toml"
    path.write_text('# mine\n[prompts.Old]\ntext = "x" # short\n', encoding="utf-8")
    file = PromptsFile(path)
    file.keep(Prompt("Two lines: “so”", "First {{a}}\nsecond"))
    file.keep(Prompt("New", "y"), replacing="Old")
    again = PromptsFile(path).values()
    assert list(again.values()) == [Prompt("Two lines: “so”", "First {{a}}\nsecond"), Prompt("New", "y")]
    assert path.read_text(encoding="utf-8").startswith("# mine\n")
    file.remove("New")
    file.remove("New")
    assert list(file.values()) == ["Two lines: “so”"]


def test_an_edit_from_outside_is_seen(tmp_path: Path) -> None:
    file = PromptsFile(tmp_path / "prompts.toml")
    assert file.values() == {}
    (tmp_path / "prompts.toml").write_text('[prompts.A]\ntext = "a"\n', encoding="utf-8")
    assert file.values() == {"A": Prompt("A", "a")}


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("[prompts.A]\ntext = 1\n", "prompts.toml: A: text is missing."),
        ("[prompts]\nA = 1\n", "prompts.toml: A: it is written as a table."),
        ("[prompts.A\n", "prompts.toml could not be read: "),
    ],
)
def test_what_is_off_is_told_and_the_rest_holds(tmp_path: Path, table: str, problem: str) -> None:
    path = tmp_path / "prompts.toml"
    path.write_text(table, encoding="utf-8")
    file = PromptsFile(path)
    assert file.values() == {}
    assert file.problems[0].startswith(problem)


def test_a_name_is_needed_and_taken_only_once(tmp_path: Path) -> None:
    file = PromptsFile(tmp_path / "prompts.toml")
    file.keep(Prompt("A", "a"))
    for name in ("", "   ", "A", "x" * 61):
        with pytest.raises(Misconfigured):
            file.keep(Prompt(name, "b"))
    with pytest.raises(Misconfigured):
        file.keep(Prompt("B", " "))
    assert file.values() == {"A": Prompt("A", "a")}


def test_blanks_are_asked_for_once_each_in_their_order() -> None:
    prompt = Prompt("", "{{a}} {{ b c }} {{a}} {{}} {{x\ny}} { {no}}")
    assert prompt.blanks == ("a", "b c")
    assert prompt.filled({"a": "1", "b c": "{{a}}"}) == "1 {{a}} 1 {{}} {{x\ny}} { {no}}"
    assert prompt.filled({"a": "1"}).startswith("1 {{ b c }} 1")


@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=200).filter(lambda text: bool(text.strip()))
)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prompts.toml"
        PromptsFile(path).keep(Prompt("A", text))
        assert PromptsFile(path).values()["A"].text == text


ALL = Parameters(
    max_tokens=100,
    temperature=0.2,
    reasoning_effort="low",
    top_p=0.9,
    stop=("END", "\n\n"),
    seed=7,
    json_schema='{"type": "object"}',
)


def test_presets_hold_every_parameter_and_one_of_them_begins_new_lanes(tmp_path: Path) -> None:
    file = PresetsFile(tmp_path / "presets.toml")
    assert file.beginning() == Parameters()
    file.keep(Preset("Precise", ALL, default=True))
    file.keep(Preset("Wild", Parameters(temperature=1.5)))
    again = PresetsFile(tmp_path / "presets.toml")
    assert again.values() == {
        "Precise": Preset("Precise", ALL, True),
        "Wild": Preset("Wild", Parameters(temperature=1.5)),
    }
    file.keep(Preset("Wild", Parameters(temperature=1.2), default=True))
    assert file.beginning() == Parameters(temperature=1.2)
    assert [preset.default for preset in file.values().values()] == [False, True]
    written = tomllib.loads((tmp_path / "presets.toml").read_text(encoding="utf-8"))
    assert written["presets"]["Wild"] == {"temperature": 1.2, "default": True}


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("temperature = 3", "from 0 to 2"),
        ("heat = 1", "heat is not a parameter"),
        ('seed = "a"', "Expected `int"),
        ("max_tokens = 0", "from 1"),
    ],
)
def test_a_preset_that_is_off_is_told(tmp_path: Path, field: str, said: str) -> None:
    path = tmp_path / "presets.toml"
    path.write_text(f"[presets.A]\n{field}\n", encoding="utf-8")
    file = PresetsFile(path)
    assert file.values() == {}
    assert said.replace("`", "") in file.problems[0]
