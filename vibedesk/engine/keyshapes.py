"""Does a text hold what looks like an API key? By shape alone: nothing has to be known (security X11)."""

from __future__ import annotations

import re

_SHAPES = (
    r"(?:sk-ant-|sk-or-v1-|sk-proj-|sk-svcacct-|sk-admin-|sk-|gsk_|csk-|tgp_v1_|xai-|cfut_|cfat_|cfk_|hf_|r8_|pplx-)[\w-]{16,400}",
    r"AIza[\w-]{30,60}|AQ\.[\w-]{20,200}",
    r"(?:ghp|gho|ghs|ghu)_\w{30,80}|github_pat_\w{40,120}|glpat-[\w-]{18,60}",
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",
    r"xox[abprs]-[\w-]{16,120}|sk_live_\w{16,120}|rk_live_\w{16,120}",
)
_KEY = re.compile(rf"(?<![\w-])(?:{'|'.join(_SHAPES)})(?![\w])")
_BLOCK = re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")


def key_in(text: str) -> str:
    """Where the first key-shaped text begins, as `sk-ant-…a1b2`, enough to find it; "" when there is none.

    Random characters hold digits and go on without a hyphen: `sk-learn-2024-is-no-key` does not count.
    """
    for found in _KEY.finditer(text):
        key = found[0]
        if sum(letter.isdigit() for letter in key) >= 2 and max(map(len, key.split("-"))) >= 12:
            prefix = re.match(r"[A-Za-z]+[-_.]?(?:[a-z0-9]{2,5}[-_])?", key)
            start = (prefix[0] if prefix else key)[:8]
            return f"{start}…{key[-4:]}"
    return "a private key" if _BLOCK.search(text) else ""
