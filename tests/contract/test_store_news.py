"""The store's contract for news: every commit is heard, by whoever listens, in every process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from handrail.ports import Commit, News, Store
from handrail.store.postgres import PostgresStore
from handrail.words.errors import StoreError
from tests.contract.conftest import Opener
from tests.contract.test_store_processes import forked
from tests.contract.things import entry, restrict, write
from tests.support import postgres

SOON, QUIET = 120.0, 0.2
"""Seconds: longer than news ever takes, and long enough to hear that there is none."""


def tell(store: Store) -> None:
    write(store, lambda tx: tx.journal.append([entry()]))


def silent(news: News) -> None:
    """Wait until what was told before has been heard: one commit may be heard twice."""
    while news.wait(QUIET):
        pass


@pytest.fixture
def news(store: Store) -> Iterator[News]:
    """News of the store, in which nothing has happened for a while."""
    with closing(store.news()) as found:
        silent(found)
        yield found


@pytest.mark.parametrize("change", [write, restrict])
def test_a_commit_is_heard(store: Store, news: News, change: Callable[[Store, object], None]) -> None:
    """Before, there is silence, and after it was heard."""
    assert not news.wait(0)
    change(store, lambda tx: tx.journal.append([entry()]))
    assert news.wait(SOON)
    silent(news)
    assert not news.wait(0)


def test_many_commits_are_news_until_the_last(store: Store, news: News) -> None:
    """However they are gathered, whoever looks after each news has seen the last."""

    def tell_all() -> None:
        for _ in range(200):
            tell(store)

    with ThreadPoolExecutor() as pool:
        done = pool.submit(tell_all)
        seen = 0
        while seen < 200:
            assert news.wait(SOON)
            seen = len(store.read(lambda tx: tx.journal.after(0, 999)))
        done.result()


def test_everyone_who_listens_hears_it(store: Store, news: News) -> None:
    """One does not take it from the other."""
    with closing(store.news()) as other:
        tell(store)
        assert news.wait(SOON)
        assert other.wait(SOON)


def test_what_failed_is_no_news(store: Store, news: News) -> None:
    """Nothing happened."""

    def work(_: object) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        write(store, work)
    assert not news.wait(QUIET)


def test_waiting_has_an_end(store: Store, news: News) -> None:
    """To within a little."""
    begun = time.monotonic()
    assert not news.wait(QUIET)
    assert QUIET * 0.9 < time.monotonic() - begun < SOON


def test_who_waits_is_woken_by_closing(store: Store) -> None:
    """At once, with no news; and closing twice does no harm."""
    news = store.news()
    silent(news)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(news.wait, 60)
        threading.Timer(QUIET, news.close).start()
        assert not waiting.result(SOON)
    news.close()
    assert not news.wait(0)
    tell(store)


def test_closing_a_store_ends_its_news(opener: Opener) -> None:
    """Who waits is woken, and no connection is left open."""
    store = opener()
    news = store.news()
    silent(news)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(news.wait, 60)
        threading.Timer(QUIET, store.close).start()
        assert not waiting.result(SOON)
    assert not news.wait(0)


def test_another_process_is_heard(opener: Opener) -> None:
    """Two stores on one database do not know each other."""
    mine, other = opener(), opener()
    with closing(mine.news()) as news:
        silent(news)
        tell(other)
        assert news.wait(SOON)


def test_who_follows_the_journal_by_news_misses_nothing_and_sees_nothing_twice(opener: Opener) -> None:
    """Six threads write through two stores, in transactions that overlap; a third reads what is settled."""
    writers, reader = [opener(), opener()], opener()
    bodies = {b"%d-%d" % (thread, number) for thread in range(6) for number in range(40)}

    def write_all(thread: int) -> None:
        for number in range(40):
            told = [entry(body=b"%d-%d" % (thread, number)), entry(body=b"more")]
            write(writers[thread % 2], lambda tx, told=told: tx.journal.append(told))  # type: ignore[misc]

    seen: list[bytes] = []
    cursors: list[tuple[int, ...]] = []
    after: str | None = None
    with ThreadPoolExecutor() as pool, closing(reader.news()) as news:
        writing = [pool.submit(write_all, thread) for thread in range(6)]
        while len(seen) < 2 * len(bodies):
            page = reader.read(lambda tx, after=after: tx.journal.settled(after, 7))  # type: ignore[misc]
            if not page:
                assert news.wait(SOON)
                continue
            seen += [stored.entry.body for _, stored in page]
            cursors += [tuple(map(int, cursor.split("."))) for cursor, _ in page]
            after = page[-1][0]
        for each in writing:
            each.result()
    assert cursors == sorted(set(cursors))
    assert sorted(body for body in seen if body != b"more") == sorted(bodies)
    assert reader.read(lambda tx: tx.journal.settled(after, 9)) == []


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_heard_and_hears(opener: Opener) -> None:
    """With connections and a thread of its own."""
    store = opener()
    tell(store)
    with closing(store.news()) as news:
        silent(news)

        def act() -> None:
            with closing(store.news()) as mine:
                silent(mine)
                tell(store)
                assert mine.wait(SOON)
            store.close()

        forked(act)
        assert news.wait(SOON)
        silent(news)
        tell(store)
        assert news.wait(SOON)


class TestPostgres:
    def test_a_heartbeat_and_a_seal_are_no_news(self, postgres_opener: Opener) -> None:
        """They come again and again; the twin is any other commit."""
        store = postgres_opener()
        with closing(store.news()) as news:
            for commit in (Commit.BEAT, Commit.SEAL):
                store.write(commit, lambda tx: tx.journal.append([entry()]))
            assert not news.wait(QUIET)
            store.write(Commit.REAP, lambda tx: tx.journal.append([entry()]))
            assert news.wait(SOON)

    def test_a_halt_by_hand_is_heard(self, postgres_opener: Opener, postgres_database: str) -> None:
        """Whoever answers for running actions must learn of it at once."""
        store = postgres_opener()
        with closing(store.news()) as news, psycopg.connect(postgres_database, autocommit=True) as by_hand:
            assert not news.wait(QUIET)
            by_hand.execute("select handrail.halt_everything('odd', 'ann')")
            assert news.wait(SOON)

    def test_notices_of_many_commits_are_few(self, postgres_opener: Opener) -> None:
        """At most one each ten milliseconds; the last commit is always followed by one."""
        store = postgres_opener()
        assert isinstance(store, PostgresStore)
        with store._settings.connect() as connection:
            connection.execute("LISTEN handrail")
            begun = time.monotonic()
            for _ in range(300):
                tell(store)
            lasted = time.monotonic() - begun
            store.close()
            heard = list(connection.notifies(timeout=QUIET))
        assert 1 <= len(heard) <= lasted / 0.01 + 2

    def test_the_last_commit_before_closing_is_heard(self, postgres_opener: Opener) -> None:
        """Also the one that came too soon after another to have been told of when the store closes."""
        store = postgres_opener()
        assert isinstance(store, PostgresStore)
        with store._settings.connect() as connection:
            connection.execute("LISTEN handrail")
            tell(store)
            assert list(connection.notifies(timeout=SOON, stop_after=1))
            tell(store)
            store.close()
            assert list(connection.notifies(timeout=SOON, stop_after=1))

    def test_a_lost_connection_is_news_and_is_made_anew(
        self, postgres_opener: Opener, postgres_database: str
    ) -> None:
        """Both that of the listener and that of the crier: something may have been missed."""
        store = postgres_opener()
        with closing(store.news()) as news:
            tell(store)
            silent(news)
            with psycopg.connect(postgres_database, autocommit=True) as operator:
                operator.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname = current_database() and pid <> pg_backend_pid()"
                )
            assert news.wait(SOON)
            silent(news)
            tell(store)
            assert news.wait(SOON)

    def test_a_server_that_is_gone_is_no_news_until_it_is_back(self) -> None:
        """Commits fail then, and say so; who listens only waits. When it is back, that is news."""
        with postgres.server(postgres.FAST) as server:
            store = PostgresStore(server.start())
            news = store.news()
            tell(store)
            silent(news)
            server.stop()
            assert news.wait(SOON)
            assert not news.wait(QUIET)
            store._crier.cry()
            with pytest.raises(StoreError):
                tell(store)
            with pytest.raises(StoreError):
                store.news()
            server.start()
            assert news.wait(SOON)
            silent(news)
            tell(store)
            assert news.wait(SOON)
            news.close()
            store.close()

    def test_after_closing_nothing_is_left(self, postgres_opener: Opener) -> None:
        """No thread, and none is begun again."""
        store = postgres_opener()
        assert isinstance(store, PostgresStore)
        before = set(threading.enumerate())
        tell(store)
        crying = set(threading.enumerate()) - before
        assert [thread.name for thread in crying] == ["handrail-crier"]
        store.close()
        store._crier.cry()
        assert not set(threading.enumerate()) - before
