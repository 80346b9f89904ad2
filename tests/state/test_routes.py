"""The named routes as the screen sees them: a real routes.toml, linted, saved, deleted and brought back."""

from __future__ import annotations

from pathlib import Path

from tests.browsing import LUNA, SONNET, Scene, browsing
from tests.playing import GOOD, playing
from tests.sitting import until
from vibedesk.engine.types import CachePolicy, Parameters, Route
from vibedesk.state.metrics import best_of
from vibedesk.state.routes import Explanation, starters

FILE = f"""# my routes, by hand
[routes.first]  # the good one
name = "{SONNET}"
max_tokens = 500  # not too long

# for later
[routes.second]
name = "{LUNA}"
fallback_model = "{LUNA}"
"""


async def loaded(scene: Scene, text: str = FILE) -> None:
    scene.desk.paths.routes.write_text(text, encoding="utf-8")
    scene.desk.routes.reload()
    scene.routes.reload()
    await scene.rest()


def text_of(scene: Scene) -> str:
    return scene.desk.paths.routes.read_text(encoding="utf-8")


async def test_every_route_is_listed_with_what_is_wrong_with_it(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        await loaded(scene)
        first, second = scene.routes.rows.rows()
        assert (first.id, first.lints, first.usable) == ("first", (), True)
        assert {lint.rule for lint in second.lints} == {"fallback_equals_primary", "no_key"}
        assert not second.usable


async def test_a_route_is_usable_as_long_as_one_of_its_models_can_be_asked(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        scene.routes.save(Route(name="mixed", model=LUNA, fallback_models=(SONNET,)))
        await scene.rest()
        [row] = scene.routes.rows.rows()
        assert row.usable


async def test_saving_keeps_comments_and_writes_only_what_differs(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        await loaded(scene)
        saved: list[str] = []
        scene.routes.saved.connect(saved.append)
        parameters = Parameters(max_tokens=900)
        scene.routes.save(Route(name="first", model=SONNET, parameters=parameters), "first")
        await scene.rest()
        assert saved == ["first"]
        assert text_of(scene) == FILE.replace("500", "900")


async def test_renaming_keeps_the_table_and_its_comments(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        await loaded(scene)
        route = Route(name="best", model=SONNET, parameters=Parameters(max_tokens=500))
        scene.routes.save(route, "first")
        await scene.rest()
        assert {row.id for row in scene.routes.rows.rows()} == {"best", "second"}
        assert "# not too long" in text_of(scene)
        assert "routes.first" not in text_of(scene)


async def test_a_name_that_is_taken_is_refused_in_words_and_nothing_is_written(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        await loaded(scene)
        refused: list[str] = []
        scene.routes.refused.connect(refused.append)
        scene.routes.save(Route(name="second", model=SONNET), "first")
        await scene.rest()
        assert refused == ["There is a route called second already."]
        assert text_of(scene) == FILE


async def test_a_deleted_route_comes_back_as_it_was_comments_and_all(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        await loaded(scene)
        scene.routes.remove("first")
        await scene.rest()
        assert [row.id for row in scene.routes.rows.rows()] == ["second"]
        assert "routes.first" not in text_of(scene)
        [notice] = scene.notices.current()
        assert (notice.text, notice.action_label) == ("Route first deleted.", "Undo")
        scene.notices.act(notice.id)
        await scene.rest()
        assert [row.id for row in scene.routes.rows.rows()] == ["first", "second"]
        assert text_of(scene) == FILE


async def test_undo_after_the_file_was_edited_keeps_the_edit(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        await loaded(scene)
        scene.routes.remove("first")
        await scene.rest()
        [notice] = scene.notices.current()
        scene.routes.save(Route(name="third", model=SONNET))
        await scene.rest()
        scene.notices.act(notice.id)
        await scene.rest()
        assert {row.id for row in scene.routes.rows.rows()} == {"first", "second", "third"}


async def test_deleting_from_a_file_with_an_error_says_so_and_deletes_nothing(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        await loaded(scene)
        scene.desk.paths.routes.write_text("[routes", encoding="utf-8")
        scene.routes.remove("first")
        await scene.rest()
        [notice] = scene.notices.current()
        assert notice.role == "bad"
        assert "Nothing was saved" in notice.text
        assert text_of(scene) == "[routes"


IMPORTED = f"""[routes.first]
name = "{LUNA}"

[routes.fourth]
name = "{SONNET}"
"""


async def bring_in(scene: Scene, folder: Path, text: str) -> None:
    """A file of this text, into the routes of `FILE`."""
    (folder / "theirs.toml").write_text(text, encoding="utf-8")
    await loaded(scene)
    scene.routes.bring_in(folder / "theirs.toml")
    await scene.rest()


async def test_an_import_names_the_routes_it_replaced_and_can_be_undone(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        await bring_in(scene, tmp_path, IMPORTED)
        assert {row.id: row.route.model for row in scene.routes.rows.rows()}["first"] == LUNA
        [notice] = scene.notices.current()
        assert (notice.text, notice.action_label) == ("2 routes imported. first was replaced.", "Undo")
        scene.notices.act(notice.id)
        await scene.rest()
        assert text_of(scene) == FILE
        assert [row.id for row in scene.routes.rows.rows()] == ["first", "second"]


async def test_undoing_an_import_after_an_edit_brings_back_what_was_replaced_and_keeps_the_edit(
    tmp_path: Path,
) -> None:
    async with browsing(tmp_path) as scene:
        await bring_in(scene, tmp_path, IMPORTED)
        scene.routes.save(Route(name="third", model=SONNET))
        await scene.rest()
        scene.notices.act(scene.notices.current()[0].id)
        await scene.rest()
        routes = {row.id: row.route for row in scene.routes.rows.rows()}
        assert set(routes) == {"first", "second", "third", "fourth"}
        assert (routes["first"].model, routes["first"].parameters.max_tokens) == (SONNET, 500)


async def test_an_import_that_replaces_nothing_offers_no_undo(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        await bring_in(scene, tmp_path, FILE)
        [notice] = scene.notices.current()
        assert (notice.text, notice.action_label) == ("2 routes imported.", "")
        assert text_of(scene) == FILE


async def test_explaining_names_every_rung_and_asks_nobody(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        told: list[tuple[str, Explanation]] = []
        scene.routes.explained.connect(lambda name, found: told.append((name, found)))
        scene.routes.explain(Route(name="mixed", model=LUNA, fallback_models=("lab/gpt-4.1-mini",)))
        await scene.rest()
        [(name, explanation)] = told
        first, second = (told.rung for told in explanation.rungs)
        assert name == "mixed"
        assert first.obstacle is not None
        assert first.obstacle.kind == "no_key"
        assert (second.obstacle, second.deployment.via) == (None, "direct")
        assert scene.lab.seen == []


async def test_the_starter_set_is_added_once_and_leaves_what_is_there(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        scene.routes.save(Route(name="blueprint", model=SONNET))
        await scene.rest()
        scene.routes.add_starters()
        await scene.rest()
        rows = {row.id: row.route for row in scene.routes.rows.rows()}
        assert set(rows) == {route.name for route in starters()}
        assert rows["blueprint"].model == SONNET
        scene.routes.add_starters()
        await scene.rest()
        assert [notice.text for notice in scene.notices.current()] == [
            "12 routes added.",
            "All starter routes are there already.",
        ]


async def test_a_route_is_found_by_its_name_or_by_the_word_route(tmp_path: Path) -> None:
    async with browsing(tmp_path) as scene:
        scene.routes.add_starters()
        await scene.rest()
        assert [row.id for row in scene.routes.find("conv")] == ["conversationalResponse"]
        assert [row.id for row in scene.routes.find("conv route")] == ["conversationalResponse"]
        assert len(scene.routes.find("route")) == len(scene.routes.find()) == len(starters())
        assert scene.routes.find("sonnet") == ()


async def test_a_route_that_is_edited_is_what_a_lane_asks_by(tmp_path: Path) -> None:
    async with playing(tmp_path, ["groq/llama"]) as scene:
        save, lane = scene.desk.routes.save, scene.playground.lanes[0]
        save(Route(name="quick", model=GOOD, parameters=Parameters(max_tokens=100), system="Be brief."))
        scene.playground.set_route(0, "quick")
        await scene.ask()
        save(Route(name="quick", model=GOOD, parameters=Parameters(max_tokens=200), system="Be kind."))
        scene.playground.configure(0, system="Mine.")
        await scene.ask()
        first, second = (asked.body for asked in scene.groq.asked)
        assert (first["max_completion_tokens"], second["max_completion_tokens"]) == (100, 200)
        assert second["messages"][0]["content"] == "Mine.", "what the lane says itself stays"
        assert lane.spec.parameters.max_tokens == 200


async def test_a_route_that_caches_gives_the_answer_again_and_regenerating_asks_anew(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        scene.desk.routes.save(Route(name="quick", model=GOOD, cache=CachePolicy(on=True)))
        scene.playground.set_route(0, "quick")
        await scene.ask()
        kept = scene.answer()
        scene.playground.new_conversation()
        await scene.rest()
        scene.playground.set_route(0, "quick")
        await scene.ask()
        again = scene.answer()
        assert len(scene.groq.asked) == 1
        assert again.cache is not None
        assert (again.text, again.cache.verdict, again.attempts) == (kept.text, "hit", ())
        assert scene.desk.ledger.sums().cached == 1
        loaded = scene.desk.history.load(scene.playground.conversation)
        assert loaded.answers[-1].cache == again.cache
        scene.playground.regenerate(0)
        await until(lambda: len(scene.groq.asked) == 2)
        await scene.rest()
        anew = scene.answer().cache
        assert anew is not None
        assert anew.verdict == "passed_by"


async def test_what_came_from_a_cache_wins_no_race(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        scene.desk.routes.save(Route(name="quick", model=GOOD, cache=CachePolicy(on=True)))
        scene.playground.set_route(0, "quick")
        await scene.ask()
        scene.playground.new_conversation()
        await scene.rest()
        scene.playground.set_route(0, "quick")
        await scene.ask()
        assert scene.answer(0).cost is not None
        assert best_of([scene.answer(0), scene.answer(1)]) == {}


async def test_where_a_lanes_question_would_go_is_told_without_asking(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        told: list[Explanation] = []
        scene.playground.explained.connect(lambda id, found: told.append(found))
        scene.playground.explain(0)
        await scene.rest()
        scene.playground.explain(0, {"groq": "no_credit"})
        await scene.rest()
        assert [found.outcome for found in told] == ["complete", "failed"]
        assert scene.groq.seen == []
