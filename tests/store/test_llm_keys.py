"""The keys of `llm`: where its file is on each platform, and what is taken out of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from vibedesk.engine.types import Secret
from vibedesk.store.catalog import CatalogFiles
from vibedesk.store.llm_keys import SOURCE, LlmKeys, file_of_llm
from vibedesk.store.paths import Paths

OPENAI = "sk-proj-" + "l1" * 30
CLAUDE = "sk-ant-api03-" + "l2" * 46 + "AA"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def read(path: Path) -> LlmKeys:
    paths = Paths.find({"VIBEDESK_HOME": str(path.parent / "home")})
    return LlmKeys(path, CatalogFiles(paths).load().providers.values())


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, ".config/io.datasette.llm/keys.json"),
        ("linux", {"XDG_CONFIG_HOME": "/xdg"}, "/xdg/io.datasette.llm/keys.json"),
        ("darwin", {}, "Library/Application Support/io.datasette.llm/keys.json"),
        ("win32", {"APPDATA": "/roaming"}, "/roaming/io.datasette.llm/keys.json"),
        ("linux", {"LLM_USER_PATH": "/elsewhere"}, "/elsewhere/keys.json"),
    ],
)
def test_the_file_is_where_that_program_keeps_it(
    platform: str, environ: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert file_of_llm(environ, Path("/home/me")) == Path("/home/me") / expected


def test_keys_of_known_providers_are_found_by_the_names_its_plugins_use(path: Path) -> None:
    written = {
        "// Note": "This file stores secret API credentials. Do not share!",
        "openai": f" {OPENAI}\n",
        "claude": CLAUDE,
        "some-other-service": "x" * 40,
        "groq": "short",
        "gemini": 12,
    }
    path.write_text(json.dumps(written), encoding="utf-8")
    found = read(path)
    assert [(key.id, key.provider, key.hint, key.source) for key in found.found] == [
        ("llm:openai", "openai", "sk-proj-…l1l1", SOURCE),
        ("llm:claude", "anthropic", "sk-ant-…l2AA", SOURCE),
    ]
    assert found.secret("llm:openai") == Secret(OPENAI)
    assert OPENAI not in repr(found.found)
    with pytest.raises(KeyError):
        found.secret("llm:gemini")


def test_a_missing_file_has_no_keys_and_no_problem(path: Path) -> None:
    assert (read(path).found, read(path).problem) == ((), "")


@pytest.mark.parametrize("written", [b"[1, 2]", b"{", b"\xff\xfe", b"{}" + b" " * (1 << 20)])
def test_what_is_no_such_file_is_skipped_with_a_sentence_that_quotes_nothing(
    path: Path, written: bytes
) -> None:
    path.write_bytes(written)
    assert read(path).found == ()
    assert read(path).problem == f"{path} was skipped: it is not a JSON object of keys."


def test_a_folder_of_that_name_is_skipped(path: Path) -> None:
    path.mkdir()
    assert read(path).found == ()
    assert "was skipped" in read(path).problem
