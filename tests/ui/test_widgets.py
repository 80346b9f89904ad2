"""The small parts: foreign words stay words, states are drawn, keys are not shown by accident."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from vibedesk.engine.types import Secret
from vibedesk.store.paths import resources
from vibedesk.ui.clipboard import SecretClipboard
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Chip, Elided, KeyField, Label, plain_tip


@pytest.fixture(autouse=True)
def _themed(qapp: object) -> None:
    Theme(resources()).apply(qapp, "light")  # type: ignore[arg-type]


def test_a_label_shows_html_letter_for_letter(qtbot: QtBot) -> None:
    label = Label("<img src=file:///etc/passwd> <b>bold</b>")
    qtbot.addWidget(label)
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert "&lt;b&gt;" in plain_tip(label.text())


def test_an_elided_label_keeps_the_whole_text_at_hand(qtbot: QtBot) -> None:
    label = Elided("a name that is much longer than the room it has")
    qtbot.addWidget(label)
    label.resize(80, 20)
    label.show()
    assert label.text().endswith("…")
    assert label.full_text() == "a name that is much longer than the room it has"
    assert label.full_text() in label.toolTip()


def test_an_empty_chip_is_not_there(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    chip = Chip("ready", "ok", dot=True)
    QVBoxLayout(page).addWidget(chip)
    page.show()
    chip.set("")
    assert chip.isHidden()
    chip.set("refused", "bad")
    assert chip.isVisible()
    assert (chip.property("role"), chip.height()) == ("bad", 20)


def test_controls_are_28_pixels_high_with_and_without_the_focus(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    plain, primary = Button("Check"), Button("Save", "primary")
    column = QVBoxLayout(page)
    column.addWidget(plain)
    column.addWidget(primary)
    page.show()
    plain.setFocus(Qt.FocusReason.TabFocusReason)
    assert (plain.height(), primary.height()) == (28, 28)


def test_a_button_without_words_has_a_name(qtbot: QtBot) -> None:
    button = Button("", "quiet").named("More")
    qtbot.addWidget(button)
    assert (button.accessibleName(), button.toolTip()) == ("More", "More")


def test_a_key_field_hides_what_is_typed_and_hides_again_when_left(qtbot: QtBot) -> None:
    field, other = KeyField(), QLineEdit()
    page = QWidget()
    qtbot.addWidget(page)
    for widget in (field, other):
        widget.setParent(page)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    assert field.echoMode() == QLineEdit.EchoMode.Password
    assert field.completer() is None
    assert field.inputMethodHints() & Qt.InputMethodHint.ImhSensitiveData
    field.toggle.click()
    assert field.echoMode() == QLineEdit.EchoMode.Normal
    other.setFocus()
    assert field.echoMode() == QLineEdit.EchoMode.Password


def test_a_shown_key_is_hidden_again_after_a_while(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeyField, "REVEAL_MS", 30)
    field = KeyField()
    qtbot.addWidget(field)
    field.show()
    field.toggle.click()
    qtbot.waitUntil(lambda: field.echoMode() == QLineEdit.EchoMode.Password, timeout=1000)


def test_a_pasted_fragment_keeps_its_lines(qtbot: QtBot) -> None:
    field = KeyField()
    qtbot.addWidget(field)
    QGuiApplication.clipboard().setText("A=1\nB=2\r\nC=3")
    field.paste()
    assert field.pasted().split() == ["A=1", "B=2", "C=3"]


async def test_a_copied_secret_is_marked_and_leaves_the_clipboard() -> None:
    clipboard = SecretClipboard(seconds=0.05)
    clipboard.put(Secret("sk-test-not-a-key"))
    data = QGuiApplication.clipboard().mimeData()
    assert data.text() == "sk-test-not-a-key"
    assert bytes(data.data("x-kde-passwordManagerHint").data()) == b"secret"
    await asyncio.sleep(0.2)
    assert QGuiApplication.clipboard().text() == ""


async def test_what_was_copied_since_stays() -> None:
    clipboard = SecretClipboard(seconds=60)
    clipboard.put(Secret("sk-test-not-a-key"))
    QGuiApplication.clipboard().setText("something of mine")
    clipboard.clear()
    assert QGuiApplication.clipboard().text() == "something of mine"
