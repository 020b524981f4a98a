"""What a fact says is what the running policy asks for, in every process, whatever its source gives."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from handrail.app import App, open_app
from handrail.engine.rail import Rail
from handrail.engine.restrict import activate
from handrail.policy.load import load
from handrail.words.errors import Denied, StoreError

ASKS = """
handrail: 1
agents: {{support: {{may: [send]}}}}
tools: {{send: {{does: send, starts: bounded, at_most: bounded}}}}
facts: {{customer: {{{source}, with: {{id: args.to}}}}}}
rules: [{{id: blocked, tools: send, when: 'customer.tier == "blocked"', deny: "Blocked."}}]
"""
OLD = 'sql: "select tier from customers where id = :id", database: shop'
NEW = 'sql: "select verdict as tier from customers where id = :id", database: shop'


def shop_in(folder: Path) -> str:
    """A shop whose customer 1 is fine by one column and blocked by the other."""
    with closing(sqlite3.connect(folder / "shop.db")) as connection, connection:
        connection.execute("create table customers (id integer, tier text, verdict text)")
        connection.execute("insert into customers values (1, 'fine', 'blocked')")
    return f"sqlite:///{folder / 'shop.db'}"


def process(folder: Path, source: str) -> App:
    """What one process has open on the folder's store."""
    policy = folder / "handrail.yaml"
    policy.write_text(ASKS.format(source=source), encoding="utf-8")
    shop = f"sqlite:///{folder / 'shop.db'}"
    return open_app(policy, database=f"sqlite:///{folder / 'h.db'}", databases={"shop": shop})


def sender(app: App) -> Callable[[], str]:
    """Sends to customer 1 as the agent."""
    rail = Rail(app.engine, app.close)

    @rail.tool
    def send(to: int) -> str:
        return f"sent to {to}"

    def call() -> str:
        with rail.session(agent="support", task="T-1"):
            return send(1)

    return call


def test_a_query_that_an_activated_policy_changed_is_asked_by_every_process_at_once(tmp_path: Path) -> None:
    """The old version's query would let by what the new version's denies."""
    shop_in(tmp_path)
    one, other = process(tmp_path, OLD), process(tmp_path, OLD)
    try:
        send_in_one = sender(one)
        assert send_in_one() == "sent to 1"
        activate(other.engine, load(ASKS.format(source=NEW), "handrail.yaml"), "ops@example.com", "check")
        with pytest.raises(Denied, match="Blocked"):
            send_in_one()
        activate(other.engine, load(ASKS.format(source=OLD), "handrail.yaml"), "ops@example.com", "back")
        assert send_in_one() == "sent to 1"
    finally:
        one.close()
        other.close()


def test_a_fact_whose_new_database_nobody_named_fails_and_denies(tmp_path: Path) -> None:
    """Taking a policy up never fails as a whole: what needs the fact is refused, with the reason."""
    shop_in(tmp_path)
    app = process(tmp_path, OLD)
    try:
        send = sender(app)
        assert send() == "sent to 1"
        elsewhere = OLD.replace("database: shop", "database: elsewhere")
        activate(app.engine, load(ASKS.format(source=elsewhere), "handrail.yaml"), "ops@example.com", "move")
        with pytest.raises(Denied, match="customer could not be had"):
            send()
    finally:
        app.close()


def test_a_registered_function_answers_for_as_long_as_the_policy_defines_the_fact_so(tmp_path: Path) -> None:
    """Once the policy asks a database, the application's function is no source any more."""
    shop_in(tmp_path)
    app = process(tmp_path, "python: json:loads")
    try:
        rail = Rail(app.engine, app.close)
        rail.fact("customer")(lambda id: {"tier": "fine"})  # noqa: A006 - the policy's parameter
        send = sender(app)
        assert send() == "sent to 1"
        same = ASKS.format(source="python: json:loads") + "# another text\n"
        activate(app.engine, load(same, "handrail.yaml"), "ops@example.com", "a comment")
        assert send() == "sent to 1"
        activate(app.engine, load(ASKS.format(source=NEW), "handrail.yaml"), "ops@example.com", "sql")
        with pytest.raises(Denied, match="Blocked"):
            send()
    finally:
        app.close()


class Mute(Exception):
    """An error that fails when it is asked for its text."""

    def __str__(self) -> str:
        """Not even that."""
        raise ValueError("no text")


@pytest.mark.parametrize("error", [Mute(), ValueError("half \ud800")], ids=["mute", "surrogate"])
def test_a_source_that_raises_anything_fails_its_fact_and_the_refusal_is_recorded(
    tmp_path: Path, error: Exception
) -> None:
    """Whatever a source raises, the action is denied by what reads the fact, never lost."""
    app = process(tmp_path, "python: json:loads")
    try:
        rail = Rail(app.engine, app.close)
        answers: list[Exception | dict[str, str]] = [error, {"tier": "fine"}]

        @rail.fact("customer")
        def customer(id: int) -> dict[str, str]:  # noqa: A002 - the policy's parameter
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        send = sender(app)
        with pytest.raises(Denied, match="customer could not be had"):
            send()
        assert send() == "sent to 1"
    finally:
        app.close()


def test_a_query_with_two_columns_of_one_name_fails_its_fact(tmp_path: Path) -> None:
    """A join often gives them; which one a rule would read is nobody's guess to make."""
    shop_in(tmp_path)
    twice = OLD.replace("select tier", "select tier, verdict as tier")
    app = process(tmp_path, twice)
    try:
        send = sender(app)
        with pytest.raises(Denied, match="two columns are named tier"):
            send()
        activate(app.engine, load(ASKS.format(source=OLD), "handrail.yaml"), "ops@example.com", "one")
        assert send() == "sent to 1"
    finally:
        app.close()


def test_a_stored_policy_whose_text_was_altered_runs_nothing_and_says_so(tmp_path: Path) -> None:
    """The active version is named by its digest; another text under that name was activated by nobody."""
    shop_in(tmp_path)
    app = process(tmp_path, NEW)
    app.close()
    with closing(sqlite3.connect(tmp_path / "h.db")) as store, store:
        plain = store.execute("select files from policies").fetchone()[0]
        store.execute("update policies set files = ?", (plain.replace("blocked", "nothing"),))
    with pytest.raises(StoreError, match="not what was activated"):
        process(tmp_path, NEW)
    with closing(sqlite3.connect(tmp_path / "h.db")) as store, store:
        store.execute("update policies set files = ?", (plain,))
    app = process(tmp_path, NEW)
    try:
        with pytest.raises(Denied, match="Blocked"):
            sender(app)()
    finally:
        app.close()
