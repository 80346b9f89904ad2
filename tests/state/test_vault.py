"""The keys as the screen sees them, over a real vault file and providers on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.providers import Anthropic, OpenAI
from tests.sitting import (
    ANTHROPIC_KEY,
    GROQ_KEY,
    OPENAI_KEY,
    PASSPHRASE,
    desk_in,
    home_at,
    late_thread,
    played_in,
    until,
)
from vibedesk.desk import Desk
from vibedesk.engine.types import Secret
from vibedesk.state import deletions
from vibedesk.state.notices import Notices
from vibedesk.state.tasks import Tasks
from vibedesk.state.vault import LOCAL, NEW, Saved, Vault


class Scene(NamedTuple):
    desk: Desk
    vault: Vault
    tasks: Tasks
    notices: Notices
    anthropic: Anthropic
    saved: list[Saved]
    refused: list[str]

    async def add(self, provider: str = "anthropic", key: str = ANTHROPIC_KEY, label: str = "work") -> str:
        before = len(self.saved)
        self.vault.add([(provider, Secret(key), label)])
        await until(lambda: len(self.saved) > before)
        return self.saved[-1].keys[0].id


@asynccontextmanager
async def scene_in(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Anthropic(key=ANTHROPIC_KEY) as anthropic, OpenAI(key="another") as local:
        addresses = {"anthropic": anthropic.base_url, "ollama": local.base_url}
        environ = home_at(tmp_path, addresses) | {"CEREBRAS_API_KEY": "csk-" + "z" * 48}
        async with desk_in(tmp_path, environ) as desk:
            tasks, notices = Tasks(), Notices()
            vault = Vault(desk, tasks, notices, passphrase_is_given=True)
            saved: list[Saved] = []
            refused: list[str] = []
            vault.saved.connect(saved.append)
            vault.refused.connect(refused.append)
            vault.load()
            await until(lambda: vault.loaded)
            yield Scene(desk, vault, tasks, notices, anthropic, saved, refused)
            await tasks.close()
            await vault.finish()


@played_in(scene_in)
async def test_a_key_that_is_kept_is_a_row_with_its_hint_and_opens_models(scene: Scene) -> None:
    key_id = await scene.add()
    row = scene.vault.row(key_id)
    assert row is not None
    assert (row.label, row.hint, row.source, row.chip) == ("work", "sk-ant-…xxAA", "vault", "untested")
    assert row.spent is None
    assert scene.saved[-1].models > 0
    assert scene.saved[-1].where == "Encrypted file"


@played_in(scene_in)
async def test_no_row_and_no_notice_has_the_secret(scene: Scene) -> None:
    key_id = await scene.add()
    scene.vault.delete(key_id)
    await asyncio.sleep(0.05)
    told = repr(scene.vault.rows.rows()) + repr(scene.notices.current()) + repr(scene.saved)
    assert ANTHROPIC_KEY not in told
    assert ANTHROPIC_KEY[13:40] not in told


@played_in(scene_in)
async def test_the_recovery_code_of_a_new_file_is_told_once(scene: Scene) -> None:
    codes: list[str] = []
    scene.vault.created.connect(codes.append)
    await scene.add()
    await scene.add("groq", GROQ_KEY, "fast")
    assert len(codes) == 1
    assert len(codes[0]) > 20


@played_in(scene_in)
async def test_a_check_before_keeping_lights_up_every_stage_and_keeps_nothing(scene: Scene) -> None:
    seen: list[str] = []
    scene.vault.checks.changed.connect(lambda _: seen.append("step"))
    provider = scene.vault.provider("anthropic")
    assert provider is not None
    scene.vault.try_out(provider, Secret(ANTHROPIC_KEY), answer=True)
    await until(lambda: (run := scene.vault.checks.run_of(NEW)) is not None and not run.running)
    run = scene.vault.checks.run_of(NEW)
    assert run is not None
    assert run.verdict == "ready"
    verdicts = {line.id: line.verdict for line in run.lines}
    assert verdicts["key"] == verdicts["models"] == verdicts["answer"] == "ok"
    assert len(seen) > 5
    assert not [key for key in scene.vault.all_keys() if key.source == "vault"]


@played_in(scene_in)
async def test_a_check_of_a_kept_key_is_remembered(scene: Scene) -> None:
    key_id = await scene.add()
    scene.vault.check(key_id)
    await until(lambda: scene.vault.row(key_id).chip.startswith("ready"))  # type: ignore[union-attr]
    stored = next(key for key in scene.desk.keys.all() if key.id == key_id)
    assert stored.state == "ready"
    assert stored.checked is not None


@played_in(scene_in)
async def test_a_wrong_key_is_refused_in_words_that_name_the_fix(scene: Scene) -> None:
    key_id = await scene.add(key="sk-ant-api03-" + "w" * 93 + "AA")
    scene.vault.check(key_id)
    await until(lambda: scene.vault.row(key_id).role == "bad")  # type: ignore[union-attr]
    run = scene.vault.checks.run_of(key_id)
    assert run is not None
    assert run.verdict == "invalid"
    assert run.message
    assert run.fix


@played_in(scene_in)
async def test_a_check_that_is_stopped_leaves_no_verdict(scene: Scene) -> None:
    key_id = await scene.add()
    scene.vault.check(key_id)
    scene.vault.checks.stop(key_id)
    await asyncio.sleep(0.1)
    assert scene.vault.checks.run_of(key_id) is None
    assert next(key for key in scene.desk.keys.all() if key.id == key_id).state == "untested"


@played_in(scene_in)
async def test_a_deletion_can_be_undone_while_the_notice_stands(scene: Scene) -> None:
    key_id = await scene.add()
    scene.vault.delete(key_id)
    assert scene.vault.row(key_id) is None
    await until(lambda: not scene.desk.vault.key(key_id).enabled)
    scene.notices.act(scene.notices.current()[-1].id)
    await until(lambda: scene.desk.vault.key(key_id).enabled)
    assert scene.vault.row(key_id) is not None
    assert (await scene.desk.secret_of(scene.desk.vault.key(key_id))).reveal() == ANTHROPIC_KEY


@played_in(scene_in)
async def test_a_deleted_key_is_gone_for_good_when_the_time_is_over(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "UNDO_S", 0.05)
    key_id = await scene.add()
    scene.vault.delete(key_id)
    await until(lambda: key_id not in [key.id for key in scene.desk.keys.all()])


@played_in(scene_in)
async def test_quitting_deletes_what_was_waiting_for_its_undo(scene: Scene) -> None:
    key_id = await scene.add()
    scene.vault.delete(key_id)
    await scene.tasks.close()
    await scene.vault.finish()
    assert key_id not in [key.id for key in scene.desk.keys.all()]


@played_in(scene_in)
async def test_a_key_that_the_database_will_not_delete_is_back_with_the_reason(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "UNDO_S", 0.05)
    key_id = await scene.add()
    scene.desk.database.execute(
        "CREATE TRIGGER full BEFORE DELETE ON keys BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    )
    scene.vault.delete(key_id)
    await until(lambda: scene.refused)
    assert "the disk is full" in scene.refused[0]
    assert scene.vault.row(key_id) is not None


@played_in(scene_in)
async def test_a_key_that_cannot_be_switched_off_is_not_deleted_and_the_reason_told(scene: Scene) -> None:
    key_id = await scene.add()
    scene.desk.database.execute("PRAGMA query_only = ON")
    scene.vault.delete(key_id)
    await until(lambda: scene.refused)
    assert scene.vault.row(key_id) is not None
    scene.desk.database.execute("PRAGMA query_only = OFF")


@played_in(scene_in)
async def test_quitting_goes_on_where_a_key_cannot_be_deleted(scene: Scene) -> None:
    key_id = await scene.add()
    scene.vault.delete(key_id)
    await until(lambda: not scene.desk.vault.key(key_id).enabled)
    scene.desk.database.execute("PRAGMA query_only = ON")
    await scene.tasks.close()
    await scene.vault.finish()
    scene.desk.database.execute("PRAGMA query_only = OFF")


@played_in(scene_in)
async def test_a_deletion_that_is_undone_too_late_is_not_shown_as_undone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "UNDO_S", 0.5)
    key_id = await scene.add()
    scene.vault.delete(key_id)
    await until(lambda: not scene.desk.vault.key(key_id).enabled)
    with late_thread(begins=True) as late:
        await until(late.met.is_set)
        scene.vault.keep_after_all(key_id)
        await asyncio.sleep(0.3)
    await until(lambda: key_id not in [key.id for key in scene.desk.keys.all()])
    await until(lambda: not scene.tasks.names())
    assert [key.id for key in scene.vault.all_keys()] == [key.id for key in scene.desk.keys.all()]


@played_in(scene_in)
async def test_a_round_of_checks_ends_though_a_key_of_it_is_gone(scene: Scene) -> None:
    key_id = await scene.add()
    ended: list[tuple[int, int]] = []
    scene.vault.check_round.ended.connect(lambda *counts: ended.append(counts))
    scene.vault.check_round.start([key_id, "deleted a moment ago"])
    await until(lambda: not scene.vault.check_round.running)
    assert ended == [(1, 1)]


@played_in(scene_in)
async def test_keys_of_the_environment_are_offered_and_can_be_kept(scene: Scene) -> None:
    [found] = scene.vault.importable()
    assert found.id == "env:CEREBRAS_API_KEY"
    scene.vault.import_keys([found.id])
    await until(lambda: scene.saved)
    assert scene.vault.importable() == ()
    assert {key.source for key in scene.vault.all_keys() if key.provider == "cerebras"} == {
        "vault",
        "environment",
    }


@played_in(scene_in)
async def test_a_key_of_the_environment_cannot_be_deleted(scene: Scene) -> None:
    scene.vault.delete("env:CEREBRAS_API_KEY")
    assert scene.vault.row("env:CEREBRAS_API_KEY") is not None


@played_in(scene_in)
async def test_replacing_gives_the_same_key_another_secret(scene: Scene) -> None:
    key_id = await scene.add()
    scene.vault.replace(key_id, Secret("sk-ant-api03-" + "n" * 93 + "AA"))
    await until(lambda: scene.vault.row(key_id).hint == "sk-ant-…nnAA")  # type: ignore[union-attr]


@played_in(scene_in)
async def test_a_secret_is_handed_to_one_taker_only(scene: Scene) -> None:
    key_id = await scene.add()
    taken: list[Secret] = []
    scene.vault.with_secret(key_id, taken.append)
    await until(lambda: taken)
    assert taken[0].reveal() == ANTHROPIC_KEY


@played_in(scene_in)
async def test_servers_on_this_machine_are_asked_only_when_told_to(scene: Scene) -> None:
    row = scene.vault.row(LOCAL)
    assert row is not None
    assert row.chip == "not looked for"
    assert scene.anthropic.seen == []
    scene.vault.servers.look_for()
    await until(lambda: scene.vault.servers.silence != "Looking…", 20)
    assert scene.anthropic.seen == []


@played_in(scene_in)
async def test_an_impossible_secret_is_refused_in_a_sentence_and_nothing_stays(scene: Scene) -> None:
    scene.vault.add([("anthropic", Secret("sk-ant-" + "x" * 1400), "long")])
    await until(lambda: scene.refused)
    assert "1,280" in scene.refused[0]
    assert not [key for key in scene.vault.all_keys() if key.source == "vault"]


@played_in(scene_in)
async def test_a_whole_fragment_is_read_into_several_keys(scene: Scene) -> None:
    found = scene.vault.read(
        f"OPENAI_API_KEY={OPENAI_KEY}\nexport GROQ_API_KEY='{GROQ_KEY}'\nPASSWORD=hunter2hunter2\n"
    )
    assert [key.providers[0] for key in found] == ["openai", "groq"]


async def test_the_file_is_locked_and_opened_again(tmp_path: Path) -> None:
    environ = home_at(tmp_path)
    del environ["VIBEDESK_PASSPHRASE_FILE"]
    async with desk_in(tmp_path, environ) as desk:
        tasks = Tasks()
        vault = Vault(desk, tasks, Notices())
        codes, opened, refused = [], [], []
        vault.created.connect(codes.append)
        vault.unlocked.connect(lambda: opened.append(1))
        vault.unlock_refused.connect(refused.append)
        vault.load()
        await until(lambda: vault.loaded)
        assert vault.door.needs_file
        vault.door.create_file(PASSPHRASE)
        await until(lambda: opened)
        assert vault.state is not None
        assert vault.state.kind == "ready"
        vault.door.lock()
        await until(lambda: vault.door.is_locked)
        vault.door.unlock("not this one")
        await until(lambda: refused)
        assert vault.door.is_locked
        vault.door.unlock(codes[0])
        await until(lambda: len(opened) == 2)
        await tasks.close()
