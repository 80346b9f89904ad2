"""The personal ranking: points with the range they lie in, drawn on one scale."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QWidget

from vibedesk.amounts import count
from vibedesk.state.ranking import MIDDLE, Rank, Ranking
from vibedesk.ui import harmless
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Choice, Elided, Empty, Hairline, Label, bare

ALL = "all"
_HEADS = (
    ("", "left"),
    ("Model", "left"),
    ("", "left"),
    ("Points", "right"),
    ("Range", "right"),
    ("Won · lost · tied", "right"),
)


class RankingSheet(Sheet):
    """Shows a `Ranking`."""

    def __init__(self, host: QWidget, theme: Theme, ranking: Ranking) -> None:
        super().__init__(host, theme, title="Ranking", width=860)
        self._theme, self._ranking = theme, ranking
        self.tag = Choice([(self.tr("All votes"), ALL)])
        self.tag.setAccessibleName(self.tr("Tag"))
        self.says = Label("", "muted", wrap=True)
        self._grid = QWidget()
        self._lines = bare(QGridLayout(self._grid))
        self._nothing = Empty(
            self.tr("No votes yet"),
            self.tr("Press Blind, ask two lanes or more, and vote for the better answer."),
        )
        for widget in (self.says, self._grid, self._nothing):
            self.body.addWidget(widget)
        self.footer.addWidget(self.tag)
        self.footer.addStretch(1)
        close = Button(self.tr("Close")).on(self.accept)
        self.footer.addWidget(close)
        close.setFocus()
        self.tag.currentIndexChanged.connect(lambda _: ranking.show(self._chosen()))
        ranking.changed.connect(self._show)
        self.finished.connect(self._over)
        ranking.show(None)
        self._show()

    def _over(self) -> None:
        self._ranking.changed.disconnect(self._show)
        self.deleteLater()

    def _chosen(self) -> str | None:
        return None if self.tag.chosen() == ALL else self.tag.chosen()

    def _show(self) -> None:
        self._show_tags()
        ranks: tuple[Rank, ...] = self._ranking.rows.rows()
        votes = self._ranking.votes
        self.says.setText(
            self._ranking.problem
            or f"{count(votes)} vote{'' if votes == 1 else 's'}. "
            + self.tr(
                "An average model has 1,500 points; the line shows where the true value lies, 19 times in 20."
            )
        )
        self.says.setVisible(bool(ranks) or bool(self._ranking.problem))
        self._grid.setVisible(bool(ranks))
        self._nothing.setVisible(not ranks)
        while (item := self._lines.takeAt(0)) is not None:
            if item.widget() is not None:
                item.widget().hide()
                item.widget().deleteLater()
        if ranks:
            self._fill(ranks)

    def _show_tags(self) -> None:
        for tag in self._ranking.tags:
            if self.tag.findData(tag) < 0:
                self.tag.addItem(tag, tag)

    def _fill(self, ranks: tuple[Rank, ...]) -> None:
        low, high = min(rank.low for rank in ranks), max(rank.high for rank in ranks)
        for column, (title, side) in enumerate(_HEADS):
            self._put(0, column, Label(title, "caption"), side)
        for place, rank in enumerate(ranks):
            row = 2 * place + 2
            self._lines.addWidget(Hairline(), row - 1, 0, 1, 6)
            self._put(row, 0, Label(str(place + 1), "muted"))
            self._put(
                row, 1, Elided(harmless.one_line(rank.id, 120), "strong", Qt.TextElideMode.ElideMiddle).wide()
            )
            self._lines.addWidget(_Reach(self._theme, rank, low, high), row, 2)
            self._put(row, 3, Label(f"{rank.points:,.0f}"), "right")
            self._put(row, 4, Label(f"{rank.low:,.0f} – {rank.high:,.0f}", "muted"), "right")
            self._put(row, 5, Label(f"{rank.wins} · {rank.losses} · {rank.ties}", "muted"), "right")
        self._lines.setColumnMinimumWidth(0, 24)
        self._lines.setColumnStretch(1, 1)
        self._lines.setHorizontalSpacing(16)

    def _put(self, row: int, column: int, widget: QWidget, side: str = "left") -> None:
        widget.setMinimumHeight(36)
        if side == "right":
            self._lines.addWidget(widget, row, column, Qt.AlignmentFlag.AlignRight)
        else:
            self._lines.addWidget(widget, row, column)


class _Reach(QWidget):
    """A point on the line of its interval; the scale is the same for all, its middle a hairline."""

    def __init__(self, theme: Theme, rank: Rank, low: float, high: float) -> None:
        super().__init__()
        self._theme, self._rank, self._low, self._high = theme, rank, low, high
        self.setFixedWidth(220)
        self.setAccessibleName(f"{rank.points:.0f} points, between {rank.low:.0f} and {rank.high:.0f}")

    def sizeHint(self) -> QSize:
        return QSize(220, 36)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        if self._low < MIDDLE < self._high:
            painter.fillRect(QRectF(self._at(MIDDLE), 0, 1, self.height()), self._theme.colour("line-strong"))
        pen = QPen(self._theme.colour("accent"), 2)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(
            QPointF(self._at(self._rank.low), middle), QPointF(self._at(self._rank.high), middle)
        )
        painter.setBrush(self._theme.colour("accent"))
        painter.drawEllipse(QPointF(self._at(self._rank.points), middle), 4, 4)

    def _at(self, points: float) -> float:
        whole = max(1.0, self._high - self._low)
        return 6 + (self.width() - 12) * (points - self._low) / whole
