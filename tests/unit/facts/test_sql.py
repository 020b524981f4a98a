"""Facts from one read-only query that gives one row: on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from handrail.facts.sql import Database, SqlFact, SqliteDatabase, database, psycopg_style
from handrail.words.fact import Failed
from tests.support import postgres

TABLE = """
create table customers (id text, tier text, debt numeric, score float, note text);
insert into customers values
    ('c-1', 'vip', 10.10, 0.1, null), ('c-2', 'small', 0, 2, 'x'), ('c-2', 'twice', 0, 2, 'x');
"""
QUERY = "select tier, debt, score, note from customers where id = :id"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shop_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the shop's database."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("shop") / "shop.db"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(TABLE)
        connection.close()
        yield f"sqlite:///{path}"
        return
    with postgres.database(request.getfixturevalue("postgres_url")) as url:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(TABLE.encode())
        yield url


@pytest.fixture
def shop(shop_url: str) -> Iterator[Database]:
    """The shop's database, opened for facts."""
    opened = database(shop_url)
    yield opened
    opened.close()


def test_a_row_becomes_values_by_column_without_binary_floats(shop: Database) -> None:
    found = SqlFact(shop, QUERY)({"id": "c-1"})
    wanted = {"tier": "vip", "debt": Decimal("10.1"), "score": Decimal("0.1"), "note": None}
    assert found == wanted


@pytest.mark.parametrize(("who", "why"), [("c-9", "no row was found"), ("c-2", "more than one row")])
def test_no_row_or_several_is_a_failed_fact(shop: Database, who: str, why: str) -> None:
    found = SqlFact(shop, QUERY)({"id": who})
    assert isinstance(found, Failed)
    assert why in found.why


@pytest.mark.parametrize(
    "statement",
    ["delete from customers where id = :id", "update customers set tier = 'vip' where id = :id"],
)
def test_a_query_that_writes_fails_and_writes_nothing(shop: Database, statement: str) -> None:
    with pytest.raises((sqlite3.OperationalError, psycopg.errors.ReadOnlySqlTransaction)):
        SqlFact(shop, f"{statement} returning tier")({"id": "c-1"})
    assert SqlFact(shop, QUERY)({"id": "c-1"}) == {
        "tier": "vip",
        "debt": Decimal("10.1"),
        "score": Decimal("0.1"),
        "note": None,
    }


def test_a_parameter_is_never_read_as_sql(shop: Database) -> None:
    found = SqlFact(shop, QUERY)({"id": "x' or '1' = '1"})
    assert found == Failed("no row was found")


def test_percent_signs_casts_quotes_and_digits_in_names_mean_what_they_say(shop: Database) -> None:
    query = "select tier, ':id' as \"a:b\", 5 % 3 as rest from customers where id like '%1' and id = :id2"
    assert SqlFact(shop, query)({"id2": "c-1"}) == {"tier": "vip", "a:b": ":id", "rest": 2}


def test_an_amount_is_compared_as_a_number_also_where_no_column_says_so(tmp_path: Path) -> None:
    """Text would be greater than every number: a limit in an expression would always hold, or never."""
    shop = SqliteDatabase(str(_with_table(tmp_path)))
    fact = SqlFact(
        shop, "select 2 * 10 < :amount as over, :amount < 2 * 10 as under from customers where id = 'c-1'"
    )
    assert fact({"amount": Decimal("19.5")}) == {"over": 0, "under": 1}
    assert fact({"amount": Decimal("20.5")}) == {"over": 1, "under": 0}
    assert fact({"amount": Decimal(21)}) == {"over": 1, "under": 0}
    shop.close()


def test_a_decimal_that_sqlite_would_round_fails_the_fact(tmp_path: Path) -> None:
    """No rule decides on a number that is not the agent's own."""
    shop = SqliteDatabase(str(_with_table(tmp_path)))
    with pytest.raises(ValueError, match="would be rounded"):
        SqlFact(shop, "select :amount as a")({"amount": Decimal("0.10000000000000000001")})
    assert SqlFact(shop, "select :amount as a")({"amount": Decimal("0.1")}) == {"a": Decimal("0.1")}
    shop.close()


def _with_table(folder: Path) -> Path:
    path = folder / "shop.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(TABLE)
    return path


def test_an_exact_amount_as_a_parameter_compares_exactly(shop: Database) -> None:
    query = "select tier from customers where debt = :debt and id = 'c-1'"
    assert SqlFact(shop, query)({"debt": Decimal("10.10")}) == {"tier": "vip"}


def test_many_threads_may_ask_at_once(shop: Database) -> None:
    fact = SqlFact(shop, QUERY)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: fact({"id": "c-1"}), range(40)))
    assert all(each == found[0] for each in found)
    assert not isinstance(found[0], Failed)


def test_it_sees_what_was_written_since_the_last_question(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    writer = sqlite3.connect(path)
    writer.executescript(TABLE)
    shop = SqliteDatabase(str(path))
    fact = SqlFact(shop, "select tier from customers where id = :id")
    assert fact({"id": "c-1"}) == {"tier": "vip"}
    with writer:
        writer.execute("update customers set tier = 'banned' where id = 'c-1'")
    assert fact({"id": "c-1"}) == {"tier": "banned"}
    writer.close()
    shop.close()
    assert shop._free == []


def test_a_missing_file_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    shop = SqliteDatabase(str(tmp_path / "none.db"))
    with pytest.raises(sqlite3.OperationalError):
        shop.ask("select 1", {})
    assert not (tmp_path / "none.db").exists()


def test_a_database_of_no_known_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="'mysql' is no known database"):
        database("mysql://x")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("a = :b", "a = %(b)s"),
        ("a = :b2_C and x::text = ':d'", "a = %(b2_C)s and x::text = ':d'"),
        ("a like '50%' and b % 2 = :c", "a like '50%%' and b %% 2 = %(c)s"),
        ("a = ':x -- ' and b = :c -- :d\n and e = :f", "a = ':x -- ' and b = %(c)s -- :d\n and e = %(f)s"),
        ("/* :x */ a = 'it''s :y' and \":z\" = :c", "/* :x */ a = 'it''s :y' and \":z\" = %(c)s"),
    ],
)
def test_parameters_are_rewritten_only_where_they_are_parameters(given: str, wanted: str) -> None:
    assert psycopg_style(given) == wanted
