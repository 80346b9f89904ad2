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

# Words are indexed where they stand: turns as they are said, answers once they have ended. `parents` says after which
# turn each lane was asked (JSON, lane → turn, "" = first; empty text = after the one before, as it was once).
_SEARCH = """
CREATE VIRTUAL TABLE turn_words USING fts5 (
    text, content = 'turns', tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3 4'
);
CREATE VIRTUAL TABLE answer_words USING fts5 (
    text, content = 'answers', tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3 4'
);
INSERT INTO turn_words (rowid, text) SELECT rowid, text FROM turns;
INSERT INTO answer_words (rowid, text) SELECT rowid, text FROM answers WHERE outcome IS NOT NULL;
CREATE TRIGGER turn_said AFTER INSERT ON turns BEGIN
    INSERT INTO turn_words (rowid, text) VALUES (new.rowid, new.text);
END;
CREATE TRIGGER turn_gone AFTER DELETE ON turns BEGIN
    INSERT INTO turn_words (turn_words, rowid, text) VALUES ('delete', old.rowid, old.text);
END;
CREATE TRIGGER answer_came_whole AFTER INSERT ON answers WHEN new.outcome IS NOT NULL BEGIN
    INSERT INTO answer_words (rowid, text) VALUES (new.rowid, new.text);
END;
CREATE TRIGGER answer_changed AFTER UPDATE OF text, outcome ON answers WHEN old.outcome IS NOT NULL BEGIN
    INSERT INTO answer_words (answer_words, rowid, text) VALUES ('delete', old.rowid, old.text);
END;
CREATE TRIGGER answer_ended AFTER UPDATE OF text, outcome ON answers WHEN new.outcome IS NOT NULL BEGIN
    INSERT INTO answer_words (rowid, text) VALUES (new.rowid, new.text);
END;
CREATE TRIGGER answer_gone AFTER DELETE ON answers WHEN old.outcome IS NOT NULL BEGIN
    INSERT INTO answer_words (answer_words, rowid, text) VALUES ('delete', old.rowid, old.text);
END;
CREATE INDEX answers_unfinished ON answers (conversation_id) WHERE outcome IS NULL;
ALTER TABLE turns ADD COLUMN parents TEXT NOT NULL DEFAULT '';
ALTER TABLE conversations ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'
"""

# What the router knows of providers and keys beyond one run (`engine.world.World` as JSON), in the one row there is.
_ROUTER_WORLD = """
CREATE TABLE router_world (id INTEGER PRIMARY KEY CHECK (id = 1), world TEXT NOT NULL)
"""

# The answer cache (key = hash of the question, answer = compressed JSON), and which requests a cache answered.
_CACHED_ANSWERS = """
CREATE TABLE kept_answers (
    key TEXT PRIMARY KEY, at TEXT NOT NULL, used TEXT NOT NULL, size INTEGER NOT NULL, answer BLOB NOT NULL
);
CREATE INDEX kept_answers_by_use ON kept_answers (used);
ALTER TABLE ledger ADD COLUMN cached INTEGER NOT NULL DEFAULT 0
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

MIGRATIONS: tuple[str, ...] = (_FIRST, _KEY_TERMS, _SEARCH, _ROUTER_WORLD, _CACHED_ANSWERS, _CONTESTS)
