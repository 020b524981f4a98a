"""What holds after a process was killed around a commit about a call of a model."""

from __future__ import annotations

from collections.abc import Sequence

from handrail.engine import jobs
from handrail.engine.models.calls import ModelGate
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.model_call import CallFilter, CallState, ModelCall
from tests.chaos.crashers import BOUND, asking, measured
from tests.chaos.site import Site


def of(site: Site, session: str) -> Sequence[ModelCall]:
    """The calls of a session."""
    return site.desk.app.store.read(lambda tx: tx.model_calls.listing(CallFilter(session=session)))


def held(site: Site, session: str) -> int:
    """What the calls of a session hold, or have spent, of all budgets together."""
    [(found,)] = site.desk.sql(
        "select coalesce(sum(coalesce(h.spent, h.quantity)), 0) from holds h "
        f"join model_calls c on c.id = h.holder where c.session = '{session}'"
    )
    return int(found)


def presumed(site: Site, session: str) -> None:
    """Wait until database time has passed the dead process's lease."""
    while of(site, session)[0].state is CallState.RUNNING:
        jobs.reap(site.desk.app.engine)


def claiming(site: Site, when: str) -> None:
    """Before, nothing was, so nothing was forwarded; after, it may have been: it is presumed spent."""
    session = site.order("call")
    site.crash("ask_model", Commit.MODEL_CLAIM, when, session)
    if when == "before":
        assert (list(of(site, session)), held(site, session)) == ([], 0)
    else:
        presumed(site, session)
        [call] = of(site, session)
        assert (call.state, call.presumed, call.cost) == (CallState.UNKNOWN, True, BOUND.cost)
        assert held(site, session) == BOUND.cost
    ModelGate(site.desk.app.engine).claim(asking(site.order("call")))


def settling(site: Site, when: str) -> None:
    """Before, it is presumed spent, and the truth may come late; after, it is told, once."""
    session = site.order("call")
    site.crash("settle_model", Commit.MODEL_SETTLE, when, session)
    if when == "before":
        presumed(site, session)
        assert held(site, session) == BOUND.cost
    [call] = of(site, session)
    gate = ModelGate(site.desk.app.engine)
    assert gate.settle(call, measured()) is (when == "before")
    assert not gate.settle(call, measured())
    [call] = of(site, session)
    assert (call.state, call.presumed, call.cost) == (CallState.DONE, False, measured().cost)
    assert held(site, session) == measured().cost
    done = [e for e in site.desk.entries() if e.kind is Kind.MODEL_DONE and e.session == session]
    assert len(done) == 1


def refusing(site: Site, when: str) -> None:
    """Nothing is forwarded either way; after, it is told of."""
    session = site.order("call")
    site.crash("refuse_model", Commit.MODEL_REFUSE, when, session)
    assert list(of(site, session)) == []
    told = [e for e in site.desk.entries() if e.kind is Kind.MODEL_REFUSED and e.session == session]
    assert len(told) == (when == "after")


MODEL_POINTS = {
    Commit.MODEL_CLAIM: claiming,
    Commit.MODEL_SETTLE: settling,
    Commit.MODEL_REFUSE: refusing,
}
