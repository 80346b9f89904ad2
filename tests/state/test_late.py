"""A thread that is late: what was wished for last holds, on the disk and on the screen, whoever ends first."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.playing import GOOD, LONG, Scene, playing
from tests.sitting import late_thread, rounds, until
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.types import Route, Secret, never_asked
from vibedesk.state.catalog import CatalogState
from vibedesk.state.matrix import Matrix
from vibedesk.state.prompts import Prompt
from vibedesk.state.ranking import Ranking
from vibedesk.state.routes import Explanation, RoutesState
from vibedesk.state.usage import UsageState


async def test_the_last_position_of_a_keys_switch_is_kept(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        vault = await scene.vault()
        [key] = vault.all_keys()
        with late_thread(begins=True):
            vault.set_enabled(key.id, False)
            await asyncio.sleep(0)
            vault.set_enabled(key.id, True)
            await rounds()
        await scene.rest()
        assert scene.desk.vault.key(key.id).enabled
        assert vault.all_keys()[0].enabled


async def test_a_key_added_is_listed_though_an_older_look_ends_later(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        vault = await scene.vault()
        with late_thread(begins=False):
            vault.load()
            await rounds()
            vault.rename(vault.all_keys()[0].id, "slow")
            await rounds(40)
        await scene.rest()
        assert vault.all_keys()[0].label == "slow"


async def test_the_last_name_of_a_conversation_is_kept(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask()
        with late_thread(begins=True):
            scene.history.rename(scene.playground.conversation, "one")
            await asyncio.sleep(0)
            scene.history.rename(scene.playground.conversation, "two")
            await rounds()
        await scene.rest()
        assert scene.desk.history.list()[0].title == "two"


async def test_the_last_words_of_a_prompt_are_kept_and_listed(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        prompts = scene.playground.prompts
        prompts.save(Prompt("mine", "Say it."))
        await scene.rest()
        with late_thread(begins=True):
            prompts.save(Prompt("mine", "Say one."), "mine")
            await asyncio.sleep(0)
            prompts.save(Prompt("mine", "Say two."), "mine")
            await rounds()
        await scene.rest()
        assert scene.desk.prompts.values()["mine"].text == "Say two."
        assert [one.text for one in prompts.prompts] == ["Say two."]


async def test_the_sums_are_those_of_the_period_chosen_last(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        usage = UsageState(scene.desk, scene.tasks)
        ended = never_asked(Misconfigured("There is no such gateway."), GOOD)
        with late_thread(begins=False):
            usage.show(0)
            await rounds()
            await asyncio.to_thread(scene.desk.ledger.record, ended, datetime.now(UTC))
            usage.show(None)
            await until(lambda: usage.sums is not None)
        await scene.rest()
        assert usage.sums is not None
        assert usage.sums.requests == 1


async def test_a_provider_with_a_new_key_can_be_asked_though_an_older_look_ends_later(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        catalog = CatalogState(scene.desk, scene.tasks)
        with late_thread(begins=False):
            catalog.reload()
            await rounds()
            await asyncio.to_thread(
                scene.desk.vault.add,
                "cerebras",
                Secret("csk-" + "z" * 48),
                label="",
                origin="https://api.cerebras.ai",
            )
            catalog.reload()
            await rounds()
        await scene.rest()
        assert catalog.is_usable(scene.desk.catalog.provider("cerebras"))


async def test_a_route_saved_is_listed_though_an_older_look_ends_later(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        routes = RoutesState(scene.desk, scene.tasks, scene.notices)
        with late_thread(begins=False):
            routes.reload()
            await rounds()
            routes.save(Route(name="mine", model=GOOD))
            await until(scene.desk.routes.routes)
            await rounds()
        await scene.rest()
        assert routes.rows.rowCount() == 1


async def test_what_would_happen_is_told_of_the_route_as_it_was_last(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        routes = RoutesState(scene.desk, scene.tasks, scene.notices)
        told: list[Explanation] = []
        routes.explained.connect(lambda name, found: told.append(found))
        route = Route(name="mine", model=GOOD)
        with late_thread(begins=False):
            routes.explain(route)
            await rounds()
            routes.explain(replace(route, fallback_models=("groq/split",)))
            await until(lambda: told)
        await scene.rest()
        assert len(told[-1].rungs) == 2


async def prepared(scene: Scene) -> tuple[Matrix, list[str]]:
    """A table of the health of its one key; all models but the first."""
    keys = scene.desk.vault.keys()
    matrix = Matrix(scene.desk, scene.tasks, lambda: keys)
    matrix.prepare()
    await scene.rest()
    [block] = matrix.blocks
    return matrix, [model.full_id for model in block.models[1:]]


async def asked_by(matrix: Matrix, scene: Scene) -> int:
    matrix.run()
    await until(lambda: not matrix.running)
    await scene.rest()
    return len(scene.groq.asked)


async def test_a_model_left_out_is_not_asked_for_its_health(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        matrix, others = await prepared(scene)
        with late_thread(begins=False):
            for model in others:
                matrix.choose(model, False)
                await rounds()
        await scene.rest()
        assert await asked_by(matrix, scene) == 1


async def test_a_model_left_out_right_before_is_not_asked_for_its_health(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        matrix, others = await prepared(scene)
        for model in others:
            matrix.choose(model, False)
        assert await asked_by(matrix, scene) == 1


async def test_a_vote_counts_in_the_ranking_though_an_older_look_ends_later(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        ranking = Ranking(scene.desk, scene.tasks)
        with late_thread(begins=False):
            ranking.refresh()
            await rounds()
            await asyncio.to_thread(scene.desk.votes.cast, ("a", "b"), 0)
            ranking.refresh()
            await until(lambda: ranking.votes == 1)
        await scene.rest()
        assert ranking.votes == 1


async def test_the_health_of_keys_is_told_to_the_end_where_it_cannot_be_kept(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        keys = scene.desk.vault.keys()
        matrix = Matrix(scene.desk, scene.tasks, lambda: keys)
        running: list[bool] = []
        matrix.changed.connect(lambda: running.append(matrix.running))
        matrix.prepare()
        await scene.rest()
        scene.desk.database.execute("PRAGMA query_only = ON")
        matrix.run()
        await until(lambda: not matrix.running)
        await scene.rest()
        assert not running[-1]
        assert matrix.progress == (3, 3)
        scene.desk.database.execute("PRAGMA query_only = OFF")


async def test_who_looks_at_the_usage_while_the_window_closes_looks_no_more(tmp_path: Path) -> None:
    async with playing(tmp_path, [LONG]) as scene:
        usage = UsageState(scene.desk, scene.tasks)
        scene.playground.all_finished.connect(usage.reload)
        scene.playground.ask("A long one?")
        await until(lambda: len(scene.playground.lanes[0].text) > 20)
        await scene.tasks.close()
        await rounds()
        usage.reload()


async def test_a_route_removed_twice_is_removed_once_and_comes_back_as_it_was(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        routes = RoutesState(scene.desk, scene.tasks, scene.notices)
        for name in ("one", "two"):
            routes.save(Route(name=name, model=GOOD))
            await scene.rest()
        with late_thread(begins=True):
            routes.remove("one")
            await asyncio.sleep(0)
            routes.remove("one")
            await rounds()
        await scene.rest()
        for notice in scene.notices.current():
            scene.notices.act(notice.id)
            await scene.rest()
        assert sorted(route.name for route in scene.desk.routes.routes()) == ["one", "two"]
        assert len(routes.rows.rows()) == 2


async def test_a_route_is_tried_once_at_a_time(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        routes = RoutesState(scene.desk, scene.tasks, scene.notices)
        route = Route(name="mine", model=GOOD)
        routes.try_out(route)
        routes.try_out(route)
        await scene.rest()
        assert len(scene.groq.asked) == 1


async def test_a_route_that_cannot_be_tried_can_be_tried_again(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        routes = RoutesState(scene.desk, scene.tasks, scene.notices)
        trying: list[bool] = []
        routes.trying.connect(trying.append)
        scene.desk.database.execute("ALTER TABLE keys RENAME TO elsewhere")
        routes.try_out(Route(name="mine", model=GOOD))
        await scene.rest()
        scene.desk.database.execute("ALTER TABLE elsewhere RENAME TO keys")
        assert trying[-1:] in ([], [False])
        assert scene.notices.current()


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hurried")
async def test_lists_of_models_that_come_at_once_are_all_taken_in(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        catalog, together = scene.desk.catalog, threading.Barrier(8)
        providers = [one.id for one in catalog.providers.values() if not one.simulated][:8]

        def keep(provider: str) -> None:
            like = catalog.models("groq")[0]
            listed = tuple(replace(like, id=f"new-{number}", provider=provider) for number in range(400))
            together.wait(10)
            scene.desk.keep_models(provider, listed)

        threads = [threading.Thread(target=keep, args=(provider,)) for provider in providers]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        taken = [one for one in providers if "new-399" in [m.id for m in scene.desk.catalog.models(one)]]
        assert taken == providers


@pytest.mark.usefixtures("hurried")
async def test_secrets_are_known_to_the_log_while_others_are_handed_out(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:

        def hand_out(first: int) -> None:
            for number in range(first, first + 50_000):
                scene.desk.remember_secret(Secret(f"a secret of some length {number}"))

        hand_out(0)
        handing = asyncio.ensure_future(asyncio.to_thread(hand_out, 50_000))
        while not handing.done():
            scene.desk.live_secrets()
            await asyncio.sleep(0)
