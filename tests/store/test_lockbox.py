"""The encrypted file: the vault contract over it, its recovery code, and a kit of bad files."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyring.errors import PasswordDeleteError

from tests.store.vault_contract import VaultContract, fake_key, traces_of
from vibedesk.store import sealed
from vibedesk.store.lockbox import Lockbox
from vibedesk.store.place import Place, VaultError

PASSPHRASE = "correct horse battery"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An empty vault and its recovery code: made once, for making one takes its time on purpose."""
    path = tmp_path_factory.mktemp("template") / "vault"
    return path, Lockbox.create(path, PASSPHRASE)


@pytest.fixture
def path(template: tuple[Path, str], tmp_path: Path) -> Path:
    path = tmp_path / "data" / "vault"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(template[0], path)
    return path


@pytest.fixture
def filled(path: Path) -> Path:
    Lockbox(path, lambda new: PASSPHRASE).set_password("VibeDesk/1", "openai", fake_key())
    return path


class TestOverTheEncryptedFile(VaultContract):
    @pytest.fixture
    def place(self, path: Path) -> Place:
        return Lockbox(path, lambda new: PASSPHRASE)

    def reopened(self, place: Place) -> Place:
        assert isinstance(place, Lockbox)
        return Lockbox(place.path, lambda new: PASSPHRASE)


def test_file_and_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    Lockbox.create(folder / "vault", PASSPHRASE)
    assert stat.S_IMODE((folder / "vault").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [entry.name for entry in folder.iterdir()] == ["vault"]


def test_the_recovery_code_opens_it_however_it_is_typed(template: tuple[Path, str], filled: Path) -> None:
    lockbox = Lockbox(filled)
    lockbox.unlock(" " + template[1].lower().replace("-", " ") + "\n")
    assert lockbox.get_password("VibeDesk/1", "openai") == fake_key()


def test_nothing_else_opens_it(template: tuple[Path, str], filled: Path) -> None:
    code = template[1]
    before = filled.read_bytes()
    for word in (
        "",
        PASSPHRASE + " ",
        PASSPHRASE.upper(),
        code[:-1] + ("A" if code[-1] != "A" else "B"),
        "\ud800",
    ):
        lockbox = Lockbox(filled)
        with pytest.raises(VaultError, match="does not open") as refusal:
            lockbox.unlock(word)
        assert refusal.value.state.kind == "locked"
        assert lockbox.look().kind == "locked"
    assert filled.read_bytes() == before


def test_a_forgotten_passphrase_is_replaced_and_the_old_words_open_nothing(
    template: tuple[Path, str], filled: Path
) -> None:
    lockbox = Lockbox(filled)
    lockbox.unlock(template[1])
    code = lockbox.change_passphrase("another one")
    for old in (PASSPHRASE, template[1]):
        with pytest.raises(VaultError):
            Lockbox(filled).unlock(old)
    for new in ("another one", code):
        later = Lockbox(filled)
        later.unlock(new)
        assert later.get_password("VibeDesk/1", "openai") == fake_key()


def test_each_write_is_salted_anew(path: Path) -> None:
    lockbox = Lockbox(path, lambda new: PASSPHRASE)
    seen = set()
    for _ in range(3):
        lockbox.set_password("VibeDesk/1", "openai", fake_key())
        header = sealed.take_apart(path.read_bytes()).header
        seen.add((header.salt, header.nonce))
    assert len({salt for salt, _ in seen}) == len({nonce for _, nonce in seen}) == 3


def test_its_size_does_not_tell_one_key_from_two_short_ones(path: Path) -> None:
    lockbox = Lockbox(path, lambda new: PASSPHRASE)
    lockbox.set_password("VibeDesk/1", "openai", "k" * 20)
    one = path.stat().st_size
    lockbox.set_password("VibeDesk/2", "groq", "k" * 20)
    assert path.stat().st_size == one


def test_two_programs_share_it(path: Path) -> None:
    first, second = (Lockbox(path, lambda new: PASSPHRASE) for _ in range(2))
    first.set_password("VibeDesk/1", "openai", "from the first one")
    second.set_password("VibeDesk/2", "groq", "from the second one")
    assert first.get_password("VibeDesk/2", "groq") == "from the second one"
    assert second.get_password("VibeDesk/1", "openai") == "from the first one"


def test_writers_at_the_same_time_lose_nothing(path: Path) -> None:
    def write(name: str, lockbox: Lockbox) -> None:
        for number in range(4):
            lockbox.set_password(f"VibeDesk/{name}{number}", "openai", fake_key())

    programs = [Lockbox(path, lambda new: PASSPHRASE) for _ in range(3)]
    for program in programs:
        program.unlock(PASSPHRASE)
    writers = [threading.Thread(target=write, args=pair) for pair in zip("abc", programs, strict=True)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    kept = [programs[0].get_password(f"VibeDesk/{name}{n}", "openai") for name in "abc" for n in range(4)]
    assert kept == [fake_key()] * 12


def test_two_programs_that_make_it_at_the_same_time_share_it(tmp_path: Path) -> None:
    """Both find none, and are asked for a passphrase; one of them is quicker."""
    path, both = tmp_path / "data" / "vault", threading.Barrier(2)

    def ask(new: bool) -> str:
        both.wait(20)
        return PASSPHRASE

    programs = [Lockbox(path, ask), Lockbox(path, ask)]
    threads = [
        threading.Thread(target=program.set_password, args=(f"VibeDesk/{number}", "openai", f"key {number}"))
        for number, program in enumerate(programs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader = Lockbox(path, lambda new: PASSPHRASE)
    assert [reader.get_password(f"VibeDesk/{number}", "openai") for number in range(2)] == ["key 0", "key 1"]
    [code] = [code for program in programs if (code := program.recovery_code_once())]
    Lockbox(path).unlock(code)


def test_a_new_passphrase_in_one_program_locks_the_other(path: Path) -> None:
    first, second = Lockbox(path, lambda new: PASSPHRASE), Lockbox(path, lambda new: PASSPHRASE)
    second.set_password("VibeDesk/1", "openai", fake_key())
    first.unlock(PASSPHRASE)
    first.change_passphrase("another one")
    with pytest.raises(VaultError) as refusal:
        second.get_password("VibeDesk/1", "openai")
    assert refusal.value.state.kind == "locked"
    second.unlock("another one")
    assert second.get_password("VibeDesk/1", "openai") == fake_key()


def test_what_is_not_there_cannot_be_deleted(filled: Path) -> None:
    lockbox = Lockbox(filled, lambda new: PASSPHRASE)
    with pytest.raises(PasswordDeleteError):
        lockbox.delete_password("VibeDesk/2", "openai")


def test_an_existing_file_is_never_made_anew(filled: Path) -> None:
    before = filled.read_bytes()
    with pytest.raises(VaultError, match="is there already"):
        Lockbox.create(filled, PASSPHRASE)
    assert filled.read_bytes() == before


# Bad files: refused, untouched, never taken for an empty vault


def refused(path: Path) -> str:
    """Why the vault at `path` is refused, by looking, reading, writing and unlocking alike."""
    lockbox = Lockbox(path, lambda new: PASSPHRASE)
    state = lockbox.look()
    assert state.kind == "unavailable"
    assert not state.offer_file
    for act in (
        lambda: lockbox.get_password("VibeDesk/1", "openai"),
        lambda: lockbox.set_password("VibeDesk/1", "openai", fake_key()),
        lambda: lockbox.unlock(PASSPHRASE),
        lambda: lockbox.begin(PASSPHRASE),
    ):
        with pytest.raises(VaultError) as refusal:
            act()
        assert refusal.value.state.kind == "unavailable"
    return state.reason


def test_a_file_with_any_byte_changed_is_refused(template: tuple[Path, str]) -> None:
    whole = template[0].read_bytes()
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 1
        with pytest.raises(sealed.Damaged):
            sealed.take_apart(bytes(changed))


def test_a_file_cut_at_any_length_is_refused(template: tuple[Path, str]) -> None:
    whole = template[0].read_bytes()
    for length in range(len(whole)):
        with pytest.raises(sealed.Damaged):
            sealed.take_apart(whole[:length])


@given(st.binary(max_size=2000))
@settings(max_examples=200, deadline=None)
def test_rubbish_is_refused(rubbish: bytes) -> None:
    for whole in (rubbish, sealed.MAGIC + rubbish, with_digest(sealed.MAGIC + rubbish)):
        with pytest.raises(sealed.Damaged):
            sealed.take_apart(whole)


def with_digest(whole: bytes) -> bytes:
    return whole + hashlib.sha256(whole).digest()


def forged(whole: bytes, position: int) -> bytes:
    """One bit changed by somebody who knows the format and mends the digest."""
    changed = bytearray(whole[:-32])
    # Another letter: where the file is Base64 it stays Base64.
    changed[position] = ord("A") if changed[position] != ord("A") else ord("B")
    return with_digest(bytes(changed))


def test_a_forger_who_mends_the_digest_is_found_out(filled: Path) -> None:
    whole = filled.read_bytes()
    header = len(sealed.take_apart(whole).authenticated)
    salt = whole.index(b'"salt"', whole.rindex(b'"wrapped"')) + 10
    for position in (salt, header, header + 20, len(whole) - 33):
        filled.write_bytes(forged(whole, position))
        with pytest.raises(VaultError) as refusal:
            Lockbox(filled).unlock(PASSPHRASE)
        assert refusal.value.state.kind == "unavailable"
        assert "it was changed" in refusal.value.state.reason
        assert filled.read_bytes() == forged(whole, position)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory_kib", 1 << 31),
        ("memory_kib", 8),
        ("iterations", 1_000_000),
        ("iterations", 1),
        ("lanes", 4096),
        ("lanes", -1),
    ],
)
def test_absurd_work_is_refused_before_it_is_done(path: Path, name: str, value: int) -> None:
    header = sealed.take_apart(path.read_bytes()).header
    cost = msgspec.structs.replace(sealed.COST, **{name: value})
    slots = tuple(msgspec.structs.replace(slot, cost=cost) for slot in header.slots)
    written = msgspec.json.encode(sealed.Header(slots, header.salt, header.nonce))
    path.write_bytes(with_digest(sealed.MAGIC + len(written).to_bytes(4, "big") + written + b"x" * 64))
    assert "absurd amount of work" in refused(path)


def test_a_newer_format_is_refused_as_newer(path: Path) -> None:
    whole = bytearray(path.read_bytes()[:-32])
    whole[len(sealed.MAGIC) - 1] = 9
    path.write_bytes(with_digest(bytes(whole)))
    assert "newer than this VibeDesk" in refused(path)


def test_an_empty_file_is_no_empty_vault(path: Path) -> None:
    path.write_bytes(b"")
    assert "not a VibeDesk vault" in refused(path)
    assert path.read_bytes() == b""


def test_a_huge_file_is_not_read_whole(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert "too large" in refused(path)


def test_a_folder_is_refused(path: Path) -> None:
    path.unlink()
    path.mkdir()
    refused(path)
    assert path.is_dir()


@pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")
def test_a_link_is_refused_also_where_it_leads_nowhere(filled: Path, tmp_path: Path) -> None:
    real = filled.rename(tmp_path / "elsewhere")
    filled.symlink_to(real)
    assert "it is a link" in refused(filled)
    real.unlink()
    assert "it is a link" in refused(filled)
    assert filled.is_symlink()


@pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")
def test_a_pipe_is_refused_without_waiting_for_a_writer(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)
    assert "not a regular file" in refused(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_is_refused(filled: Path) -> None:
    before = filled.read_bytes()
    os.chown(filled, 65534, 65534)
    assert "belongs to another user" in refused(filled)
    assert filled.read_bytes() == before


def test_a_disk_that_cannot_be_written_leaves_the_old_vault(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled.read_bytes()
    lockbox = Lockbox(filled, lambda new: PASSPHRASE)
    lockbox.unlock(PASSPHRASE)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(VaultError, match="no space left on device"):
        lockbox.set_password("VibeDesk/2", "groq", fake_key("g"))
    assert filled.read_bytes() == before
    assert [entry.name for entry in filled.parent.iterdir()] == ["vault"]


def test_no_key_is_readable_in_the_file(filled: Path) -> None:
    content = filled.read_bytes()
    assert not [form for form, trace in traces_of(fake_key()).items() if trace in content]


@pytest.mark.skipif(sys.platform == "win32", reason="files are held another way there")
def test_a_program_that_was_stopped_while_it_wrote_is_told_of_and_nobody_hangs(filled: Path) -> None:
    import fcntl

    box = Lockbox(filled, lambda new: PASSPHRASE, wait_s=0.1)
    holder = os.open(filled.parent, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    with pytest.raises(VaultError, match="end it, then try again") as refusal:
        box.set_password("VibeDesk/2", "groq", fake_key("g"))
    assert refusal.value.state.kind == "unavailable"
    assert box.get_password("VibeDesk/1", "openai") == fake_key()
    assert box.look().kind == "ready"
    os.close(holder)
    box.set_password("VibeDesk/2", "groq", fake_key("g"))
    assert box.get_password("VibeDesk/2", "groq") == fake_key("g")


KEPT = Path(__file__).with_name("kept")


@pytest.mark.parametrize("word", ["the passphrase of format 1", "3Y5S-U7CT-76XN-FDUH-OFRD-QIMB-24L3-MJFE"])
def test_the_file_of_format_1_opens_for_ever(word: str, tmp_path: Path) -> None:
    """Written once, by the first release; it is never made anew."""
    path = Path(shutil.copy(KEPT / "vault-format-1", tmp_path / "vault"))
    box = Lockbox(path)
    box.unlock(word)
    assert box.get_password("VibeDesk/1", "openai") == "sk-proj-" + "f1" * 30
    assert box.get_password("VibeDesk/2", "groq") == "gsk_" + "f1" * 26
    box.set_password("VibeDesk/3", "openai", fake_key())
    again = Lockbox(path)
    again.unlock(word)
    assert again.get_password("VibeDesk/3", "openai") == fake_key()
    assert again.get_password("VibeDesk/2", "groq") == "gsk_" + "f1" * 26


def test_an_older_copy_put_back_opens_as_what_it_was(filled: Path) -> None:
    """What a backup does. Nothing tells it from the real one, so it is read for what it holds and never made empty."""
    older = filled.read_bytes()
    box = Lockbox(filled, lambda new: PASSPHRASE)
    box.set_password("VibeDesk/2", "groq", fake_key("g"))
    filled.write_bytes(older)
    assert box.get_password("VibeDesk/2", "groq") is None
    assert box.get_password("VibeDesk/1", "openai") == fake_key()
    assert filled.read_bytes() == older
    box.set_password("VibeDesk/2", "groq", fake_key("g"))
    assert box.get_password("VibeDesk/1", "openai") == fake_key()


def test_a_copy_from_before_the_passphrase_changed_is_locked_and_left_alone(filled: Path) -> None:
    older = filled.read_bytes()
    box = Lockbox(filled)
    box.unlock(PASSPHRASE)
    box.change_passphrase("another one entirely")
    filled.write_bytes(older)
    assert box.look().kind == "locked"
    assert filled.read_bytes() == older
    box.unlock(PASSPHRASE)
    assert box.get_password("VibeDesk/1", "openai") == fake_key()
