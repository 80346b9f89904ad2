"""One row of the model picker, a model or a route: what it says, and how it is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from vibedesk.state.catalog import CatalogState, ModelRow
from vibedesk.state.routes import RouteRow, RoutesState
from vibedesk.state.rows import RowsModel
from vibedesk.ui.catalog import describe, price_words, state_words, tokens
from vibedesk.ui.theme import Theme, body_font
from vibedesk.ui.widgets import Label, paint_tile

ROW = 44
ROUTE = "route:"
"""What the id of a route begins with."""
ABILITIES = ("vision", "tools", "reasoning")
PRICE, WINDOW, BAR = 104, 44, 12
"""Widths of the two columns of figures and of the room for a scroll bar, in pixels."""

Index = QModelIndex | QPersistentModelIndex


class Option(Struct, frozen=True):
    """What can be picked. `marked` is its place among the marked ones, 0 = not marked."""

    id: str
    what: ModelRow | RouteRow
    marked: int = 0

    @property
    def usable(self) -> bool:
        return self.what.usable

    @property
    def name(self) -> str:
        return self.what.model.name if isinstance(self.what, ModelRow) else self.what.id

    @property
    def under(self) -> str:
        """The second line."""
        if isinstance(self.what, RouteRow):
            return " → ".join((self.what.route.model, *self.what.route.fallback_models))
        row = self.what
        parts = [row.provider.name, "" if row.model.name == row.model.id else row.model.id]
        return " · ".join(part for part in (*parts, "recent" if row.recent else "") if part)

    @property
    def described(self) -> str:
        """What stands below the list while this is the current one."""
        if isinstance(self.what, ModelRow):
            return describe(self.what)
        asked = f"Route {self.what.id}: asks {self.what.route.model}"
        falls = ", then ".join(self.what.route.fallback_models)
        lints = " ".join(lint.message for lint in self.what.lints)
        return f"{asked}{', then ' if falls else ''}{falls}. {lints}".strip()

    @property
    def action(self) -> str:
        """What Enter does, as a button says it."""
        if isinstance(self.what, RouteRow) or self.usable:
            return "Open"
        return "Use replacement" if self.what.model.state == "retired" else "Add key"


def options_of(
    catalog: CatalogState, routes: RoutesState | None, query: str, marked: Sequence[str]
) -> list[Option]:
    """What fits `query`. Typed: routes by their name, then models. Untyped: routes after recent and liked models."""
    models = [Option(row.id, row, _place(row.id, marked)) for row in catalog.find(query)]
    if routes is None:
        return models
    named = [Option(ROUTE + row.id, row, _place(ROUTE + row.id, marked)) for row in routes.find(query)]
    first = 0
    if not query.strip():
        first = sum(
            isinstance(one.what, ModelRow) and (one.what.recent or one.what.favourite) for one in models
        )
    return [*models[:first], *named, *models[first:]]


def _place(full_id: str, marked: Sequence[str]) -> int:
    return marked.index(full_id) + 1 if full_id in marked else 0


def spoken(option: Option) -> str:
    """The row as a screen reader says it."""
    if isinstance(option.what, RouteRow):
        parts = [option.name, "route", "" if option.usable else "needs a key"]
    else:
        row = option.what
        parts = [row.model.name, row.provider.name, state_words(row)[0], "favourite" if row.favourite else ""]
    parts.append(f"marked {option.marked}" if option.marked else "")
    return ", ".join(part for part in parts if part)


class OptionList(QListView):
    """The rows; keys come from the search field, so it never takes the focus."""

    def __init__(self, rows: RowsModel, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Models"))
        self.setModel(rows)
        self.setItemDelegate(_Painter(theme, self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(ROW // 2)
        self._nothing = Label("", "muted", wrap=True, parent=self)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, ROW)

    def say_nothing_fits(self, words: str) -> None:
        """What stands in its middle while there are no rows."""
        self._nothing.setText(words)
        self._nothing.setVisible(bool(words))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._nothing.setGeometry(self.rect().adjusted(40, 0, -40, 0))

    def step(self, event: QKeyEvent) -> None:
        """Moves the current row by an arrow or page key."""
        super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        over = self.indexAt(event.position().toPoint()).isValid()
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)


class _Painter(QStyledItemDelegate):
    """Draws a row: tile, name and id; at the right, in columns, abilities, window and price, or what is in the way."""

    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(view)
        self._theme, self._view = theme, view
        self._icon = theme.icon("path", size=14)
        self._strong, self._small, self._chip = body_font(), body_font(12), body_font(11)
        self._strong.setWeight(QFont.Weight.DemiBold)
        self._chip.setWeight(QFont.Weight.Medium)
        self._pills = {word: self._advance(self._chip, word) + 14 for word in ABILITIES}

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: Option = index.data(Qt.ItemDataRole.UserRole)
        rect = QRectF(option.rect)
        rect.setRight(
            self._view.width() - BAR
        )  # with a scroll bar or without, the columns stay where they are
        current = index == self._view.currentIndex()
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if current or hovered:
            painter.setBrush(self._theme.colour("accent-weak" if current else "hover"))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 6, 6)
        self._tile(painter, QRectF(rect.left() + 10, rect.center().y() - 11, 22, 22), row)
        edge = self._right(painter, rect.adjusted(0, 0, -12, 0), row, "surface" if current else "sunken")
        self._words(
            painter, QRectF(rect.left() + 42, rect.top(), edge - rect.left() - 54, rect.height()), row
        )
        painter.restore()

    def _tile(self, painter: QPainter, box: QRectF, row: Option) -> None:
        if row.marked:
            accent, on = self._theme.colour("accent"), self._theme.colour("on-accent")
            painter.setBrush(accent)
            painter.drawRoundedRect(box, 4.4, 4.4)
            self._text(painter, box, str(row.marked), self._strong, on, Qt.AlignmentFlag.AlignHCenter)
        elif isinstance(row.what, RouteRow):
            painter.setBrush(self._theme.colour("sunken"))
            painter.drawRoundedRect(box, 4.4, 4.4)
            self._icon.paint(painter, QRect(round(box.left()) + 4, round(box.top()) + 4, 14, 14))
        else:
            provider = row.what.provider
            painter.setOpacity(1.0 if row.usable else 0.5)
            paint_tile(painter, box, provider.letter, QColor(provider.colour), self._strong)
            painter.setOpacity(1.0)

    def _words(self, painter: QPainter, rect: QRectF, row: Option) -> None:
        top = QRectF(rect.left(), rect.top() + 4, rect.width(), 19)
        liked = isinstance(row.what, ModelRow) and row.what.favourite
        name = f"★ {row.name}" if liked else row.name
        self._text(painter, top, name, self._strong, self._theme.colour("text" if row.usable else "muted"))
        under = QRectF(rect.left(), rect.top() + 22, rect.width(), 17)
        self._text(painter, under, row.under, self._small, self._theme.colour("muted"))

    def _right(self, painter: QPainter, rect: QRectF, row: Option, ground: str) -> float:
        """Draws from the right edge inwards; where the left text must end."""
        if isinstance(row.what, RouteRow):
            words, role = ("route", "accent") if row.usable else ("route · needs a key", "neutral")
            return self._pill(painter, rect, rect.right(), words, role, ground)
        model = row.what.model
        if model.state == "retired":
            words = f"use {model.replacement}" if model.replacement else "no replacement"
            edge = self._pill(painter, rect, rect.right(), "retired", "bad", ground)
            return self._figures(painter, rect, edge - 8, words, self._advance(self._small, words) + 2)
        edge = self._last(painter, rect, row.what)
        if rect.width() >= 420:
            edge = self._figures(painter, rect, edge, tokens(model.context_window), WINDOW)
        if rect.width() >= 560:
            edge = self._abilities(painter, rect, edge - 8, row.what, ground)
        if model.state == "retiring" or row.what.provider.simulated:
            text, role = state_words(row.what)
            edge = self._pill(painter, rect, edge - 4, text, role, ground)
        return edge

    def _last(self, painter: QPainter, rect: QRectF, row: ModelRow) -> float:
        """The outermost column: the price, or a button for a key."""
        if row.usable:
            return self._figures(painter, rect, rect.right(), price_words(row.model.price), PRICE)
        width = self._advance(self._chip, self.tr("Add key")) + 18
        box = QRectF(rect.right() - width, rect.center().y() - 11, width, 22)
        painter.setPen(QPen(self._theme.colour("line-strong"), 1))
        painter.setBrush(self._theme.colour("surface"))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        accent = self._theme.colour("accent")
        self._text(painter, box, self.tr("Add key"), self._chip, accent, Qt.AlignmentFlag.AlignHCenter)
        return rect.right() - PRICE

    def _abilities(self, painter: QPainter, rect: QRectF, edge: float, row: ModelRow, ground: str) -> float:
        """Each ability in its own place, so that they stand below one another."""
        for word in reversed(ABILITIES):
            if word in row.model.capabilities:
                self._pill(painter, rect, edge, word, "neutral", ground)
            edge -= self._pills[word] + 4
        return edge

    def _figures(self, painter: QPainter, rect: QRectF, edge: float, text: str, width: float) -> float:
        box = QRectF(edge - width, rect.top(), width, rect.height())
        self._text(painter, box, text, self._small, self._theme.colour("muted"), Qt.AlignmentFlag.AlignRight)
        return box.left()

    def _pill(self, painter: QPainter, rect: QRectF, edge: float, text: str, role: str, ground: str) -> float:
        width = self._advance(self._chip, text) + 14
        pill = QRectF(edge - width, rect.center().y() - 9, width, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        plain = role == "neutral" or (role == "accent" and ground == "surface")
        painter.setBrush(self._theme.colour(ground if plain else f"{role}-weak"))
        painter.drawRoundedRect(pill, 9, 9)
        colour = self._theme.colour("muted" if role == "neutral" else role)
        self._text(painter, pill, text, self._chip, colour, Qt.AlignmentFlag.AlignHCenter)
        return pill.left()

    def _text(
        self,
        painter: QPainter,
        rect: QRectF,
        text: str,
        font: QFont,
        colour: QColor,
        side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        painter.setFont(font)
        painter.setPen(colour)
        short = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, rect.width() + 1)
        painter.drawText(rect, side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, short)
        painter.setPen(Qt.PenStyle.NoPen)

    @staticmethod
    def _advance(font: QFont, text: str) -> float:
        return QFontMetricsF(font).horizontalAdvance(text)
