"""Routes as files of other tools: an export to see, copy or write, with what it cannot carry; a file to bring in."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QTextOption
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from vibedesk.state.routes import FORMATS, Export, RoutesState
from vibedesk.ui.ladder import clear
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Choice, Label, bare

_TITLES = {
    "agent-config": "AGENT_CONFIG block (TypeScript)",
    "dev-vars": "Names for .dev.vars",
    "toml": "routes.toml",
    "litellm": "LiteLLM proxy, config.yaml",
    "cloudflare": "Cloudflare dynamic routes",
    "portkey": "Portkey configs",
}
_HEIGHT = 300


class RouteFiles(Sheet):
    """Shows one format at a time. No export has a key in it: keys are named by their variables."""

    def __init__(self, host: QWidget, theme: Theme, routes: RoutesState) -> None:
        super().__init__(host, theme, title=self.tr("Import and export routes"), width=760)
        self._routes = routes
        self._export: Export | None = None
        self.format = Choice([(_TITLES.get(name, name), name) for name in FORMATS])
        self.format.setAccessibleName(self.tr("Format"))
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setAccessibleName(self.tr("Export"))
        self.text.setProperty("mono", True)
        self.text.setWordWrapMode(QTextOption.WrapMode.NoWrap)
        self.text.setFixedHeight(_HEIGHT)
        self.lost = bare(QVBoxLayout(), 4)
        self.copy = Button(self.tr("Copy")).on(self._copy)
        self.save = Button(self.tr("Save as…"), "primary").on(self._choose_place)
        self.bring = Button(self.tr("Import a file…")).on(self._choose_file)
        self.bring.setToolTip(self.tr("A routes.toml, a config.ts with AGENT_CONFIG, or a .dev.vars"))
        self._lay_out()
        routes.exported.connect(self._show)
        self.format.currentIndexChanged.connect(lambda: routes.export(self.format.chosen()))
        routes.export(self.format.chosen())

    def _lay_out(self) -> None:
        self.body.addWidget(
            Label(self.tr("All routes, for another tool. Keys are named, never written."), "muted")
        )
        self.body.addSpacing(4)
        self.body.addWidget(self.format)
        self.body.addWidget(self.text)
        self.body.addLayout(self.lost)
        self.footer.addWidget(self.bring)
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Close")).on(self.accept))
        self.footer.addWidget(self.copy)
        self.footer.addWidget(self.save)

    def _show(self, export: Export) -> None:
        if export.format != self.format.chosen():
            return
        self._export = export
        self.text.setPlainText(export.text)
        self.copy.setText(self.tr("Copy"))
        clear(self.lost)
        if export.lost:
            self.lost.addWidget(Label(self.tr("Not carried over"), "caption"))
        for sentence in export.lost:
            self.lost.addWidget(_point(sentence))

    def _copy(self) -> None:
        if self._export is not None:
            QGuiApplication.clipboard().setText(self._export.text)
            self.copy.setText(self.tr("Copied"))

    def _choose_place(self) -> None:
        if self._export is None:
            return
        dialog = QFileDialog(self, self.tr("Save the export"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(self._export.file)
        dialog.fileSelected.connect(self.write_to)
        dialog.open()

    def write_to(self, file: str) -> None:
        """Writes the export on show to this file."""
        if self._export is not None:
            self._routes.write_export(self._export, Path(file))

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, self.tr("Import routes"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.bring_in)
        dialog.open()

    def bring_in(self, file: str) -> None:
        """Takes the routes of this file in, and closes."""
        self._routes.bring_in(Path(file))
        self.accept()


def _point(sentence: str) -> QWidget:
    line = QWidget()
    row: QHBoxLayout = bare(QHBoxLayout(line), 8)
    row.addWidget(Label("·", "small"), 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(Label(sentence, "small", wrap=True), 1)
    return line
