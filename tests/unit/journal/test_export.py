"""An action's record is a fold over its entries: each way through the life cycle tells the right story."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from handrail.journal.export import FIRST, READ, record, records, rfc3339
from handrail.words.entry import Entry, Kind, StoredEntry

PROPOSED = {"input": {"amount": 5}, "digest": "d", "binding": "b", "confidence": 0.9, "rationale": "because"}
PASS = ["budget", "pass", "", "", ""]
ASK = ["ask", "ask", "big", "It is big.", "leads"]
DENY = ["deny", "deny", "huge", "It is huge.", ""]
CHECK = ["check", "pass", "pushy-words", "", ""]
QUESTION = {"approval": "q", "asks": [["ask:big", "leads"]], "expires_at": {"leads": 9_000}}
BESIDES = {
    *(Kind.POLICY_ACTIVATED, Kind.SESSION_OPENED, Kind.SESSION_ENDED, Kind.RESTORED, Kind.ERASED),
    *(Kind.HALTED, Kind.LIFTED, Kind.PROMOTED, Kind.DEMOTED, Kind.TOOL_REGISTERED, Kind.TOOL_ACCEPTED),
    *(Kind.PERSON_INVITED, Kind.PERSON_CHANGED, Kind.SIGNED_IN, Kind.SIGN_IN_FAILED, Kind.SIGNED_OUT),
    *(Kind.BUDGET_ALERT, Kind.BUDGET_OVERRUN, Kind.BUDGET_RAISED, Kind.BUDGET_RAISE_ENDED),
    *(Kind.BUDGET_FROZEN, Kind.BUDGET_THAWED, Kind.SESSION_HELD, Kind.SESSION_RELEASED),
    *(Kind.MODEL_ASKED, Kind.MODEL_DONE, Kind.MODEL_FAILED, Kind.MODEL_PRESUMED, Kind.MODEL_REFUSED),
    *(Kind.KEY_MADE, Kind.KEY_REVOKED, Kind.STANDING_MADE, Kind.STANDING_REVOKED),
}
"""Kinds of entries that are about no action, or change nothing in its record."""


def _decided(enforced: str, *steps: list[str], decision: str | None = None) -> dict[str, Any]:
    return {
        "decision": decision or enforced,
        "enforced": enforced,
        "rung": "bounded",
        "policy": "p",
        "steps": list(steps),
    }


def _entries(*told: tuple[Kind, dict[str, Any]], action: str = "a1") -> list[StoredEntry]:
    return [
        StoredEntry(
            number, Entry(kind, number * 1_000, msgspec.json.encode(body), action, "agent", "tool", "s", "t")
        )
        for number, (kind, body) in enumerate(told, start=1)
    ]


def _record(*told: tuple[Kind, dict[str, Any]]) -> dict[str, Any]:
    return record(_entries((Kind.PROPOSED, PROPOSED), *told))


ALLOW = (Kind.DECIDED, _decided("allow", PASS, CHECK))
HELD = ((Kind.DECIDED, _decided("ask", ASK)), (Kind.ASKED, QUESTION))
VOTE = (
    Kind.VOTED,
    {"approval": "q", "person": "ann", "choice": "approve", "verified": False, "reason": None},
)
APPROVED = (Kind.APPROVED, {"approval": "q", "runs_until": 1})
RESUMED = (Kind.RESUMED, {"approval": "q", "runs_until": 1, "reason": "there is room"})
AGAIN = (Kind.REDECIDED, _decided("allow", PASS))
RAN = (Kind.INTENDED, {"attempt": 1, "owner": "o"})
DONE = (Kind.DONE, {"output": "ok", "execution_time_ms": 1.25, "attempt": 1})
NO = (Kind.VOTED, {"approval": "q", "person": "bea", "choice": "reject", "verified": False, "reason": "no"})

STORIES: list[tuple[tuple[tuple[Kind, dict[str, Any]], ...], str, str, list[str]]] = [
    ((ALLOW,), "approved", "allowed", ["policy"]),
    ((ALLOW, RAN), "approved", "running", ["policy"]),
    ((ALLOW, RAN, DONE), "approved", "done", ["policy"]),
    ((ALLOW, RAN, (Kind.FAILED, {"error": "E"})), "approved", "failed", ["policy"]),
    ((ALLOW, RAN, (Kind.UNKNOWN, {"owner": "o"})), "approved", "unknown", ["policy"]),
    ((ALLOW, RAN, (Kind.UNKNOWN, {"owner": "o"}), DONE), "approved", "done", ["policy"]),
    (
        (ALLOW, RAN, (Kind.UNKNOWN, {}), (Kind.SETTLED, {"state": "failed", "person": "ann"})),
        "approved",
        "failed",
        ["policy"],
    ),
    (((Kind.DECIDED, _decided("deny", PASS, DENY)),), "denied", "denied", ["policy"]),
    (((Kind.DECIDED, _decided("shadow", ASK, decision="ask")),), "shadowed", "shadowed", ["policy"]),
    (HELD, "asked", "held", ["policy"]),
    ((*HELD, VOTE), "asked", "held", ["policy"]),
    ((*HELD, VOTE, APPROVED), "approved", "approved", ["ann"]),
    ((*HELD, VOTE, APPROVED, AGAIN, RAN, DONE), "approved", "done", ["ann"]),
    ((*HELD, VOTE, APPROVED, (Kind.REDECIDED, _decided("deny", DENY))), "denied", "denied", ["policy"]),
    ((*HELD, VOTE, APPROVED, (Kind.REDECIDED, _decided("ask", ASK))), "asked", "held", ["policy"]),
    (
        (*HELD, VOTE, NO, (Kind.REJECTED, {"approval": "q", "reason": "no"})),
        "rejected",
        "rejected",
        ["bea"],
    ),
    ((*HELD, (Kind.EXPIRED, {"approval": "q", "reason": "late"})), "expired", "expired", []),
    ((*HELD, VOTE, APPROVED, (Kind.EXPIRED, {"reason": "not run"})), "expired", "expired", []),
    ((*HELD, RESUMED), "approved", "approved", ["policy"]),
    ((*HELD, RESUMED, AGAIN, RAN, DONE), "approved", "done", ["policy"]),
    ((*HELD, (Kind.CANCELLED, {"reason": "gone"})), "cancelled", "cancelled", []),
]


@pytest.mark.parametrize(("story", "decision", "state", "by"), STORIES)
def test_each_story_ends_in_its_decision_its_state_and_its_deciders(
    story: tuple[tuple[Kind, dict[str, Any]], ...], decision: str, state: str, by: list[str]
) -> None:
    told = _record(*story)
    assert (told["decision"], told["state"], told["decided_by"]) == (decision, state, by)


def test_a_record_begins_with_the_ten_fields_in_their_order() -> None:
    told = _record(ALLOW, RAN, DONE)
    assert tuple(told)[:10] == FIRST
    assert [told[name] for name in FIRST] == [
        *("1970-01-01T00:00:01.000Z", "s", "tool", {"amount": 5}, "approved"),
        *(told["confidence"], ["budget_ok", "pushy_words_ok"], "ok", None, told["execution_time_ms"]),
    ]
    assert str(told["execution_time_ms"]) == "1.25"
    assert str(told["confidence"]) == "0.9"


def test_a_record_has_the_same_fields_whatever_happened() -> None:
    assert len({tuple(_record(*story)) for story, *_ in STORIES}) == 1


def test_questions_keep_votes_and_escalations() -> None:
    escalated = (Kind.ESCALATED, {"approval": "q", "audience": "leads", "from": "leads", "to": "heads"})
    (asked,) = _record(*HELD, escalated, VOTE, APPROVED)["questions"]
    assert asked["state"] == "approved"
    assert asked["asks"] == [{"step": "ask:big", "audience": "leads"}]
    assert asked["expires_at"] == {"leads": "1970-01-01T00:00:09.000Z"}
    assert [vote["person"] for vote in asked["votes"]] == ["ann"]
    assert [(each["from"], each["to"]) for each in asked["escalations"]] == [("leads", "heads")]


def test_a_manual_run_is_decided_by_its_person() -> None:
    told = record(_entries((Kind.PROPOSED, {**PROPOSED, "person": "ann"}), ALLOW, RAN, DONE))
    assert (told["by_hand"], told["decided_by"]) == ("ann", ["ann"])


def test_amounts_are_exact() -> None:
    told = _record((Kind.DECIDED, {**_decided("allow", PASS), "amount": 500_250_000_001}))
    assert str(told["amount"]) == "500.250000001"


def test_numbers_of_the_input_keep_their_digits() -> None:
    body = b'{"input":{"price":0.10000000000000000000001},"digest":"d","binding":"b"}'
    told = record([StoredEntry(1, Entry(Kind.PROPOSED, 0, body, "a", "g", "t", "s", None))])
    assert str(told["input"]["price"]) == "0.10000000000000000000001"


def test_actions_follow_each_other_and_nothing_is_mixed() -> None:
    one = _entries((Kind.PROPOSED, PROPOSED), ALLOW, action="a1")
    two = _entries((Kind.PROPOSED, PROPOSED), *HELD, action="a2")
    assert [(told["id"], told["decision"]) for told in records([*one, *two])] == [
        ("a1", "approved"),
        ("a2", "asked"),
    ]


def test_every_kind_of_entry_about_an_action_is_read() -> None:
    assert set(READ) == set(Kind) - BESIDES


def test_an_action_without_entries_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one entry"):
        record([])


def test_times_are_rfc_3339_in_utc_with_milliseconds() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_767_225_599_007) == "2025-12-31T23:59:59.007Z"


def test_memory_does_not_grow_with_the_number_of_actions() -> None:
    def many(count: int) -> Iterator[StoredEntry]:
        for number in range(count):
            yield from _entries((Kind.PROPOSED, PROPOSED), ALLOW, RAN, DONE, action=f"a{number}")

    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in records(many(count)):
            pass
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(3_000) < 2 * peak(30)
