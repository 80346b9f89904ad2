"""The vault on the screen over a real gnome-keyring that is away, comes later, is locked, stopped and killed.

In every state the labels stay on the list, nothing is kept anywhere else, the window's loop goes on turning, and what
comes back is noticed without a restart.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("secretstorage", reason="SecretStorage is installed on Linux only")
from tests.sitting import ANTHROPIC_KEY, GROQ_KEY, desk_in, home_at, until
from tests.store.secret_service import SecretService, missing
from tests.store.vault_contract import assert_no_trace
from vibedesk.desk import Desk
from vibedesk.engine.types import Secret
from vibedesk.state import deletions
from vibedesk.state import door as door_module
from vibedesk.state.notices import Notices
from vibedesk.state.tasks import Tasks
from vibedesk.state.vault import Vault
from vibedesk.state.wizard import Wizard

pytestmark = [
    pytest.mark.secret_service,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}"),
    # keyring leaves its bus connection to the garbage collector when a call fails.
    pytest.mark.filterwarnings(
        "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]


class Scene(NamedTuple):
    desk: Desk
    vault: Vault
    refused: list[str]

    def kind(self) -> str:
        return self.vault.state.kind if self.vault.state else ""

    async def add(self, provider: str = "groq", key: str = GROQ_KEY, label: str = "fast") -> str:
        kept = {one.id for one in self.vault.all_keys()}
        self.vault.add([(provider, Secret(key), label)])
        await until(lambda: {one.id for one in self.vault.all_keys()} - kept)
        [new] = {one.id for one in self.vault.all_keys()} - kept
        return new

    async def secret(self, key_id: str) -> str:
        read: list[Secret] = []
        self.vault.with_secret(key_id, read.append)
        await until(lambda: read)
        return read[0].reveal()


@asynccontextmanager
async def scene_in(folder: Path) -> AsyncIterator[Scene]:
    environ = home_at(folder)
    del environ["VIBEDESK_VAULT"], environ["VIBEDESK_PASSPHRASE_FILE"]
    async with desk_in(folder, environ) as desk:
        tasks, refused = Tasks(), []
        vault = Vault(desk, tasks, Notices())
        vault.refused.connect(refused.append)
        vault.load()
        vault.door.watch()
        try:
            await until(lambda: vault.loaded)
            yield Scene(desk, vault, refused)
        finally:
            await tasks.close()
            await vault.finish()
            gc.collect()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretService]:
    service = SecretService(tmp_path_factory.mktemp("ss"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DBUS_SESSION_BUS_ADDRESS", service.address)
        service.start()
    yield service
    service.close()


@pytest.fixture
def service(shared: SecretService, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretService]:
    """The daemon, running and unlocked before every test; the door looks often."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", shared.address)
    monkeypatch.setattr(door_module, "LOOK_AGAIN_MS", 100)
    monkeypatch.setattr(door_module, "LOOK_MS", 100)
    yield shared
    shared.kill()
    shared.start()
    gc.collect()


async def test_a_keychain_that_comes_after_the_program_is_used_when_it_is_there(
    service: SecretService, tmp_path: Path
) -> None:
    service.kill()
    async with scene_in(tmp_path) as scene:
        assert scene.kind() == "absent"
        assert scene.vault.door.wants_words
        service.start()
        await until(lambda: scene.kind() == "ready")
        assert not scene.vault.door.wants_words
        key_id = await scene.add()
        assert await scene.secret(key_id) == GROQ_KEY
        assert not scene.desk.paths.vault.exists()
        assert_no_trace(tmp_path, GROQ_KEY)


async def test_a_killed_keychain_keeps_the_list_and_is_noticed_when_it_is_back(
    service: SecretService, tmp_path: Path
) -> None:
    async with scene_in(tmp_path) as scene:
        key_id = await scene.add()
        service.kill()
        await until(lambda: scene.kind() == "absent")
        assert scene.vault.row(key_id) is not None
        service.start()
        await until(lambda: scene.kind() == "ready")
        assert await scene.secret(key_id) == GROQ_KEY
        assert not scene.desk.paths.vault.exists()


async def test_while_the_keychain_is_stopped_the_loop_turns_and_nothing_is_lost(
    service: SecretService, tmp_path: Path
) -> None:
    async with scene_in(tmp_path) as scene:
        key_id = await scene.add()
        step = Wizard(scene.vault)
        step.paste("sk-ant-api03-" + "n" * 20)  # too short for a shape: nothing is asked of anybody
        service.halt()
        try:
            turned = await turns_until(scene.refused, lambda: scene.vault.with_secret(key_id, lambda _: None))
            # A loop that waited for the call would turn once or twice in the seconds that it takes.
            assert turned > 20
            assert scene.refused[0].startswith("Secret Service does not answer. Try again when")
            await until(lambda: scene.vault.state is not None and scene.vault.state.silent)
            assert not scene.vault.door.wants_words, "one that is silent may come back"
            assert scene.vault.row(key_id) is not None
            step.choose(scene.vault.provider("anthropic"))  # type: ignore[arg-type]
            step.skip()
            step.keep("work")
            await until(lambda: step.problem)
            assert "does not answer" in step.problem
            assert len(step.found) == 1
            assert [key.label for key in scene.vault.all_keys()] == ["fast"]
        finally:
            service.go_on()
        await until(lambda: scene.kind() == "ready")
        await until(lambda: not step.problem or step.phase == "skipped")
        step.keep("work")
        await until(lambda: step.saved is not None)
        assert await scene.secret(key_id) == GROQ_KEY
        assert_no_trace(tmp_path, GROQ_KEY)


async def test_a_locked_keychain_deletes_nothing_and_the_key_is_in_use_again(
    service: SecretService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "UNDO_S", 0.05)
    async with scene_in(tmp_path) as scene:
        key_id = await scene.add("anthropic", ANTHROPIC_KEY, "work")
        service.lock()
        await until(lambda: scene.kind() == "locked")
        assert scene.vault.state is not None
        assert not scene.vault.state.is_file
        assert not scene.vault.door.wants_words, "its own window asks"
        scene.vault.delete(key_id)
        assert scene.vault.row(key_id) is None
        await until(lambda: scene.refused)
        row = scene.vault.row(key_id)
        assert row is not None
        assert row.key is not None
        assert row.key.enabled
        service.kill()
        service.start()
        await until(lambda: scene.kind() == "ready")
        assert await scene.secret(key_id) == ANTHROPIC_KEY


async def turns_until(told: list[str], act: object) -> int:
    """How often the loop turns, at most every 10 ms, until something was told after `act`."""
    assert callable(act)
    before = len(told)
    act()
    for turned in range(3000):
        if len(told) > before:
            return turned
        await asyncio.sleep(0.01)
    raise AssertionError("nothing was told")
