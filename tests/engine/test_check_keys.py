"""What a key's form tells before anything is sent, what proves a key and what does not, and what is learnt of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.asking import key_of
from tests.engine.checking import KEYS, Scripted, catalog_at, checked, documents, is_keyed, outcome
from tests.providers import Anthropic, Behaviour, Gateway, Gemini, OpenAI
from tests.providers.server import PAGE, Loopback, Reply, Seen, json_reply
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.check import CheckResult, check, cost_of_check, is_stale
from vibedesk.engine.http import Http
from vibedesk.engine.types import ApiKey, Provider, Secret
from vibedesk.engine.types import Gateway as GatewayValue
from vibedesk.wording import verdict_words

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def own_provider(base_url: str, **more: Any) -> tuple[Catalog, Provider]:
    """A provider of the user's own beside the bundled ones."""
    block = {"name": "Lab server", "dialect": "openai-chat", "base_url": base_url} | more
    catalog = Catalog.read(*documents(), {"providers": {"lab": block}}, today=date(2026, 11, 24))
    return catalog, catalog.provider("lab")


async def checked_own(
    http: Http,
    base_url: str,
    secret: str = "loopback-key",
    *,
    fields: dict[str, Any] | None = None,
    **more: Any,
) -> tuple[CheckResult, str, str]:
    catalog, provider = own_provider(base_url, **(fields or {}))
    result = await outcome(check(key_of(provider), Secret(secret), provider, catalog, http, **more))
    return result, *verdict_words(result, provider)


class TestForms:
    """Nothing is sent to anybody in these."""

    @pytest.mark.parametrize(
        ("provider", "secret", "nuance", "says"),
        [
            ("openai", "sk-admin-" + "a" * 60, "admin", "This is an admin key of OpenAI"),
            ("openai", "sess-" + "a" * 40, "session", "This is a session of OpenAI’s website"),
            ("anthropic", "sk-ant-admin01-" + "a" * 93 + "AA", "admin", "This is an admin key of Anthropic"),
            ("anthropic", "sk-ant-oat01-" + "a" * 93 + "AA", "oauth", "This is a sign-in token of Anthropic"),
            ("google-ai-studio", "ya29." + "a" * 60, "oauth", "This is a sign-in token of Google"),
            ("google-ai-studio", "GOCSPX-" + "a" * 28, "client_secret", "This is an OAuth client’s secret"),
        ],
    )
    async def test_a_key_of_a_kind_that_asks_no_models(
        self, http: Http, provider: str, secret: str, nuance: str, says: str
    ) -> None:
        async with Scripted(provider) as server:
            result, owner = await checked(http, server, secret=secret)
            assert server.seen == []
        assert (result.verdict, result.nuance, result.stage) == ("wrong_type", nuance, "shape")
        message, fix = verdict_words(result, owner)
        assert message.startswith(says)
        assert owner.key_url in fix

    @pytest.mark.parametrize("owner", [name for name in KEYS if name != "mistral"])
    @pytest.mark.parametrize("asked", ["openai", "anthropic", "groq", "grok"])
    async def test_no_key_goes_to_another_provider_than_its_own(
        self, http: Http, owner: str, asked: str
    ) -> None:
        if owner == asked:
            return
        async with Scripted(asked) as server:
            result, provider = await checked(http, server, secret=KEYS[owner])
            assert server.seen == []
        assert (result.verdict, result.stage) == ("wrong_provider", "shape")
        assert result.error is not None
        assert result.error.facts["suggestion"] == owner
        message, fix = verdict_words(result, provider)
        name = catalog_at({}).provider(owner).name
        assert message == f"This looks like a key of {name}, not of {provider.name}; it was not sent."
        assert fix == "Add it under its own provider."

    async def test_unless_the_user_insists(self, http: Http) -> None:
        async with Scripted("openai", {"/models": json_reply({"error": {"message": "no"}}, 401)}) as server:
            result, _ = await checked(http, server, secret=KEYS["groq"], insist=True)
            assert any(map(is_keyed, server.seen))
        assert result.verdict == "invalid"

    @pytest.mark.parametrize("owner", ["openai", "anthropic", "groq", "openrouter", "grok"])
    async def test_nor_to_a_host_of_the_user_s_own(self, http: Http, owner: str) -> None:
        async with OpenAI() as server:
            result, _, _ = await checked_own(http, server.base_url, KEYS[owner])
            assert server.seen == []
        assert (result.verdict, result.stage) == ("wrong_provider", "shape")

    @pytest.mark.parametrize("secret", ["sk-" + "0d" * 16, "sk-1234", "a" * 40, "0f" * 32, "m1" * 16])
    async def test_but_forms_that_many_hosts_share_are_sent_there(self, http: Http, secret: str) -> None:
        async with OpenAI(key=secret) as server:
            result, _, _ = await checked_own(http, server.base_url, secret)
        assert result.verdict == "ready"

    async def test_another_address_of_the_same_house_takes_its_keys(self, http: Http) -> None:
        """Data residency: eu.api.openai.com is OpenAI too."""
        result, _, _ = await checked_own(http, "https://eu.api.openai.com.invalid/v1", KEYS["openai"])
        assert result.verdict == "wrong_provider"
        from vibedesk.engine.shapes import look_of

        catalog, provider = own_provider("https://eu.api.openai.com/v1")
        assert look_of(KEYS["openai"], provider, catalog) == "no form is known for its keys"

    @pytest.mark.parametrize(
        ("provider", "secret", "said"),
        [
            ("groq", "gsk_" + "a" * 52, "looks right"),
            ("groq", "gsk_" + "a" * 16, "copied whole?"),
            ("anthropic", "sk-ant-api03-abcdefghi", "copied whole?"),
            ("google-ai-studio", "AIzaSyA-short", "copied whole?"),
            ("groq", "abc." * 10, "an unusual form for this provider"),
        ],
    )
    def test_half_a_key_does_not_look_right(self, provider: str, secret: str, said: str) -> None:
        from vibedesk.engine.shapes import look_of

        catalog, _ = own_provider("http://127.0.0.1:9/v1")
        assert look_of(secret, catalog.provider(provider), catalog).endswith(said)

    @pytest.mark.parametrize(
        "secret", ["sk-schlüssel-0123456789", "sk-two words 0123456789", "sk-\x7f0123456789"]
    )
    async def test_characters_no_key_has(self, http: Http, secret: str) -> None:
        async with Scripted("openai") as server:
            result, provider = await checked(http, server, secret=secret)
            assert server.seen == []
        assert (result.verdict, result.nuance, result.stage) == ("invalid", "characters", "shape")
        assert verdict_words(result, provider)[1] == "Copy the key again, alone."

    async def test_google_s_old_kind_of_key_is_told_what_it_is(self, http: Http) -> None:
        refusal = {
            "error": {
                "code": 400,
                "message": "API key not valid.",
                "status": "INVALID_ARGUMENT",
                "details": [{"reason": "API_KEY_INVALID"}],
            }
        }
        async with Scripted("google-ai-studio", {"/models": json_reply(refusal, 400)}) as server:
            result, provider = await checked(http, server, secret="AIza" + "a" * 35)
        assert (result.verdict, result.nuance) == ("invalid", "retired")
        assert "AQ.…" in verdict_words(result, provider)[1]


class Public(OpenAI):
    """Lists its models to everyone; what it asks of a request for an answer is as strict as ever."""

    def answer(self, seen: Seen) -> Reply:
        return json_reply(self._listed()) if seen.path.endswith("/models") else super().answer(seen)


class OpenHouse(OpenAI):
    """Takes any key, or none."""

    def _check_key(self, seen: Seen) -> None:
        return


class TestProof:
    async def test_a_public_list_proves_nothing_and_a_request_for_nothing_does(self, http: Http) -> None:
        async with Public() as server:
            good, _, _ = await checked_own(http, server.base_url)
            bad, _, _ = await checked_own(http, server.base_url, "not-the-key-000001")
            assert not [seen for seen in server.asked if seen.body]
        assert (good.verdict, good.models) == ("ready", 5 - 1)
        assert (bad.verdict, bad.stage) == ("invalid", "key")

    async def test_where_nothing_makes_a_difference_the_verdict_is_not_ready(self, http: Http) -> None:
        async with OpenHouse() as server:
            result, says, fix = await checked_own(http, server.base_url)
            assert (result.verdict, result.nuance) == ("unknown", "open_list")
            assert (
                says == "Lab server lists its models to everyone, so the list proves nothing about the key."
            )
            assert fix == "Check it again with one real answer."
            answered, _, _ = await checked_own(http, server.base_url, answer=True)
        assert (answered.verdict, answered.nuance) == ("ready", "answered")

    async def test_a_check_path_everyone_may_read_proves_nothing_either(self, http: Http) -> None:
        async with OpenHouse() as server:
            result, _, _ = await checked_own(http, server.base_url, fields={"check_path": "/models"})
        assert result.verdict == "unknown"

    async def test_a_restricted_key_that_answers_is_ready(self, http: Http) -> None:
        class Restricting(OpenAI):
            def answer(self, seen: Seen) -> Reply:
                reply = super().answer(seen)
                if seen.path.endswith("/models"):
                    words = "You have insufficient permissions for this operation. Missing scopes: api.model.read."
                    return json_reply({"error": {"message": words, "type": "invalid_request_error"}}, 403)
                return reply

        async with Restricting() as server:
            closed, _, fix = await checked_own(http, server.base_url)
            catalog = catalog_at({"openai": server.base_url})
            provider = catalog.provider("openai")
            insisting = check(
                key_of(provider), Secret("loopback-key"), provider, catalog, http, answer=True, insist=True
            )
            answered = await outcome(insisting)
        assert (closed.verdict, closed.nuance) == ("restricted", "list")
        assert fix == "Check it again with one real answer."
        assert (answered.verdict, answered.nuance, answered.models) == ("ready", "unlisted", None)

    async def test_a_model_that_is_not_to_be_had_is_passed_over(self, http: Http) -> None:
        async with OpenAI() as server:
            server.behaviours["gpt-6-luna"] = Behaviour(status=404)
            catalog = catalog_at({"openai": server.base_url})
            provider = catalog.provider("openai")
            checking = check(
                key_of(provider), Secret("loopback-key"), provider, catalog, http, answer=True, insist=True
            )
            result = await outcome(checking)
        assert (result.verdict, result.stage) == ("ready", "answer")
        assert len(result.answers) >= 2


class TestPlace:
    @pytest.mark.parametrize("wrong", ["", "/v1/chat/completions", "/v1/models", "/v1/responses"])
    async def test_a_base_url_that_is_nearly_right_is_put_right(self, http: Http, wrong: str) -> None:
        async with OpenAI() as server:
            result, says, fix = await checked_own(http, server.origin + wrong)
        assert result.verdict == "wrong_base_url"
        assert says.startswith(f"{server.origin}{wrong} is up, but Lab server’s API is not at this path")
        assert fix == f"Set the base URL to {server.origin}/v1."

    async def test_a_page_at_the_root_and_the_api_below_it(self, http: Http) -> None:
        class WithPages(OpenAI):
            def answer(self, seen: Seen) -> Reply:
                if not seen.path.startswith("/v1/"):
                    return Reply(200, {"content-type": "text/html"}, PAGE)
                return super().answer(seen)

        async with WithPages() as server:
            result, _, fix = await checked_own(http, server.origin)
        assert (result.verdict, result.stage) == ("not_this_api", "api")
        assert fix == f"Set the base URL to {server.origin}/v1."

    async def test_where_it_is_nowhere_only_the_path_is_doubted(self, http: Http) -> None:
        gone = Reply(404, {"content-type": "text/html"}, b"<html><title>404 Not Found</title></html>")
        async with Scripted("openai", to_all=gone) as server:
            result, _, fix = await checked_own(http, server.origin)
        assert (result.verdict, result.stage) == ("wrong_base_url", "api")
        assert fix == "Check the base URL, often it ends in /v1."


class TestLocal:
    @pytest.mark.parametrize(
        ("provider", "places", "told"),
        [
            (
                "ollama",
                {"/api/version": {"version": "0.9.1"}, "/api/ps": {"models": [{"name": "llama3.2:3b"}]}},
                {"version": "0.9.1", "loaded": "llama3.2:3b"},
            ),
            (
                "lm-studio",
                {
                    "/api/v0/models": {
                        "data": [{"id": "qwen", "state": "loaded"}, {"id": "x", "state": "not-loaded"}]
                    }
                },
                {"loaded": "qwen"},
            ),
            (
                "llama-cpp",
                {"/props": {"model_path": "/models/q4.gguf", "default_generation_settings": {"n_ctx": 8192}}},
                {"loaded": "q4.gguf", "window": "8,192 tokens"},
            ),
        ],
    )
    async def test_what_runs_and_what_is_loaded(
        self, http: Http, provider: str, places: dict[str, Any], told: dict[str, str]
    ) -> None:
        class Here(Scripted):
            def answer(self, seen: Seen) -> Reply:
                if seen.path in places:
                    return json_reply(places[seen.path])
                return super().answer(seen) if seen.path.startswith("/v1/") else Reply(404)

        async with Here(provider, open_list=True) as server:
            result, owner = await checked(http, server, secret=None)
        assert (result.verdict, result.nuance) == ("ready", "no_key")
        assert told.items() <= result.passport.items()
        assert verdict_words(result, owner) == (f"{owner.name} answers; it needs no key.", "")

    @pytest.mark.parametrize(
        ("provider", "fix"),
        [
            ("ollama", "Start it: ollama serve."),
            ("lm-studio", "Start it: Developer → Start server."),
            ("llama-cpp", "Start it: llama-server -m model.gguf."),
        ],
    )
    async def test_one_that_does_not_run_is_told_how_to_start(
        self, http: Http, provider: str, fix: str
    ) -> None:
        async with Scripted(provider) as server:
            catalog = catalog_at({provider: server.base_url})
        owner = catalog.provider(provider)
        result = await outcome(check(key_of(owner, id=""), None, owner, catalog, http))
        assert (result.verdict, result.stage) == ("refused", "port")
        assert verdict_words(result, owner) == (f"{owner.name} is not running at {server.origin[7:]}.", fix)


class TestPassport:
    async def test_what_headers_tell(self, http: Http) -> None:
        told = {
            "openai-organization": "org-lab",
            "openai-project": "proj_1",
            "x-ratelimit-limit-requests": "500",
            "x-ratelimit-limit-tokens": "30000",
        }
        async with Scripted(
            "openai", {"/models": json_reply({"data": [{"id": "gpt-6-luna"}]}, headers=told)}
        ) as server:
            result, _ = await checked(http, server)
        assert result.passport == {
            "organisation": "org-lab",
            "project": "proj_1",
            "requests a minute": "500",
            "tokens a minute": "30,000",
        }

    async def test_the_same_header_means_a_day_at_groq(self, http: Http) -> None:
        headers = {"x-ratelimit-limit-requests": "14400", "x-groq-region": "fra"}
        reply = json_reply({"data": [{"id": "openai/gpt-oss-120b"}]}, headers=headers)
        async with Scripted("groq", {"/models": reply}) as server:
            result, _ = await checked(http, server)
        assert result.passport == {"requests a day": "14,400", "region": "fra"}

    async def test_what_an_account_tells(self, http: Http) -> None:
        account = {
            "label": "work",
            "limit": 10,
            "limit_remaining": 3.5,
            "usage": 6.5,
            "is_free_tier": False,
            "expires_at": "2031-01-01T00:00:00Z",
        }
        async with Scripted("openrouter", {"/key": json_reply({"data": account})}) as server:
            result, _ = await checked(http, server)
        assert result.verdict == "ready"
        assert result.passport == {
            "name": "work",
            "tier": "paid",
            "spending limit": "$10.00",
            "left to spend": "$3.50",
            "spent": "$6.50",
            "expires": "2031-01-01",
        }

    async def test_deepseek_s_balance_and_xai_s_permissions(self, http: Http) -> None:
        balance = {"is_available": True, "balance_infos": [{"currency": "USD", "total_balance": "1.00"}]}
        async with Scripted("deepseek", {"/user/balance": json_reply(balance)}) as server:
            assert (await checked(http, server))[0].passport == {"balance": "1.00 USD"}
        account = {
            "name": "ci",
            "team_id": "t1",
            "acls": ["api-key:model:*"],
            "redacted_api_key": "xai-...b14o",
        }
        async with Scripted("grok", {"/api-key": json_reply(account)}) as server:
            passport = (await checked(http, server))[0].passport
        assert passport == {"name": "ci", "team": "t1", "may use": "model:*"}

    async def test_nothing_learnt_holds_the_key_even_where_it_is_echoed(self, http: Http) -> None:
        secret = KEYS["openrouter"]
        account = {"label": f"my {secret}", "limit": None}
        async with Scripted(
            "openrouter", {"/key": json_reply({"data": account}, headers={"x-request-id": secret})}
        ) as server:
            result, _ = await checked(http, server)
        assert secret not in repr(result)
        assert secret[-12:] not in repr(result)


class TestCapabilities:
    @pytest.mark.parametrize("kind", [OpenAI, Anthropic, Gemini])
    async def test_what_a_model_can_do_is_tried_only_when_wanted(
        self, http: Http, kind: type[Loopback]
    ) -> None:
        id = {OpenAI: "openai", Anthropic: "anthropic", Gemini: "google-ai-studio"}[kind]
        async with kind(Behaviour(text='{"ok": true, "colour": "red"}')) as server:
            catalog = catalog_at({id: server.base_url})
            provider = catalog.provider(id)
            checking = check(
                key_of(provider),
                Secret("loopback-key"),
                provider,
                catalog,
                http,
                capabilities=True,
                insist=True,
            )
            result = await outcome(checking)
            asked = len(server.asked)
        assert (result.verdict, result.error) == ("ready", None)
        assert result.capabilities == {"stream": True, "vision": True, "json": True}
        assert asked == len(result.answers) == 3
        assert result.spent_usd is not None
        assert result.spent_usd > 0

    async def test_what_it_cannot_is_said_and_the_key_stays_good(self, http: Http) -> None:
        async with OpenAI(Behaviour(text="I am not sure.")) as server:
            catalog = catalog_at({"openai": server.base_url})
            provider = catalog.provider("openai")
            checking = check(
                key_of(provider),
                Secret("loopback-key"),
                provider,
                catalog,
                http,
                capabilities=True,
                insist=True,
            )
            result = await outcome(checking)
        assert result.verdict == "ready"
        assert result.capabilities == {"stream": True, "vision": False, "json": False}
        verdicts = {stage.name: stage.verdict for stage in result.stages}
        assert (verdicts["answer"], verdicts["vision"], verdicts["json"]) == ("ok", "failed", "failed")

    def test_the_cost_is_told_before(self) -> None:
        catalog = catalog_at({})
        model, provider = catalog.model("openai/gpt-6-luna"), catalog.provider("openai")
        answer = cost_of_check(model, provider, on=NOON.date())
        everything = cost_of_check(model, provider, capabilities=True, on=NOON.date())
        assert answer is not None
        assert everything is not None
        assert 0 < answer.usd < everything.usd < Decimal("0.001")
        assert answer.estimated
        free = cost_of_check(catalog.model("ollama/llama"), catalog.provider("ollama"), on=NOON.date())
        assert free is not None
        assert free.usd == 0
        assert cost_of_check(catalog.model("openai/own"), provider, on=NOON.date()) is None


@pytest.mark.parametrize(
    ("hours", "stale"), [(0, False), (23, False), (24, True), (24 * 40, True), (-5, False)]
)
def test_a_verdict_is_stale_after_a_day(hours: int, stale: bool) -> None:
    assert is_stale(NOON - timedelta(hours=hours), NOON) is stale
    assert is_stale((NOON - timedelta(hours=hours)).replace(tzinfo=None), NOON) is stale


def test_what_was_never_checked_is_not_stale() -> None:
    assert not is_stale(None, NOON)


class TestGateway:
    """Wrong account, wrong name, wrong token and a missing provider key are four things."""

    async def through(
        self,
        http: Http,
        front: Loopback,
        upstream: OpenAI,
        *,
        of_token: bool,
        secret: str | None = "",
        **ids: str,
    ) -> tuple[CheckResult, str, str]:
        catalog = catalog_at({"openai": upstream.base_url})
        token = ApiKey(
            id="cf",
            provider="cloudflare-ai-gateway",
            label="cf",
            hint="",
            source="vault",
            origin=front.origin,
        )
        known: dict[str, Any] = {"account": "0123456789abcdef0123456789abcdef", "name": "vibe-gw"} | ids
        given = known.pop("token", "gateway-token")
        value = GatewayValue(token=token, base_url=front.base_url, **known)
        provider = catalog.provider("cloudflare-ai-gateway" if of_token else "openai")
        key = token if of_token else key_of(provider)
        own = given if of_token else "loopback-key" if secret == "" else secret
        checking = check(
            key, Secret(own) if own else None, provider, catalog, http,
            gateway=value, gateway_secret=Secret(given), insist=True,
        )  # fmt: skip
        result = await outcome(checking)
        return result, *verdict_words(result, provider)

    @pytest.mark.parametrize(
        ("ids", "of_token", "verdict", "nuance", "says"),
        [
            ({}, True, "ready", "", "Cloudflare AI Gateway accepts the key."),
            ({}, False, "ready", "", "OpenAI accepts the key."),
            ({"account": "not-an-id"}, True, "wrong_base_url", "account_form", "The gateway’s account id is not one"),
            ({"name": "Not A Name"}, True, "wrong_base_url", "gateway_form", "The gateway’s name is not one"),
            ({"account": "f" * 32}, True, "wrong_base_url", "gateway_gateway", "There is no AI gateway of this name"),
            ({"name": "nope"}, False, "wrong_base_url", "gateway_gateway", "There is no AI gateway of this name"),
            ({"token": "wrong-token-01"}, True, "invalid", "gateway_token", "The gateway does not accept this token"),
            ({"token": "wrong-token-0001"}, False, "unknown", "gateway_token", "The gateway does not accept its own token (2009); this says nothing about the key of OpenAI"),  # noqa: E501
        ],
    )  # fmt: skip
    async def test_each_fault_is_its_own(
        self, http: Http, ids: dict[str, str], of_token: bool, verdict: str, nuance: str, says: str
    ) -> None:
        async with OpenAI() as upstream, Gateway({"openai": upstream.base_url}) as front:
            result, message, fix = await self.through(http, front, upstream, of_token=of_token, **ids)
        assert (result.verdict, result.nuance) == (verdict, nuance)
        assert message.startswith(says)
        assert bool(fix) == (verdict != "ready")

    async def test_a_provider_key_that_is_wrong_is_the_key_s_fault(self, http: Http) -> None:
        async with OpenAI() as upstream, Gateway({"openai": upstream.base_url}) as front:
            result, message, _ = await self.through(
                http, front, upstream, of_token=False, secret="wrong-key-00001"
            )
        assert (result.verdict, result.stage) == ("invalid", "key")
        assert message == "OpenAI does not know this key."

    async def test_a_provider_key_that_is_nowhere(self, http: Http) -> None:
        async with OpenAI() as upstream, Gateway({"openai": upstream.base_url}) as front:
            result, message, fix = await self.through(http, front, upstream, of_token=False, secret=None)
        assert (result.verdict, result.nuance) == ("invalid", "gateway_provider_key")
        assert message == "The gateway is reached, but has no key of OpenAI, and none was sent."
        assert fix == "Add a key for OpenAI here, or under the gateway’s provider keys."

    async def test_a_gateway_with_keys_of_its_own_proves_none_of_ours(self, http: Http) -> None:
        class Stocked(Gateway):
            def answer(self, seen: Seen) -> Reply:
                reply = super().answer(seen)
                assert "authorization" not in seen.headers
                seen.headers["authorization"] = "Bearer loopback-key"
                return reply

        async with OpenAI() as upstream, Stocked({"openai": upstream.base_url}) as front:
            result, message, _ = await self.through(http, front, upstream, of_token=False, stored_keys=True)
        assert (result.verdict, result.nuance) == ("unknown", "stored_keys")
        assert message.startswith("The gateway uses the keys stored with it")

    async def test_a_gateway_that_asks_nobody_proves_no_token(self, http: Http) -> None:
        class Unlocked(Gateway):
            def answer(self, seen: Seen) -> Reply:
                seen.headers["cf-aig-authorization"] = f"Bearer {self.key}"
                return super().answer(seen)

        async with OpenAI() as upstream, Unlocked({"openai": upstream.base_url}) as front:
            result, message, fix = await self.through(
                http, front, upstream, of_token=True, token="wrong-token-0001"
            )
        assert (result.verdict, result.nuance) == ("unknown", "open_gateway")
        assert (
            message == "The gateway lets requests through without any token, so this one could not be proved."
        )
        assert fix == "Switch authentication on in the gateway’s settings, and check again."
