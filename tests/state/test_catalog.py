"""The models as the screen sees them: order, keys, favourites, and lists asked of a provider on loopback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.browsing import GONE, LUNA, SONNET, browsing
from tests.providers import Behaviour
from vibedesk.engine.errors import EngineError, UnknownProvider
from vibedesk.store.settings import Settings


async def test_a_model_is_usable_where_there_is_a_key_or_none_is_needed(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        assert scene.catalog.row(SONNET).usable
        assert scene.catalog.row("demo/quick").usable
        assert not scene.catalog.row(LUNA).usable
        assert not scene.catalog.row(GONE).usable, "retired"


async def test_what_can_be_asked_stands_before_what_cannot_and_what_is_gone_comes_last(
    tmp_path: Path,
) -> None:
    async with browsing(tmp_path) as scene:
        rows = scene.catalog.find()
        assert len(rows) == len(scene.desk.catalog.models())
        order = [(row.model.state == "retired", not row.usable) for row in rows]
        assert order == sorted(order)


async def test_recent_models_come_first_the_latest_before_the_others_then_the_liked(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        scene.catalog.like("anthropic/claude-haiku-5-5", True)
        scene.catalog.note_used(SONNET)
        scene.catalog.note_used("demo/quick")
        first = scene.catalog.find()[:3]
        assert [row.id for row in first] == ["demo/quick", SONNET, "anthropic/claude-haiku-5-5"]
        assert [(row.recent, row.favourite) for row in first] == [(True, False), (True, False), (False, True)]


async def test_three_models_used_in_one_tick_are_all_remembered_in_the_file(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        for full_id in ("lab/a", "lab/b", "lab/c"):
            scene.catalog.note_used(full_id)
        await scene.rest()
        assert Settings(scene.desk.paths.settings).get("models.recent") == ["lab/c", "lab/b", "lab/a"]


async def test_a_favourite_survives_in_the_file_and_can_be_taken_back(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        scene.catalog.like(SONNET, True)
        await scene.rest()
        assert Settings(scene.desk.paths.settings).get("models.favourites") == [SONNET]
        scene.catalog.like(SONNET, False)
        await scene.rest()
        assert Settings(scene.desk.paths.settings).get("models.favourites") == []


async def test_favourites_hold_for_this_sitting_while_the_file_has_an_error(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        scene.desk.paths.settings.write_text("[models\n", encoding="utf-8")
        scene.catalog.like(SONNET, True)
        await scene.rest()
        assert scene.catalog.row(SONNET).favourite
        assert scene.desk.paths.settings.read_text(encoding="utf-8") == "[models\n"


async def test_filters_narrow_by_provider_and_by_what_is_usable(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        assert {row.provider.id for row in scene.catalog.find("gpt", provider="groq")} == {"groq"}
        assert scene.catalog.find("gpt", provider="groq", usable_only=True) == ()
        assert all(row.usable for row in scene.catalog.find(usable_only=True))


async def test_refreshing_takes_the_providers_own_list_over_a_real_socket(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        told: list[tuple[str, EngineError | None]] = []
        scene.catalog.refreshed.connect(lambda provider, error: told.append((provider, error)))
        assert scene.catalog.find("house blend") == ()
        assert scene.catalog.refresh("lab") == ("lab",)
        assert scene.catalog.refreshing() == ("lab",)
        await scene.rest()
        assert told == [("lab", None)]
        assert scene.catalog.refreshing() == ()
        assert [row.id for row in scene.catalog.find("house blend")] == ["lab/house-blend-7b"]
        assert [seen.method for seen in scene.lab.seen] == ["GET"]


async def test_a_list_that_is_refused_says_why_and_changes_nothing(tmp_path: Path) -> None:
    async with browsing(tmp_path, Behaviour(status=401, on="list")) as scene:
        before = scene.catalog.find()
        errors: list[EngineError] = []
        scene.catalog.refreshed.connect(lambda _, error: errors.append(error))
        scene.catalog.refresh("lab")
        await scene.rest()
        assert [error.status for error in errors] == [401]
        assert scene.catalog.find() == before


async def test_refreshing_twice_at_once_asks_once(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        scene.catalog.refresh("lab")
        scene.catalog.refresh("lab")
        await scene.rest()
        assert len(scene.lab.seen) == 1


async def test_a_new_lane_begins_with_the_model_asked_last_if_it_can_still_be_asked(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        assert scene.catalog.first_choice().startswith("anthropic/")
        scene.catalog.note_used("anthropic/claude-haiku-5-5")
        scene.catalog.note_used(LUNA)
        scene.catalog.note_used("nobody/knows")
        assert scene.catalog.first_choice() == "anthropic/claude-haiku-5-5"


async def test_a_provider_nobody_knows_has_no_row(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        with pytest.raises(UnknownProvider):
            scene.catalog.row("nobody/knows")


async def test_finding_among_all_models_is_fast_enough_for_every_keystroke(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        assert len(scene.desk.catalog.models()) > 200
        scene.catalog.find("warm")
        started = time.perf_counter()
        for typed in ("g", "gp", "gpt", "gpt ", "gpt o", "gpt os", "gpt oss", "claude", "", "sonnet 4"):
            scene.catalog.find(typed)
        assert (time.perf_counter() - started) / 10 < 0.05
