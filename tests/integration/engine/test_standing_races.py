"""Standing approvals, budgets and answers, from several threads and processes: every count is right."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from handrail.engine.questions.standings import revoke_standing
from handrail.words.errors import Conflict, NotRun, Refused
from handrail.words.lifecycle import State
from handrail.words.person import Role
from tests.integration.engine.asking import account, held, opened, refund
from tests.integration.engine.conftest import Open
from tests.integration.engine.test_standings import UNIT, left, stand
from tests.support.rail import HEAD, LEAD, POLICY, SECOND, Desk

BUDGETS = POLICY.replace(
    "budgets:",
    """budgets:
  - {id: last, tools: refund, actions: 1000, per: day}
  - {id: first, tools: refund, actions: 1000, per: day}
  - {id: each, tools: refund, actions: 1000, per: day, each: args.order}""",
)
THREADS, CALLS, EACH = 8, 160, 20


def answer_all(desk: Desk, stop: threading.Event) -> None:
    """Somebody answers whatever is asked, while others call."""
    while not stop.wait(0.01):
        for asked in desk.app.store.read(lambda tx: tx.approvals.listing("open", 50)):
            with suppress(Conflict, Refused):
                desk.vote(asked.action, SECOND)


def test_eight_threads_of_two_processes_never_wait_for_each_other(shared_url: str, open_desk: Open) -> None:
    """A claim takes the standing approval's row, then every budget's, in one order; votes take neither."""
    desks = [open_desk(shared_url, BUDGETS), open_desk(shared_url, BUDGETS)]
    for each in desks:
        refund(each, 1)
    made = [
        stand(desks[0], actions=EACH, amount=100_000 * UNIT, when=f"args.order == 'o-{number}'")
        for number in range(3)
    ]
    stop = threading.Event()
    people = threading.Thread(target=answer_all, args=(desks[0], stop))
    people.start()

    def call(number: int) -> None:
        with suppress(NotRun):
            refund(desks[number % 2], 150, session=f"s{number % 4}", order=f"o-{number % 3}")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(call, range(CALLS)))
    stop.set()
    people.join()
    used = Counter(each.standing for each in desks[0].actions() if each.standing)
    for standing in made:
        assert left(desks[0], standing) == (
            EACH - used[standing.id],
            (100_000 - 150 * used[standing.id]) * UNIT,
        )
    assert sum(used.values()) == 3 * EACH
    assert desks[0].verified().ok


def test_revoked_while_calls_run_it_lets_none_start_after_that_returned(
    shared_url: str, open_desk: Open
) -> None:
    desk, other = open_desk(shared_url), open_desk(shared_url)
    for each in (desk, other):
        refund(each, 1)
    standing = stand(desk, actions=1_000, amount=1_000_000 * UNIT)
    ended = threading.Event()
    after: list[bool] = []

    def call(number: int) -> None:
        begun_after = ended.is_set()
        with suppress(NotRun):
            refund(other, 150, session=f"s{number}", order=f"o-{number}")
            after.append(begun_after)
        if number == 30:
            revoke_standing(desk.app.engine, standing.id, HEAD)
            ended.set()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(call, range(100)))
    assert any(after) is False
    used = [each for each in desk.actions() if each.standing]
    assert len(used) == len(after) == 1_000 - left(desk, standing)[0]


def test_the_author_for_whom_the_agent_works_lets_nothing_run_in_those_sessions(desk: Desk) -> None:
    """However either address is spelled."""
    refund(desk, 1)
    standing = stand(desk)
    opened(desk, "for the lead", behalf=" Lead@Example.com ")
    opened(desk, "for another", behalf=SECOND)
    held(desk, session="for the lead")
    assert refund(desk, session="for another", order="o-2") == ["o-2", 150.0, ""]
    assert left(desk, standing)[0] == 4


@pytest.mark.parametrize("change", [{"active": False}, {"role": Role.VIEWER}])
def test_an_author_who_may_answer_no_more_makes_none_and_lets_nothing_run(
    desk: Desk, change: dict[str, Any]
) -> None:
    refund(desk, 1)
    account(desk, LEAD)
    standing = stand(desk)
    account(desk, LEAD, **change)
    held(desk)
    with pytest.raises(Refused):
        stand(desk)
    account(desk, LEAD)
    assert refund(desk, order="o-2") == ["o-2", 150.0, ""]
    assert {each.state for each in desk.actions() if each.standing} == {State.DONE}
    assert left(desk, standing)[0] == 4
