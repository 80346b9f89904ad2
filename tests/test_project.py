"""What holds for the project as files: locks that pin everything, nobody's machine, commands that run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "test.lock", "core.lock", "build.lock")
COMMANDS = ("packaging/run", "packaging/test", "packaging/build", ".ci/run")
QT = {"pyside6-essentials", "shiboken6", "qasync", "qtawesome", "qtpy", "pytest-qt"}


def blocks(lock: str) -> Iterator[str]:
    """One text a package: `name==version ; marker` and its hashes."""
    text = (ROOT / "packaging" / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    return (line for line in text.splitlines() if line and not line.startswith("#"))


def pins(lock: str) -> dict[str, str]:
    found = (re.fullmatch(r"([a-z0-9.-]+)==(\S+).*", block) for block in blocks(lock))
    return {match[1]: match[2] for match in found if match}


def project() -> dict[str, list[str]]:
    """The requirements of pyproject.toml by lock."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime, groups = document["project"]["dependencies"], document["dependency-groups"]
    return {
        "requirements.lock": runtime,
        "test.lock": [*runtime, *groups["test"]],
        "build.lock": [*runtime, *groups["build"]],
    }


def texts() -> Iterator[tuple[str, str]]:
    """Every text file a clone would have, as (path, contents)."""
    for top in sorted(ROOT.iterdir()):
        if top.name in {".git", "build", "dist"} or top.name.startswith(
            (".venv", ".mypy", ".ruff", ".pytest", ".hyp")
        ):
            continue
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                try:
                    yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    continue  # a picture


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_one_version_and_its_hashes(lock: str) -> None:
    found = list(blocks(lock))
    assert len(found) > 20
    for block in found:
        assert re.match(r"[a-z0-9.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}\b", block), block[:80]


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_says_where_packages_come_from(lock: str) -> None:
    text = (ROOT / "packaging" / lock).read_text(encoding="utf-8")
    assert not re.findall(r"https?:|file:|--index|--extra-index|--find-links|--trusted-host|@ ", text)


@pytest.mark.parametrize("lock", ["requirements.lock", "test.lock", "build.lock"])
def test_every_dependency_is_locked_within_its_bounds(lock: str) -> None:
    locked = pins(lock)
    for requirement in map(Requirement, project()[lock]):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{name} is not in {lock}: run packaging/lock"
        assert requirement.specifier.contains(locked[name]), (
            f"{name} {locked[name]} in {lock}: run packaging/lock"
        )


@pytest.mark.parametrize("lock", ["test.lock", "core.lock", "build.lock"])
def test_all_locks_agree_on_what_the_program_runs_with(lock: str) -> None:
    runtime = pins("requirements.lock")
    expected = {name for name in runtime if lock != "core.lock" or name not in QT}
    assert {name: pins(lock).get(name) for name in expected} == {name: runtime[name] for name in expected}


def test_the_lock_without_qt_is_the_test_lock_less_qt() -> None:
    assert pins("core.lock") == {
        name: version for name, version in pins("test.lock").items() if name not in QT
    }


def test_nothing_in_the_tree_knows_the_machine_it_was_written_on() -> None:
    strange = re.compile(
        "|".join(
            (
                r"(?<![\w.~-])/" + r"(?:work|root|home/\w+|opt)/(?!\.\.\.)",
                r"/tmp/" + r"[a-z]+[/.]",
                r"pypi\." + "org",
                r"python" + "hosted",
                r"registry\.npm" + "js",
                r"deb\." + "debian",
            )
        )
    )
    found = [
        f"{path}:{number} {line.strip()[:100]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if strange.search(line)
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_can_be_run_and_bash_understands_it(command: str) -> None:
    path = ROOT / command
    assert os.access(path, os.X_OK)
    assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", path], check=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout with the commands and nothing set up."""
    shutil.copytree(
        ROOT / "packaging", tmp_path / "clone" / "packaging", ignore=shutil.ignore_patterns("__pycache__")
    )
    return tmp_path / "clone"


def test_without_python_the_run_command_says_what_to_install(clone: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("bash", "env", "dirname", "readlink", "cmp"):
        (tools / tool).symlink_to(shutil.which(tool) or "")
    command = [clone / "packaging/run", "--version"]
    answer = subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("vibedesk: Python 3.11 or newer is needed and none was found.")


def test_once_set_up_the_run_command_hands_over_words_folder_and_output_untouched(
    clone: Path, tmp_path: Path
) -> None:
    installed = clone / ".venv/installed"
    installed.mkdir(parents=True)
    shutil.copy(ROOT / "packaging/requirements.lock", installed)
    (installed / "root").write_text(str(clone))
    python = clone / ".venv/bin/python"
    python.parent.mkdir()
    python.write_text('#!/usr/bin/env bash\nprintf "%s|" "$PWD" "$@"\n')
    python.chmod(0o755)
    command = [clone / "packaging/run", "ask", "two  words", ""]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert answer.stdout == f"{tmp_path}|-P|-m|vibedesk|ask|two  words||"
    assert (answer.returncode, answer.stderr) == (0, "")


def test_ci_runs_exactly_what_a_developer_runs() -> None:
    last = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-1]
    assert last == "exec ./packaging/test"
