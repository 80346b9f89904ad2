"""The check that cannot lie: every layer over real sockets, and the key sent only to what proved to be its provider."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import date
from typing import Any

import pytest

from tests.engine.asking import key_of
from tests.providers import Anthropic, Behaviour, Gateway, Gemini, Loopback, OpenAI
from tests.providers.server import PAGE, Refused, Reply, Seen, json_reply
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.check import VERDICTS, CheckResult, Stage, check
from vibedesk.engine.http import Http
from vibedesk.engine.types import ApiKey, Provider, Secret
from vibedesk.engine.types import Gateway as GatewayValue

DIALECTS = {OpenAI: "openai-chat", Anthropic: "anthropic", Gemini: "gemini"}
GROQ_KEY = "gsk_" + "x" * 52


def catalog_of(server: Loopback, **more: Any) -> Catalog:
    own = {"name": "Lab", "dialect": DIALECTS.get(type(server), "openai-chat")}
    groq = {"name": "Groq", "dialect": "openai-chat", "base_url": "https://api.groq.com/openai/v1", "key_pattern": "gsk_[A-Za-z0-9]{52}", "env": ["GROQ_API_KEY"]}  # fmt: skip # noqa: E501
    providers = {"lab": own | {"base_url": server.base_url, "env": ["LAB_API_KEY"]} | more, "groq": groq}
    gateways = {
        "cloudflare-ai-gateway": {
            "name": "Cloudflare AI Gateway",
            "base_url": "https://gateway.ai.cloudflare.com/v1",
        }
    }
    return Catalog.read({"providers": providers, "gateways": gateways}, {}, today=date(2026, 11, 22))


async def run(
    http: Http, server: Loopback, secret: str | None = "loopback-key", *, answer: bool = False, **more: Any
) -> CheckResult:
    catalog = catalog_of(server, **more)
    provider = catalog.provider("lab")
    return await outcome(
        check(key_of(provider), Secret(secret) if secret else None, provider, catalog, http, answer=answer)
    )


async def outcome(checking: Any) -> CheckResult:
    """The one result, last; every stage before it announced first and then told."""
    async with aclosing(checking) as steps:
        heard = [step async for step in steps]
    assert isinstance(heard[-1], CheckResult)
    stages = heard[:-1]
    assert all(isinstance(stage, Stage) for stage in stages)
    assert [stage.verdict for stage in stages[::2]] == ["running"] * (len(stages) // 2)
    assert [stage.name for stage in stages[::2]] == [stage.name for stage in stages[1::2]]
    assert heard[-1].verdict in VERDICTS
    return heard[-1]


def verdicts(result: CheckResult) -> dict[str, str]:
    return {stage.name: stage.verdict for stage in result.stages}


def keyed(server: Loopback) -> list[Seen]:
    """The requests that carried a key."""
    names = ("authorization", "x-api-key", "x-goog-api-key", "cf-aig-authorization")
    return [seen for seen in server.seen if any(name in seen.headers for name in names)]


@asynccontextmanager
async def saying(reply: Reply) -> AsyncIterator[OpenAI]:
    """A server that says the same to everybody."""

    class Stubborn(OpenAI):
        def answer(self, seen: Seen) -> Reply:
            return reply

    async with Stubborn() as server:
        yield server


@pytest.mark.parametrize("kind", [OpenAI, Anthropic, Gemini])
class TestEveryDialect:
    async def test_a_good_key_is_ready_and_its_models_are_listed(
        self, http: Http, kind: type[Loopback]
    ) -> None:
        async with kind() as server:
            result = await run(http, server)
        assert (result.verdict, result.stage, result.error) == ("ready", "models", None)
        assert result.models == len(result.live) >= 3
        assert verdicts(result) == {
            "shape": "ok", "host": "ok", "port": "ok", "tls": "skipped", "api": "ok", "key": "ok", "models": "ok",
            "answer": "skipped", "stream": "skipped", "vision": "skipped", "json": "skipped",
        }  # fmt: skip
        assert result.http_status == 200

    async def test_a_wrong_key_is_invalid_and_named_at_its_stage(
        self, http: Http, kind: type[Loopback]
    ) -> None:
        async with kind() as server:
            result = await run(http, server, "wrong-" + "x" * 30)
        assert (result.verdict, result.stage) == ("invalid", "key")
        assert result.http_status in (400, 401)
        assert result.models is None
        assert "x" * 30 not in repr(result)

    async def test_one_real_answer_is_asked_for_on_demand(self, http: Http, kind: type[Loopback]) -> None:
        async with kind() as server:
            assert (await run(http, server)).verdict == "ready"
            assert server.asked == []
            result = await run(http, server, answer=True)
            assert len(server.asked) == 1, result.error
        assert (result.verdict, result.stage) == ("ready", "answer")

    async def test_a_rate_limit_proves_the_key(self, http: Http, kind: type[Loopback]) -> None:
        async with kind(Behaviour(status=429, on="list")) as server:
            result = await run(http, server)
        assert (result.verdict, verdicts(result)["key"]) == ("rate_limited", "ok")

    async def test_a_server_in_trouble_says_nothing_about_the_key(
        self, http: Http, kind: type[Loopback]
    ) -> None:
        async with kind(Behaviour(status=500, on="list")) as server:
            assert (await run(http, server)).verdict == "server_down"


class TestTheKeyStaysHome:
    async def test_a_web_page_gets_no_key(self, http: Http) -> None:
        async with saying(Reply(200, {"content-type": "text/html"}, PAGE)) as server:
            result = await run(http, server)
            assert server.seen
            assert keyed(server) == []
        assert (result.verdict, result.stage) == ("not_this_api", "api")

    async def test_a_redirect_gets_no_key_and_is_not_followed(self, http: Http) -> None:
        async with OpenAI() as elsewhere, saying(Reply(302, {"location": elsewhere.base_url})) as server:
            result = await run(http, server)
            assert (keyed(server), elsewhere.seen) == ([], [])
        assert (result.verdict, result.stage) == ("not_this_api", "api")

    async def test_a_server_without_tls_gets_no_key_over_https(self, http: Http) -> None:
        """T6: the handshake fails; nothing of ours was sent in it."""
        heard = bytearray()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.extend(await reader.read(4000))
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        listening = await asyncio.start_server(talk, "127.0.0.1", 0)
        async with listening, OpenAI() as server:
            base_url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
            result = await run(http, server, base_url=base_url)
        assert (result.verdict, result.nuance, result.stage) == ("wrong_base_url", "no_tls", "tls")
        assert b"loopback-key" not in heard

    async def test_a_key_of_another_provider_is_pointed_out_and_sent_nowhere(self, http: Http) -> None:
        async with OpenAI() as server:
            result = await run(http, server, GROQ_KEY, key_pattern="lab-[a-z]+")
            assert server.seen == []
        assert (result.verdict, result.stage) == ("wrong_provider", "shape")
        assert result.error is not None
        assert result.error.facts["suggestion"] == "groq"

    async def test_a_key_of_an_unknown_shape_is_tried_all_the_same(self, http: Http) -> None:
        async with OpenAI() as server:
            assert (await run(http, server, key_pattern="lab-[a-z]+")).verdict == "ready"

    async def test_a_key_bound_elsewhere_is_sent_nowhere(self, http: Http) -> None:
        async with OpenAI() as server:
            catalog = catalog_of(server)
            key = key_of(catalog.provider("lab"), origin="https://api.openai.com")
            result = await outcome(check(key, Secret("loopback-key"), catalog.provider("lab"), catalog, http))
            assert server.seen == []
        assert result.verdict == "wrong_base_url"
        assert result.error is not None
        assert result.error.kind == "wrong_origin"


class TestVerdicts:
    async def test_a_port_nobody_listens_on(self, http: Http) -> None:
        async with OpenAI() as server:
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                result = await run(http, server, base_url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        assert (result.verdict, result.stage) == ("refused", "port")

    async def test_a_host_nobody_has(self, http: Http) -> None:
        async with OpenAI() as server:
            result = await run(http, server, base_url="https://no-such-host.invalid/v1")
        assert (result.verdict, result.stage) == ("dns_failed", "host")

    async def test_a_path_that_is_not_there(self, http: Http) -> None:
        async with OpenAI() as server:
            result = await run(http, server, base_url=server.origin + "/wrong")
        assert result.verdict == "wrong_base_url"

    @pytest.mark.parametrize(
        ("status", "error", "expected"),
        [
            (401, {"message": "Incorrect API key", "code": "invalid_api_key"}, "invalid"),
            (401, {"message": "This API key has been revoked", "code": "invalid_api_key"}, "revoked"),
            (
                403,
                {"message": "You have insufficient permissions. Missing scopes: api.model.read"},
                "restricted",
            ),
            (
                403,
                {"message": "Country not supported", "code": "unsupported_country_region_territory"},
                "region_blocked",
            ),
            (
                429,
                {"message": "quota", "type": "insufficient_quota", "code": "insufficient_quota"},
                "no_credit",
            ),
            (429, {"message": "cap", "code": "project_spend_limit_exceeded"}, "spend_limit"),
            (402, {"message": "Payment required"}, "no_credit"),
        ],
    )
    async def test_what_the_provider_says_of_the_key(
        self, http: Http, status: int, error: dict[str, str], expected: str
    ) -> None:
        class Judging(OpenAI):
            def answer(self, seen: Seen) -> Reply:
                self._check_key(seen)
                raise Refused(status, {"error": error})

        async with Judging() as server:
            result = await run(http, server)
        assert (result.verdict, result.stage, result.http_status) == (expected, "key", status)

    async def test_a_firewalls_page_is_the_network_not_the_key(self, http: Http) -> None:
        async with saying(Reply(403, {"content-type": "text/html"}, PAGE)) as server:
            result = await run(http, server)
            assert keyed(server) == []
        assert result.verdict in ("network_blocked", "not_this_api")

    async def test_a_keyless_server_needs_none(self, http: Http) -> None:
        async with saying(
            json_reply({"object": "list", "data": [{"id": "llama", "object": "model"}]})
        ) as server:
            result = await run(http, server, None, keyless=True)
        assert (result.verdict, result.models) == ("ready", 1)
        assert (verdicts(result)["shape"], verdicts(result)["key"]) == ("skipped", "skipped")

    async def test_a_key_without_credit_shows_in_the_one_answer(self, http: Http) -> None:
        body = {"error": {"message": "quota", "type": "insufficient_quota", "code": "insufficient_quota"}}
        async with OpenAI(Behaviour(status=429, body=body)) as server:
            assert (await run(http, server)).verdict == "ready"
            result = await run(http, server, answer=True)
        assert (result.verdict, result.stage, result.models) == ("no_credit", "answer", 4)

    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            (
                {"is_available": True, "balance_infos": [{"currency": "USD", "total_balance": "1.00"}]},
                "ready",
            ),
            ({"is_available": False, "balance_infos": []}, "no_credit"),
            ({"api_key_blocked": True}, "revoked"),
            ({"data": {"label": "sk-or", "limit_remaining": 3.5}}, "ready"),
        ],
    )
    async def test_where_the_list_is_public_the_key_is_proved_elsewhere(
        self, http: Http, facts: dict[str, Any], expected: str
    ) -> None:
        class Public(OpenAI):
            def answer(self, seen: Seen) -> Reply:
                if seen.path.endswith("/models"):
                    return json_reply(self._listed())
                self._check_key(seen)
                return json_reply(facts)

        async with Public() as server:
            assert (await run(http, server, check_path="/key")).verdict == expected
            assert (await run(http, server, "wrong-key-1234", check_path="/key")).verdict == "invalid"

    async def test_limits_are_told(self, http: Http) -> None:
        async with OpenAI(Behaviour(headers={"x-ratelimit-remaining-requests": "59"})) as server:
            result = await run(http, server)
        assert result.limits == {"x-ratelimit-remaining-requests": "59"}


class TestGateway:
    @staticmethod
    def value(front: Gateway, **more: str) -> GatewayValue:
        token = ApiKey(
            id="cf",
            provider="cloudflare-ai-gateway",
            label="cf",
            hint="",
            source="vault",
            origin=front.origin,
        )
        return GatewayValue(
            **({"account": front.account, "name": front.name} | more), token=token, base_url=front.base_url
        )

    async def through(self, http: Http, token: str, *, of_token: bool, **wrong: str) -> CheckResult:
        async with OpenAI() as server, Gateway({"openai": server.base_url}) as front:
            catalog = catalog_of(server, gateway_slug="openai", gateway_strips=server.base_url)
            value = self.value(front, **wrong)
            provider: Provider = catalog.provider("cloudflare-ai-gateway" if of_token else "lab")
            key = value.token if of_token else key_of(provider)
            secret = Secret(token if of_token else "loopback-key")
            checking = check(
                key, secret, provider, catalog, http, gateway=value, gateway_secret=Secret(token)
            )
            return await outcome(checking)

    async def test_a_key_is_ready_through_the_gateway(self, http: Http) -> None:
        assert (await self.through(http, "gateway-token", of_token=False)).verdict == "ready"

    async def test_a_gateways_own_token_is_ready(self, http: Http) -> None:
        result = await self.through(http, "gateway-token", of_token=True)
        assert (result.verdict, result.stage, result.models) == ("ready", "key", None)

    async def test_a_wrong_token_is_the_tokens_fault_and_not_the_keys(self, http: Http) -> None:
        assert (await self.through(http, "wrong-token-12345", of_token=True)).verdict == "invalid"
        assert (await self.through(http, "wrong-token-12345", of_token=False)).verdict == "unknown"

    async def test_a_gateway_that_does_not_exist(self, http: Http) -> None:
        assert (
            await self.through(http, "gateway-token", of_token=True, name="nope")
        ).verdict == "wrong_base_url"

    async def test_a_token_without_a_gateway_cannot_be_checked(self, http: Http) -> None:
        async with OpenAI() as server:
            catalog = catalog_of(server)
            provider = catalog.provider("cloudflare-ai-gateway")
            result = await outcome(check(key_of(provider), Secret("t" * 40), provider, catalog, http))
        assert (result.verdict, result.stage) == ("unknown", "shape")


def test_the_trust_of_the_system_is_verified_by_default() -> None:
    """N5: no switch turns it off."""

    async def context() -> ssl.SSLContext:
        return await Http().ssl_context()

    assert asyncio.run(context()).verify_mode == ssl.CERT_REQUIRED
