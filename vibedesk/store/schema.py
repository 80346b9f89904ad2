"""The tables, as the list of steps that made them: a step that was released is never changed, only followed."""

from __future__ import annotations

# Times are ISO 8601 in UTC, money is a decimal number as text (never REAL), lists and structs are JSON.
_FIRST = """
CREATE TABLE keys (
    id TEXT PRIMARY KEY, provider TEXT NOT NULL, label TEXT NOT NULL, hint TEXT NOT NULL, origin TEXT NOT
    NULL,
    enabled INTEGER NOT NULL DEFAULT 1, position INTEGER NOT NULL, created TEXT NOT NULL
);
CREATE TABLE key_notes (
    key_id TEXT PRIMARY KEY, state TEXT NOT NULL DEFAULT 'untested', checked TEXT, last_used TEXT
);
CREATE TABLE conversations (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL, lanes TEXT NOT
    NULL
);
CREATE INDEX conversations_by_time ON conversations (updated);
CREATE TABLE turns (
    id TEXT PRIMARY KEY, conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    position INTEGER NOT NULL, text TEXT NOT NULL, created TEXT NOT NULL, lanes TEXT NOT NULL
);
CREATE INDEX turns_of_conversation ON turns (conversation_id, position);
CREATE TABLE images (
    turn_id TEXT NOT NULL REFERENCES turns ON DELETE CASCADE, position INTEGER NOT NULL,
    media_type TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (turn_id, position)
);
CREATE TABLE answers (
    id TEXT PRIMARY KEY, conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    turn_id TEXT NOT NULL REFERENCES turns ON DELETE CASCADE, lane_id TEXT NOT NULL,
    created TEXT NOT NULL, replaced INTEGER NOT NULL, outcome TEXT, text TEXT NOT NULL, rest TEXT NOT NULL
);
CREATE INDEX answers_of_conversation ON answers (conversation_id, created);
CREATE INDEX answers_of_turn ON answers (turn_id);
CREATE TABLE ledger (
    request_id TEXT PRIMARY KEY, at TEXT NOT NULL, deployment TEXT NOT NULL, model TEXT NOT NULL,
    via TEXT NOT NULL, key TEXT NOT NULL, outcome TEXT NOT NULL, kind TEXT NOT NULL,
    input_tokens INTEGER, output_tokens INTEGER, cost_usd TEXT, unpriced INTEGER NOT NULL,
    took_s REAL NOT NULL, ttft_s REAL, attempts INTEGER NOT NULL, conversation_id TEXT
);
CREATE INDEX ledger_by_time ON ledger (at);
CREATE TABLE ledger_attempts (
    request_id TEXT NOT NULL REFERENCES ledger ON DELETE CASCADE, position INTEGER NOT NULL,
    deployment TEXT NOT NULL, key_id TEXT NOT NULL, via TEXT NOT NULL, status INTEGER, outcome TEXT NOT NULL,
    kind TEXT, input_tokens INTEGER, output_tokens INTEGER, cost_usd TEXT, unpriced INTEGER NOT NULL,
    attempt TEXT NOT NULL, PRIMARY KEY (request_id, position)
)
"""

# What the user says of a key, wherever it is kept (limits is JSON), and what its last check learnt (JSON).
_KEY_TERMS = """
CREATE TABLE key_terms (
    key_id TEXT PRIMARY KEY, limits TEXT NOT NULL DEFAULT '{}', scope TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT ''
);
ALTER TABLE key_notes ADD COLUMN passport TEXT NOT NULL DEFAULT '{}'
"""

# Blind comparisons: the one that is open in a conversation, and the votes, which outlive it. Lanes saved under a name.
_CONTESTS = """
CREATE TABLE contests (
    conversation_id TEXT PRIMARY KEY REFERENCES conversations ON DELETE CASCADE, since INTEGER NOT NULL
);
CREATE TABLE votes (
    id TEXT PRIMARY KEY, at TEXT NOT NULL, tag TEXT NOT NULL, contenders TEXT NOT NULL, choice INTEGER NOT NULL
);
CREATE INDEX votes_by_time ON votes (at);
CREATE TABLE lane_sets (name TEXT PRIMARY KEY, lanes TEXT NOT NULL)
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _KEY_TERMS, _CONTESTS)
