"""From a key in the clipboard to the first streamed word, with the keyboard alone, in a real window."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.app.test_app import the_app
from tests.providers import Behaviour, OpenAI
from tests.sitting import GROQ_KEY, home_at, until
from vibedesk.app import Sitting
from vibedesk.desk import Desk
from vibedesk.ui.wizard import Wizard

_log = logging.getLogger(__name__)
MOST_PRESSES = 12


class Keyboard:
    """Presses keys where the focus is, and counts them."""

    def __init__(self) -> None:
        self.presses = 0

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.presses += 1
        focused = QApplication.focusWidget()
        assert focused is not None, "nothing has the keyboard"
        QTest.keyClick(focused, key, modifier)

    def type(self, words: str) -> None:
        for letter in words:
            self.presses += 1
            QTest.keyClicks(QApplication.focusWidget(), letter)


async def test_from_the_clipboard_to_the_first_word_without_a_mouse(tmp_path: Path) -> None:
    words = Behaviour(text="Hello there, this is the first answer. " * 20, tokens_per_s=50)
    async with OpenAI(key=GROQ_KEY) as groq:
        environ = home_at(tmp_path, {"groq": groq.base_url})
        desk = await asyncio.to_thread(lambda: Desk.open(environ, cwd=tmp_path))
        sitting, keyboard = Sitting(the_app(), desk, passphrase_is_given=True), Keyboard()
        await sitting.begin()
        window = sitting.window
        window.activateWindow()
        await until(window.isActiveWindow)
        assert window.current_page() == "welcome"
        QGuiApplication.clipboard().setText(f"export GROQ_API_KEY={GROQ_KEY}\n")
        began = time.monotonic()
        keyboard.press(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: window.findChildren(Wizard))
        [wizard] = window.findChildren(Wizard)
        await until(lambda: wizard.step.phase == "good" and wizard.save.isEnabled())
        keyboard.press(Qt.Key.Key_Return)
        await until(lambda: wizard.step.phase == "saved")
        for sheet in window.open_sheets():  # the recovery code of a vault that was made by a passphrase file
            if sheet is not wizard:
                sheet.done(0)
        wizard.save.setFocus()
        groq.behaviour = words
        keyboard.press(Qt.Key.Key_Return)
        await until(lambda: window.current_page() == "playground" and not window.has_sheet())
        keyboard.type("Hi")
        keyboard.press(Qt.Key.Key_Return)
        lane = sitting.playground.lanes[0]
        await until(lambda: lane.text.strip())
        took = time.monotonic() - began
        assert keyboard.presses <= MOST_PRESSES
        assert took < 60
        _log.warning("%d presses, %.2f s to the first word", keyboard.presses, took)
        sitting.playground.stop(0)
        window.close()
        await sitting.end()
