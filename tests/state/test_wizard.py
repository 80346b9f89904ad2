"""The steps of adding a key: what each paste, each failure of the check and each refusal of the vault leads to."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.providers import Anthropic, Behaviour, OpenAI
from tests.sitting import ANTHROPIC_KEY, GROQ_KEY, OPENAI_KEY, desk_in, home_at, played_in, until
from vibedesk.desk import Desk
from vibedesk.state.notices import Notices
from vibedesk.state.tasks import Tasks
from vibedesk.state.vault import Vault
from vibedesk.state.wizard import Wizard


class Scene(NamedTuple):
    desk: Desk
    vault: Vault
    anthropic: Anthropic
    groq: OpenAI

    def kept(self) -> list[str]:
        return [key.label for key in self.vault.all_keys() if key.source == "vault"]

    async def phase(self, step: Wizard, *phases: str) -> None:
        await until(lambda: step.phase in phases)


@asynccontextmanager
async def scene_in(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Anthropic(key=ANTHROPIC_KEY) as anthropic, OpenAI(key=GROQ_KEY) as groq:
        closed = OpenAI(key="nobody")
        await closed.__aenter__()
        await closed.__aexit__(None, None, None)
        addresses = {
            "anthropic": anthropic.base_url,
            "groq": groq.base_url,
            "cerebras": closed.base_url,
            "openrouter": "https://no-such-host.invalid/v1",
        }
        async with desk_in(tmp_path, home_at(tmp_path, addresses)) as desk:
            tasks = Tasks()
            vault = Vault(desk, tasks, Notices(), passphrase_is_given=True)
            vault.load()
            await until(lambda: vault.loaded)
            yield Scene(desk, vault, anthropic, groq)
            await tasks.close()
            await vault.finish()


@pytest.mark.parametrize(
    "pasted",
    [
        GROQ_KEY,
        f"  {GROQ_KEY}\n",
        f"export GROQ_API_KEY='{GROQ_KEY}'",
        f'GROQ_API_KEY="{GROQ_KEY}" # mine',
        f"\u201c{GROQ_KEY}\u201d",
        f"\ufeff{GROQ_KEY[:20]}\u200b{GROQ_KEY[20:]}\u00a0",
        f"Authorization: Bearer {GROQ_KEY}",
        f"# my keys\nPORT=8080\nGROQ_API_KEY={GROQ_KEY}\nDB_PASSWORD=hunter2hunter2",
        f"set GROQ_API_KEY={GROQ_KEY}",
        f'$env:GROQ_API_KEY = "{GROQ_KEY}"',
    ],
)
async def test_however_it_is_pasted_the_key_is_found_and_checked_at_once(pasted: str, tmp_path: Path) -> None:
    async with scene_in(tmp_path) as scene:
        step = Wizard(scene.vault)
        assert step.phase == "empty"
        step.paste(pasted)
        assert step.phase == "checking"
        assert step.provider is not None
        assert step.provider.id == "groq"
        await scene.phase(step, "good")
        assert scene.kept() == []
        step.keep("fast")
        assert step.phase == "saving"
        await scene.phase(step, "saved")
        assert scene.kept() == ["fast"]
        assert step.found == ()
        [key] = [key for key in scene.vault.all_keys() if key.source == "vault"]
        assert key.state == "ready"
        assert scene.desk.vault.secret(key).reveal() == GROQ_KEY


@played_in(scene_in)
async def test_a_database_that_cannot_be_written_is_told_and_the_key_kept_once_it_can(scene: Scene) -> None:
    step = Wizard(scene.vault)
    step.paste(GROQ_KEY)
    await scene.phase(step, "good")
    scene.desk.database.execute("PRAGMA query_only = ON")
    step.keep("fast")
    await scene.phase(step, "good")
    assert "cannot be written" in step.problem
    assert step.found[0].secret.reveal() == GROQ_KEY
    scene.desk.database.execute("PRAGMA query_only = OFF")
    step.keep("fast")
    await scene.phase(step, "saved")
    assert (step.problem, scene.kept()) == ("", ["fast"])


@played_in(scene_in)
async def test_without_being_asked_no_answer_is_paid_for(scene: Scene) -> None:
    step = Wizard(scene.vault)
    step.paste(GROQ_KEY)
    await scene.phase(step, "good")
    assert scene.groq.asked == []
    provider = scene.vault.provider("groq")
    assert provider is not None
    assert scene.vault.checks.estimate(provider) is not None
    step.check(answer=True)
    await scene.phase(step, "good")
    assert len(scene.groq.asked) == 1
    assert step.run is not None
    assert {line.id: line.verdict for line in step.run.lines}["answer"] == "ok"


@pytest.mark.parametrize(
    ("provider", "key", "verdict"),
    [
        ("groq", "gsk_" + "w" * 52, "invalid"),
        ("cerebras", "csk-" + "c" * 48, "refused"),
        ("openrouter", "sk-or-v1-" + "0" * 64, "dns_failed"),
        ("anthropic", "sk-ant-admin01-" + "a" * 93 + "AA", "wrong_type"),
    ],
)
async def test_a_failed_check_changes_nothing_and_keeps_what_was_pasted(
    provider: str, key: str, verdict: str, tmp_path: Path
) -> None:
    async with scene_in(tmp_path) as scene:
        step = Wizard(scene.vault)
        step.paste(key)
        await scene.phase(step, "failed")
        assert step.provider is not None
        assert step.run is not None
        assert (step.provider.id, step.run.verdict) == (provider, verdict)
        assert step.run.message
        assert step.run.fix
        assert key[12:30] not in step.run.message + step.run.fix
        assert step.found[0].secret.reveal() == key
        assert scene.kept() == []
        step.check()
        assert step.phase == "checking"
        step.stop()
        assert step.phase == "guess"
        step.skip()
        step.keep("anyway")
        await scene.phase(step, "saved")
        assert scene.vault.all_keys()[0].state == "untested"


@pytest.mark.parametrize(
    ("behaviour", "phase", "verdict"),
    [
        (Behaviour(status=429, on="all"), "good", "rate_limited"),
        (Behaviour(status=500, on="all"), "failed", "server_down"),
        (Behaviour(instead="html", on="all"), "failed", "not_this_api"),
    ],
)
async def test_what_is_not_the_key_s_fault_is_told_apart(
    behaviour: Behaviour, phase: str, verdict: str, tmp_path: Path
) -> None:
    async with scene_in(tmp_path) as scene:
        scene.groq.behaviour = behaviour
        step = Wizard(scene.vault)
        step.paste(GROQ_KEY)
        await until(lambda: step.phase == phase, 30)
        assert step.run is not None
        assert step.run.verdict == verdict


@played_in(scene_in)
async def test_a_key_of_another_provider_is_pointed_out_before_anything_is_sent(scene: Scene) -> None:
    step = Wizard(scene.vault, provider=scene.vault.provider("anthropic"))
    step.paste(GROQ_KEY)
    assert step.phase == "stranger"
    assert step.looks_like is not None
    assert step.looks_like.id == "groq"
    assert scene.anthropic.seen == scene.groq.seen == []
    step.choose(step.looks_like)
    step.check()
    await scene.phase(step, "good")
    assert scene.anthropic.seen == []


@played_in(scene_in)
async def test_several_keys_are_kept_together_under_the_names_of_their_variables(scene: Scene) -> None:
    step = Wizard(scene.vault)
    names = (
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "GROQ_API_KEY",
        "MISTRAL_API_KEY",
        "XAI_API_KEY",
        "CEREBRAS_API_KEY",
    )
    keys = (OPENAI_KEY, ANTHROPIC_KEY, GROQ_KEY, "m4" * 16, "xai-" + "x" * 80, "csk-" + "c" * 48)
    step.paste("\n".join(f"{name}={key}" for name, key in zip(names, keys, strict=True)))
    assert step.phase == "several"
    assert scene.groq.seen == scene.anthropic.seen == []
    step.keep("", range(6))
    await scene.phase(step, "saved")
    assert sorted(scene.kept()) == sorted(names)
    assert step.saved is not None
    assert len(step.saved.keys) == 6


@played_in(scene_in)
async def test_cancelling_a_check_closes_it_at_once_and_leaves_no_verdict(scene: Scene) -> None:
    scene.groq.behaviour = Behaviour(stall_before_headers=True, on="all")
    step = Wizard(scene.vault)
    step.paste(GROQ_KEY)
    await until(lambda: scene.groq.seen)
    assert step.phase == "checking"
    step.stop()
    assert step.phase == "guess"
    assert step.run is None


@played_in(scene_in)
async def test_what_the_vault_refuses_is_said_and_can_be_tried_again(scene: Scene) -> None:
    step = Wizard(scene.vault)
    step.paste(GROQ_KEY)
    await scene.phase(step, "good")
    vault_file = scene.desk.paths.vault
    vault_file.mkdir()  # nothing can be written there now
    step.keep("fast")
    await until(lambda: step.problem)
    assert "was left alone" in step.problem
    assert step.phase == "good"
    assert step.found[0].secret.reveal() == GROQ_KEY
    assert scene.kept() == []
    vault_file.rmdir()
    step.keep("fast")
    await scene.phase(step, "saved")
    assert scene.kept() == ["fast"]


@played_in(scene_in)
async def test_a_replacement_the_vault_refuses_leaves_the_old_key_and_says_so(scene: Scene) -> None:
    first = Wizard(scene.vault)
    old = "gsk_" + "o" * 52
    first.paste(old)
    await scene.phase(first, "failed")
    first.skip()
    first.keep("fast")
    await scene.phase(first, "saved")
    [key] = [key for key in scene.vault.all_keys() if key.source == "vault"]
    step = Wizard(scene.vault, replacing=scene.vault.row(key.id))
    step.paste(f"OPENAI_API_KEY={OPENAI_KEY}\nGROQ_API_KEY={GROQ_KEY}")
    await scene.phase(step, "good")
    vault_file = scene.desk.paths.vault
    shutil.move(vault_file, vault_file.with_name("aside"))
    vault_file.mkdir()
    step.keep("")
    await until(lambda: step.problem)
    assert step.saved is None
    vault_file.rmdir()
    shutil.move(vault_file.with_name("aside"), vault_file)
    assert scene.desk.vault.secret(key).reveal() == old
    step.keep("")
    await scene.phase(step, "saved")
    row = scene.vault.row(key.id)
    assert row is not None
    assert row.key is not None
    assert (row.hint, row.key.state) == ("gsk_…qqqq", "ready")
    assert scene.desk.vault.secret(row.key).reveal() == GROQ_KEY


@played_in(scene_in)
async def test_a_key_that_is_kept_already_is_recognised_by_its_end(scene: Scene) -> None:
    for _ in range(2):
        step = Wizard(scene.vault)
        step.paste(GROQ_KEY)
        await scene.phase(step, "good")
        twin = step.twin
        step.keep("fast")
        await scene.phase(step, "saved")
    assert twin is not None
    assert twin.label == "fast"


@played_in(scene_in)
async def test_nothing_it_holds_shows_the_key(scene: Scene) -> None:
    step = Wizard(scene.vault)
    step.paste(ANTHROPIC_KEY)
    await scene.phase(step, "good")
    assert ANTHROPIC_KEY not in repr((step.found, step.run, step.provider, step.problem))
    step.forget()
    assert (step.phase, step.found) == ("empty", ())
    await asyncio.sleep(0)
