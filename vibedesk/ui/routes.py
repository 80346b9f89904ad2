"""The named routes drawn: the table of model configs, and beside it the one being edited, linted and explained."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QStackedLayout, QVBoxLayout, QWidget

from vibedesk.state.catalog import CatalogState
from vibedesk.state.routes import RouteRow, RoutesState
from vibedesk.ui.catalog import hide_columns
from vibedesk.ui.route_editor import RouteEditor
from vibedesk.ui.table import Cell, Column, Table
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Chip, Empty, TopBar, bare

PickModels = Callable[[str, Callable[[list[str]], None]], None]
"""Opens the picker on a current model and hands over what was picked."""


class RoutesPage(QWidget):
    """The list at the left, the chosen route at the right."""

    def __init__(
        self,
        routes: RoutesState,
        catalog: CatalogState,
        theme: Theme,
        pick: PickModels,
        open_in_lane: Callable[[str], object],
    ) -> None:
        super().__init__()
        self._routes, self._theme = routes, theme
        self.count = Chip()
        self.table = Table(routes.rows, _columns(catalog), theme, name="Routes")
        self.editor = RouteEditor(routes, catalog, theme, pick, open_in_lane)
        self.files = Button(self.tr("Import, export…")).on(self._open_files)
        self.files.setToolTip(self.tr("Export all routes to another tool, or import routes from a file"))
        self._growing = (
            Button(self.tr("Add starter set")).on(routes.add_starters),
            Button(self.tr("New route"), "primary").on(self.new_route),
        )
        """Where there are no routes yet, the empty page offers them itself."""
        self._pages = QStackedLayout()
        self._pages.currentChanged.connect(self._show_buttons)
        self._lay_out(theme)
        self.table.chosen.connect(self._chosen)
        self.table.opened.connect(lambda row: self.editor.name.setFocus(Qt.FocusReason.TabFocusReason))
        routes.changed.connect(self._show)
        routes.saved.connect(self._saved)
        self.editor.closed.connect(self._closed)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._routes.reload()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.editor.setFixedWidth(EDITOR if self.width() >= 2 * EDITOR else EDITOR_LEAST)
        hide_columns(self.table, self.width(), HIDDEN_BELOW)
        alone = self.width() < HIDDEN_BELOW["Model"]
        mode = QHeaderView.ResizeMode.Stretch if alone else QHeaderView.ResizeMode.Fixed
        self.table.horizontalHeader().setSectionResizeMode(0, mode)
        if not alone:
            self.table.horizontalHeader().resizeSection(0, NAME)

    def new_route(self) -> None:
        """Begins an empty route in the editor."""
        self.table.clearSelection()
        self.table.setCurrentIndex(self.table.rootIndex())
        self._pages.setCurrentIndex(0)
        self.editor.show()
        self.editor.show_new()

    def _open_files(self) -> None:
        from vibedesk.ui.route_files import RouteFiles

        RouteFiles(self, self._theme, self._routes).open()

    def _lay_out(self, theme: Theme) -> None:
        bar = TopBar("Routes")
        bar.left.addWidget(self.count)
        self.editor.save.setObjectName("saveRoute")  # notices stay above it
        for button in (self.files, *self._growing):
            bar.right.addWidget(button)
        column = bare(QVBoxLayout(self))
        column.addWidget(bar)
        column.addLayout(self._pages, 1)
        self._pages.addWidget(self._filled())
        self._pages.addWidget(self._empty())
        self._pages.setCurrentIndex(1)
        self.editor.hide()

    def _filled(self) -> QWidget:
        left = QWidget()
        inner = bare(QVBoxLayout(left))
        inner.setContentsMargins(20, 4, 20, 12)
        inner.addWidget(self.table)
        page = QWidget()
        row = bare(QHBoxLayout(page))
        row.addWidget(left, 1)
        row.addWidget(self.editor)
        return page

    def _empty(self) -> QWidget:
        words = (
            "A route names a model with its parameters and what to ask when it fails. Lanes and the terminal ask "
            "routes by name; they are kept in config/routes.toml."
        )
        actions = QWidget()
        row = bare(QHBoxLayout(actions), 8)
        row.addWidget(Button(self.tr("New route"), "primary").on(self.new_route))
        row.addWidget(Button(self.tr("Add the starter set")).on(self._routes.add_starters))
        page = Empty(self.tr("No routes yet"), words)
        layout = page.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(3, actions, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.insertSpacing(3, 8)
        return page

    def _show(self) -> None:
        number = self._routes.rows.rowCount()
        self.count.set("" if not number else f"{number} routes" if number > 1 else "1 route")
        if not number and not self.editor.is_new:
            self.editor.hide()
            self._pages.setCurrentIndex(1)
            return
        self._pages.setCurrentIndex(0)
        self.editor.show()
        if self.editor.is_new or self.editor.saving:
            return
        if self.table.value() is None:
            self.table.selectRow(0)
        row: RouteRow | None = self.table.value()
        if row is not None and not self.editor.edited and self.editor.shown() != row.route:
            self.editor.show_route(row.route)  # it was edited outside
        elif row is not None:
            self.editor.relint()

    def _show_buttons(self, page: int) -> None:
        for button in self._growing:
            button.setVisible(page == 0)

    def _chosen(self, row: RouteRow | None) -> None:
        if row is not None and row.route != self.editor.shown() and not self.editor.saving:
            self.editor.show_route(row.route)

    def _saved(self, name: str) -> None:
        self.table.choose(name)

    def _closed(self) -> None:
        self._show()


EDITOR, EDITOR_LEAST = 380, 356
"""Widths of the form, in pixels."""
NAME = 218
HIDDEN_BELOW = {"Temp": 1000, "Effort": 900, "Max tokens": 820, "Model": 720, "": 720}
"""Column → width of the page, in pixels, below which the table does without it."""


def _columns(catalog: CatalogState) -> list[Column]:
    return [
        Column(title="Route", cell=lambda row: Cell(text=row.route.name, kind="strong"), width=NAME),
        Column(title="Model", cell=lambda row: _model(row, catalog), stretch=True),
        Column(title="Effort", cell=lambda row: _words(row.route.parameters.reasoning_effort), width=80),
        Column(
            title="Max tokens",
            cell=lambda row: _words(row.route.parameters.max_tokens),
            width=94,
            align="right",
        ),
        Column(
            title="Temp", cell=lambda row: _words(row.route.parameters.temperature), width=60, align="right"
        ),
        Column(title="", cell=_lints, width=132),
    ]


def _model(row: RouteRow, catalog: CatalogState) -> Cell:
    provider_id, _, model = row.route.model.partition("/")
    provider = catalog.catalog.providers.get(provider_id)
    falls = [one.partition("/")[2] for one in row.route.fallback_models]
    through = row.route.provider_override or ""
    then = f"then {falls[0]}" + (f" and {len(falls) - 1} more" if len(falls) > 1 else "") if falls else ""
    return Cell(
        text=model,
        hint=" · ".join(words for words in (through, then) if words),
        hint_mono=False,
        tile=(provider.letter, provider.colour) if provider else ("?", "gray"),
        tip="\n".join([row.route.model, *row.route.fallback_models]),
    )


def _words(value: str | float | None) -> Cell:
    if value is None:
        return Cell(text="—", kind="muted")
    if isinstance(value, str):
        return Cell(text=value)
    return Cell(text=f"{value:,}" if isinstance(value, int) else f"{value:g}")


def _lints(row: RouteRow) -> Cell:
    if not row.lints:
        return Cell(text="ready", kind="chip", role="ok", dot=True)
    more = f" +{len(row.lints) - 1}" if len(row.lints) > 1 else ""
    words = _SHORT.get(row.lints[0].rule, row.lints[0].rule.replace("_", " "))
    tip = "\n".join(lint.message for lint in row.lints)
    return Cell(text=words + more, kind="chip", role="warn", dot=True, tip=tip)


_SHORT = {
    "fallback_equals_primary": "asked twice",
    "retired_model": "retired",
    "unknown_provider": "no provider",
    "wrong_origin": "key elsewhere",
    "insecure_address": "not encrypted",
    "no_gateway": "goes direct",
    "max_tokens_over_limit": "max tokens",
    "parameter_refused": "parameter",
    "window_smaller": "small window",
    "window_too_small": "small window",
    "same_quota_scope": "same account",
    "cache_with_temperature": "cached",
    "waits_contradict": "waiting",
}
"""A lint in two words, for its chip; the tip says all of it."""
