"""The list of conversations that slides out of the rail."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from vibedesk.state.history import History
from vibedesk.store.history import ConversationSummary
from vibedesk.store.search import END_MARK, MARK
from vibedesk.ui import harmless
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme, body_font
from vibedesk.ui.widgets import Button, Empty, Field, Label, bare

WIDTH = 272
ROW = 48
NEAR = 14
"""Characters of an excerpt before the word that was looked for: the line is short."""


class HistoryPanel(QFrame):
    """`opened(id)` when one is chosen, `new_wanted` for an empty one."""

    opened = Signal(str)
    found = Signal(str)
    """What was looked for, after the conversation that says it was opened."""
    new_wanted = Signal()

    def __init__(self, history: History, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("conversations")
        self.setFixedWidth(WIDTH)
        self._history, self._theme = history, theme
        self.search = Field(self.tr("Find in conversations"))
        self.search.textChanged.connect(history.find)
        self.search.returnPressed.connect(self._open_first)
        self.search.installEventFilter(self)
        self.list = _List(history, theme)
        self.list.activated.connect(self._open)
        self.list.clicked.connect(self._open)
        self.list.removal_wanted.connect(history.remove)
        self.list.menu_wanted.connect(self._menu)
        self._nothing = Empty("", self.tr("What you ask is kept here."))
        new = Button("", "quiet", theme.icon("note-pencil", size=18)).named(self.tr("New conversation"))
        more = Button("", "quiet", theme.icon("dots-three", size=18)).named(self.tr("More"))
        more.on(lambda: self._more(more))
        self._tags = Button("", "quiet", theme.icon("tag", size=16)).named(self.tr("Only one tag"))
        self._tags.on(self._choose_tag)
        top = bare(QHBoxLayout(), 8)
        top.setContentsMargins(16, 10, 10, 10)
        top.addWidget(Label(self.tr("Conversations"), "title"))
        top.addStretch(1)
        top.addWidget(new.on(self.new_wanted.emit))
        top.addWidget(more)
        column = bare(QVBoxLayout(self))
        column.addLayout(top)
        field = bare(QHBoxLayout(), 4)
        field.setContentsMargins(12, 0, 12, 8)
        field.addWidget(self.search, 1)
        field.addWidget(self._tags)
        column.addLayout(field)
        column.addWidget(self.list, 1)
        column.addWidget(self._nothing, 1)
        history.listed.connect(self._listed)
        self._listed()

    def mark(self, id: str) -> None:
        """Shows which conversation is open."""
        row = self._history.rows.row_of(id)
        if row >= 0:
            self.list.setCurrentIndex(self._history.rows.index(row))
        else:
            self.list.clearSelection()

    def _listed(self) -> None:
        empty = not self._history.rows.rowCount()
        looked = self._history.search or self._history.tag
        self._nothing.text.setText(
            self.tr("Nothing found.") if looked else self.tr("What you ask is kept here.")
        )
        self._tags.setVisible(bool(self._history.tags))
        self._tags.setText(self._history.tag)
        self._nothing.setVisible(empty)
        self.list.setVisible(not empty)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Down leads from the field into the list."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Down:
            if event.type() == QEvent.Type.KeyPress and self._history.rows.rowCount():
                self.list.setFocus(Qt.FocusReason.TabFocusReason)
                self.list.setCurrentIndex(self._history.rows.index(0))
            return True
        return super().eventFilter(watched, event)

    def _open_first(self) -> None:
        """What was found first; where nothing was looked for, nothing was found."""
        rows = self._history.rows
        if rows.rowCount() and rows.value(0).hit is not None:
            self._open(rows.index(0))

    def _open(self, index: QModelIndex) -> None:
        row: ConversationSummary = index.data(Qt.ItemDataRole.UserRole)
        self.opened.emit(row.id)
        if row.hit is not None and row.hit.turn_id:
            self.found.emit(self._history.search)

    # Menus

    def _menu(self, row: ConversationSummary, at: QPoint) -> None:
        menu = _menu_of(self)
        history = self._history
        menu.addAction(self.tr("Open"), lambda: self.opened.emit(row.id))
        menu.addAction(self.tr("Rename…"), lambda: self._rename(row))
        pin = self.tr("Unpin") if row.pinned else self.tr("Pin")
        menu.addAction(pin, lambda: history.pin(row.id, not row.pinned))
        menu.addAction(self.tr("Tags…"), lambda: self._edit_tags(row))
        menu.addAction(self.tr("Export…"), lambda: self._export([row.id], row.title))
        menu.addSeparator()
        menu.addAction(self.tr("Remove"), lambda: history.remove(row.id))
        menu.popup(at)

    def _more(self, button: Button) -> None:
        menu = _menu_of(self)
        ids = [row.id for row in self._history.rows.rows()]
        menu.addAction(self.tr("Import…"), self.choose_import)
        every = menu.addAction(self.tr("Export these…"), lambda: self._export(ids, self.tr("conversations")))
        every.setEnabled(bool(ids))
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _choose_tag(self) -> None:
        menu = _menu_of(self)
        for tag in ("", *self._history.tags):
            action = menu.addAction(harmless.one_line(tag) if tag else self.tr("All"))
            action.setCheckable(True)
            action.setChecked(tag == self._history.tag)
            action.triggered.connect(lambda _, tag=tag: self._history.find_tag(tag))
        menu.popup(self._tags.mapToGlobal(self._tags.rect().bottomLeft()))

    def _rename(self, row: ConversationSummary) -> None:
        LineSheet(
            self,
            self._theme,
            title=self.tr("Rename"),
            text=row.title,
            keep=lambda text: self._history.rename(row.id, text),
        ).open()

    def _edit_tags(self, row: ConversationSummary) -> None:
        known = ", ".join(self._history.tags)
        LineSheet(
            self,
            self._theme,
            title=self.tr("Tags"),
            text=", ".join(row.tags),
            hint=self.tr("Several are separated by commas.")
            + (" " + self.tr("There are: {tags}").format(tags=known) if known else ""),
            keep=lambda text: self._history.set_tags(row.id, text.split(",")),
        ).open()

    def _export(self, ids: list[str], name: str) -> None:
        dialog = QFileDialog(self, self.tr("Export conversations"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(self.tr("VibeDesk conversations (*.json)"))
        dialog.setDefaultSuffix("json")
        dialog.selectFile(file_name(name))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self._history.export(ids, path))
        dialog.open()

    def choose_import(self) -> None:
        """Asks for a file of conversations; nothing waits for the answer."""
        dialog = QFileDialog(self, self.tr("Import conversations"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(self.tr("VibeDesk conversations (*.json)"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._history.import_from)
        dialog.open()


class LineSheet(Sheet):
    """One line to write; `keep(text)` when it is saved."""

    def __init__(
        self,
        host: QWidget,
        theme: Theme,
        *,
        title: str,
        text: str,
        keep: Callable[[str], object],
        hint: str = "",
    ) -> None:
        super().__init__(host, theme, title=title, width=420)
        self.line = Field(name=title)
        self.line.setText(text)
        self.line.selectAll()
        self.line.returnPressed.connect(self._save)
        self.body.addWidget(self.line)
        if hint:
            self.body.addWidget(Label(hint, "muted", wrap=True))
        self._keep = keep
        self.footer.addStretch(1)
        self.footer.addWidget(Button(self.tr("Cancel")).on(self.reject))
        self.footer.addWidget(Button(self.tr("Save"), "primary").on(self._save))
        self.line.setFocus()

    def _save(self) -> None:
        self._keep(self.line.text())
        self.accept()


def file_name(title: str) -> str:
    """What a file of this conversation may be called anywhere, without its ending."""
    return re.sub(r"[^\w\- ]+", "", title).strip()[:60].strip() or "conversation"


def _menu_of(owner: QWidget) -> QMenu:
    menu = QMenu(owner)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return menu


class _List(QListView):
    """`removal_wanted(id)` by Delete, `menu_wanted(summary, place on the screen)` by the right button or its key."""

    removal_wanted = Signal(str)
    menu_wanted = Signal(object, QPoint)

    def __init__(self, history: History, theme: Theme) -> None:
        super().__init__()
        self.setModel(history.rows)
        self.setItemDelegate(_Painter(theme, self))
        self.setAccessibleName(self.tr("Conversations"))
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.currentIndex().isValid():
            self.removal_wanted.emit(self.currentIndex().data(Qt.ItemDataRole.UserRole).id)
            return
        super().keyPressEvent(event)

    def _menu(self, point: QPoint) -> None:
        index = self.indexAt(point)
        if index.isValid():
            row = index.data(Qt.ItemDataRole.UserRole)
            self.menu_wanted.emit(row, self.viewport().mapToGlobal(point))


class _Painter(QStyledItemDelegate):
    """A title, and under it when it was and how many asked."""

    def __init__(self, theme: Theme, parent: QListView) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(WIDTH - 12, ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: ConversationSummary = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(option.rect).adjusted(8, 1, -8, -1)
        state = option.state
        token = "accent-weak" if state & QStyle.StateFlag.State_Selected else ""
        token = token or ("hover" if state & QStyle.StateFlag.State_MouseOver else "")
        if token:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour(token))
            painter.drawRoundedRect(rect, 6, 6)
        words = rect.adjusted(8, 5, -8, -5)
        title = QRectF(words)
        if row.pinned:
            pin = self._theme.icon("push-pin", size=14).pixmap(14, 14)
            painter.drawPixmap(QPointF(words.right() - 14, words.top() + 2), pin)
            title.setRight(words.right() - 20)
        self._draw(painter, title, harmless.one_line(row.title) or "Untitled", body_font(), "text", top=True)
        if row.hit is not None and row.hit.excerpt:
            self._draw_excerpt(painter, words, row.hit.excerpt)
        else:
            lanes = f"{len(row.models)} models" if len(row.models) != 1 else row.models[0].partition("/")[2]
            lanes = lanes if row.models else "blind"
            below = " · ".join([day_of(row.updated), lanes, *(harmless.one_line(tag) for tag in row.tags)])
            self._draw(painter, words, below, body_font(12), "muted", top=False)
        painter.restore()

    def _draw_excerpt(self, painter: QPainter, rect: QRectF, excerpt: str) -> None:
        """One line; the words that were looked for stand out."""
        plain, bold = body_font(12), body_font(12)
        bold.setWeight(QFont.Weight.DemiBold)
        left = rect.left()
        for piece, found in pieces_of(excerpt):
            text = harmless.code(piece)
            font = bold if found else plain
            painter.setFont(font)
            painter.setPen(self._theme.colour("text" if found else "muted"))
            room = rect.right() - left
            short = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(
                QRectF(left, rect.top(), room, rect.height()),
                Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft,
                short,
            )
            left += QFontMetricsF(font).horizontalAdvance(text)
            if left >= rect.right():
                return

    def _draw(
        self, painter: QPainter, rect: QRectF, text: str, font: QFont, token: str, *, top: bool
    ) -> None:
        painter.setFont(font)
        painter.setPen(self._theme.colour(token))
        short = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        side = Qt.AlignmentFlag.AlignTop if top else Qt.AlignmentFlag.AlignBottom
        painter.drawText(rect, side | Qt.AlignmentFlag.AlignLeft, short)


def pieces_of(excerpt: str) -> list[tuple[str, bool]]:
    """An excerpt in pieces, each with whether it is what was looked for. A hit far to the right comes nearer."""
    before, mark, rest = excerpt.partition(MARK)
    if mark and len(before) > NEAR:
        excerpt = "…" + before[-NEAR:].partition(" ")[2] + mark + rest
    pieces: list[tuple[str, bool]] = []
    for number, part in enumerate(excerpt.split(MARK)):
        found, _, after = part.partition(END_MARK) if number else ("", "", part)
        pieces += [(found, True), (after, False)]
    return [(text, is_found) for text, is_found in pieces if text]


def day_of(moment: datetime, now: datetime | None = None) -> str:
    """“14:05” today, “yesterday”, a weekday this week, else a date."""
    local = moment.astimezone()
    today = (now or datetime.now(UTC)).astimezone().date()
    days = (today - local.date()).days
    if days <= 0:
        return f"{local:%H:%M}"
    if days == 1:
        return "yesterday"
    return f"{local:%A}" if days < 7 else f"{local.day} {local:%b %Y}"
