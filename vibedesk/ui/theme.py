"""How it looks: colours by name, one palette, one stylesheet for the whole app, and icons that follow both."""

from __future__ import annotations

import importlib.util
import os
import re
from functools import cache
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QObject, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QIcon,
    QIconEngine,
    QPainter,
    QPalette,
    QPixmap,
)
from PySide6.QtWidgets import QApplication

STYLE = ("-style", "Fusion")
"""Words to a `QApplication` that begin it in our style; set later, Qt would hand out the style, which takes 7 ms."""
BODY_PX = 13
MODES = ("system", "light", "dark")
FIRST = {
    "chat": "\uf0d8",
    "key": "\uf1e4",
    "cube": "\uf120",
    "path": "\uf25d",
    "chart-bar": "\uf0d2",
    "gear": "\uf19b",
    "paperclip": "\uf258",
    "sliders-horizontal": "\uf2d0",
    "desktop": "\uf12e",
    "play-circle": "\uf27d",
}
"""Icons of the first frame, which is not to wait for QtAwesome's map of six thousand."""


class Theme(QObject):
    """The colours of the moment. `apply` again to change them; whoever paints by hand listens to `changed`."""

    changed = Signal()

    def __init__(self, resources: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder = resources / "themes"
        self._themes: dict[str, dict[str, QColor]] = {}
        self._sheet = (folder / "style.qss").read_text(encoding="utf-8")
        self._assets = (resources / "icons").as_posix()
        self._app: QApplication | None = None
        self.mode = "system"
        self.name = "light"

    def apply(self, app: QApplication, mode: str = "system") -> None:
        """Shows `mode` ("system", "light" or "dark"); "system" goes on following the desktop."""
        if self._app is None:
            self._app = app
            if not app.property("styled"):
                app.setStyle("Fusion")
                app.setProperty("styled", True)  # a second time every widget there is would be polished again
            app.setFont(body_font())
            app.styleHints().colorSchemeChanged.connect(self._follow)
        self.mode = mode if mode in MODES else "system"
        self._show(self._wanted())

    def colour(self, token: str) -> QColor:
        """The colour called `token` in `resources/themes` right now."""
        return self._colours()[token]

    def icon(self, name: str, token: str = "muted", size: int = 18) -> QIcon:
        """The Phosphor icon `name` ("key", "chat", …) in a colour that follows the theme; accent while checked."""
        kind = _Sidebar if name == "sidebar" else _Glyph
        return QIcon(kind(self, name.removeprefix("ph."), token, size))

    def _colours(self) -> dict[str, QColor]:
        """Those of the theme shown, read when it is first shown."""
        if self.name not in self._themes:
            self._themes[self.name] = _colours(self._folder / f"{self.name}.toml")
        return self._themes[self.name]

    def _wanted(self) -> str:
        if self.mode != "system":
            return self.mode
        dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return "dark" if dark else "light"

    def _follow(self) -> None:
        if self.mode == "system" and self._wanted() != self.name:
            self._show(self._wanted())

    def _show(self, name: str) -> None:
        assert self._app is not None
        self.name = name
        palette = self._palette()
        if palette != self._app.palette():
            self._app.setPalette(palette)
        words = {token: colour.name() for token, colour in self._colours().items()}
        words |= {"mono": mono_family(), "assets": self._assets, "theme": name}
        sheet = _TOKEN.sub(lambda found: words[found[1]], self._sheet)
        if sheet != self._app.styleSheet():  # every widget there is would be polished again
            self._app.setStyleSheet(sheet)
        self.changed.emit()

    def _palette(self) -> QPalette:
        palette = QPalette()
        for role, token in _PALETTE.items():
            palette.setColor(role, self.colour(token))
        for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, self.colour("faint"))
        return palette


_PALETTE = {
    QPalette.ColorRole.Window: "bg",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "surface",
    QPalette.ColorRole.AlternateBase: "bg",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.PlaceholderText: "faint",
    QPalette.ColorRole.Button: "surface",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "on-accent",
    QPalette.ColorRole.ToolTipBase: "surface",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.Highlight: "accent-weak",
    QPalette.ColorRole.HighlightedText: "text",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Link: "accent",
    QPalette.ColorRole.LinkVisited: "accent",
    QPalette.ColorRole.Light: "surface",
    QPalette.ColorRole.Midlight: "line",
    QPalette.ColorRole.Mid: "line",
    QPalette.ColorRole.Dark: "line-strong",
    QPalette.ColorRole.Shadow: "line-strong",
}


_TOKEN = re.compile(r"\$([a-z]+(?:-[a-z]+)*)")
_COLOUR = re.compile(r'^([a-z-]+) = "(#[0-9a-f]+)"', re.MULTILINE)


def _colours(path: Path) -> dict[str, QColor]:
    """A theme is a flat table of strings: the first frame does not wait for a parser of all of TOML."""
    return {name: QColor(value) for name, value in _COLOUR.findall(path.read_text(encoding="utf-8"))}


def body_font(size: int = BODY_PX) -> QFont:
    """The system's own font at `size` device-independent pixels, with figures that keep their place."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(size)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def mono_font(size: int = 12) -> QFont:
    """The system's monospace font at `size` device-independent pixels."""
    font = QFont(mono_family())
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPixelSize(size)
    return font


@cache
def mono_family() -> str:
    """The monospace family by its real name: "monospace" alone makes Qt guess again at every size."""
    from PySide6.QtGui import QFontInfo

    return QFontInfo(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)).family()


def _character(name: str) -> str:
    if name in FIRST:
        return FIRST[name]
    return chr(int(_charmap().get(name, "0x3f"), 16))


@cache
def _charmap() -> dict[str, str]:
    import json

    found: dict[str, str] = json.loads(_phosphor(".json").read_text(encoding="utf-8"))
    return found


@cache
def _family() -> str:
    """The family of QtAwesome's Phosphor font."""
    number = QFontDatabase.addApplicationFont(str(_phosphor(".ttf")))
    return QFontDatabase.applicationFontFamilies(number)[0]


def _phosphor(kind: str) -> Path:
    """One of QtAwesome's files: importing the package would cost 170 ms before the first paint."""
    spec = importlib.util.find_spec("qtawesome")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "fonts"
    names = os.listdir(folder)  # a pattern would be compiled first
    return folder / next(name for name in names if name.startswith("phosphor-") and name.endswith(kind))


class _Glyph(QIconEngine):
    """One character of the icon font, coloured when it is painted: a change of theme needs no new icons."""

    _twins: ClassVar[list[_Glyph]] = []
    """Trap: the binding hands a clone to Qt and lets go of it, so Qt would paint with what is gone. There are few."""

    def __init__(self, theme: Theme, name: str, token: str, size: int) -> None:
        super().__init__()
        self._theme, self._token, self._size = theme, token, size
        self._family, self._character = self._drawn_with(name)

    def _drawn_with(self, name: str) -> tuple[str, str]:
        """Family and character."""
        return _family(), _character(name)

    def clone(self) -> QIconEngine:
        twin = type(self).__new__(type(self))
        QIconEngine.__init__(twin)
        twin._theme, twin._token, twin._size = self._theme, self._token, self._size
        twin._family, twin._character = self._family, self._character
        _Glyph._twins.append(twin)
        return twin

    def actualSize(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QSize:
        return size  # a glyph is as sharp at any size: a smaller answer would be stretched on a dense screen

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        token = "faint" if mode == QIcon.Mode.Disabled else self._token
        if state == QIcon.State.On and self._token == "muted" and mode != QIcon.Mode.Disabled:
            token = "accent"
        painter.save()
        painter.setPen(self._theme.colour(token))
        self._draw(painter, QRectF(rect))
        painter.restore()

    def _draw(self, painter: QPainter, rect: QRectF) -> None:
        font = QFont(self._family)
        font.setPixelSize(max(1, round(min(rect.width(), rect.height()))))
        painter.setFont(font)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._character)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap


class _Sidebar(_Glyph):
    """A window with a list on its left, which this Phosphor release does not have."""

    def _drawn_with(self, name: str) -> tuple[str, str]:
        return "", ""

    def _draw(self, painter: QPainter, rect: QRectF) -> None:
        unit = min(rect.width(), rect.height()) / 20
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = painter.pen()
        painter.translate(rect.center())
        painter.scale(unit, unit)
        pen.setWidthF(1.25)
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(-7, -6.5, 14, 13), 1, 1)
        painter.drawLine(QPointF(-2.5, -6.5), QPointF(-2.5, 6.5))
