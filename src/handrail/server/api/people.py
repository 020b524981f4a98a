"""People with accounts: who there is, inviting, changing what they may do, and a new password."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Request, Response
from msgspec import UNSET, Meta, Struct, UnsetType

from handrail.engine.identity.accounts import person_id, set_active, set_away, set_role
from handrail.server.api.route import Who, answer, engine_of, reading, route, routes, store_of
from handrail.server.api.shapes import NAME, Moment, Taken, Word, maybe, moment
from handrail.server.auth import links
from handrail.server.auth.who import state_of
from handrail.words.errors import NotFound
from handrail.words.person import Person, Role

router = routes("people")
PersonId = Annotated[
    str,
    Path(pattern=NAME, max_length=320, description="The person's address.", examples=["lead@example.com"]),
]
Until = Annotated[datetime, Meta(tz=True)]


class PersonShape(Struct):
    """A person. Only admins see in which ways they sign in."""

    id: str
    name: str
    role: str
    active: bool
    away_until: Moment | None
    made_at: Moment
    password: bool | None
    second_factor: bool | None
    sign_on: bool | None
    slack: bool | None


class PersonList(Struct):
    """Every account, by address."""

    items: list[PersonShape]


class NewPerson(Taken):
    """Whom to invite."""

    id: Annotated[Word, Meta(description="The address that the policy's groups name.")]
    role: Role
    name: Word | None = None


class NewReset(Taken):
    """What ends beside the password: with the second factor, every sign-in."""

    second_factor: Annotated[
        Literal["keep", "end"], Meta(description="`end` when the person lost it: every sign-in ends, too.")
    ] = "keep"


class LinkShape(Struct):
    """A one-time link for its person, shown once."""

    person: str
    link: str


class PersonChange(Taken):
    """What is to be changed; what is left out stays. `away_until` null: they are back."""

    role: Role | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    away_until: Until | UnsetType | None = UNSET


@route(router, "GET /people", gives=PersonList)
def list_people(request: Request, caller: Who) -> Response:
    """List every account."""
    found = store_of(request).read(lambda tx: tx.people.listing())
    every = caller.role == Role.ADMIN
    return answer(PersonList([person_shape(each, every=every) for each in found]))


@route(
    router,
    "POST /people",
    takes=NewPerson,
    gives=LinkShape,
    status=201,
    said={"id": "lead@example.com", "role": "reviewer", "name": "Lea"},
    shown={"person": "lead@example.com", "link": "https://handrail.example.com/set-up?link=…"},
)
def invite_person(request: Request, caller: Who, given: Annotated[NewPerson, reading(NewPerson)]) -> Response:
    """Make an account, and the link with which its person sets a password."""
    state = state_of(request)
    made = person_id(given.id)
    link = links.invite(
        state.engine, state.settings.address(), made, given.name or made, given.role, caller.human().id
    )
    return answer(LinkShape(made, link), 201)


@route(router, "PATCH /people/{person}", takes=PersonChange, gives=PersonShape, said={"role": "viewer"})
def change_person(
    request: Request, caller: Who, person: PersonId, given: Annotated[PersonChange, reading(PersonChange)]
) -> Response:
    """Change what a person may do, switch their account off or on, or say that they are away."""
    engine, by, who = engine_of(request), caller.human().id, person_id(person)
    if given.role is not UNSET:
        set_role(engine, who, given.role, by)
    if given.active is not UNSET:
        set_active(engine, who, given.active, by)
    if given.away_until is not UNSET:
        set_away(engine, who, away(given.away_until), by)
    found = store_of(request).read(lambda tx: tx.people.get(who))
    if found is None:
        raise NotFound(f"there is no account {who}")
    return answer(person_shape(found, every=True))


@route(
    router,
    "POST /people/{person}/reset",
    takes=NewReset,
    gives=LinkShape,
    optional=True,
    said={"second_factor": "end"},
    shown={"person": "lead@example.com", "link": "https://handrail.example.com/set-up?link=…"},
)
def reset_person(
    request: Request,
    caller: Who,
    person: PersonId,
    given: Annotated[NewReset, reading(NewReset, optional=True)],
) -> Response:
    """Make a link with which a person sets a new password; a lost second factor ends at once."""
    state, who, ends = state_of(request), person_id(person), given.second_factor == "end"
    link = links.reset(state.engine, state.settings.address(), who, caller.human().id, end_second_factor=ends)
    return answer(LinkShape(who, link))


def person_shape(found: Person, *, every: bool) -> PersonShape:
    """A person as others see them; admins and the person see ``every`` part."""
    return PersonShape(
        found.id,
        found.name,
        found.role.value,
        found.active,
        maybe(found.away_until),
        moment(found.made_at),
        found.password is not None if every else None,
        found.totp is not None if every else None,
        found.oidc is not None if every else None,
        found.slack is not None if every else None,
    )


def away(until: datetime | None) -> int | None:
    """Until when, in milliseconds."""
    return None if until is None else int(until.timestamp() * 1000)
