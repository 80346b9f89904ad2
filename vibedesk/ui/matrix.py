"""Every key with every model of its provider: asked once each, for a sum that is named before."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from vibedesk.amounts import at_most, money
from vibedesk.state.matrix import Block, Matrix
from vibedesk.ui.announce import announce
from vibedesk.ui.sheet import Sheet
from vibedesk.ui.theme import Theme
from vibedesk.ui.widgets import Button, Check, Chip, Elided, Hairline, Label, Tile, bare, plain_tip

KEY, MODEL, ROW = 220, 176, 34
"""Widths of the column of keys and of each model, height of a line, in pixels."""


class MatrixSheet(Sheet):
    """A grid a provider: keys downwards, models across. A model whose tick is taken away is left out."""

    def __init__(self, host: QWidget, theme: Theme, matrix: Matrix) -> None:
        super().__init__(host, theme, title="Health of keys and models", width=KEY + 3 * MODEL + 96)
        self.matrix = matrix
        self._chips: dict[tuple[str, str], Chip] = {}
        text = "Each key is asked for each ticked model once: one word, with as little thinking as the model allows."
        self.body.addWidget(Label(text, "muted", wrap=True))
        self._none = Label(self.tr("No key is switched on."), wrap=True)
        self.body.addWidget(self._none)
        self.cost = Label("", wrap=True)
        self.cancel = Button(self.tr("Close")).on(self.reject)
        self.run = Button(self.tr("Ask"), "primary").on(self._act)
        self.run.setDefault(True)
        self.footer.addWidget(self.cost, 1)
        self.footer.addWidget(self.cancel)
        self.footer.addWidget(self.run)
        matrix.prepare()
        for block in matrix.blocks:
            self.body.addSpacing(8)
            self.body.addLayout(self._block(block))
        matrix.changed.connect(self._show)
        self.finished.connect(lambda _: matrix.stop())
        self._show()

    def _block(self, block: Block) -> QGridLayout:
        grid: QGridLayout = bare(QGridLayout())
        grid.setColumnMinimumWidth(0, KEY)
        grid.setHorizontalSpacing(8)
        head: QHBoxLayout = bare(QHBoxLayout(), 8)
        head.addWidget(Tile(block.provider.letter, block.provider.colour))
        head.addWidget(Label(block.provider.name, "strong"), 1)
        grid.addLayout(head, 0, 0)
        for column, model in enumerate(block.models, 1):
            tick = Check()
            tick.setChecked(True)
            tick.setAccessibleName(f"Ask {block.provider.name} {model.id}")
            tick.toggled.connect(self._chooser(model.full_id))
            name = Elided(model.id, "small", Qt.TextElideMode.ElideMiddle).wide()
            top: QHBoxLayout = bare(QHBoxLayout(), 0)
            top.addWidget(tick)
            top.addWidget(name, 1)
            grid.addLayout(top, 0, column)
            grid.setColumnMinimumWidth(column, MODEL)
        grid.setRowMinimumHeight(0, ROW)
        grid.setColumnStretch(len(block.models) + 1, 1)
        for number, key in enumerate(block.keys):
            row = 2 * number + 1
            grid.addWidget(Hairline(), row, 0, 1, -1)
            grid.setRowMinimumHeight(row + 1, ROW)
            name = Elided(key.name)
            name.setMaximumWidth(KEY)
            grid.addWidget(name, row + 1, 0)
            for column, model in enumerate(block.models, 1):
                chip = Chip("", "neutral")
                self._chips[key.id, model.full_id] = chip
                grid.addWidget(
                    chip, row + 1, column, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
                )
        grid.addWidget(Hairline(), 2 * len(block.keys) + 1, 0, 1, -1)
        return grid

    def _chooser(self, full_id: str) -> Callable[[bool], object]:
        return lambda wanted: self.matrix.choose(full_id, wanted)

    def _show(self) -> None:
        matrix = self.matrix
        for (key_id, full_id), chip in self._chips.items():
            spot = matrix.spot(key_id, full_id)
            chip.set(spot.text, spot.role)
            chip.setToolTip(plain_tip(spot.told))
            chip.setAccessibleName(f"{full_id.partition('/')[2]}: {spot.told or spot.text}")
        self._none.setVisible(not matrix.blocks)
        done, all_of_them = matrix.progress
        self.run.setText("Stop" if matrix.running else "Ask again" if done else f"Ask {all_of_them}")
        self.run.setEnabled(all_of_them > 0)
        self._show_cost(done, all_of_them)
        if done and done == all_of_them and not matrix.running:
            announce(self, self.cost.text())

    def _show_cost(self, done: int, all_of_them: int) -> None:
        matrix, estimate = self.matrix, self.matrix.estimate
        if matrix.running or done:
            of = "answered" if done == all_of_them else f"of {all_of_them} answered"
            self.cost.setText(f"{done} {of}, {money(matrix.spent_usd)} spent")
        elif estimate is not None:
            free = estimate.usd == 0 and not estimate.unpriced
            sum_of_it = "costs nothing" if free else at_most(estimate.usd)
            unknown = f", {len(estimate.unpriced)} of unknown price" if estimate.unpriced else ""
            self.cost.setText(
                f"{estimate.requests} requests, {sum_of_it}{unknown}" if estimate.requests else ""
            )

    def _act(self) -> None:
        if self.matrix.running:
            self.matrix.stop()
        else:
            self.matrix.run()
