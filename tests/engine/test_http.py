"""The way out: what is translated, what is refused before it is sent, and what never leaves."""

from __future__ import annotations

import asyncio
import socket
import ssl
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.providers import Behaviour, OpenAI
from tests.providers.server import Refused, Reply, Seen
from vibedesk.engine.errors import (
    AnswerTooLong,
    ConnectionLost,
    ConnectionRefused,
    Cut,
    EngineError,
    Misconfigured,
    NameNotFound,
    NotThisApi,
    TimedOut,
    TlsUntrusted,
)
from vibedesk.engine.http import Body, Http, Timers
from vibedesk.engine.issuer import issuer_in
from vibedesk.engine.proxies import is_loopback, proxy_for

QUICK = Timers(connect_s=0.5, first_token_s=0.5, idle_s=0.5, total_s=1.0)
AUTH = {"authorization": "Bearer loopback-key"}
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


@asynccontextmanager
async def bare(talk: Talk, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A TCP server that says what `talk` says; its port."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)  # type: ignore[arg-type]
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def saying(data: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        writer.close()

    return talk


async def failure(http: Http, url: str, headers: dict[str, str] | None = None) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await http.get(url, headers or {}, timers=QUICK)
    return caught.value


async def test_closing_what_is_idle_leaves_an_answer_that_is_read_alone(http: Http) -> None:
    go_on, hung_up = asyncio.Event(), asyncio.Event()
    served: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while path := (await reader.readuntil(b"\r\n\r\n")).split()[1]:
                served.append(path)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst")
                if path == b"/long":
                    await go_on.wait()
                writer.write(b" rest")
        except asyncio.IncompleteReadError:
            hung_up.set()
            writer.close()

    async with bare(talk) as port:
        url = f"http://127.0.0.1:{port}"
        async with http.stream("GET", f"{url}/long", {}, None, timers=QUICK) as response:
            body = Body(response)
            assert await body.read() == b"first"
            assert (await http.get(f"{url}/short", AUTH, timers=QUICK)).body == b"first rest"
            assert not hung_up.is_set()
            await http.close_idle()
            async with asyncio.timeout(5):
                await hung_up.wait()
            go_on.set()
            assert await body.read_all(100) == b" rest"
        assert (await http.get(f"{url}/short", AUTH, timers=QUICK)).body == b"first rest"
        assert served == [b"/long", b"/short", b"/short"]
        await http.close()


async def test_closing_what_is_idle_does_not_mind_a_first_request_through_a_proxy_meanwhile(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locking the vault does it while questions are asked."""
    async with OpenAI() as server, bare(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")) as port:
        await http.get(server.base_url + "/models", AUTH, timers=QUICK)
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        closing = asyncio.create_task(http.close_idle())
        asking = asyncio.create_task(http.get("http://example.invalid/x", {}, timers=QUICK))
        await closing
        assert (await asking).body == b"ok"
        await http.close()


class TestWhatComesBack:
    async def test_a_whole_answer_has_status_headers_and_body(self, http: Http) -> None:
        async with OpenAI() as server:
            answered = await http.get(server.base_url + "/models", AUTH, timers=QUICK)
        assert answered.status == 200
        assert answered.headers["content-type"] == "application/json"
        assert b"gpt-6-luna" in answered.body

    async def test_a_refusal_is_an_answer(self, http: Http) -> None:
        async with OpenAI() as server:
            assert (await http.get(server.base_url + "/models", {}, timers=QUICK)).status == 401

    async def test_nothing_compressed_is_asked_for_and_no_library_is_named(self, http: Http) -> None:
        async with OpenAI() as server:
            await http.get(server.base_url + "/models", AUTH, timers=QUICK)
        assert server.seen[0].headers["accept-encoding"] == "identity"
        assert server.seen[0].headers["user-agent"] == "VibeDesk/test"

    async def test_a_body_over_the_cap_is_refused(self) -> None:
        async with OpenAI() as server:
            http = Http()
            async with http.stream("GET", server.base_url + "/models", AUTH, None, timers=QUICK) as response:
                with pytest.raises(AnswerTooLong):
                    await Body(response).read_all(10)
            await http.close()

    async def test_cookies_are_not_kept(self, http: Http) -> None:
        async with OpenAI(Behaviour(headers={"set-cookie": "track=1; Path=/"})) as server:
            for _ in range(2):
                await http.get(server.base_url + "/models", AUTH, timers=QUICK)
        assert "cookie" not in server.seen[1].headers

    async def test_nothing_is_opened_before_the_first_request_and_closing_twice_is_fine(self) -> None:
        http = Http()
        await http.close()
        await http.close()

    async def test_half_of_a_pasted_emoji_does_not_stop_a_request(self, http: Http) -> None:
        async with OpenAI() as server:
            body = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "half \ud83d"}]}
            async with http.stream(
                "POST", server.base_url + "/chat/completions", AUTH | {"content-type": "application/json"}, body,
                timers=QUICK,
            ) as response:  # fmt: skip
                assert response.status_code == 200
        assert server.seen[0].body["messages"][0]["content"] == "half ?"


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_no_redirect_is_followed_and_the_target_is_named(self, http: Http, status: int) -> None:
        """N1: neither the key nor the prompt goes on to another address."""

        class Redirecting(OpenAI):
            def answer(self, seen: Seen) -> Reply:
                return Reply(status, {"location": f"http://localhost:{elsewhere._port}/steal"})

        async with OpenAI() as elsewhere, Redirecting() as server:
            error = await failure(http, server.base_url + "/models", AUTH)
            assert elsewhere.seen == []
        assert isinstance(error, NotThisApi)
        assert (error.facts["host"], error.status) == ("localhost", status)
        assert "localhost" in error.detail

    async def test_a_redirect_to_nowhere_is_refused_as_well(self, http: Http) -> None:
        class Redirecting(OpenAI):
            def answer(self, seen: Seen) -> Reply:
                raise Refused(302, {}, {"location": "http://[broken"})

        async with Redirecting() as server:
            assert isinstance(await failure(http, server.base_url), NotThisApi)


class TestTranslation:
    async def test_a_name_nobody_has(self, http: Http) -> None:
        error = await failure(http, "https://no-such-host.invalid/v1/models")
        assert isinstance(error, NameNotFound)
        assert error.facts["host"] == "no-such-host.invalid"

    async def test_a_port_nobody_listens_on(self, http: Http) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            error = await failure(http, f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        assert isinstance(error, ConnectionRefused)

    async def test_a_server_that_hangs_up_before_it_answers(self, http: Http) -> None:
        async with bare(saying(b"")) as port:
            assert isinstance(await failure(http, f"http://127.0.0.1:{port}/"), ConnectionLost)

    async def test_something_that_is_not_http(self, http: Http) -> None:
        async with bare(saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) as port:
            assert isinstance(await failure(http, f"http://127.0.0.1:{port}/"), NotThisApi)

    @pytest.mark.parametrize("head", [b"content-length: 100", b"transfer-encoding: chunked"])
    async def test_a_body_shorter_than_promised_is_cut(self, http: Http, head: bytes) -> None:
        async with bare(saying(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n5\r\nhello")) as port:
            assert isinstance(await failure(http, f"http://127.0.0.1:{port}/"), Cut)

    async def test_silence_is_ended_by_the_total_timer(self, http: Http) -> None:
        async with OpenAI(Behaviour(stall_before_headers=True, on="all")) as server:
            error = await failure(http, server.base_url + "/models", AUTH)
        assert isinstance(error, TimedOut)
        assert error.facts["timer"] == "total"

    async def test_an_address_that_is_none(self, http: Http) -> None:
        for url in ("ftp://127.0.0.1/", "http://", "nonsense", "http://[::1"):
            assert isinstance(await failure(http, url), Misconfigured), url


class TestTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        """Self-signed by “Evil Proxy Ltd” for 127.0.0.1, key and certificate in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Evil Proxy Ltd")])
        now = datetime.now(UTC)
        signed = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + timedelta(1))
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = tmp_path / "both.pem"
        path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        return path

    async def test_an_untrusted_certificate_stops_the_request_before_the_key_and_names_the_issuer(
        self, http: Http, certificate: Path
    ) -> None:
        """T6, N5."""
        heard: list[bytes] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read(1000))
            writer.close()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        async with bare(talk, context) as port:
            error = await failure(http, f"https://127.0.0.1:{port}/v1", AUTH)
        assert isinstance(error, TlsUntrusted)
        assert error.facts["issuer"] == "Evil Proxy Ltd"
        assert error.facts["reason"]
        assert b"loopback-key" not in b"".join(heard)

    async def test_plain_http_where_tls_was_meant(self, http: Http) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1000)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        async with bare(talk) as port:
            error = await failure(http, f"https://127.0.0.1:{port}/")
        assert isinstance(error, TlsUntrusted)
        assert error.facts["reason"] == "the other side does not speak TLS"

    @pytest.mark.parametrize(
        "junk", [b"", b"\x30", b"\x30\x03\x02\x01\x01", b"\x30\x84\xff\xff\xff\xff", bytes(64)]
    )
    def test_a_certificate_of_nonsense_is_no_crash(self, junk: bytes) -> None:
        with pytest.raises(ValueError):  # noqa: PT011
            issuer_in(junk)


class TestHeaders:
    @pytest.mark.parametrize(
        "key", ["sk-bad\n", "sk-bad\r\nx: y", "sk-schlüssel", "sk-\x00zero", "sk-“quoted”"]
    )
    async def test_a_key_no_header_can_carry_is_refused_unread(self, http: Http, key: str) -> None:
        """K9: httpx would put it into the exception's text."""
        async with OpenAI() as server:
            with pytest.raises(Misconfigured) as caught:
                await http.get(server.base_url + "/models", {"authorization": f"Bearer {key}"}, timers=QUICK)
            assert server.seen == []
        assert "sk-" not in "".join(traceback.format_exception(caught.value))
        assert caught.value.facts["header"] == "authorization"

    async def test_a_header_name_no_request_can_carry_is_refused(self, http: Http) -> None:
        assert isinstance(await failure(http, "http://127.0.0.1:9/", {"bad name": "x"}), Misconfigured)

    async def test_no_failure_tells_the_key(self, http: Http) -> None:
        secret = "1234567890" * 3
        for url in ("https://no-such-host.invalid/", "http://127.0.0.1:9/", "nonsense"):
            with pytest.raises(EngineError) as caught:
                await http.get(url, {"authorization": f"Bearer {secret}"}, timers=QUICK)
            assert secret not in "".join(traceback.format_exception(caught.value))


class TestProxies:
    @pytest.mark.parametrize(
        "host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "a.localhost", "LOCALHOST."]
    )
    def test_loopback_is_known_in_every_spelling(self, host: str) -> None:
        assert is_loopback(host)

    @pytest.mark.parametrize("host", ["localhost.example.org", "128.0.0.1", "0.0.0.0", "example.org", "::2"])
    def test_what_only_looks_like_loopback_is_not(self, host: str) -> None:
        assert not is_loopback(host)

    async def test_loopback_never_goes_through_a_proxy(
        self, http: Http, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """N7: not even a broken setting reaches it."""
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "nonsense://[")
        async with OpenAI() as server:
            assert (await http.get(server.base_url + "/models", AUTH, timers=QUICK)).status == 200

    async def test_a_remote_host_goes_through_the_proxy(
        self, http: Http, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        heard: list[bytes] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            await writer.drain()
            writer.close()

        async with bare(talk) as port:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
            assert (await http.get("http://example.invalid/x", {}, timers=QUICK)).body == b"ok"
            await http.close()
        assert heard[0].startswith(b"GET http://example.invalid/x ")

    @pytest.mark.parametrize("broken", ["ftp://proxy:1", "socks5://127.0.0.1:1", "http://[broken"])
    async def test_a_broken_proxy_setting_is_named_without_its_password(
        self, http: Http, monkeypatch: pytest.MonkeyPatch, broken: str
    ) -> None:
        monkeypatch.setenv("https_proxy", broken.replace("://", "://user:hunter2@"))
        error = await failure(http, "https://example.invalid/")
        assert isinstance(error, Misconfigured)
        assert error.facts["setting"] == "proxy"
        assert "hunter2" not in error.detail + str(error.facts)

    async def test_a_proxy_that_is_not_there_is_not_the_providers_fault(
        self, http: Http, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
        error = await failure(http, "https://example.invalid/")
        assert isinstance(error, Misconfigured)
        assert error.facts["setting"] == "proxy"

    def test_exceptions_to_the_proxy_are_honoured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import httpx

        monkeypatch.setenv("https_proxy", "http://proxy:3128")
        monkeypatch.setenv("no_proxy", "api.example.org")
        assert proxy_for(httpx.URL("https://api.example.org/")) is None
        assert proxy_for(httpx.URL("https://other.example.org/")) == "http://proxy:3128"
