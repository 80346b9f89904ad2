"""What is explained is what then happens: random routes and faults, both over the same `decide`, one over sockets."""

from __future__ import annotations

import asyncio
import random

import pytest
from msgspec.structs import replace

from tests.engine.asking import BRISK, CALM, ask, key_of, router_of
from tests.providers import Behaviour, OpenAI
from vibedesk.engine.errors import Misconfigured
from vibedesk.engine.explain import explain
from vibedesk.engine.http import Http
from vibedesk.engine.types import Deployment, Finished, Model, Provider, Rung, Terms
from vibedesk.engine.world import World

FAULTS: dict[str, Behaviour] = {
    "": Behaviour(),
    "401": Behaviour(status=401),
    "402": Behaviour(status=402),
    "429": Behaviour(status=429, body={"error": {"message": "slower", "code": "rate_limit_exceeded"}}),
    "500": Behaviour(status=500),
    "503": Behaviour(status=503),
    "404": Behaviour(status=404),
    "400": Behaviour(status=400, body={"error": {"message": "no", "type": "invalid_request_error"}}),
    "cut": Behaviour(cut="eof"),
    "timeout": Behaviour(stall_after=0),
    "empty_answer": Behaviour(instead="only_done"),
    "connection_lost": Behaviour(hang_up_before_headers=True),
    "content_blocked": Behaviour(
        status=400, body={"error": {"message": "no", "code": "content_policy_violation"}}
    ),
    "context_overflow": Behaviour(
        status=400, body={"error": {"message": "long", "code": "context_length_exceeded"}}
    ),
}
KINDS = {"404": "model_not_found"}
"""A status that a provider gives for more than one reason: as the loopback means it."""


def rungs_over(servers: dict[str, OpenAI], luck: random.Random) -> list[Rung]:
    """One to four rungs: providers, models and keys in any combination, windows and terms of any kind."""
    on_cut = luck.choice(["keep", "continue", "restart"])
    terms = Terms(on_cut=on_cut, fallback_on_policy=luck.random() < 0.3)
    found: dict[tuple[str, str, str], Rung] = {}
    for _ in range(luck.randint(1, 4)):
        name, model, label = (
            luck.choice(sorted(servers)),
            luck.choice(["gpt-4.1-mini", "gpt-6-luna"]),
            luck.choice("kl"),
        )
        provider = Provider(id=name, name=name, dialect="openai-chat", base_url=servers[name].base_url)
        window = luck.choice([None, 8_000, 128_000])
        deployment = Deployment(
            provider=provider,
            model=Model(provider=name, id=model, name=model, context_window=window),
            key=key_of(provider, id=f"{name}-{label}", label=label, scope=luck.choice(["", label])),
            via="direct",
        )
        found[name, model, label] = Rung(deployment=deployment, reason="", terms=terms)
    return list(found.values())


def steps_of(finished: Finished) -> list[tuple[str, str, str, str | None]]:
    return [(one.deployment, one.key_id, one.rule, one.kind) for one in finished.attempts]


@pytest.mark.parametrize("seed", range(60))
def test_what_is_explained_is_what_then_happens(seed: int) -> None:
    """Two asks in a row: the second meets what the first has learnt."""
    luck = random.Random(seed)
    faults = {name: luck.choice(sorted(FAULTS)) for name in "abc"}

    async def run() -> None:
        servers = {name: await OpenAI(FAULTS[fault]).__aenter__() for name, fault in faults.items()}
        http = Http()
        router = router_of(http, timers=BRISK if "timeout" in faults.values() else CALM)
        router.wall = lambda: 1_795_000_000.0
        router.luck = lambda: 0.5
        told = {name: KINDS.get(fault, fault) for name, fault in faults.items() if fault}
        try:
            rungs = rungs_over(servers, luck)
            for _ in range(2):
                explained = explain(rungs, router.world, told, now=router.wall())
                finished = await ask(router, rungs)
                expected = [
                    (
                        rungs[step.position].deployment.name,
                        rungs[step.position].deployment.key.id,  # type: ignore[union-attr]
                        step.rule,
                        step.error.kind if step.error else None,
                    )
                    for step in explained.steps
                ]
                assert steps_of(finished) == expected
                assert finished.outcome == explained.outcome
                assert (finished.error and finished.error.kind) == (explained.error and explained.error.kind)
        finally:
            for server in servers.values():
                await server.__aexit__()
            await http.close()

    asyncio.run(run())


def rung(name: str, label: str = "A") -> Rung:
    provider = Provider(id=name, name=name, dialect="openai-chat", base_url=f"https://{name}.test/v1")
    model = Model(provider=name, id="m", name="m")
    key = key_of(provider, id=f"{name}-{label}", label=label)
    return Rung(
        deployment=Deployment(provider=provider, model=model, key=key, via="direct"), reason="first choice"
    )


def test_a_fault_at_a_provider_and_a_key_at_its_limit_at_once() -> None:
    """ "Anthropic answers 529 and key A is at its limit." """
    rungs = [rung("anthropic", "work"), rung("openai", "A"), rung("groq", "home")]
    told = explain(rungs, World(), {"anthropic": "529", "A": "limit"}, now=1_795_000_000.0)
    assert [(one.verdict, one.asked, one.answers) for one in told.rungs] == [
        ("overloaded", 2, False),
        ("own_limit", 0, False),
        ("ready", 1, True),
    ]
    assert (told.outcome, told.error) == ("complete", None)
    assert [step.rule for step in told.steps] == [
        "first choice",
        "again after overloaded",
        "next after overloaded",
    ]
    assert told.waited_s == pytest.approx(0.5)


def test_without_a_fault_the_first_answers_and_the_rest_stand_ready() -> None:
    told = explain([rung("openai"), rung("groq")])
    assert [(one.verdict, one.answers) for one in told.rungs] == [("ready", True), ("ready", False)]


def test_nothing_known_of_the_world_is_changed_by_explaining() -> None:
    world = World()
    explain([rung("openai")], world, {"*": "401"})
    assert world == World()


def test_no_network_ends_as_that() -> None:
    told = explain([rung("openai"), rung("groq")], faults={"*": "offline"})
    assert told.error is not None
    assert (told.outcome, told.error.kind) == ("failed", "offline")


def test_a_fault_nobody_knows_is_refused() -> None:
    with pytest.raises(Misconfigured):
        explain([rung("openai")], faults={"openai": "whatever"})


def test_an_obstacle_is_the_verdict() -> None:
    blocked = replace(rung("openai"), obstacle=Misconfigured("off"))
    assert [one.verdict for one in explain([blocked, rung("groq")]).rungs] == ["misconfigured", "ready"]
