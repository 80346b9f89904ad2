"""Where things are kept, and how a file is written whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from vibedesk.store.paths import Paths, resources, write_whole


def test_one_folder_holds_everything_where_the_home_is_named(tmp_path: Path) -> None:
    paths = Paths.find({"VIBEDESK_HOME": str(tmp_path / "home")})
    assert (paths.config, paths.data) == (tmp_path / "home/config", tmp_path / "home/data")
    assert (paths.cache, paths.logs) == (tmp_path / "home/cache", tmp_path / "home/logs")
    assert not (tmp_path / "home").exists()


def test_a_blank_home_is_no_home() -> None:
    assert Paths.find({"VIBEDESK_HOME": " "}) == Paths.find({})
    assert "vibedesk" in str(Paths.find({}).data).lower()


def test_a_relative_home_does_not_move_with_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Paths.find({"VIBEDESK_HOME": "here"}).data == tmp_path / "here/data"


def test_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    paths = Paths.find({"VIBEDESK_HOME": str(tmp_path / "home")})
    paths.data.mkdir(parents=True, mode=0o755)
    paths.create()
    paths.create()
    for folder in (paths.config, paths.data, paths.cache, paths.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_resources_hold_the_catalog() -> None:
    assert (resources() / "catalog" / "providers.toml").is_file()


def test_a_file_is_written_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
