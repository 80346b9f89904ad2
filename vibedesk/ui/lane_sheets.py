"""A lane's system prompt in a sheet, and the question before a link is opened."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from vibedesk.ui import harmless
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Label


class SystemSheet(Sheet):
    """A system prompt to write; `keep(text)` when it is saved."""

    def __init__(
        self, host: QWidget, theme: Theme, text: str, where: str, keep: Callable[[str], object]
    ) -> None:
        super().__init__(host, theme, title="System prompt", width=640)
        self.body.addWidget(Label(where, "muted", wrap=True))
        self.words = QPlainTextEdit(text)
        self.words.setMinimumHeight(180)
        self.words.setTabChangesFocus(True)
        self.words.setAccessibleName(self.tr("System prompt"))
        self.words.setPlaceholderText(
            self.tr("Sent before every question, for example: Answer in one paragraph.")
        )
        self.body.addWidget(self.words)
        self._keep = keep
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.save = Button(self.tr("Save"), "primary").on(self._save)
        self.footer.addWidget(self.save)
        self.words.setFocus()

    def _save(self) -> None:
        self._keep(self.words.toPlainText().strip())
        self.accept()


class LinkSheet(Sheet):
    """Shows where a link leads before anything is opened."""

    def __init__(self, host: QWidget, theme: Theme, address: str) -> None:
        super().__init__(host, theme, title="Open this link?", width=520)
        self._address = address
        self.body.addWidget(Label(self.tr("A model wrote it. It leads here:"), "muted"))
        self.target = Label(_wrappable(address), "mono", wrap=True).selectable()
        self.body.addWidget(self.target)
        self.footer.addWidget(Button(self.tr("Copy"), "quiet").on(self._copy))
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.footer.addWidget(Button(self.tr("Open"), "primary").on(self._go))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(harmless.code(self._address))

    def _go(self) -> None:
        self.accept()
        if harmless.may_open(self._address):
            QDesktopServices.openUrl(QUrl(self._address))


def _wrappable(address: str) -> str:
    """The whole address, breakable after each slash: nothing of it may be hidden."""
    return harmless.code(address).replace("/", "/\u200b").replace("&", "&\u200b")
