"""An answer beside the schema it was asked to follow."""

from __future__ import annotations

import json

import pytest

from vibedesk.state.held import LONGEST_FAULT, fault_of, schema_fault

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
        "required": ["name"],
    }
)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ('{"name": "Ada"}', ""),
        ('{"name": "Ada", "tags": ["a"]}', ""),
        ('{"tags": []}', 'The answer: "name" is a required property'),
        ('{"name": "Ada", "tags": [1]}', 'tags[0]: 1 is not of type "string"'),
        ("Sure! Here it is: {}", "It is not JSON (line 1, column 1)."),
        ('```json\n{"name": "Ada"}\n```', "It is not JSON (line 1, column 1)."),
        ("", "It is not JSON (line 1, column 1)."),
        ("[" * 100_000, "It is nested too deeply."),
    ],
)
def test_a_fault_is_said_in_a_sentence_with_its_place(answer: str, fault: str) -> None:
    assert fault_of(SCHEMA, answer) == fault


def test_a_long_fault_is_shortened() -> None:
    assert len(fault_of(SCHEMA, json.dumps({"name": ["x" * 5_000]}))) <= LONGEST_FAULT


@pytest.mark.parametrize(
    ("schema", "sound"),
    [
        (SCHEMA, True),
        ('{"type": "nothing"}', False),
        ("{", False),
        ("[]", False),
        ('{"$ref": "https://example.org/schema.json"}', False),
        ('{"$ref": "file:///etc/passwd"}', False),
        ('{"type": "string", "pattern": "("}', False),
    ],
)
def test_a_schema_is_looked_at_before_it_is_asked_with_and_nothing_is_fetched(
    schema: str, sound: bool
) -> None:
    assert (schema_fault(schema) == "") is sound


def test_a_hostile_pattern_takes_no_longer_than_a_kind_one() -> None:
    """Backtracking would take 2^40 steps: patterns run in linear time, or are refused."""
    schema = json.dumps({"type": "string", "pattern": "^(a+)+$"})
    assert fault_of(schema, json.dumps("a" * 40 + "!"))
    assert schema_fault(json.dumps({"type": "string", "pattern": "(?=a)b\\1"}))
