"""One window at a time on a home."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vibedesk.store.paths import Paths
from vibedesk.store.sole import Sole

TAKES = """
import sys
from vibedesk.store.paths import Paths
from vibedesk.store.sole import Sole
place = Sole(Paths.find({"VIBEDESK_HOME": sys.argv[1]}))
print(place.take(), flush=True)
sys.stdin.read()
"""


def taking(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TAKES, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def place_at(home: Path) -> Sole:
    return Sole(Paths.find({"VIBEDESK_HOME": str(home)}))


def test_the_second_finds_the_place_taken_until_the_first_is_gone(tmp_path: Path) -> None:
    first = taking(tmp_path)
    assert first.stdout is not None
    assert first.stdout.readline() == "True\n"
    assert not place_at(tmp_path).take()
    assert place_at(tmp_path / "another").take()
    first.kill()
    first.wait()
    place = place_at(tmp_path)
    assert place.take()
    place.leave()
    for stream in (first.stdin, first.stdout):
        assert stream is not None
        stream.close()


def test_whoever_comes_second_changes_the_file_that_the_first_watches(tmp_path: Path) -> None:
    first = place_at(tmp_path)
    assert first.take()
    call = Paths.find({"VIBEDESK_HOME": str(tmp_path)}).call
    assert call.read_bytes() == b""
    place_at(tmp_path).call()
    assert call.read_bytes() != b""
    first.leave()


def test_where_nothing_can_be_written_nobody_is_kept_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert place_at(tmp_path / "file").take()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_its_files_are_their_owners_alone(tmp_path: Path) -> None:
    place = place_at(tmp_path)
    assert place.take()
    data = Paths.find({"VIBEDESK_HOME": str(tmp_path)}).data
    assert {path.stat().st_mode & 0o777 for path in data.iterdir()} == {0o600}
    place.leave()
