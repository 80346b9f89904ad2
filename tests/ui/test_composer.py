"""The composer: keys, what goes along, what it says before something is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QIODevice, QMimeData, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.sitting import until
from vibedesk.state.attached import MOST_PICTURES
from vibedesk.state.draft import Draft
from vibedesk.state.estimate import Estimate
from vibedesk.state.tasks import Tasks
from vibedesk.store.paths import resources
from vibedesk.ui.composer import FOLD_CHARACTERS, Composer
from vibedesk.ui.theme import Theme

KEY = "gsk_" + "a1B2c3D4" * 6


@pytest.fixture
async def composer(qapp: QApplication, qtbot: QtBot) -> AsyncIterator[Composer]:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    tasks = Tasks()
    composer = Composer(theme)
    composer.set_draft(Draft(tasks))
    qtbot.addWidget(composer)
    composer.resize(800, 120)
    composer.show()
    yield composer
    await tasks.close()


def png(width: int = 20, height: int = 10) -> bytes:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    target = QBuffer()
    target.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(target, "PNG")
    return bytes(target.data().data())


def paste(composer: Composer, text: str) -> None:
    mime = QMimeData()
    mime.setText(text)
    composer.words.insertFromMimeData(mime)


async def read(composer: Composer) -> None:
    """Waits until every file is read."""
    await until(lambda: not composer.draft.reading)


async def test_enter_sends_and_empties(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(composer.words, "Hello")
    with qtbot.waitSignal(composer.sent) as sent:
        qtbot.keyClick(composer.words, Qt.Key.Key_Return)
    assert sent.args == ["Hello", (), frozenset()]
    assert composer.text() == ""


async def test_shift_enter_breaks_the_line(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(composer.words, "a")
    qtbot.keyClick(composer.words, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(composer.words, "b")
    assert composer.text() == "a\nb"


async def test_where_enter_breaks_the_line_ctrl_enter_sends(composer: Composer, qtbot: QtBot) -> None:
    composer.set_enter_sends(False)
    qtbot.keyClicks(composer.words, "a")
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClick(composer.words, Qt.Key.Key_Return)
    with qtbot.waitSignal(composer.sent):
        qtbot.keyClick(composer.words, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


async def test_nothing_is_sent_when_nothing_is_written(composer: Composer, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClicks(composer.words, "  ")
        qtbot.keyClick(composer.words, Qt.Key.Key_Return)
    assert not composer.send.isEnabled()


async def test_what_stands_in_the_way_is_said_beside_the_button(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(composer.words, "Hello")
    composer.set_obstacle("Choose a model first.")
    assert not composer.send.isEnabled()
    assert composer.note.text() == "Choose a model first."
    composer.set_obstacle("")
    assert composer.send.isEnabled()


async def test_up_in_an_empty_field_asks_for_the_last_message(composer: Composer, qtbot: QtBot) -> None:
    with qtbot.waitSignal(composer.recalled):
        qtbot.keyClick(composer.words, Qt.Key.Key_Up)
    qtbot.keyClicks(composer.words, "x")
    with qtbot.assertNotEmitted(composer.recalled):
        qtbot.keyClick(composer.words, Qt.Key.Key_Up)


async def test_it_grows_with_its_lines_up_to_eight(composer: Composer) -> None:
    heights = []
    for lines in (1, 2, 5, 8, 30):
        composer.words.setPlainText("\n".join("x" * lines))
        heights.append(composer.words.height())
    assert heights[0] == heights[1] < heights[2] < heights[3] == heights[4]


async def test_the_estimate_says_that_it_is_one_and_lists_the_lanes(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(composer.words, "Hello")
    one = Estimate(0, "claude", 212, Decimal("0.003"), False)
    composer.show_estimates([one, Estimate(2, "gpt<b>", 200, Decimal("0.001"), False)])
    assert composer.note.text() == "≈ 412 tok in · ≈ $0.004"
    assert "A  claude   ≈ 212 tok in · ≈ $0.003" in composer.note.toolTip()
    assert "C  gpt&lt;b&gt;" in composer.note.toolTip()
    composer.show_estimates([one, Estimate(1, "x", 200, None, True)])
    assert composer.note.text() == "x takes less than this · ≈ 412 tok in · —"


async def test_a_picture_goes_along_and_can_be_taken_out(
    composer: Composer, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(png())
    composer.draft.add_files([file])
    await read(composer)
    composer.draft.add_data(png(400, 300), "b")
    await read(composer)
    assert [image.media_type for image in composer.draft.images] == ["image/png"] * 2
    composer.attachments.shown[1].removed.emit()
    with qtbot.waitSignal(composer.sent) as sent:
        composer.send.click()
    assert [image.data for image in sent.args[1]] == [png()]
    assert composer.draft.attachments == []
    assert composer.attachments.isHidden()


async def test_a_pasted_picture_and_a_pasted_file_are_attached(composer: Composer, tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setImageData(QImage.fromData(png()))
    composer.words.insertFromMimeData(mime)
    file = tmp_path / "a.png"
    file.write_bytes(png())
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile(str(file))])
    composer.words.insertFromMimeData(files)
    assert not composer.send.isEnabled()  # nothing goes before it is read
    await read(composer)
    assert len(composer.draft.images) == 2
    assert composer.text() == ""


async def test_pasted_words_are_only_words(composer: Composer) -> None:
    mime = QMimeData()
    mime.setHtml("<b>bold</b>")
    mime.setText("bold")
    composer.words.insertFromMimeData(mime)
    assert composer.text() == "bold"


async def test_a_text_file_goes_along_as_text_with_its_tokens(
    composer: Composer, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "notes.md"
    file.write_text("# Notes\n" * 50, encoding="utf-8")
    composer.draft.add_files([file])
    await read(composer)
    assert composer.draft.tokens == 100
    qtbot.keyClicks(composer.words, "Sum up")
    with qtbot.waitSignal(composer.sent) as sent:
        composer.send.click()
    assert sent.args[0].startswith('Sum up\n\n<attachment name="notes.md">\n# Notes\n')


async def test_a_long_paste_folds_and_ctrl_z_puts_it_back(composer: Composer, qtbot: QtBot) -> None:
    long = "line of words\n" * (FOLD_CHARACTERS // 10)
    qtbot.keyClicks(composer.words, "See: ")
    paste(composer, long)
    await read(composer)
    assert (composer.text(), len(composer.draft.attachments)) == ("See: ", 1)
    assert composer.fold_hint.isVisible()
    qtbot.keyClick(composer.words, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert composer.text() == "See: " + long
    assert composer.draft.attachments == []
    assert not composer.fold_hint.isVisible()


async def test_a_key_is_not_sent_without_a_second_explicit_enter(composer: Composer, qtbot: QtBot) -> None:
    composer.words.setPlainText(f"Why does {KEY} not work?")
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClick(composer.words, Qt.Key.Key_Return)
    assert composer.key_hint.isVisible()
    assert KEY not in composer.key_hint.label.text()
    qtbot.keyClicks(composer.words, "x")  # another question: asked about again
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClick(composer.words, Qt.Key.Key_Return)
    with qtbot.waitSignal(composer.sent):
        qtbot.keyClick(composer.words, Qt.Key.Key_Return)
    assert not composer.key_hint.isVisible()


async def test_a_key_in_an_attachment_is_seen_too(composer: Composer, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"GROQ_API_KEY={KEY}\n", encoding="utf-8")
    composer.draft.add_files([file])
    await read(composer)
    with qtbot.assertNotEmitted(composer.sent):
        composer.send.click()
    assert composer.key_hint.isVisible()


async def test_a_lane_that_sees_no_pictures_is_named_and_can_be_left_out(
    composer: Composer, qtbot: QtBot
) -> None:
    blind = {"lane-2": "B gpt-oss-120b"}
    composer.show_blind(blind, 2)
    assert not composer.blind_hint.isVisible()  # no picture goes along
    composer.draft.add_data(png(), "a")
    await read(composer)
    composer.show_blind(blind, 2)
    assert composer.blind_hint.label.text() == "B gpt-oss-120b sees no pictures."
    composer.leave_out.click()
    composer.show_blind(blind, 2)
    assert "left out" in composer.blind_hint.label.text()
    with qtbot.waitSignal(composer.sent) as sent:
        composer.send.click()
    assert sent.args[2] == frozenset({"lane-2"})
    assert composer.left_out == frozenset()


async def test_the_only_lane_is_not_offered_to_be_left_out(composer: Composer) -> None:
    composer.draft.add_data(png(), "a")
    await read(composer)
    composer.show_blind({"lane-1": "A gpt-oss-120b"}, 1)
    assert composer.blind_hint.isVisible()
    assert not composer.leave_out.isVisible()


async def test_what_cannot_go_along_is_refused_with_its_name(
    composer: Composer, qtbot: QtBot, tmp_path: Path
) -> None:
    said: list[str] = []
    composer.draft.refused.connect(said.append)
    binary, big = tmp_path / "a.bin", tmp_path / "big.png"
    binary.write_bytes(b"\0\1\2")
    with big.open("wb") as file:
        file.truncate(21 * 1024 * 1024)
    composer.draft.add_files([binary, big, tmp_path / "missing.png"])
    await read(composer)
    assert sorted(said) == [
        "a.bin is neither text, nor a PDF, nor a PNG, JPEG, GIF or WebP picture.",
        "big.png is larger than 20 MB.",
        "missing.png could not be read: it is no file.",
    ]
    for _ in range(MOST_PICTURES + 1):
        composer.draft.add_data(png(), "a")
        await read(composer)
    assert said[-1] == "At most 10 pictures go along with one message."
    assert len(composer.draft.images) == MOST_PICTURES


async def test_a_prompt_is_written_where_the_cursor_is(composer: Composer, qtbot: QtBot) -> None:
    composer.insert("First.")
    composer.insert("Second.")
    assert composer.text() == "First.\nSecond."
    composer.words.undo()
    assert composer.text() == "First."


async def test_stop_shows_only_while_something_runs(composer: Composer, qtbot: QtBot) -> None:
    assert composer.stop.isHidden()
    composer.set_running(True)
    with qtbot.waitSignal(composer.stopped):
        composer.stop.click()


def test_what_is_sent_while_nobody_listens_yet_is_sent_later_or_stays(qapp: QApplication) -> None:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    for obstacle in ("", "Choose a model first."):
        composer, sent = Composer(theme), []
        composer.hold()
        composer.set_text("early")
        composer.send.click()
        composer.set_text("since")
        composer.sent.connect(lambda text, _, __, sent=sent: sent.append(text))
        composer.set_obstacle(obstacle)
        composer.release()
        assert (sent, composer.text()) == (([], "early\n\nsince") if obstacle else (["early"], "since"))


def test_a_key_is_not_sent_early_either(qapp: QApplication) -> None:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    composer = Composer(theme)
    composer.hold()
    composer.set_text(KEY)
    composer.send.click()
    assert composer.text() == KEY
    assert not composer.key_hint.isHidden()
