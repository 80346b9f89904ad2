"""A piece of code over the window, its long lines unbroken or wrapped, as one likes it."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication, QSyntaxHighlighter, QTextDocument
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from vibedesk.ui.highlight import lines_of
from vibedesk.ui.ink import Ink
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Check

LONGEST_COLOURED = 60_000


class CodeSheet(Sheet):
    """`text` is shown and copied as it is given: harmless already."""

    def __init__(self, host: QWidget, theme: Theme, text: str, language: str) -> None:
        super().__init__(host, theme, title=language or "Code", width=1100)
        ink = Ink(theme)
        self._text = text
        self.code = QPlainTextEdit(text)
        self.code.setReadOnly(True)
        self.code.setFont(ink.code.font())
        self.code.setAccessibleName(self.tr("Code"))
        self.code.setTabStopDistance(4 * self.code.fontMetrics().horizontalAdvance(" "))
        lines = min(max(text.count("\n") + 1, 6), 28)
        self.code.setFixedHeight(lines * self.code.fontMetrics().lineSpacing() + 28)
        if len(text) <= LONGEST_COLOURED:
            _Colours(self.code.document(), ink, text, language)
        self.wrap = Check(self.tr("Wrap long lines"))
        self.wrap.toggled.connect(self._wrap)
        self.copy = Button(self.tr("Copy")).on(self._copy)
        self.body.addWidget(self.code)
        self.footer.addWidget(self.wrap)
        self.footer.addStretch(1)
        self.footer.addWidget(self.copy)
        self.footer.addWidget(Button(self.tr("Close"), "primary").on(self.accept))
        self._wrap(False)

    def _wrap(self, wraps: bool) -> None:
        mode = QPlainTextEdit.LineWrapMode
        self.code.setLineWrapMode(mode.WidgetWidth if wraps else mode.NoWrap)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text)
        self.copy.setText(self.tr("Copied"))


class _Colours(QSyntaxHighlighter):
    """The same colours as in the transcript."""

    def __init__(self, document: QTextDocument, ink: Ink, text: str, language: str) -> None:
        self._ink, self._lines = ink, lines_of(text, language)
        super().__init__(document)

    def highlightBlock(self, text: str) -> None:
        number = self.currentBlock().blockNumber()
        for span in self._lines[number] if number < len(self._lines) else ():
            self.setFormat(span.start, span.end - span.start, self._ink.syntax[span.token])
