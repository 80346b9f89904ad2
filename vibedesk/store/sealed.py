"""The bytes of the encrypted file: a data key wrapped once for each way to unlock it, and the entries under that key.

    magic and format (16) · length of the header (4, big-endian) · header (JSON) · entries (AES-256-GCM) · SHA-256 (32)

The header carries every parameter and is authenticated together with the entries; the digest at the end tells a
damaged file from a wrong passphrase. Each write has a fresh salt (the key of the entries is derived from it and
the data key) and a fresh nonce; each way to unlock has a salt, a nonce and Argon2id parameters of its own, and
parameters outside `BOUNDS` are refused before any work is done.
"""

from __future__ import annotations

import base64
import hashlib
import os
import unicodedata
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

if TYPE_CHECKING:  # it is loaded when it is used: most starts need no vault
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"VIBEDESK VAULT\n\x01"
LARGEST = 16 << 20
LARGEST_HEADER = 4096
PADDING = 512

Method = Literal["passphrase", "recovery"]
Entries = dict[str, dict[str, str]]


class Damaged(Exception):
    """These bytes are not a vault as it was written; the message says in a few words what is off."""


class WrongWord(Exception):
    """Neither the passphrase nor the recovery code of this vault."""


class Cost(Struct, frozen=True, forbid_unknown_fields=True):
    """Argon2id: 64 MiB three times over, 0.2 to 0.4 s on a machine of 2026."""

    memory_kib: int = 65536
    iterations: int = 3
    lanes: int = 4


COST = Cost()
BOUNDS = {"memory_kib": (65536, 262144), "iterations": (3, 10), "lanes": (1, 8)}


class Slot(Struct, frozen=True, forbid_unknown_fields=True):
    """The data key, wrapped under what one method derives from its word."""

    method: Method
    cost: Cost
    salt: bytes
    nonce: bytes
    wrapped: bytes


class Header(Struct, frozen=True, forbid_unknown_fields=True):
    slots: tuple[Slot, ...]
    salt: bytes
    nonce: bytes


class Sealed(Struct, frozen=True):
    """A file taken apart: `authenticated` is all that stands before the entries."""

    header: Header
    authenticated: bytes
    body: bytes


def new_data_key() -> bytes:
    return os.urandom(32)


def new_recovery_code() -> str:
    """160 random bits as eight groups of four letters and digits."""
    code = base64.b32encode(os.urandom(20)).decode()
    return "-".join(code[start : start + 4] for start in range(0, 32, 4))


def wrap(method: Method, word: str, data_key: bytes, cost: Cost = COST) -> Slot:
    """One way to unlock. Takes a third of a second, by intention."""
    salt, nonce = os.urandom(16), os.urandom(12)
    blank = Slot(method, cost, salt, nonce, b"")
    wrapped = _aead(_derive(blank, word)).encrypt(nonce, data_key, _bound_to(blank))
    return Slot(method, cost, salt, nonce, wrapped)


def unlock(sealed: Sealed, word: str) -> bytes:
    """The data key, by the passphrase or the recovery code. Raises `WrongWord`."""
    from cryptography.exceptions import InvalidTag

    for slot in sealed.header.slots:
        if slot.method == "recovery" and len(_recovery_letters(word)) != 32:
            continue
        try:
            data_key = _aead(_derive(slot, word)).decrypt(slot.nonce, slot.wrapped, _bound_to(slot))
        except InvalidTag:
            continue
        return data_key
    raise WrongWord


def seal(slots: tuple[Slot, ...], data_key: bytes, entries: Entries) -> bytes:
    """The whole file."""
    header = Header(slots, os.urandom(32), os.urandom(12))
    written = msgspec.json.encode(header)
    authenticated = MAGIC + len(written).to_bytes(4, "big") + written
    plain = msgspec.json.encode(entries)
    # Blanks after JSON mean nothing, and the size of the file then says little about the keys in it.
    plain += b" " * (-len(plain) % PADDING)
    body = _aead(_body_key(data_key, header.salt)).encrypt(header.nonce, plain, authenticated)
    whole = authenticated + body
    return whole + hashlib.sha256(whole).digest()


def take_apart(whole: bytes) -> Sealed:
    """The parts of a file that is sound in form. Raises `Damaged`; does no expensive work."""
    if len(whole) > LARGEST:
        raise Damaged("it is too large")
    if whole[: len(MAGIC) - 1] != MAGIC[:-1] or len(whole) < len(MAGIC) + 4 + 32:
        raise Damaged("it is not a VibeDesk vault")
    if whole[len(MAGIC) - 1] != MAGIC[-1]:
        raise Damaged("its format is newer than this VibeDesk")
    if hashlib.sha256(whole[:-32]).digest() != whole[-32:]:
        raise Damaged("it was changed or cut short")
    start = len(MAGIC) + 4
    length = int.from_bytes(whole[start - 4 : start], "big")
    if length > min(LARGEST_HEADER, len(whole) - start - 32):
        raise Damaged("its header is too long")
    try:
        header = msgspec.json.decode(whole[start : start + length], type=Header)
    except msgspec.DecodeError as problem:
        raise Damaged("its header makes no sense") from problem
    _check(header)
    return Sealed(header, whole[: start + length], whole[start + length : -32])


def read_entries(sealed: Sealed, data_key: bytes) -> Entries:
    """What is in it. Raises `Damaged` where the data key is not its own or anything was tampered with."""
    from cryptography.exceptions import InvalidTag

    header = sealed.header
    try:
        plain = _aead(_body_key(data_key, header.salt)).decrypt(
            header.nonce, sealed.body, sealed.authenticated
        )
        return msgspec.json.decode(plain, type=Entries)
    except (InvalidTag, msgspec.DecodeError) as problem:
        raise Damaged("it was changed") from problem


def _check(header: Header) -> None:
    if not 1 <= len(header.slots) <= 4 or len(header.salt) != 32 or len(header.nonce) != 12:
        raise Damaged("its header makes no sense")
    for slot in header.slots:
        if (len(slot.salt), len(slot.nonce), len(slot.wrapped)) != (16, 12, 48):
            raise Damaged("its header makes no sense")
        for name, (least, most) in BOUNDS.items():
            if not least <= getattr(slot.cost, name) <= most:
                raise Damaged("it asks for an absurd amount of work")


def _derive(slot: Slot, word: str) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    letters = _recovery_letters(word) if slot.method == "recovery" else unicodedata.normalize("NFC", word)
    argon = Argon2id(
        salt=slot.salt,
        length=32,
        iterations=slot.cost.iterations,
        lanes=slot.cost.lanes,
        memory_cost=slot.cost.memory_kib,
    )
    return argon.derive(letters.encode("utf-8", "surrogatepass"))


def _recovery_letters(word: str) -> str:
    """A code as typed by hand: case, blanks and dashes aside; the digits that are no code letters read as theirs."""
    letters = word.upper().translate(str.maketrans("018", "OIB"))
    return "".join(letter for letter in letters if letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def _bound_to(slot: Slot) -> bytes:
    return MAGIC + msgspec.json.encode((slot.method, slot.cost, slot.salt))


def _body_key(data_key: bytes, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt, b"vibedesk vault entries").derive(data_key)


def _aead(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
