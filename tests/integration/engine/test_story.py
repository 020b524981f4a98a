"""The story of an action, a session on one axis, and the log as a file."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from handrail.engine.views.exports import COLUMNS, as_lines, as_table, within
from handrail.engine.views.story import Story, story
from handrail.engine.views.timeline import WIDTH, Timeline, timeline
from handrail.words.approval import Choice
from handrail.words.entry import Kind
from handrail.words.errors import Denied, Held, NotFound
from handrail.words.query import EntryFilter
from tests.support.rail import POLICY, Desk

HIDES = POLICY + "data: {redact: [args.reason]}\n"


def refunds(desk: Desk, *amounts: int, reason: str = "late") -> list[str]:
    """A session in which these are refunded; the ids of the actions."""

    @desk.rail.tool
    def refund(amount: int, reason: str) -> str:
        return f"{amount} refunded: {reason}"

    with desk.rail.session(agent="support", task="ticket 7"):
        for amount in amounts:
            try:
                refund(amount=amount, reason=reason)
            except (Held, Denied):
                continue
    return [each.id for each in desk.actions()][-len(amounts) :]


def of(desk: Desk, action: str, *, exact: bool = True) -> Story:
    """An action's story."""
    engine = desk.app.engine
    return engine.store.read(lambda tx: story(engine, tx, action, exact=exact))


def line(desk: Desk, session: str, after: str = "") -> Timeline:
    """A session's axis."""
    engine = desk.app.engine
    return engine.store.read(lambda tx: timeline(engine, tx, session, after))


def exported(desk: Desk, **wanted: Any) -> list[dict[str, Any]]:
    """The records of an export."""
    streams = desk.app.store.audit()
    try:
        return list(within(streams, EntryFilter(**wanted), None, None))
    finally:
        streams.close()


def test_a_story_tells_everything_in_order(desk: Desk) -> None:
    [action] = refunds(desk, 250)
    desk.vote(action, choice=Choice.REJECT, reason="Not without a receipt.")
    found = of(desk, action)
    assert [each.kind for each in found.told] == [
        *(Kind.PROPOSED, Kind.DECIDED, Kind.ASKED, Kind.VOTED, Kind.REJECTED),
    ]
    assert found.what == "support wanted to pay 250.00 USD with refund for “ticket 7”."
    assert [step[1] for step in found.told[1].steps if step[2] == "big"] == ["ask"]
    assert found.session is not None
    assert [each.action for each in found.questions] == [action]
    assert found.took is None


def test_what_ran_is_told_exactly_only_to_who_may_answer(open_desk: Any, store_url: str) -> None:
    desk: Desk = open_desk(store_url, HIDES)
    [action] = refunds(desk, 20, reason="a secret")
    exact, seen = of(desk, action), of(desk, action, exact=False)
    assert exact.payload is not None
    assert "a secret" in (exact.payload.args or "")
    assert exact.took is not None
    assert seen.payload is None
    assert "a secret" not in repr(seen.told[:2])


def test_an_action_that_is_not_there_has_no_story(one_desk: Desk) -> None:
    with pytest.raises(NotFound, match="no action 0000"):
        of(one_desk, "0000")
    with pytest.raises(NotFound, match="no session 0000"):
        line(one_desk, "0000")


def test_a_session_stands_on_one_axis_in_order(desk: Desk) -> None:
    ids = refunds(desk, 20, 250, 5_000)
    found = line(desk, desk.action(ids[0]).session)
    assert [bar.action.id for bar in found.bars] == ids
    assert [bar.ran is not None for bar in found.bars] == [True, False, False]
    assert found.bars[0].amount == "20.00 USD"
    for bar in found.bars:
        for part in filter(None, (bar.waited, bar.ran)):
            assert 0 <= part.at <= part.at + part.width <= WIDTH
    held = found.bars[1].waited
    assert held.at + held.width == WIDTH, "what waits goes on until now"
    assert found.more is None
    assert [bar.action.id for bar in line(desk, found.id, ids[0]).bars] == ids[1:]


def test_an_export_has_a_line_and_a_row_for_each_action(desk: Desk) -> None:
    refunds(desk, 20, 250, reason="=HYPERLINK(1)")
    lines = [json.loads(each) for each in as_lines(exported(desk, tool="refund"))]
    assert [each["decision"] for each in lines] == ["approved", "asked"]
    table = b"".join(as_table(exported(desk))).decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert tuple(rows[0]) == COLUMNS
    assert [row["state"] for row in rows] == ["done", "held"]
    assert json.loads(rows[0]["input"]) == {"amount": 20, "reason": "=HYPERLINK(1)"}
    assert exported(desk, tool="nothing") == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_nothing_in_a_table_is_a_formula(one_desk: Desk, text: str) -> None:
    refunds(one_desk, 20)
    [record] = exported(one_desk)
    table = b"".join(as_table([{**record, "task": text}])).decode()
    [row] = csv.DictReader(io.StringIO(table))
    assert row["task"] == f"'{text}"
