"""What stands between us and a provider: each obstacle told apart, with a true sentence and its own fix; and a check
that can be stopped at any of them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.asking import key_of
from tests.engine.certificates import DAY, Authority
from tests.engine.checking import KEYS, Scripted, catalog_at, is_keyed, outcome
from tests.providers import Behaviour
from tests.providers.server import PAGE, Reply, Seen, json_reply
from vibedesk.engine.check import CheckResult, Stage, check
from vibedesk.engine.http import Http, Timers
from vibedesk.engine.types import Secret
from vibedesk.wording import verdict_words

SECRET = KEYS["openai"]
QUICK = Timers(connect_s=0.4, first_token_s=0.4, idle_s=0.4, total_s=20.0)
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Heard:
    """What a server on loopback got to hear."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.came = asyncio.Event()
        self.left = asyncio.Event()


@asynccontextmanager
async def talking(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A bare server; its port."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def silent(heard: Heard) -> Talk:
    """Listens, and says nothing until the other side leaves."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.came.set()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                heard.data += data
        heard.left.set()
        writer.close()

    return talk


def saying(heard: Heard, *answers: bytes) -> Talk:
    """The same bytes to every request."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.data += await reader.read(4096)
        writer.write(b"".join(answers))
        writer.close()

    return talk


async def checked(
    http: Http, base_url: str, *, timers: Timers = QUICK, **more: Any
) -> tuple[CheckResult, str, str]:
    """The check of an OpenAI key at this address: its result, sentence and fix."""
    catalog = catalog_at({"openai": base_url}, **more)
    provider = catalog.provider("openai")
    checking = check(key_of(provider), Secret(SECRET), provider, catalog, http, timers=timers)
    result = await outcome(checking)
    return result, *verdict_words(result, provider)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "Test Authority")


@pytest.fixture
async def trusting(authority: Authority) -> AsyncIterator[Http]:
    """A client that trusts the test's authority."""
    opened = Http(ssl_context=authority.context, user_agent="VibeDesk/test")
    yield opened
    await opened.close()


class TestCertificates:
    async def at(
        self, http: Http, tls: ssl.SSLContext, host: str = "localhost"
    ) -> tuple[CheckResult, str, str, int]:
        heard = Heard()
        async with talking(silent(heard), tls) as port:
            result, says, fix = await checked(http, f"https://{host}:{port}/v1")
        assert SECRET.encode() not in bytes(heard.data)
        return result, says, fix, port

    async def test_an_unknown_authority_is_named(
        self, http: Http, authority: Authority, tmp_path: Path
    ) -> None:
        result, says, fix, _ = await self.at(http, authority.server("localhost"))
        assert (result.verdict, result.nuance, result.stage) == ("tls_untrusted", "authority", "tls")
        assert says == (
            "The certificate of localhost, issued by Test Authority, is not trusted by this machine; "
            "the key was not sent."
        )
        assert fix == "If a company proxy stands between, add its certificate to the system’s trusted ones."

    async def test_a_certificate_that_signs_itself(self, http: Http, authority: Authority) -> None:
        result, says, fix, _ = await self.at(http, authority.server("localhost", self_signed=True))
        assert (result.verdict, result.nuance, result.stage) == ("tls_untrusted", "self_signed", "tls")
        assert (
            says
            == "The certificate of localhost is signed by nobody but itself (localhost); the key was not sent."
        )
        assert fix == "Add the certificate to the system’s trusted ones if the server is yours."

    async def test_a_certificate_for_another_name_names_it(
        self, trusting: Http, authority: Authority
    ) -> None:
        result, says, fix, _ = await self.at(trusting, authority.server("portal.test", "login.test"))
        assert (result.verdict, result.nuance, result.stage) == ("tls_untrusted", "wrong_name", "tls")
        assert says == (
            "The certificate that localhost shows is for portal.test, login.test, not for localhost; "
            "the key was not sent."
        )
        assert fix == "Check the host in the base URL; a network’s sign-in page can also answer like this."

    async def test_an_expired_certificate_says_since_when(self, trusting: Http, authority: Authority) -> None:
        ended = datetime.now(UTC) - timedelta(hours=1)
        tls = authority.server("localhost", since=-2 * DAY, until=-timedelta(hours=1))
        result, says, fix, _ = await self.at(trusting, tls)
        assert (result.verdict, result.nuance, result.stage) == ("tls_untrusted", "expired", "tls")
        assert says == f"The certificate of localhost expired on {ended:%Y-%m-%d}; the key was not sent."
        assert fix == "Check this machine’s clock; if it is right, the server needs a new certificate."

    async def test_a_certificate_of_tomorrow_points_at_the_clock(
        self, trusting: Http, authority: Authority
    ) -> None:
        begins = datetime.now(UTC) + timedelta(hours=30)
        result, says, fix, _ = await self.at(
            trusting, authority.server("localhost", since=timedelta(hours=30), until=3 * DAY)
        )
        assert (result.verdict, result.nuance) == ("tls_untrusted", "not_yet")
        assert (
            says
            == f"The certificate of localhost is valid from {begins:%Y-%m-%d} on only; the key was not sent."
        )
        assert fix == "Check this machine’s clock."

    async def test_a_trusted_one_is_evidence(self, trusting: Http, authority: Authority) -> None:
        result, says, _, _ = await self.at(trusting, authority.server("localhost"))
        tls = next(stage for stage in result.stages if stage.name == "tls")
        assert (tls.verdict, tls.evidence["issuer"]) == ("ok", "Test Authority")
        assert tls.evidence["version"].startswith("TLSv1")
        assert (result.verdict, result.nuance, result.stage) == ("timed_out", "silence", "api")
        assert says == "localhost takes connections, but answered nothing within 0.4 s."

    async def test_one_that_hangs_up_in_the_handshake(self, http: Http) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(4096)
            writer.close()

        async with talking(talk) as port:
            result, says, fix = await checked(http, f"https://127.0.0.1:{port}/v1")
        assert (result.verdict, result.nuance, result.stage) == ("network_blocked", "hung_up", "tls")
        assert says.startswith("127.0.0.1 hung up before it showed a certificate")
        assert fix == "Try another network, or turn the VPN off."


class TestHttpAndHttps:
    async def test_https_where_plain_http_is_spoken(self, http: Http) -> None:
        heard = Heard()
        async with talking(saying(heard, b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")) as port:
            result, says, fix = await checked(http, f"https://127.0.0.1:{port}/v1")
        assert (result.verdict, result.nuance, result.stage) == ("wrong_base_url", "no_tls", "tls")
        assert (
            says == "127.0.0.1 speaks no TLS at this port, and the base URL says https; the key was not sent."
        )
        assert fix == "Check the port; a server on this machine is often http://."
        assert SECRET.encode() not in bytes(heard.data)

    async def test_plain_http_where_https_is_spoken(self, http: Http, authority: Authority) -> None:
        heard = Heard()
        async with talking(silent(heard), authority.server("127.0.0.1")) as port:
            result, says, fix = await checked(http, f"http://127.0.0.1:{port}/v1")
        assert (result.verdict, result.nuance, result.stage) == ("wrong_base_url", "needs_tls", "api")
        assert (
            says == "127.0.0.1 speaks https at this port, and the base URL says http; the key was not sent."
        )
        assert fix == f"Set the base URL to https://127.0.0.1:{port}/v1."


class TestPortals:
    async def test_a_redirect_to_a_login_page(self, http: Http) -> None:
        reply = Reply(302, {"location": "https://login.portal.test/?from=api", "content-length": "0"})
        async with Scripted("openai", to_all=reply) as server:
            result, says, fix = await checked(http, server.base_url)
            assert not any(map(is_keyed, server.seen))
        assert (result.verdict, result.nuance, result.stage) == ("not_this_api", "redirect", "api")
        assert says == (
            f"{server.base_url} was answered with a redirect to login.portal.test, as a network’s sign-in page does; "
            "the key was not sent."
        )
        assert fix == "Open a page in the browser and sign in to the network."

    async def test_a_login_page_in_the_place_of_an_answer(self, http: Http) -> None:
        async with Scripted("openai", to_all=Reply(200, {"content-type": "text/html"}, PAGE)) as server:
            result, says, fix = await checked(http, server.base_url)
            assert not any(map(is_keyed, server.seen))
        assert (result.verdict, result.nuance, result.stage) == ("not_this_api", "page", "api")
        assert "“Sign in to the network”" in says
        assert says.endswith("; the key was not sent.")
        assert fix.startswith("Sign in to the network in a browser")

    async def test_a_page_that_comes_only_to_the_key_is_not_said_to_be_keyless(self, http: Http) -> None:
        """The key was sent: nobody says otherwise."""
        page = Reply(200, {"content-type": "text/html"}, PAGE)
        async with Scripted("openai", {"/models": page}) as server:
            result, says, _ = await checked(http, server.base_url)
            assert any(map(is_keyed, server.seen))
        assert (result.verdict, result.stage) == ("not_this_api", "models")
        assert "not sent" not in says

    async def test_the_same_place_written_otherwise_is_named(self, http: Http) -> None:
        reply = Reply(308, {"location": "/api/v2/models", "content-length": "0"})
        async with Scripted("openai", to_all=reply) as server:
            result, says, _ = await checked(http, server.base_url)
        assert (result.verdict, result.nuance, result.stage) == ("wrong_base_url", "moved", "api")
        assert f"{server.origin}/api/v2/models" in says


class TestProxies:
    async def through(
        self, http: Http, monkeypatch: pytest.MonkeyPatch, port: int
    ) -> tuple[CheckResult, str, str]:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://user:password@127.0.0.1:{port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        return await checked(http, "https://api.lab.test/v1")

    async def test_a_proxy_that_wants_another_login(
        self, http: Http, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        heard = Heard()
        refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"
        async with talking(saying(heard, refusal)) as port:
            result, says, fix = await self.through(http, monkeypatch, port)
        assert (result.verdict, result.nuance, result.stage) == ("network_blocked", "proxy", "api")
        assert says.startswith("The proxy that the environment or the system names could not be used")
        assert fix == "Check the proxy’s address and its login."
        assert SECRET.encode() not in bytes(heard.data)
        assert "password" not in repr(result)

    async def test_a_proxy_that_is_not_there_is_what_is_blamed(
        self, http: Http, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            result, _, fix = await self.through(http, monkeypatch, taken.getsockname()[1])
        assert (result.verdict, result.nuance, result.stage) == ("network_blocked", "proxy", "port")
        assert fix == "Check the proxy’s address and its login."


class TestNoWay:
    async def test_a_name_nobody_has(self, http: Http) -> None:
        result, says, fix = await checked(
            http, "https://no-such-host.invalid/v1", timers=Timers(connect_s=20.0)
        )
        assert (result.verdict, result.stage) == ("dns_failed", "host")
        assert says.startswith("The name no-such-host.invalid could not be found")
        assert fix == "Check the connection."

    async def test_a_resolver_that_does_not_answer(self, http: Http, stuck_resolver: threading.Event) -> None:
        result, says, fix = await checked(http, "https://slow.test/v1")
        assert (result.verdict, result.nuance, result.stage) == ("timed_out", "name", "host")
        assert says == "The name slow.test was not looked up within 0.4 s: the network’s DNS does not answer."
        assert fix == "Check the connection, or turn the VPN off."

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    async def test_a_port_nobody_listens_on(self, http: Http, host: str) -> None:
        """Also where a name has two addresses and both refuse."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            place = f"{host}:{taken.getsockname()[1]}"
            result, says, fix = await checked(http, f"http://{place}/v1")
        assert (result.verdict, result.stage) == ("refused", "port")
        assert says == f"Nothing answers at {place}: the connection was refused."
        assert fix.startswith("Check that the server is running")

    async def test_a_server_that_takes_no_connection(self, http: Http, full: int) -> None:
        result, says, fix = await checked(http, f"http://127.0.0.1:{full}/v1")
        assert (result.verdict, result.nuance, result.stage) == ("timed_out", "connect", "port")
        assert says.startswith(f"127.0.0.1:{full} did not take a connection within 0.4 s")
        assert fix == "Check the network, a VPN or a firewall, and try again."

    async def test_a_server_that_takes_connections_and_is_silent(self, http: Http) -> None:
        async with talking(silent(Heard())) as port:
            result, says, fix = await checked(http, f"http://127.0.0.1:{port}/v1")
            over_tls, says_over_tls, fix_over_tls = await checked(http, f"https://127.0.0.1:{port}/v1")
        assert (result.verdict, result.nuance, result.stage) == ("timed_out", "silence", "api")
        assert says == "127.0.0.1 takes connections, but answered nothing within 0.4 s."
        assert fix == "Check that OpenAI is what listens there, and try again."
        assert (over_tls.verdict, over_tls.nuance, over_tls.stage) == ("timed_out", "tls", "tls")
        assert says_over_tls == (
            "127.0.0.1 takes connections, but showed no certificate within 0.4 s; the key was not sent."
        )
        assert fix_over_tls.startswith("Check the port")

    async def test_a_server_that_stops_in_the_middle(self, http: Http) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(4096)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{")
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()

        async with talking(talk) as port:
            result, says, _ = await checked(http, f"http://127.0.0.1:{port}/v1")
        assert (result.verdict, result.nuance, result.stage) == ("timed_out", "body", "api")
        assert says == "OpenAI began its answer and did not finish it within 0.4 s."

    async def test_a_server_that_hangs_up(self, http: Http) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(4096)
            writer.close()

        async with talking(talk) as port:
            result, says, _ = await checked(http, f"http://127.0.0.1:{port}/v1")
        assert (result.verdict, result.nuance, result.stage) == ("server_down", "closed", "api")
        assert says == "127.0.0.1 closed the connection without an answer."

    async def test_the_whole_check_has_an_end(self, http: Http) -> None:
        patient = Timers(connect_s=9.0, first_token_s=30.0, idle_s=30.0, total_s=0.5)
        async with talking(silent(Heard())) as port:
            result, says, _ = await checked(http, f"http://127.0.0.1:{port}/v1", timers=patient)
        assert (result.verdict, result.nuance) == ("timed_out", "check")
        assert says == "The check had not ended after 0.5 s."


@pytest.fixture
def stuck_resolver(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`*.test` names are never answered for, until the test is over."""
    over, real = threading.Event(), socket.getaddrinfo

    def slow(host: Any, *rest: Any, **more: Any) -> Any:
        if str(host).endswith(".test"):
            over.wait(30)
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    yield over
    over.set()


@pytest.fixture
def full() -> Any:
    """The port of a server whose queue is full: the system drops whoever else knocks."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    knocking = []
    for _ in range(4):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(listening.getsockname())
        knocking.append(one)
    yield listening.getsockname()[1]
    for one in (*knocking, listening):
        one.close()


STALL = Behaviour(stall_before_headers=True)
PATIENT = Timers(connect_s=60.0, first_token_s=60.0, idle_s=60.0, total_s=120.0)
AT_ONCE_S = 2.0
"""Measured: under 10 ms. The bound is for a machine that does eight other things."""


class TestStopping:
    """Cancelling ends a check at once, wherever it is, and closes what is open."""

    async def stopped(
        self, http: Http, base_url: str, stage: str, ready: asyncio.Event | None = None
    ) -> None:
        catalog = catalog_at({"openai": base_url})
        provider = catalog.provider("openai")
        reached = asyncio.Event()

        async def run() -> None:
            async for step in check(
                key_of(provider), Secret(SECRET), provider, catalog, http, timers=PATIENT, answer=True
            ):
                if isinstance(step, Stage) and (step.name, step.verdict) == (stage, "running"):
                    reached.set()

        task = asyncio.create_task(run())
        async with asyncio.timeout(20):
            await reached.wait()
            if ready is not None:
                await ready.wait()
            await asyncio.sleep(0.05)
        assert not task.done()
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - began < AT_ONCE_S

    async def test_while_the_name_is_looked_up(self, http: Http, stuck_resolver: threading.Event) -> None:
        await self.stopped(http, "https://slow.test/v1", "host")

    async def test_while_it_connects(self, http: Http, full: int) -> None:
        await self.stopped(http, f"http://127.0.0.1:{full}/v1", "port")

    @pytest.mark.parametrize(("scheme", "stage"), [("https", "tls"), ("http", "api")])
    async def test_while_nothing_comes(self, http: Http, scheme: str, stage: str) -> None:
        heard = Heard()
        async with talking(silent(heard)) as port:
            await self.stopped(http, f"{scheme}://127.0.0.1:{port}/v1", stage, heard.came)
            async with asyncio.timeout(10):
                await heard.left.wait()

    @pytest.mark.parametrize(("end", "stage"), [("/models", "key"), ("/responses", "answer")])
    async def test_while_the_key_or_the_answer_is_waited_for(self, http: Http, end: str, stage: str) -> None:
        class Stalling(Scripted):
            stalled: Seen | None = None

            def answer(self, seen: Seen) -> Reply:
                reply = super().answer(seen)
                if is_keyed(seen) and seen.path.endswith(end):
                    reply.behaviour = STALL
                    self.stalled = seen
                    waits.set()
                return reply

        waits = asyncio.Event()
        async with Stalling("openai", {"/responses": json_reply({})}) as server:
            await self.stopped(http, server.base_url, stage, waits)
            assert server.stalled is not None
            async with asyncio.timeout(10):
                await server.stalled.closed.wait()
