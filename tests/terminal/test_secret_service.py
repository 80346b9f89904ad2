"""A key in a real gnome-keyring: added, checked, asked with, refused, and never found in a file of ours."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.providers import OpenAI
from tests.store.secret_service import SecretService, missing
from tests.terminal.program import Program
from tests.terminal.test_keys import added, places_of

pytestmark = [
    pytest.mark.secret_service,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}"),
]

GOOD = "lab-" + "k3yThatWorks" * 3 + "9f2c"
WRONG = "lab-" + "k3yThatDoesNot" * 3 + "77aa"


@pytest.fixture
def keyring(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SecretService]:
    folder = tmp_path_factory.mktemp("keyring")
    service = SecretService(folder)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", service.address)
    service.start()
    yield service
    service.close()
    shutil.rmtree(folder, ignore_errors=True)


async def test_no_file_of_ours_ever_holds_a_key_of_the_keychain(
    keyring: SecretService, tmp_path: Path
) -> None:
    vibedesk = Program(tmp_path)
    del vibedesk.environ["VIBEDESK_PASSPHRASE_FILE"]
    vibedesk.environ |= {"VIBEDESK_VAULT": "system", "DBUS_SESSION_BUS_ADDRESS": keyring.address}
    async with OpenAI(key=GOOD) as lab:
        vibedesk.provide(lab=lab)
        del vibedesk.environ["LAB_API_KEY"]
        id = await added(vibedesk, GOOD)
        assert GOOD.encode() in keyring.secrets()
        assert (await vibedesk("keys", "check")).status == 0
        assert (await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "Hi")).status == 0
        assert (await vibedesk("ask", "-m", "lab/cut-eof", "Hi")).status == 3
        assert (await vibedesk("ask", "-m", "lab/fail-500", "Hi")).status == 1
        assert (await vibedesk("keys", "remove", id)).status == 0
        assert GOOD.encode() not in keyring.secrets()
        await added(vibedesk, WRONG)
        assert (await vibedesk("keys", "check")).status == 1
        refused = await vibedesk("ask", "-m", "lab/gpt-4.1-mini", "Hi")
        assert (refused.status, lab.key == GOOD) == (1, True)
        await vibedesk("doctor")
    for secret in (GOOD, WRONG):
        assert places_of(secret, vibedesk.home) == []
    assert sum(path.is_file() for path in vibedesk.home.rglob("*")) >= 2
