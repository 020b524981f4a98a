"""The office: the server, the agents' rails and lines to it, their tools, and the people at their desks."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import handrail
from handrail.app import open_store, operator, read_policy
from handrail.demo.colleagues import Colleagues, signed_in
from handrail.demo.folder import VISITOR
from handrail.demo.line import Line
from handrail.demo.sink import outbox
from handrail.demo.site import ENTRANCE, Site, serving
from handrail.demo.stand_in import serving as standing_in
from handrail.demo.tools import Desk, Office
from handrail.engine.identity import accounts
from handrail.engine.identity.keys import make_key
from handrail.engine.questions.approvals import sits_on
from handrail.server.auth.keys import digest_of, new_key_secret, shown
from handrail.words.person import KeyKind, Role

if TYPE_CHECKING:
    from handrail.demo.company import Ticket
    from handrail.demo.folder import Folder
    from handrail.engine.core import Engine
    from handrail.engine.rail import Rail
    from handrail.policy.model import Policy
    from handrail.ports import Store
    from handrail.words.approval import Approval

VISITORS_NAME = "You, the owner"
HOST = "the demo"
STAND_IN = "HANDRAIL_UPSTREAM_SHOP_URL"
"""The server's setting for where the model is that stands in for a real one."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An office at work."""

    site: Site
    policy: Policy
    engine: Engine
    """The server's store, as people at the host reach it: for accounts, keys and looking on."""
    rails: Mapping[str, Rail]
    """For each agent one, with a key that can only propose, report and ask models."""
    lines: Mapping[str, Line]
    """For each agent one, with the same key."""
    tools: Sequence[Callable[..., Any]]
    colleagues: Colleagues

    @property
    def store(self) -> Store:
        """What happened."""
        return self.engine.store


@contextmanager
def opened(
    folder: Folder, inbox: Sequence[Ticket], upstreams: Mapping[str, str] | None = None
) -> Iterator[Opened]:
    """Open the office on ``folder`` while the block runs, with a model that knows what to say to ``inbox``.

    ``upstreams`` are settings of the server for real models.

    Raises:
        handrail.HandrailError: the policy, the store or the server can't be used.
        OSError: the outbox can't be made.
    """
    policy = read_policy(folder.policy)
    with ExitStack() as stack:
        # rails close last: what waits in them for an answer ends when the server does
        rails = stack.enter_context(ExitStack())
        office = Office(folder.database, *stack.enter_context(outbox(folder.outbox)))
        told = {STAND_IN: f"{stack.enter_context(standing_in(inbox))}/v1", **(upstreams or {})}
        site = stack.enter_context(serving(folder, told))
        store = open_store(folder.store_url)
        stack.callback(store.close)
        engine = operator(store)
        people = {person for group in policy.approvers.values() for person in group.people} - {VISITOR}
        keys = {agent: _key(engine, agent) for agent in policy.agents}
        links = {person: _invited(engine, person, site) for person in sorted(people)}
        yield Opened(
            site,
            policy,
            engine,
            {agent: rails.enter_context(handrail.connect(site.url, key=key)) for agent, key in keys.items()},
            {agent: rails.enter_context(closing(Line(site.url, key))) for agent, key in keys.items()},
            Desk(office).tools(),
            stack.enter_context(signed_in(site.url, links)),
        )


def visitors_link(office: Opened) -> str:
    """A new link that lets the visitor in as an admin, once, within an hour; earlier ones end."""
    secret = secrets.token_urlsafe(32)
    if office.store.read(lambda tx: tx.people.get(VISITOR)) is None:
        accounts.invite(office.engine, VISITOR, VISITORS_NAME, Role.ADMIN, digest_of(secret), HOST)
    else:
        accounts.reset_link(office.engine, VISITOR, digest_of(secret), HOST)
    return _link(office.site, secret)


def who_may(policy: Policy, question: Approval) -> str | None:
    """A colleague who can answer this question all alone."""
    groups = policy.approvers
    people = dict.fromkeys(person for group in groups.values() for person in group.people)
    alone = (one for one in people if all(sits_on(groups, seat, one) for seat in question.seats))
    return next((one for one in alone if one != VISITOR), None)


def _invited(engine: Engine, person: str, site: Site) -> str:
    secret = secrets.token_urlsafe(32)
    name = person.partition("@")[0].capitalize()
    accounts.invite(engine, person, name, Role.REVIEWER, digest_of(secret), HOST)
    return _link(site, secret)


def _link(site: Site, secret: str) -> str:
    return f"{site.url}{ENTRANCE}?link={secret}"


def _key(engine: Engine, agent: str) -> str:
    secret, digest = new_key_secret()
    made = make_key(engine, KeyKind.AGENT, f"the agent {agent}", [agent], digest, HOST)
    return shown(made.kind, made.id, secret)
