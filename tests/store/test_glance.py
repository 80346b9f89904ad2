"""What the first frame is told: the settings as they stand, without reading TOML while nobody edited them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vibedesk.store.glance import Glance, Shown
from vibedesk.store.paths import Paths

USUAL = Shown("system", True, 1)
DARK = '[appearance]\ntheme = "dark"\n[composer]\nenter_sends = false\n[lanes]\nlast = ["demo/a", "demo/b"]\n'


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths.find({"VIBEDESK_HOME": str(tmp_path)})
    found.create()
    return found


def test_without_settings_the_defaults_are_shown(paths: Paths) -> None:
    assert Glance(paths).shown == USUAL
    Glance(paths).keep_page("playground")
    assert Glance(paths).shown == USUAL


def test_what_was_kept_is_what_the_settings_say(paths: Paths) -> None:
    paths.settings.write_text(DARK)
    said = Glance(paths).shown
    Glance(paths).keep_page("playground")
    assert said == Glance(paths).shown == Shown("dark", False, 2)


def test_while_nobody_edited_the_settings_the_kept_line_is_believed(paths: Paths) -> None:
    paths.settings.write_text(DARK)
    Glance(paths).keep_page("playground")
    seen = paths.settings.stat()
    with paths.settings.open("r+") as file:  # the same file, size and time: only then can nobody tell
        file.write(DARK.replace('"dark"', "'lite'"))
    os.utime(paths.settings, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert Glance(paths).shown.theme == "dark"


def test_settings_edited_since_are_read_anew(paths: Paths) -> None:
    paths.settings.write_text(DARK)
    Glance(paths).keep_page("playground")
    paths.settings.write_text(DARK.replace("dark", "light"))
    assert Glance(paths).shown.theme == "light"
    paths.settings.unlink()
    assert Glance(paths).shown == USUAL


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"dark", b"pink"),
        (b" 2", b" 0"),
        (b" 2", b" 22"),
        (b" 2", b" \xc2\xb2"),
        (b" 2", b""),
        (b"1 ", b"2 "),
        (b"1 ", b"\xff "),
        (b"control-enter", b"sometimes"),
    ],
)
def test_a_damaged_line_or_one_of_another_version_is_not_believed(
    paths: Paths, old: bytes, new: bytes
) -> None:
    paths.settings.write_text(DARK)
    Glance(paths).keep_page("playground")
    kept = paths.shown.read_bytes()
    at = kept.rindex(old) if old == b" 2" else kept.index(old)
    paths.shown.write_bytes(kept[:at] + new + kept[at + len(old) :])
    assert Glance(paths).shown == Shown("dark", False, 2)
