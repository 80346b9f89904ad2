"""Rows of values as a calm table: hairlines, no grid, each cell drawn from a few words about it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal

from msgspec import Struct
from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from vibedesk.state.rows import RowsModel
from vibedesk.ui.theme import Theme, body_font, mono_font
from vibedesk.ui.widgets import paint_tile

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
ROW = 40
PAD = 10
CHIP_ROLES = {"ok", "warn", "bad", "accent"}


class Cell(Struct, frozen=True, kw_only=True):
    """What stands in one cell. `hint` follows the text in small mono; `tile` (letter, colour or token) goes before it.

    kind: body, strong, muted, mono, or chip (then `role` is the chip's and `dot` its dot).
    """

    text: str = ""
    kind: Literal["body", "strong", "muted", "mono", "chip"] = "body"
    role: str = "neutral"
    hint: str = ""
    hint_mono: bool = True
    tile: tuple[str, str] | None = None
    dot: bool = False
    tip: str = ""


class Column(Struct, frozen=True, kw_only=True):
    """`width` in pixels, None = as wide as its cells; `stretch` takes what is left, a `whole` one never less than
    its cells want: then the table is scrolled sideways.
    """

    title: str
    cell: Callable[[Any], Cell | str]
    width: int | None = None
    stretch: bool = False
    whole: bool = False
    align: Literal["left", "right"] = "left"


class Table(QTableView):
    """Shows a `RowsModel` in columns.

    `chosen(value)` when the current row changes, `opened(value)` on Enter or double click.
    """

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(
        self, rows: RowsModel, columns: Sequence[Column], theme: Theme, *, name: str, row_height: int = ROW
    ) -> None:
        super().__init__()
        self.rows = rows
        self.hovered = -1
        self.ring = False
        self.setAccessibleName(name)
        grid = _Grid(rows, tuple(columns), self)
        self.setModel(grid)
        self.setItemDelegate(_Painter(theme, self, grid))
        self._columns = tuple(columns)
        self._set_up(row_height)
        self._lay_out(columns)
        self.selectionModel().currentRowChanged.connect(self._tell_chosen)
        self.doubleClicked.connect(lambda index: self.opened.emit(rows.value(index.row())))
        self.entered.connect(lambda index: self._hover(index.row()))

    def value(self) -> Any:
        """The value of the current row, None when there is none."""
        index = self.currentIndex()
        return self.rows.value(index.row()) if index.isValid() else None

    def choose(self, key: Hashable) -> None:
        """Makes the row with this key the current one; does nothing when it is not there."""
        row = self.rows.row_of(key)
        if row >= 0:
            self.selectRow(row)

    def minimum_height(self, width: int | None = None) -> int:
        """Header and all rows in pixels, and the scroll bar it needs where it is no wider than `width`."""
        over = width is not None and width < self.wanted_width()
        bar = self.horizontalScrollBar().sizeHint().height() if over else 0
        rows = self.rows.rowCount() * self.verticalHeader().defaultSectionSize()
        return self.horizontalHeader().height() + rows + bar + 2

    def wanted_width(self) -> int:
        """Pixels in which no cell of a column without a width is shortened."""
        shown = [number for number in range(len(self._columns)) if not self.isColumnHidden(number)]
        return sum(self._wanted(number) for number in shown)

    def _wanted(self, number: int) -> int:
        header = self.horizontalHeader()
        cells = max(self.sizeHintForColumn(number), header.sectionSizeHint(number))
        return max(self._columns[number].width or cells, header.minimumSectionSize())

    def _set_up(self, row_height: int) -> None:
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(row_height)
        self.verticalHeader().setMinimumSectionSize(20)

    def _lay_out(self, columns: Sequence[Column]) -> None:
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(40)
        header.setFixedHeight(ROW)
        header.setResizeContentsPrecision(60)
        for number, column in enumerate(columns):
            if column.stretch:
                header.setSectionResizeMode(number, QHeaderView.ResizeMode.Stretch)
            elif column.width is None:
                header.setSectionResizeMode(number, QHeaderView.ResizeMode.ResizeToContents)
            else:
                header.setSectionResizeMode(number, QHeaderView.ResizeMode.Fixed)
                header.resizeSection(number, column.width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """A whole column stretches only while there is more than it wants."""
        fits = self.wanted_width() <= self.viewport().width()
        mode = QHeaderView.ResizeMode.Stretch if fits else QHeaderView.ResizeMode.ResizeToContents
        for number, column in enumerate(self._columns):
            if column.whole:
                self.horizontalHeader().setSectionResizeMode(number, mode)

    def _tell_chosen(self, index: QModelIndex) -> None:
        self.chosen.emit(self.rows.value(index.row()) if index.isValid() else None)

    def _hover(self, row: int) -> None:
        self.hovered = row
        self.viewport().update()

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.ring = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)
        if self.ring and self.rows.rowCount() and not self.selectionModel().hasSelection():
            self.selectRow(max(0, self.currentIndex().row()))  # Qt makes a row current without selecting it

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.ring = False
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.ring = True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.value() is not None:
            self.opened.emit(self.value())
            return
        super().keyPressEvent(event)


class _Grid(QAbstractTableModel):
    """The rows of a `RowsModel`, spread over columns."""

    def __init__(self, rows: RowsModel, columns: tuple[Column, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self._rows, self.columns = rows, columns
        rows.rowsAboutToBeInserted.connect(
            lambda _p, first, last: self.beginInsertRows(_NO_PARENT, first, last)
        )
        rows.rowsInserted.connect(lambda *_: self.endInsertRows())
        rows.rowsAboutToBeRemoved.connect(
            lambda _p, first, last: self.beginRemoveRows(_NO_PARENT, first, last)
        )
        rows.rowsRemoved.connect(lambda *_: self.endRemoveRows())
        rows.rowsAboutToBeMoved.connect(
            lambda _p, first, last, _t, to: self.beginMoveRows(_NO_PARENT, first, last, _NO_PARENT, to)
        )
        rows.rowsMoved.connect(lambda *_: self.endMoveRows())
        rows.dataChanged.connect(self._changed)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else self._rows.rowCount()

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def cell(self, index: Index) -> Cell:
        """What stands at `index`."""
        made = self.columns[index.column()].cell(self._rows.value(index.row()))
        return Cell(text=made) if isinstance(made, str) else made

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.UserRole:
            return self._rows.value(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            cell = self.cell(index)
            return f"{cell.text} {cell.hint}".strip()
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.cell(index).tip or None
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = (
                Qt.AlignmentFlag.AlignRight
                if self.columns[section].align == "right"
                else Qt.AlignmentFlag.AlignLeft
            )
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def _changed(self, first: QModelIndex, last: QModelIndex) -> None:
        self.dataChanged.emit(self.index(first.row(), 0), self.index(last.row(), len(self.columns) - 1))


class _Painter(QStyledItemDelegate):
    """Draws cells: tile, text, hint or chip."""

    def __init__(self, theme: Theme, table: Table, grid: _Grid) -> None:
        super().__init__(table)
        self._theme, self._table, self._grid = theme, table, grid
        self._fonts = {
            "body": body_font(),
            "mono": mono_font(12),
            "chip": body_font(11),
            "hint": body_font(12),
        }
        self._fonts["strong"] = QFont(self._fonts["body"])
        self._fonts["strong"].setWeight(QFont.Weight.DemiBold)
        self._fonts["muted"] = self._fonts["body"]
        self._fonts["chip"].setWeight(QFont.Weight.Medium)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        cell = self._grid.cell(index)
        width = 2 * PAD + self._advance(cell.kind, cell.text) + (30 if cell.tile else 0)
        width += (30 if cell.dot else 16) if cell.kind == "chip" and cell.text else 0
        width += self._advance(self._hint_kind(cell), cell.hint) + 8 if cell.hint else 0
        return QSize(round(width) + 1, self._table.verticalHeader().defaultSectionSize())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        cell, column = self._grid.cell(index), self._grid.columns[index.column()]
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(rect)
        self._paint_ground(painter, rect, index)
        inner = rect.adjusted(PAD, 0, -PAD, -1)
        if cell.tile:
            paint_tile(
                painter,
                QRectF(inner.left(), inner.center().y() - 11, 22, 22),
                *self._tile(cell.tile),
                option.font,
            )
            inner.setLeft(inner.left() + 30)
        if cell.kind == "chip":
            self._paint_chip(painter, inner, cell)
        else:
            self._paint_words(painter, inner, cell, column.align)
        painter.restore()

    def _paint_ground(self, painter: QPainter, rect: QRectF, index: Index) -> None:
        selected = self._table.selectionModel().isRowSelected(index.row(), QModelIndex())
        if selected:
            painter.fillRect(rect, self._theme.colour("accent-weak"))
        elif self._table.hovered == index.row():
            painter.fillRect(rect, self._theme.colour("hover"))
        painter.fillRect(QRectF(rect.left(), rect.bottom() - 1, rect.width(), 1), self._theme.colour("line"))
        if selected and self._table.ring and self._table.hasFocus():
            self._paint_ring(painter, rect, index)

    def _paint_ring(self, painter: QPainter, rect: QRectF, index: Index) -> None:
        accent = self._theme.colour("accent")
        painter.fillRect(QRectF(rect.left(), rect.top(), rect.width(), 1.5), accent)
        painter.fillRect(QRectF(rect.left(), rect.bottom() - 1.5, rect.width(), 1.5), accent)
        if index.column() == 0:
            painter.fillRect(QRectF(rect.left(), rect.top(), 1.5, rect.height()), accent)
        if index.column() == index.model().columnCount() - 1:
            painter.fillRect(QRectF(rect.right() - 1.5, rect.top(), 1.5, rect.height()), accent)

    def _paint_words(self, painter: QPainter, rect: QRectF, cell: Cell, align: str) -> None:
        colour = {"muted": "muted"}.get(cell.kind, cell.role if cell.role in CHIP_ROLES else "text")
        side = Qt.AlignmentFlag.AlignRight if align == "right" else Qt.AlignmentFlag.AlignLeft
        used = self._draw(painter, rect, cell.kind, cell.text, colour, side)
        if cell.hint and rect.width() - used > 24:
            rest = rect.adjusted(used + 6, 0, 0, 0)
            self._draw(painter, rest, self._hint_kind(cell), cell.hint, "muted", Qt.AlignmentFlag.AlignLeft)

    def _draw(
        self, painter: QPainter, rect: QRectF, kind: str, text: str, colour: str, side: Qt.AlignmentFlag
    ) -> float:
        font = self._fonts[kind]
        metrics = QFontMetricsF(font)
        short = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.setFont(font)
        painter.setPen(self._theme.colour(colour))
        painter.drawText(rect, side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, short)
        return metrics.horizontalAdvance(short)

    def _paint_chip(self, painter: QPainter, rect: QRectF, cell: Cell) -> None:
        if not cell.text:
            return
        lead = 19 if cell.dot else 8
        width = min(rect.width(), self._advance("chip", cell.text) + lead + 9)
        pill = QRectF(rect.left(), rect.center().y() - 10, width, 20)
        tinted = cell.role in CHIP_ROLES
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(f"{cell.role}-weak" if tinted else "sunken"))
        painter.drawRoundedRect(pill, 10, 10)
        colour = cell.role if tinted else "muted"
        if cell.dot:
            painter.setBrush(self._theme.colour(colour))
            painter.drawEllipse(QPointF(pill.left() + 11, pill.center().y()), 3, 3)
        words = pill.adjusted(lead, 0, -6, 0)
        self._draw(painter, words, "chip", cell.text, colour, Qt.AlignmentFlag.AlignLeft)

    def _advance(self, kind: str, text: str) -> float:
        return QFontMetricsF(self._fonts[kind]).horizontalAdvance(text)

    def _tile(self, tile: tuple[str, str]) -> tuple[str, QColor]:
        letter, colour = tile
        return letter, QColor(colour) if colour.startswith("#") else self._theme.colour(colour)

    @staticmethod
    def _hint_kind(cell: Cell) -> str:
        return "mono" if cell.hint_mono else "hint"


def line_pen(theme: Theme) -> QPen:
    """The pen of hairlines, for what is painted by hand."""
    return QPen(theme.colour("line"), 1)
