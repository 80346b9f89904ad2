"""The catalog's files: read, reloaded, kept when faulty, and the live lists beside them."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from vibedesk.engine.types import Model, Price, Traits
from vibedesk.store.catalog import CatalogFiles
from vibedesk.store.paths import Paths

LAB = '[providers.lab]\ndialect = "openai-chat"\nbase_url = "http://127.0.0.1:8000/v1"\n'


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths.find({"VIBEDESK_HOME": str(tmp_path)})
    paths.create()
    return paths


def write(paths: Paths, text: str | bytes) -> None:
    file = paths.config / "providers.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(file, ns=(write.clock, write.clock))  # type: ignore[attr-defined]
    write.clock += 10**9  # type: ignore[attr-defined]


write.clock = 1_800_000_000 * 10**9  # type: ignore[attr-defined]


def test_without_a_file_of_ones_own_the_bundled_catalog_is_loaded(paths: Paths) -> None:
    files = CatalogFiles(paths)
    assert "openai" in files.load().providers
    assert files.problems == ()
    assert not files.changed()


def test_loading_writes_nothing(paths: Paths) -> None:
    CatalogFiles(paths).load()
    assert [path for path in paths.config.parent.rglob("*") if path.is_file()] == []


def test_a_provider_is_added_while_the_app_runs(paths: Paths) -> None:
    files = CatalogFiles(paths)
    files.load()
    write(paths, LAB)
    assert files.changed()
    assert files.load().provider("lab").base_url == "http://127.0.0.1:8000/v1"
    assert not files.changed()


def test_a_byte_order_mark_does_no_harm(paths: Paths) -> None:
    write(paths, b"\xef\xbb\xbf" + LAB.encode())
    assert "lab" in CatalogFiles(paths).load().providers


@pytest.mark.parametrize(
    ("faulty", "said"),
    [
        (LAB + "[providers", "not TOML"),
        (b"\xff\xfe\x00", "not TOML"),
        (LAB.replace("openai-chat", "openai"), "[providers.lab] dialect"),
        (LAB + "colr = 'red'", "colr is not a field"),
    ],
)
def test_a_faulty_file_leaves_the_last_good_one_in_force(
    paths: Paths, faulty: str | bytes, said: str
) -> None:
    files = CatalogFiles(paths)
    write(paths, LAB)
    files.load()
    write(paths, faulty)
    assert "lab" in files.load().providers
    (problem,) = files.problems
    assert problem.startswith("providers.toml: ")
    assert said in problem
    write(paths, LAB + 'name = "Mended"')
    assert files.changed()
    assert files.load().provider("lab").name == "Mended"
    assert files.problems == ()


def test_a_file_faulty_from_the_start_leaves_the_bundled_catalog(paths: Paths) -> None:
    write(paths, "nonsense")
    files = CatalogFiles(paths)
    assert "lab" not in files.load().providers
    assert len(files.problems) == 1


def test_a_folder_in_the_place_of_the_file_is_a_problem_not_a_crash(paths: Paths) -> None:
    (paths.config / "providers.toml").mkdir()
    files = CatalogFiles(paths)
    assert "openai" in files.load().providers
    assert "cannot be read" in files.problems[0]


def test_what_the_file_asks_for_in_vain_is_a_problem_too(paths: Paths) -> None:
    write(paths, LAB + 'env = ["OPENAI_API_KEY"]')
    files = CatalogFiles(paths)
    assert files.load().provider("lab").env == ()
    assert "OPENAI_API_KEY" in files.problems[0]


def test_a_removed_file_removes_its_providers(paths: Paths) -> None:
    write(paths, LAB)
    files = CatalogFiles(paths)
    files.load()
    (paths.config / "providers.toml").unlink()
    assert files.changed()
    assert "lab" not in files.load().providers


def test_a_live_list_is_kept_whole_and_read_again(paths: Paths) -> None:
    listed = Model(
        provider="groq",
        id="new/model-1",
        name="New Model",
        context_window=4096,
        price=Price(input=Decimal("0.10"), output=Decimal("0.30"), source="the list"),
        capabilities=frozenset({"vision"}),
        traits=Traits(efforts=("low", "high")),
    )
    CatalogFiles(paths).keep_live("groq", [listed])
    model = CatalogFiles(paths).load().model("groq/new/model-1")
    assert model.listed_live
    assert model.price == listed.price
    assert (model.context_window, model.capabilities) == (4096, {"vision"})
    assert model.traits.efforts == ("low", "high")
    assert model.traits.max_tokens_field == "max_completion_tokens"


def test_a_live_list_of_another_address_is_not_used(paths: Paths) -> None:
    write(paths, LAB)
    CatalogFiles(paths).keep_live("lab", [Model(provider="lab", id="m", name="m")])
    assert CatalogFiles(paths).load().models("lab")[0].id == "m"
    write(paths, LAB.replace("8000", "9000"))
    assert CatalogFiles(paths).load().models("lab") == ()


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b"\xff", b'{"base_url":1,"models":[]}'])
def test_a_broken_cache_is_passed_over(paths: Paths, broken: bytes) -> None:
    files = CatalogFiles(paths)
    files.keep_live("groq", [Model(provider="groq", id="m", name="m")])
    (paths.cache / "models" / "groq.json").write_bytes(broken)
    assert files.load().model("groq/m").state == "unlisted"
    assert files.problems == ()


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_what_is_written_is_for_its_owner_alone(paths: Paths) -> None:
    CatalogFiles(paths).keep_live("groq", [])
    folder = paths.cache / "models"
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "groq.json").stat().st_mode & 0o077 == 0
