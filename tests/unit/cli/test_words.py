"""Small parts of the command line: exit codes, short ids, templates, names, one-line entries."""

from __future__ import annotations

import getpass

import msgspec
import pytest

from handrail.cli import person, shorts, templates
from handrail.cli.exits import MEANING, Exit, code_of
from handrail.cli.grants import MEANS, Word
from handrail.journal.told import entry_json, summary
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
        "on trial, it would run",
    ),
    Kind.REDECIDED: (
        {"decision": "deny", "enforced": "deny", "steps": [["deny", "deny", "x", "No.", ""]]},
        "denied: No.",
    ),
    Kind.ASKED: ({"asks": [["ask:a", "leads"], ["ask:b", "heads"]]}, "asks heads, leads"),
    Kind.VOTED: ({"person": "ann", "choice": "approve", "reason": "seen"}, "ann: approve (seen)"),
    Kind.ESCALATED: ({"from": "leads", "to": "heads"}, "leads did not answer, heads is asked"),
    Kind.REJECTED: ({"reason": "no"}, "no"),
    Kind.EXPIRED: ({"reason": "late"}, "late"),
    Kind.CANCELLED: ({}, "no reason was given"),
    Kind.EDITED: (
        {"person": "ann", "superseded_by": "0123456789", "reason": "less"},
        "ann: now action 23456789 (less)",
    ),
    Kind.ANSWERED: ({"person": "ann", "text": "Ask for a photo."}, "ann: Ask for a photo."),
    Kind.RESUMED: (
        {"reason": "there is room in the budget daily again"},
        "there is room in the budget daily again",
    ),
    Kind.STANDING_MADE: ({"person": "ann", "actions": 20, "reason": "x"}, "ann: the next 20 (x)"),
    Kind.STANDING_USED: (
        {"standing": "0123456789", "person": "ann"},
        "standing approval 23456789 of ann",
    ),
    Kind.STANDING_REVOKED: ({"standing": "0123456789", "person": "ann"}, "23456789, by ann"),
    Kind.DONE: ({"output": "ok", "execution_time_ms": 2.5}, '2.5 ms: "ok"'),
    Kind.FAILED: ({"error": "E", "nothing_done": True}, "E (nothing was done)"),
    Kind.SETTLED: ({"person": "ann", "state": "done"}, "ann: done"),
    Kind.HALTED: ({"person": "ann", "agent": None, "tool": None, "reason": "x"}, "everything, by ann (x)"),
    Kind.LIFTED: ({"halt": "0123456789", "person": "ann"}, "the stop 23456789 ended, by ann"),
    Kind.PROMOTED: (
        {"from": "shadow", "to": "bounded", "person": "ann"},
        "from on trial to within limits, by ann",
    ),
    Kind.DEMOTED: (
        {"from": "bounded", "to": "shadow", "person": "ann"},
        "from within limits to on trial, by ann",
    ),
    Kind.BUDGET_ALERT: ({"budget": "mails", "percent": 50}, "50% of mails"),
    Kind.BUDGET_OVERRUN: ({"budget": "testing"}, "more was spent of testing than was set aside"),
    Kind.BUDGET_RAISED: ({"budget": "mails", "person": "ann", "reason": "x"}, "mails, by ann (x)"),
    Kind.BUDGET_RAISE_ENDED: ({"budget": "mails", "person": "ann", "reason": "x"}, "mails, by ann (x)"),
    Kind.BUDGET_FROZEN: ({"budget": "mails", "person": "ann", "reason": "odd"}, "mails, by ann (odd)"),
    Kind.BUDGET_THAWED: ({"budget": "mails", "person": "ann", "reason": "well"}, "mails, by ann (well)"),
    Kind.SESSION_HELD: ({"reason": "it loops", "person": "the loop breaker"}, "it loops (the loop breaker)"),
    Kind.SESSION_RELEASED: ({"reason": "seen", "person": "ann"}, "seen (ann)"),
    Kind.MODEL_ASKED: ({"model": "gpt-5"}, "gpt-5"),
    Kind.MODEL_DONE: (
        {"model": "gpt-5", "milliseconds": 1_500, "usage": {"input": 1_200, "output": 80}},
        "gpt-5 in 1,500 ms, 1,200 input, 80 output tokens",
    ),
    Kind.MODEL_FAILED: ({"model": "gpt-5", "error": "it hung up"}, "gpt-5: it hung up"),
    Kind.MODEL_PRESUMED: ({"model": "gpt-5"}, "gpt-5: taken for spent at the most that it could cost"),
    Kind.MODEL_REFUSED: (
        {"model": "gpt-5", "reason": "nobody may call it", "before": 3},
        "gpt-5: nobody may call it (and 3 times before)",
    ),
    Kind.POLICY_ACTIVATED: ({"policy": "0123456789abcdef", "person": "ann"}, "version 0123456789ab, by ann"),
    Kind.APPROVED: ({"approval": "q"}, "everybody who was asked agrees: it may run"),
    Kind.INTENDED: ({"attempt": 2, "owner": "desk-1"}, "in the process desk-1, attempt 2"),
    Kind.UNKNOWN: (
        {"owner": "desk-1"},
        "the process desk-1 fell silent: nobody knows whether it took effect",
    ),
    Kind.SESSION_OPENED: (
        {"by": "key shop", "behalf": "bea", "inside": "0123456789"},
        "by key shop, for bea, inside session 23456789",
    ),
    Kind.SESSION_ENDED: ({"by": "ann"}, "by ann"),
    Kind.TOOL_REGISTERED: (
        {"tool": "pay", "binding": "0123456789abcdef", "by": "shop", "accepted": False},
        "pay, version 0123456789ab, by shop: waits until a person accepts it",
    ),
    Kind.TOOL_ACCEPTED: (
        {"tool": "pay", "binding": "0123456789abcdef", "person": "ann"},
        "pay, version 0123456789ab, by ann",
    ),
    Kind.PERSON_INVITED: ({"person": "bea", "role": "reviewer", "by": "ann"}, "bea as reviewer, by ann"),
    Kind.PERSON_CHANGED: (
        {"person": "bea", "by": "ann", "role": "admin", "active": True, "second_factor": False},
        "bea: now admin, account switched on, without a second factor, by ann",
    ),
    Kind.SIGNED_IN: ({"person": "bea", "address": "::1", "how": "password"}, "bea, by password, from ::1"),
    Kind.SIGN_IN_FAILED: ({"person": None, "address": "::1"}, "somebody unknown, from ::1"),
    Kind.SIGNED_OUT: ({"person": "bea", "by": "bea", "browsers": 2}, "bea, in 2 browsers"),
    Kind.KEY_MADE: ({"name": "shop", "agents": ["a", "b"], "by": "ann"}, "shop, for a, b, by ann"),
    Kind.KEY_REVOKED: ({"name": "shop", "by": "ann", "reason": "lost"}, "shop, by ann (lost)"),
    Kind.ERASED: (
        {"payloads": 1, "ended_before": 9},
        "exact arguments and output of 1 action, whose time was over",
    ),
    Kind.RESTORED: ({"what": "a backup of Monday", "person": "ann"}, "from a backup of Monday, by ann"),
}


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_of_entry_is_told_in_a_few_words(kind: Kind) -> None:
    body, told = BODIES[kind]
    assert summary(Entry(kind, 0, msgspec.json.encode(body))) == told


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
