"""A real SIGKILL before and after every commit: nothing runs twice or is lost, nobody else is touched."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handrail.engine import jobs
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from tests.chaos import points
from tests.chaos.keeping_points import KEEPING_POINTS
from tests.chaos.model_points import MODEL_POINTS
from tests.chaos.people_points import PEOPLE_POINTS
from tests.chaos.site import LONG, POLICY, Place, Site, job_of
from tests.support import postgres
from tests.support.nursery import Ended, Nursery
from tests.support.rail import opened


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A folder and the URL of a store that all crashes of this module share."""
    folder = tmp_path_factory.mktemp("site")
    if request.param == "sqlite":
        yield folder, f"sqlite:///{folder / 'handrail.db'}"
        return
    with postgres.database(request.getfixturevalue("postgres_url")) as url:
        yield folder, url


@pytest.fixture(scope="module")
def site(store: Place, processes: Nursery) -> Iterator[Site]:
    """A desk that lives on while others die, with an action of its own that runs all the time."""
    folder, url = store
    with opened(folder, url, POLICY, LONG, keeper=False) as desk:
        started, go = threading.Event(), threading.Event()

        @desk.rail.tool
        def pay(order: str, amount: float) -> str:
            with (folder / "witness").open("a") as file:
                file.write(f"{order}\n")
            return "paid"

        @desk.rail.tool
        def work() -> str:
            started.set()
            assert go.wait(120)
            return "worked"

        def bystander() -> None:
            with desk.rail.session("bystander", "t"):
                outputs.append(work())

        outputs: list[str] = []
        thread = threading.Thread(target=bystander)
        thread.start()
        assert started.wait(120)
        yield Site(desk, folder, processes, pay)
        go.set()
        thread.join()
        assert outputs == ["worked"]
        assert not desk.actions(State.RUNNING)


POINTS: dict[Commit, Callable[[Site, str], None]] = {
    Commit.PROPOSE: points.proposing,
    Commit.SETTLE: points.settling,
    Commit.BEAT: points.beating,
    Commit.RECHECK: points.rechecking,
    Commit.REAP: points.reaping,
    Commit.EXPIRE: points.expiring,
    Commit.GO_ON: points.going_on,
    Commit.CHUNK: points.chunking,
    Commit.VOTE: points.voting,
    Commit.HALT: points.halting,
    Commit.LIFT: points.lifting,
    Commit.GRANT: points.granting,
    Commit.ACTIVATE: points.activating,
    Commit.RESOLVE: points.resolving,
    Commit.SEAL: points.sealing,
    **PEOPLE_POINTS,
    **KEEPING_POINTS,
    **MODEL_POINTS,
}
FIRST_POINTS = ("set-up", Commit.START, Commit.ACTIVATE)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("commit", POINTS, ids=str)
def test_a_process_killed_around_a_commit_loses_nothing_and_repeats_nothing(
    site: Site, commit: Commit, when: str
) -> None:
    POINTS[commit](site, when)
    site.sound()
    order = site.order()
    with site.desk.rail.session("victim", "t"):
        assert site.pay(order, 5) == "paid"
    site.sound()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("commit", FIRST_POINTS, ids=str)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_process_killed_while_it_makes_a_store_leaves_one_that_opens_and_works(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    processes: Nursery,
    kind: str,
    commit: Commit | str,
    when: str,
) -> None:
    url = f"sqlite:///{tmp_path / 'handrail.db'}"
    if kind == "postgres":
        url = request.getfixturevalue("postgres_database")
    policy = tmp_path / "handrail.yaml"
    policy.write_text(POLICY)
    ended: list[Ended] = processes.run(
        [job_of(str(policy), url, tmp_path / "witness", "open", commit, when, "")]
    )
    assert ended[0].code == -signal.SIGKILL, ended[0].stderr
    with opened(tmp_path, url, POLICY) as desk:

        @desk.rail.tool
        def pay(order: str, amount: float) -> str:
            return "paid"

        with desk.rail.session("victim", "t"):
            assert pay("o", 5) == "paid"
        assert desk.kinds().count(Kind.POLICY_ACTIVATED) == 1
        jobs.seal(desk.app.engine)
        assert desk.verified().ok
