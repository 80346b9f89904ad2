"""What the screen says of the place where secrets are kept, in every state it can be in."""

from __future__ import annotations

from msgspec import Struct

from vibedesk.state.vault import Vault

WATCH_S = 2


class PlaceWords(Struct, frozen=True):
    """`chip` and its `role`; `sentence` "" = nothing needs to be said; `action` is the button's word, "" = none."""

    chip: str
    role: str
    sentence: str = ""
    action: str = ""
    offers_file: bool = False
    """The encrypted file is offered beside the action."""


def place_words(vault: Vault) -> PlaceWords:
    """For the state the vault is in now."""
    door, state = vault.door, vault.state
    if state is None:
        return PlaceWords("…", "neutral")
    name = state.where.partition(" · ")[0] or "The keychain"
    if door.is_waiting:
        return PlaceWords(
            "Waiting for its password", "warn", f"{name} asks for its password in its own window."
        )
    match state.kind:
        case "ready":
            return PlaceWords(state.where, "ok")
        case "locked" if state.is_file:
            text = "The encrypted file is locked. Keys stay listed; none can be used before it is open."
            return PlaceWords("Vault locked", "warn", text, "Unlock…" if door.can_ask else "Try again")
        case "locked":
            text = f"{state.reason} Keys stay listed; none can be used before it is open."
            return PlaceWords("Vault locked", "warn", text, "Unlock…")
        case "unavailable" if state.silent:
            text = f"{name} does not answer. Nothing is lost: it is looked at every {WATCH_S} s."
            return PlaceWords("Keychain does not answer", "bad", text, "Try again", offers_file=door.can_ask)
        case "absent" if state.is_file:
            text = "Keys go to an encrypted file, which is made when the first one is kept."
            return PlaceWords("No vault yet", "neutral", text, "Make it…" if door.can_ask else "")
        case "absent":
            text = f"{state.reason} One that starts later is noticed."
            return PlaceWords("No keychain", "neutral", text, "Try again", offers_file=door.can_ask)
    return PlaceWords(
        "Vault unavailable", "bad", state.reason, "Try again", offers_file=door.needs_file and door.can_ask
    )
