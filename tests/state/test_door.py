"""The door of the vault: watched, locked when idle, given another passphrase; over a real encrypted file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.sitting import GROQ_KEY, PASSPHRASE, desk_in, home_at, played_in, until
from vibedesk.desk import Desk
from vibedesk.engine.types import Secret
from vibedesk.log import REDACTED, redact
from vibedesk.state import door as door_module
from vibedesk.state.door import Door
from vibedesk.state.tasks import Tasks
from vibedesk.store.vault import VaultError

OTHER = "another passphrase for tests"


class Scene(NamedTuple):
    desk: Desk
    door: Door
    tasks: Tasks
    codes: list[str]
    refused: list[str]
    opened: list[int]

    async def did(self, told: list[object]) -> None:
        before = len(told)
        await until(lambda: len(told) > before)


@asynccontextmanager
async def scene_in(tmp_path: Path) -> AsyncIterator[Scene]:
    environ = home_at(tmp_path)
    del environ["VIBEDESK_PASSPHRASE_FILE"]
    async with desk_in(tmp_path, environ) as desk:
        tasks = Tasks()
        door = Door(desk, tasks)
        scene = Scene(desk, door, tasks, [], [], [])
        door.created.connect(scene.codes.append)
        door.refused.connect(scene.refused.append)
        door.unlocked.connect(lambda: scene.opened.append(1))
        await door.look()
        yield scene
        door.stop()
        await tasks.close()


async def made(scene: Scene) -> None:
    scene.door.create_file(PASSPHRASE)
    await until(lambda: scene.opened)


@played_in(scene_in)
async def test_before_there_is_a_file_words_are_wanted_and_afterwards_it_is_ready(scene: Scene) -> None:
    assert scene.door.wants_words
    assert scene.door.needs_file
    await made(scene)
    assert scene.door.is_ready
    assert not scene.door.wants_words
    assert len(scene.codes) == 1


@played_in(scene_in)
async def test_another_passphrase_needs_the_old_one_and_makes_another_recovery_code(scene: Scene) -> None:
    await made(scene)
    key = scene.desk.vault.add("groq", Secret(GROQ_KEY), label="fast", origin="https://api.groq.com")
    scene.door.change_passphrase("not the old one", OTHER)
    await until(lambda: scene.refused)
    assert scene.refused == ["That passphrase does not open the encrypted file."]
    scene.door.change_passphrase(scene.codes[0], OTHER)
    await until(lambda: len(scene.codes) == 2)
    scene.door.lock()
    await until(lambda: scene.door.is_locked)
    for old in (PASSPHRASE, scene.codes[0]):
        with pytest.raises(VaultError):
            scene.desk.vault.unlock(old)
    for new in (OTHER, scene.codes[1]):
        scene.desk.vault.unlock(new)
        assert scene.desk.vault.secret(key) == Secret(GROQ_KEY)
        scene.desk.vault.lock()


@played_in(scene_in)
async def test_locking_lets_go_of_every_secret_and_keeps_it_out_of_the_log(scene: Scene) -> None:
    await made(scene)
    secret = "opaque-" + "Zq9/x+Yw4" * 5
    key = scene.desk.vault.add("groq", Secret(secret), label="fast", origin="https://api.groq.com")
    assert await scene.desk.secret_of(key) == Secret(secret)
    assert secret in scene.desk.live_secrets()
    scene.door.lock()
    await until(lambda: scene.door.is_locked)
    assert not [one for one in scene.desk.live_secrets() if isinstance(one, str)]
    assert redact(f"no such key: {secret}.", scene.desk.live_secrets()) == f"no such key: {REDACTED}."
    scene.desk.vault.unlock(PASSPHRASE)
    assert await scene.desk.secret_of(key) == Secret(secret)


@played_in(scene_in)
async def test_what_happens_outside_is_noticed_by_watching(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOOK_MS", "LOOK_AGAIN_MS"):
        monkeypatch.setattr(door_module, name, 20)
    await made(scene)
    scene.door.watch()
    scene.desk.vault.lock()
    await until(lambda: scene.door.is_locked)
    scene.desk.vault.unlock(PASSPHRASE)
    await until(lambda: scene.door.is_ready)
    scene.desk.paths.vault.write_bytes(b"rubbish")
    await until(lambda: scene.door.state is not None and scene.door.state.kind == "unavailable")
    assert scene.desk.paths.vault.read_bytes() == b"rubbish"
    assert not scene.door.needs_file


@played_in(scene_in)
async def test_an_idle_file_locks_itself_where_that_is_set(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "LOOK_AGAIN_MS", 20)
    monkeypatch.setattr(door_module, "LOOK_MS", 20)
    await made(scene)
    scene.desk.settings.set("vault.lock_after_minutes", 5)
    scene.door.watch()
    scene.door._touched -= 240
    await asyncio.sleep(0.2)
    assert scene.door.is_ready
    scene.door.touched()
    scene.door._touched -= 240
    await asyncio.sleep(0.2)
    assert scene.door.is_ready, "somebody was there four minutes ago"
    scene.door._touched -= 60
    await until(lambda: scene.door.is_locked)


@played_in(scene_in)
async def test_nothing_locks_where_the_setting_says_never(scene: Scene) -> None:
    await made(scene)
    scene.door._touched -= 1_000_000
    assert not scene.door._is_idle()
