"""What holds for every test: nobody's real keys or folders are touched, and Qt is asked for only where it is used."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HAS_QT = importlib.util.find_spec("PySide6") is not None

if not HAS_QT:
    collect_ignore = ["state", "ui", "app"]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_addoption(parser: pytest.Parser) -> None:
    if importlib.util.find_spec("pytestqt") is None:  # then its options in pyproject.toml are unknown words
        for name in ("qt_api", "qt_log_level_fail"):
            parser.addini(name, "pytest-qt's, which is not installed here")
        parser.addini("qt_log_ignore", "pytest-qt's, which is not installed here", type="linelist")


@pytest.fixture(scope="session", autouse=True)
def _nobody_s_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The program's own folders are temporary ones, and no key of whoever runs the tests is in the environment."""
    private = re.compile(r".*_(API_KEY|API_TOKEN|ACCESS_TOKEN)|VIBEDESK_.*|CLOUDFLARE_.*")
    with pytest.MonkeyPatch.context() as patch:
        for name in filter(private.fullmatch, list(os.environ)):
            patch.delenv(name)
        patch.setenv("VIBEDESK_HOME", str(Path(tmp_path_factory.mktemp("home"))))
        yield
