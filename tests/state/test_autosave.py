"""What is written down as it happens: what a file that cannot be written says, and that the rest goes on."""

from __future__ import annotations

from pathlib import Path

from tests.playing import GOOD, playing


async def test_a_broken_settings_file_is_told_in_its_own_words_and_nothing_crashes(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        crashed: list[str] = []
        scene.tasks.crashed.connect(lambda name, error: crashed.append(name))
        scene.desk.paths.settings.write_text("[appearance\ntheme=", encoding="utf-8")
        scene.playground.set_model(0, "groq/llama-3.3-70b-versatile")
        await scene.rest()
        [notice] = scene.notices.current()
        assert (crashed, notice.role) == ([], "bad")
        assert notice.text.startswith("settings.toml could not be read: ")
        scene.playground.set_model(0, GOOD)
        await scene.ask()
        assert scene.desk.history.load(scene.playground.conversation).answers[0].text == scene.answer().text
