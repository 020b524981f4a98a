"""A server's background work: what is due is done by itself, by one of the servers, also after a restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from handrail import Held
from handrail.words.lifecycle import State
from tests.support import postgres
from tests.support.rail import POLICY, Desk, opened
from tests.support.server import Served, served
from tests.support.slack import SECRET, TOKEN, SlackStub, slack

VIA = POLICY.replace(
    "need: 1, answer_within: 4 h, if_no_answer: heads}",
    'need: 1, answer_within: 4 h, if_no_answer: heads, via: ["slack:#offers"]}',
)
SECONDS = 120.0


def refund(amount: int, reason: str) -> str:
    """Pay it back."""
    return "paid"


def ask(desk: Desk, tool: Callable[..., Any], task: str = "t") -> str:
    """A question; its action."""
    with desk.rail.session("support", task=task), pytest.raises(Held) as held:
        tool(500, "late")
    return held.value.action_id


def until(holds: Callable[[], Any]) -> None:
    """Look again and again, as there is nothing to wait on: the work is done in other processes."""
    ends, never = time.monotonic() + SECONDS, threading.Event()
    while not holds():
        assert time.monotonic() < ends, "it never happened"
        never.wait(0.05)


@contextmanager
def office(
    folder: Path, database: str, stub: SlackStub, count: int = 1, **env: str
) -> Iterator[list[Served]]:
    """Servers on one store, with Slack."""
    given = {
        "HANDRAIL_SLACK_BOT_TOKEN": TOKEN,
        "HANDRAIL_SLACK_SIGNING_SECRET": SECRET,
        "HANDRAIL_SLACK_API_URL": stub.url,
        **env,
    }
    with ExitStack() as stack:
        yield [stack.enter_context(served(folder, VIA, database=database, env=given)) for _ in range(count)]


@pytest.fixture(params=["sqlite", "loop", "procrastinate"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database(kind: str, tmp_path: Path, postgres_url: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'handrail.db'}"
        return
    with postgres.database(postgres_url) as url:
        yield url


def test_a_server_seals_expires_and_tells_by_itself(tmp_path: Path, database: str, kind: str) -> None:
    queue = "auto" if kind == "sqlite" else kind
    with (
        slack() as stub,
        office(tmp_path, database, stub, HANDRAIL_QUEUE=queue),
        opened(tmp_path, database, VIA, keeper=False) as desk,
    ):
        action = ask(desk, desk.rail.tool(refund))
        message = stub.posted()
        until(lambda: sealed(desk) >= 3)
        desk.sql("update seats set expires_at = 1, if_no_answer = 'reject'")
        until(lambda: desk.action(action).state is State.EXPIRED)
        stub.until(lambda: "Nobody answered in time" in str(message["blocks"]))
        assert len(stub.messages) == 1
        if kind == "procrastinate":
            assert jobs_schema(database) is not None


def test_two_servers_on_one_postgresql_tell_everything_once(tmp_path: Path, postgres_database: str) -> None:
    with (
        slack() as stub,
        office(tmp_path, postgres_database, stub, 2, HANDRAIL_QUEUE="procrastinate"),
        opened(tmp_path, postgres_database, VIA, keeper=False) as desk,
    ):
        tool = desk.rail.tool(refund)
        actions = [ask(desk, tool, f"t{number}") for number in range(10)]
        stub.posted(10)
        for action in actions:
            desk.vote(action)
        stub.until(lambda: all("Approved by" in str(each["blocks"]) for each in stub.messages))
        assert len(stub.messages) == 10
        assert len(stub.of("chat.update")) == 10


def test_a_slack_that_hangs_delays_no_vote_and_no_stop(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'handrail.db'}"
    with (
        slack() as stub,
        office(tmp_path, database, stub) as (server,),
        opened(tmp_path, database, VIA, keeper=False) as desk,
    ):
        stub.hanging.set()
        action = ask(desk, desk.rail.tool(refund))
        until(lambda: desk.app.store.read(lambda tx: tx.deliveries.listing("sending", 1)))
        desk.vote(action)
        assert desk.app.store.read(lambda tx: tx.deliveries.listing("sending", 1)), "it waited for Slack"
        assert desk.action(action).state is State.APPROVED
        with server.client() as client:
            assert client.get("/ready").status_code == 200
        assert server.stop() == 0


@pytest.mark.slow
def test_a_server_goes_on_after_postgresql_was_restarted(tmp_path: Path) -> None:
    with (
        slack() as stub,
        postgres.server() as own,
        postgres.database(own.start()) as database,
        office(tmp_path, database, stub, HANDRAIL_QUEUE="procrastinate"),
    ):
        with opened(tmp_path, database, VIA, keeper=False) as desk:
            ask(desk, desk.rail.tool(refund))
        stub.posted()
        own.stop()
        own.start()
        with opened(tmp_path, database, VIA, keeper=False) as desk:
            ask(desk, desk.rail.tool(refund), "after")
            stub.posted(2)


def jobs_schema(database: str) -> str | None:
    """The schema of the queue."""
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "select nspname from pg_namespace where nspname like 'handrail_jobs_%'"
        ).fetchone()
        return str(found[0]) if found else None


def sealed(desk: Desk) -> int:
    """How many entries are sealed."""
    head = desk.app.store.read(lambda tx: tx.journal.last_head())
    return head.size if head else 0


def test_a_queue_that_can_not_be_had_keeps_the_server_from_starting(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'handrail.db'}"
    with (
        slack() as stub,
        pytest.raises(AssertionError, match="only PostgreSQL has a queue"),
        ExitStack() as stack,
    ):
        stack.enter_context(office(tmp_path, database, stub, HANDRAIL_QUEUE="procrastinate"))
    assert not any("Traceback" in path.read_text() for path in tmp_path.glob("server-*.log"))


def test_a_server_that_died_at_work_leaves_nothing_undone(tmp_path: Path, postgres_database: str) -> None:
    with (
        slack() as stub,
        office(tmp_path, postgres_database, stub, 2, HANDRAIL_QUEUE="procrastinate") as (first, _),
        opened(tmp_path, postgres_database, VIA, keeper=False) as desk,
    ):
        tool = desk.rail.tool(refund)
        stub.hanging.set()
        ask(desk, tool)
        until(lambda: desk.app.store.read(lambda tx: tx.deliveries.listing("sending", 1)))
        first.process.kill()
        first.process.wait()
        stub.hanging.clear()
        stub.let_go.set()
        desk.sql("update deliveries set lease_until = 1 where state = 'sending'")
        until(lambda: desk.app.store.read(lambda tx: tx.deliveries.listing("sent", 1)))
        assert len(stub.messages) == 1
        ask(desk, tool, "next")
        stub.posted(2)


SHOP = '''
from pathlib import Path

import handrail

rail = handrail.connect()


@rail.tool
def refund(amount: int, reason: str) -> str:
    """Pay it back."""
    with Path("paid").open("a") as paid:
        paid.write(f"{amount}\\n")
    return "paid"
'''


def test_what_was_approved_runs_once_where_servers_have_the_tool(
    tmp_path: Path, postgres_database: str
) -> None:
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    args = ("--app", "shop:rail")
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(served(tmp_path, POLICY, database=postgres_database, args=args))
        desk = stack.enter_context(opened(tmp_path, postgres_database, POLICY, keeper=False))
        action = ask(desk, desk.rail.tool(refund))
        assert not (tmp_path / "paid").exists()
        desk.vote(action)
        until(lambda: desk.action(action).state is State.DONE)
        assert (tmp_path / "paid").read_text(encoding="utf-8") == "500\n"
