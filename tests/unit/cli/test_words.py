"""Small parts of the command line: exit codes, short ids, templates, names, one-line entries."""

from __future__ import annotations

import getpass

import msgspec
import pytest

from handrail.cli import person, shorts, templates
from handrail.cli.entries import TOLD, entry_json, summary
from handrail.cli.exits import MEANING, Exit, code_of
from handrail.cli.grants import MEANS, Word
from handrail.words.entry import Entry, Kind, StoredEntry
from handrail.words.errors import (
    Conflict,
    HandrailError,
    NotFound,
    OutcomeUnrecorded,
    PolicyError,
    Refused,
    StoreError,
)
from handrail.words.level import WORDS
from handrail.words.restriction import Halt

BODIES: dict[Kind, tuple[dict[str, object], str]] = {
    Kind.PROPOSED: ({"input": {"a": 1}}, '{"a":1}'),
    Kind.DECIDED: (
        {"decision": "allow", "enforced": "shadow", "steps": [["budget", "pass", "", "", ""]]},
        "on trial, would allow",
    ),
    Kind.REDECIDED: (
        {"decision": "deny", "enforced": "deny", "steps": [["deny", "deny", "x", "No.", ""]]},
        "deny: No.",
    ),
    Kind.ASKED: ({"asks": [["ask:a", "leads"], ["ask:b", "heads"]]}, "asks heads, leads"),
    Kind.VOTED: ({"person": "ann", "choice": "approve", "reason": "seen"}, "ann: approve (seen)"),
    Kind.ESCALATED: ({"from": "leads", "to": "heads"}, "leads did not answer, heads is asked"),
    Kind.REJECTED: ({"reason": "no"}, "no"),
    Kind.EXPIRED: ({"reason": "late"}, "late"),
    Kind.CANCELLED: ({}, ""),
    Kind.DONE: ({"output": "ok", "execution_time_ms": 2.5}, '2.5 ms: "ok"'),
    Kind.FAILED: ({"error": "E", "nothing_done": True}, "E (nothing was done)"),
    Kind.SETTLED: ({"person": "ann", "state": "done"}, "ann: done"),
    Kind.HALTED: ({"person": "ann", "agent": None, "tool": None, "reason": "x"}, "everything, by ann (x)"),
    Kind.LIFTED: ({"halt": "0123456789", "person": "ann"}, "halt 23456789, by ann"),
    Kind.PROMOTED: ({"from": "shadow", "to": "bounded", "person": "ann"}, "shadow to bounded, by ann"),
    Kind.DEMOTED: ({"from": "bounded", "to": "shadow", "person": "ann"}, "bounded to shadow, by ann"),
    Kind.POLICY_ACTIVATED: ({"policy": "0123456789abcdef", "person": "ann"}, "version 0123456789ab, by ann"),
}


@pytest.mark.parametrize("kind", list(TOLD))
def test_each_kind_of_entry_is_told_in_a_few_words(kind: Kind) -> None:
    body, told = BODIES[kind]
    assert summary(Entry(kind, 0, msgspec.json.encode(body))) == told


def test_an_entry_without_more_to_tell_tells_nothing() -> None:
    assert summary(Entry(Kind.INTENDED, 0, b'{"attempt":1}')) == ""


def test_an_entry_as_json_has_the_body_that_was_sealed() -> None:
    body = b'{"price":0.10000000000000000000001}'
    shown = msgspec.json.encode(entry_json(StoredEntry(7, Entry(Kind.DONE, 0, body, "a"))))
    assert body in shown


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (HandrailError("x"), Exit.NOT_DONE),
        (Refused("x"), Exit.NOT_DONE),
        (PolicyError(()), Exit.NOT_DONE),
        (Conflict("x"), Exit.NOT_DONE),
        (NotFound("x"), Exit.NOT_FOUND),
        (StoreError("x"), Exit.STORE),
        (OutcomeUnrecorded("a", None), Exit.STORE),
    ],
)
def test_each_error_ends_in_its_exit_code(error: HandrailError, code: Exit) -> None:
    assert code_of(error) is code


def test_every_exit_code_has_a_meaning() -> None:
    assert list(MEANING) == list(Exit)


def test_an_ending_names_exactly_one() -> None:
    halts = [Halt(each, None, None, "r", "ann", 0) for each in ("aa11", "bb11", "cc22")]
    assert shorts.halt(halts, "22").id == "cc22"
    assert shorts.halt(halts, "A11").id == "aa11"
    with pytest.raises(Conflict, match="more digits"):
        shorts.halt(halts, "11")
    for missing in ("33", "", " "):
        with pytest.raises(NotFound):
            shorts.halt(halts, missing)


def test_a_short_id_is_the_random_end() -> None:
    assert shorts.short("0123456789abcdef") == "89abcdef"
    assert shorts.short(None) == ""


def test_a_person_is_named_or_the_user_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "zoe")
    assert person.person_of(None) == "zoe"
    assert person.person_of("ann") == "ann"
    with pytest.raises(Refused, match="--as"):
        person.person_of(" ")


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert person.person_of(None).startswith("user ")


def test_every_template_says_what_it_is_for() -> None:
    assert templates.names()
    for name in templates.names():
        assert templates.about(name)
        assert templates.text(name).startswith("#")


@pytest.mark.parametrize("name", ["nothing", "", "../__init__", "refunds.yaml"])
def test_an_unknown_template_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        templates.text(name)


def test_the_rungs_of_the_command_line_are_those_of_the_policy() -> None:
    assert [word.value for word in Word] == list(WORDS)
    assert {rung.word for rung in MEANS} == set(WORDS)
