"""The theme: both have the same names, text can be read on every ground, icons follow the colours."""

from __future__ import annotations

import gc
import re
import tomllib

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QIcon
from PySide6.QtWidgets import QApplication

from vibedesk.store.paths import resources
from vibedesk.ui.theme import FIRST, Theme, _charmap, _colours, body_font

THEMES = resources() / "themes"


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    return theme


def tokens(name: str) -> dict[str, str]:
    return tomllib.loads((THEMES / f"{name}.toml").read_text(encoding="utf-8"))


def test_both_themes_name_the_same_colours() -> None:
    assert list(tokens("light")) == list(tokens("dark"))


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_theme_reads_its_file_as_toml_would(name: str) -> None:
    read = _colours(THEMES / f"{name}.toml")
    assert read == {token: QColor(value) for token, value in tokens(name).items()}


def test_the_stylesheet_uses_only_colours_that_exist_and_no_literal_one() -> None:
    sheet = (THEMES / "style.qss").read_text(encoding="utf-8")
    used = set(re.findall(r"\$([a-z]+(?:-[a-z]+)*)", sheet))
    assert used <= {*tokens("light"), "mono", "assets", "theme"}
    assert not re.search(r"#[0-9a-fA-F]{3,8}\s*[;}]", sheet)


def luminance(colour: QColor) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(QColor(one)), luminance(QColor(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


GROUNDS = [
    *[(word, ground) for word in ("text", "muted") for ground in ("bg", "surface", "sunken", "accent-weak")],
    *[(role, f"{role}-weak") for role in ("accent", "ok", "warn", "bad")],
    *[(role, "surface") for role in ("accent", "ok", "warn", "bad")],
    ("on-accent", "accent"),
    ("text", "code"),
    ("text", "find"),
]


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(("word", "ground"), GROUNDS)
def test_words_can_be_read_on_their_ground(name: str, word: str, ground: str) -> None:
    colours = tokens(name)
    assert contrast(colours[word], colours[ground]) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("ground", ["surface", "accent-weak", "code", "sunken", "hover"])
def test_what_was_found_stands_out_from_every_ground(name: str, ground: str) -> None:
    found, below = QColor(tokens(name)["find"]), QColor(tokens(name)[ground])
    parts = zip(found.getRgb()[:3], below.getRgb()[:3], strict=True)
    assert max(abs(one - other) for one, other in parts) > 60


def test_applying_another_theme_changes_colours_and_tells(theme: Theme, qapp: QApplication) -> None:
    told = []
    theme.changed.connect(lambda: told.append(theme.name))
    theme.apply(qapp, "dark")
    assert told == ["dark"]
    assert theme.colour("bg") == QColor(tokens("dark")["bg"])
    assert qapp.palette().window().color() == QColor(tokens("dark")["bg"])


def test_an_icon_made_before_is_painted_in_the_colours_of_now(theme: Theme, qapp: QApplication) -> None:
    icon = theme.icon("ph.key", "text", 32)

    def ink() -> QColor:
        image = icon.pixmap(32, 32).toImage()
        found = [image.pixelColor(x, y) for x in range(32) for y in range(32)]
        return max(found, key=lambda colour: colour.alpha())

    before = ink()
    theme.apply(qapp, "dark")
    assert before.alpha() > 200
    assert luminance(before) < 0.1
    assert luminance(ink()) > 0.7


def test_a_checked_icon_is_in_the_accent(theme: Theme) -> None:
    image = theme.icon("chat", size=32).pixmap(32, 32, QIcon.Mode.Normal, QIcon.State.On).toImage()
    inked = max(
        (image.pixelColor(x, y) for x in range(32) for y in range(32)), key=lambda colour: colour.alpha()
    )
    assert inked.blue() > inked.red() + 60


def test_an_icon_that_qt_copied_is_still_painted(theme: Theme) -> None:
    icon = theme.icon("chat", size=32)
    copy = QIcon(icon)
    copy.setIsMask(True)  # the two part: Qt has the icon's engine cloned
    gc.collect()
    assert copy.pixmap(32, 32).toImage() == icon.pixmap(32, 32).toImage()


def test_figures_keep_their_place(theme: Theme, qapp: QApplication) -> None:
    assert body_font().isFeatureSet(QFont.Tag("tnum"))
    assert qapp.font().pixelSize() == 13


def test_system_follows_the_desktop(theme: Theme, qapp: QApplication) -> None:
    theme.apply(qapp, "system")
    dark = qapp.styleHints().colorScheme() == Qt.ColorScheme.Dark
    assert theme.name == ("dark" if dark else "light")


def test_the_icons_of_the_first_frame_are_those_of_the_font() -> None:
    assert {name: chr(int(_charmap()[name], 16)) for name in FIRST} == FIRST
