"""The model picker: type, arrow, Enter. Several marked with Space become several lanes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QGuiApplication,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from vibedesk.state.catalog import CatalogState, ModelRow
from vibedesk.state.routes import RoutesState
from vibedesk.state.rows import RowsModel
from vibedesk.ui.option import ROUTE, Index, Option, OptionList, options_of, spoken
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Field, Hairline, Keycap, Label, bare

SHOWN = 500
MARKS = 8
"""Rows listed at the most, and rows marked at the most: as many as there are lanes."""
CONTROL = Qt.KeyboardModifier.ControlModifier


class ModelPicker(QFrame):
    """`picked(ids)` on Enter or click, `add_key(provider id)` on a model without a key, `cancelled` on Esc.

    An id is PROVIDER/MODEL or, where `routes` are offered, `route:NAME`. It brings no frame of its own: it stands in
    an `Overlay`, which gives it the focus.
    """

    picked = Signal(list)
    add_key = Signal(str)
    cancelled = Signal()

    def __init__(
        self,
        catalog: CatalogState,
        theme: Theme,
        *,
        current: str = "",
        routes: RoutesState | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Choose a model"))
        self._catalog, self._routes = catalog, routes
        self.marked: list[str] = []
        self._in_list = False
        self.search = Field(self.tr("Model, provider or id"), large=True, name=self.tr("Find a model"))
        self.rows = RowsModel(self, text=spoken)
        self.list = OptionList(self.rows, theme)
        self.note = Label("", "small", wrap=True)
        self.open = Button(self.tr("Open"), "primary").on(self._accept)
        self.hints = QWidget()
        self._lay_out()
        self._connect()
        self._show(current, centre=True)

    def sizeHint(self) -> QSize:
        return QSize(720, 560)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 160)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key(event)
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that reach nobody else: they mean what they mean in the field, and letters are typed there."""
        if self._key(event):
            return
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)
        if event.text().isprintable() and event.text():
            self.search.insert(event.text())
            self._typed()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.hints.setVisible(self.width() >= 480)

    def _lay_out(self) -> None:
        column = bare(QVBoxLayout(self))
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        column.addWidget(Hairline())
        self.note.setFixedHeight(34)
        self.note.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.note)
        foot = bare(QHBoxLayout(), 8)
        self._lay_out_hints()
        foot.addWidget(self.hints)
        foot.addStretch(1)
        foot.addWidget(self.open)
        column.addLayout(foot)
        self.setFocusProxy(self.search)

    def _lay_out_hints(self) -> None:
        row = bare(QHBoxLayout(self.hints), 6)
        for keys, words in (("Space", "marks several"), ("Ctrl D", "favourite"), ("Esc", "closes")):
            row.addWidget(Keycap(keys))
            row.addWidget(Label(words, "small"))
            row.addSpacing(8)

    def _connect(self) -> None:
        self.search.installEventFilter(self)
        self.search.textEdited.connect(lambda: self._typed())
        self.list.selectionModel().currentRowChanged.connect(lambda index, _: self._tell(index))
        self.list.clicked.connect(self._clicked)
        self._catalog.changed.connect(self._renew)
        if self._routes is not None:
            self._routes.changed.connect(self._renew)
            self._routes.reload()

    def _typed(self) -> None:
        self._in_list = False
        self._show()

    def _renew(self) -> None:
        self._show(self._current_id())

    def _show(self, current: str = "", *, centre: bool = False) -> None:
        found = options_of(self._catalog, self._routes, self.search.text(), self.marked)
        self.rows.set_rows(found[:SHOWN])
        index = self.rows.index(max(0, self.rows.row_of(current)))
        if index.isValid():
            self.list.setCurrentIndex(index)
            hint = QAbstractItemView.ScrollHint
            self.list.scrollTo(index, hint.PositionAtCenter if centre else hint.EnsureVisible)
        self._tell(self.list.currentIndex())

    def _current(self) -> Option | None:
        index = self.list.currentIndex()
        return self.rows.value(index.row()) if index.isValid() else None

    def _current_id(self) -> str:
        option = self._current()
        return option.id if option else ""

    def _tell(self, index: Index) -> None:
        option: Option | None = self.rows.value(index.row()) if index.isValid() else None
        self.note.setText(option.described if option else "")
        self.list.say_nothing_fits("" if option else self._nothing())
        self.open.setText(self._open_words(option))
        self.open.setEnabled(bool(option or self.marked) or self._is_id(self.search.text().strip()))
        self._say(spoken(option) if option else self._nothing())

    def _say(self, words: str) -> None:
        """The focus stays in the field, so a screen reader has to be told which row is current."""
        if words != self.search.accessibleDescription():
            self.search.setAccessibleDescription(words)
            if QAccessible.isActive():
                QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.search, words))

    def _nothing(self) -> str:
        typed = self.search.text().strip()
        if self._is_id(typed):
            return f"{typed} is not listed. Enter asks it all the same."
        return f"No model fits “{typed}”.\nOne that is not listed can be asked as PROVIDER/MODEL."

    def _open_words(self, option: Option | None) -> str:
        if self.marked:
            return f"Open {len(self.marked)} lanes" if len(self.marked) > 1 else "Open 1 lane"
        if option is None:
            return "Open"
        return option.action

    def _key(self, event: QKeyEvent) -> bool:
        match event.key():
            case Qt.Key.Key_Down | Qt.Key.Key_Up | Qt.Key.Key_PageDown | Qt.Key.Key_PageUp:
                self._in_list = True
                self.list.step(event)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._accept()
            case Qt.Key.Key_Escape:
                self.cancelled.emit()
            case Qt.Key.Key_Space if self._in_list or not self.search.text():
                self._mark()
            case Qt.Key.Key_D if event.modifiers() == CONTROL:
                self._like()
            case _:
                return False
        return True

    def _clicked(self, index: Index) -> None:
        if QGuiApplication.keyboardModifiers() & CONTROL:
            self._mark()
        else:
            self._act(self.rows.value(index.row()))

    def _mark(self) -> None:
        option = self._current()
        if option is None:
            return
        if option.id in self.marked:
            self.marked.remove(option.id)
        elif option.usable and len(self.marked) < MARKS:
            self.marked.append(option.id)
        self._renew()

    def _like(self) -> None:
        option = self._current()
        if option is not None and isinstance(option.what, ModelRow):
            self._catalog.like(option.id, not option.what.favourite)

    def _accept(self) -> None:
        option = self._current()
        if self.marked:
            self._pick(list(self.marked))
        elif option is not None:
            self._act(option)
        elif self._is_id(self.search.text().strip()):
            self._act_on_model(self._catalog.row(self.search.text().strip()))

    def _act(self, option: Option) -> None:
        if isinstance(option.what, ModelRow):
            self._act_on_model(option.what)
        else:
            self._pick([option.id])

    def _act_on_model(self, row: ModelRow) -> None:
        if row.usable:
            self._pick([row.id])
        elif row.model.state != "retired":
            self.add_key.emit(row.provider.id)
        elif row.model.replacement:
            self._act_on_model(self._catalog.row(f"{row.provider.id}/{row.model.replacement}"))

    def _pick(self, ids: list[str]) -> None:
        for one in reversed([one for one in ids if not one.startswith(ROUTE)]):
            self._catalog.note_used(one)
        self.picked.emit(ids)

    def _is_id(self, typed: str) -> bool:
        provider, _, model = typed.partition("/")
        return bool(model) and provider in self._catalog.catalog.providers
