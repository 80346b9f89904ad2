"""The composer: keys, pictures, what it refuses and says."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QIODevice, QMimeData, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from vibedesk.store.paths import resources
from vibedesk.ui.composer import MOST_IMAGES, Composer, picture_of
from vibedesk.ui.theme import Theme


@pytest.fixture
def composer(qapp: QApplication, qtbot: QtBot) -> Composer:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    composer = Composer(theme)
    qtbot.addWidget(composer)
    composer.resize(800, 120)
    composer.show()
    return composer


def png(width: int = 20, height: int = 10) -> bytes:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    target = QBuffer()
    target.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(target, "PNG")
    return bytes(target.data().data())


def test_enter_sends_and_empties(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(composer.words, "Hello")
    with qtbot.waitSignal(composer.sent) as sent:
        qtbot.keyClick(composer.words, Qt.Key.Key_Return)
    assert sent.args == ["Hello", ()]
    assert composer.text() == ""


def test_shift_enter_breaks_the_line(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(composer.words, "a")
    qtbot.keyClick(composer.words, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(composer.words, "b")
    assert composer.text() == "a\nb"


def test_where_enter_breaks_the_line_ctrl_enter_sends(composer: Composer, qtbot: QtBot) -> None:
    composer.set_enter_sends(False)
    qtbot.keyClicks(composer.words, "a")
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClick(composer.words, Qt.Key.Key_Return)
    with qtbot.waitSignal(composer.sent):
        qtbot.keyClick(composer.words, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def test_nothing_is_sent_when_nothing_is_written(composer: Composer, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClicks(composer.words, "  ")
        qtbot.keyClick(composer.words, Qt.Key.Key_Return)
    assert not composer.send.isEnabled()


def test_what_stands_in_the_way_is_said_beside_the_button(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(composer.words, "Hello")
    composer.set_obstacle("Choose a model first.")
    assert not composer.send.isEnabled()
    assert composer.note.text() == "Choose a model first."
    composer.set_obstacle("")
    assert composer.send.isEnabled()


def test_up_in_an_empty_field_asks_for_the_last_message(composer: Composer, qtbot: QtBot) -> None:
    with qtbot.waitSignal(composer.recalled):
        qtbot.keyClick(composer.words, Qt.Key.Key_Up)
    qtbot.keyClicks(composer.words, "x")
    with qtbot.assertNotEmitted(composer.recalled):
        qtbot.keyClick(composer.words, Qt.Key.Key_Up)


def test_it_grows_with_its_lines_up_to_eight(composer: Composer) -> None:
    heights = []
    for lines in (1, 2, 5, 8, 30):
        composer.words.setPlainText("\n".join("x" * lines))
        heights.append(composer.words.height())
    assert heights[0] == heights[1] < heights[2] < heights[3] == heights[4]


def test_the_estimate_says_that_it_is_one(composer: Composer, qtbot: QtBot) -> None:
    qtbot.keyClicks(composer.words, "Hello")
    composer.show_estimate(412, Decimal("0.004"))
    assert composer.note.text() == "≈ 412 tok in · ≈ $0.004"
    composer.show_estimate(412, None)
    assert composer.note.text() == "≈ 412 tok in · —"


def test_a_picture_goes_along_and_can_be_taken_out(composer: Composer, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(png())
    composer.add_file(file)
    composer.add_picture(png(400, 300))
    assert [image.media_type for image in composer.images()] == ["image/png"] * 2
    composer._attachments[1].removed.emit()
    with qtbot.waitSignal(composer.sent) as sent:
        composer.send.click()
    assert sent.args[1][0].data == png()
    assert composer.images() == ()


def test_a_pasted_picture_and_a_pasted_file_are_attached(composer: Composer, tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setImageData(QImage.fromData(png()))
    composer.words.insertFromMimeData(mime)
    file = tmp_path / "a.png"
    file.write_bytes(png())
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile(str(file))])
    composer.words.insertFromMimeData(files)
    assert len(composer.images()) == 2
    assert composer.text() == ""


def test_pasted_words_are_only_words(composer: Composer) -> None:
    mime = QMimeData()
    mime.setHtml("<b>bold</b>")
    mime.setText("bold")
    composer.words.insertFromMimeData(mime)
    assert composer.text() == "bold"


def test_what_is_no_picture_is_refused_with_its_name(
    composer: Composer, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "notes.png"
    file.write_bytes(b"just words")
    with qtbot.waitSignal(composer.refused) as said:
        composer.add_file(file)
    assert said.args == ["notes.png is not a PNG, JPEG, GIF or WebP picture."]
    with qtbot.waitSignal(composer.refused):
        composer.add_file(tmp_path / "missing.png")
    assert composer.images() == ()


def test_too_large_and_too_many_are_refused(composer: Composer, qtbot: QtBot, tmp_path: Path) -> None:
    big = tmp_path / "big.png"
    with big.open("wb") as file:
        file.truncate(21 * 1024 * 1024)
    with qtbot.waitSignal(composer.refused) as said:
        composer.add_file(big)
    assert said.args == ["big.png is larger than 20 MB."]
    for _ in range(MOST_IMAGES):
        composer.add_picture(png())
    with qtbot.waitSignal(composer.refused):
        composer.add_picture(png())


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x89PNG\r\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBP", "image/webp"),
        (b"<svg", None),
        (b"RIFF\x00\x00\x00\x00WAVE", None),
    ],
)
def test_a_picture_is_known_by_how_it_begins(start: bytes, kind: str | None) -> None:
    image = picture_of(start + b"\0" * 20)
    assert (image.media_type if image else None) == kind


def test_stop_shows_only_while_something_runs(composer: Composer, qtbot: QtBot) -> None:
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
        composer.sent.connect(lambda text, _, sent=sent: sent.append(text))
        composer.set_obstacle(obstacle)
        composer.release()
        assert (sent, composer.text()) == (([], "early\n\nsince") if obstacle else (["early"], "since"))
