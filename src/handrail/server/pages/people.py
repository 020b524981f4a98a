"""People and roles: who there is and what they may do; an admin invites, changes and signs them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from handrail.engine.identity.accounts import person_id, set_active, set_away, set_role
from handrail.engine.identity.sign_ins import end_sign_in
from handrail.server.auth import links
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages.doing import day_of, fresh, tried
from handrail.server.pages.drawing import NOTHING, go, page
from handrail.words.errors import BadArguments, HandrailError, NotFound, StoreError
from handrail.words.person import Person, Role, one_spelling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from handrail.engine.core import Engine
    from handrail.ports import Transaction

router = APIRouter(include_in_schema=False, prefix="/people")
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Admin = Annotated[Caller, Depends(allow("admin"))]
Text = Annotated[str, Form()]
HERE = "/people"
ROLES = (
    (Role.VIEWER.value, "viewer: looks"),
    (Role.REVIEWER.value, "reviewer: also answers questions and stops agents"),
    (Role.ADMIN.value, "admin: also steers, lets go and manages"),
)


@router.get("")
def listed(request: Request, caller: Viewer) -> Response:
    """Everybody with an account, and whom the policy asks who has none."""
    engine = state_of(request).engine
    engine.refresh()

    def work(tx: Transaction) -> tuple[Sequence[Person], set[str]]:
        everybody = tx.people.listing()
        without = (each.id for each in everybody if each.password is None and each.oidc is None)
        return everybody, {each for each in without if not tx.people.sign_ins(each)}

    found, awaited = state_of(request).store.read(work)
    known = {each.id for each in found}
    groups = _groups(engine)
    return fresh(
        request,
        "people.html",
        people=found,
        awaited=awaited,
        groups=groups,
        missing={person: named for person, named in groups.items() if person not in known},
        manages=caller.role == Role.ADMIN,
        roles=ROLES,
    )


@router.get("/person")
def shown(request: Request, caller: Admin, who: str) -> Response:
    """One person, for an admin."""
    del caller
    engine = state_of(request).engine

    def work(person: str) -> tuple[Person | None, object]:
        return engine.store.read(lambda tx: (tx.people.get(person), tx.people.sign_ins(person)))

    found, sign_ins = work(one_spelling(who))
    if found is None:
        raise NotFound(f"there is no account {who[:60]}")
    groups = _groups(engine).get(found.id, [])
    return fresh(request, "person.html", person=found, sign_ins=sign_ins, roles=ROLES, groups=groups)


@router.post("")
def invite(request: Request, caller: Admin, person: Text, role: Text, name: Text = "") -> Response:
    """Make an account; the link is shown once."""
    state = state_of(request)

    def make() -> tuple[str, str]:
        made = person_id(person)
        by = caller.human().id
        link = links.invite(state.engine, state.settings.address(), made, name or made, _role(role), by)
        return made, link

    what = "They come in with it and choose a password. It works for three days, once."
    return _linked(request, make, what, typed={"person": person, "name": name, "role": role})


@router.post("/role")
def change_role(request: Request, caller: Admin, who: Text, role: Text) -> Response:
    """Change what a person may do."""

    def act() -> str:
        after = set_role(state_of(request).engine, one_spelling(who), _role(role), caller.human().id)
        return f"{after.name} is {'an admin' if after.role is Role.ADMIN else f'a {after.role}'} now."

    return tried(request, _path(who), act)


@router.post("/active")
def switch(request: Request, caller: Admin, who: Text, active: Text) -> Response:
    """Switch an account off, which signs its person out everywhere, or on again."""

    def act() -> str:
        on = active == "on"
        after = set_active(state_of(request).engine, one_spelling(who), on, caller.human().id)
        return f"{after.name} may sign in again." if on else f"{after.name} is signed out, and can't come in."

    return tried(request, _path(who), act)


@router.post("/away")
def leave(request: Request, caller: Admin, who: Text, back: Text = "") -> Response:
    """Say on which day a person is back."""

    def act() -> str:
        until = day_of(request, back)
        after = set_away(state_of(request).engine, one_spelling(who), until, caller.human().id)
        return f"{after.name} is here." if until is None else f"{after.name} is away until {back}."

    return tried(request, _path(who), act)


@router.post("/reset")
def reset(request: Request, caller: Admin, who: Text, end_second_factor: Text = "") -> Response:
    """A link with which a person sets a new password; a lost second factor ends with it."""
    state, person = state_of(request), one_spelling(who)

    def make() -> tuple[str, str]:
        ends, by = end_second_factor == "on", caller.human().id
        link = links.reset(state.engine, state.settings.address(), person, by, end_second_factor=ends)
        return person, link

    return _linked(
        request, make, "They choose a new password with it. It works for an hour, once.", _path(who)
    )


@router.post("/sign-out")
def sign_out(request: Request, caller: Admin, who: Text, sign_in: Text = "") -> Response:
    """End one sign-in of a person, or all."""

    def act() -> str:
        count = end_sign_in(state_of(request).engine, one_spelling(who), sign_in or None, caller.human().id)
        return f"Signed out in {count} browser{'' if count == 1 else 's'}."

    return tried(request, _path(who), act)


def _linked(
    request: Request,
    make: Callable[[], tuple[str, str]],
    what: str,
    back: str = HERE,
    typed: Mapping[str, str] = NOTHING,
) -> Response:
    """Show a new link: only now, since nobody keeps it."""
    try:
        person, link = make()
    except StoreError:
        raise
    except HandrailError as error:
        return go(request, back, str(error), bad=True, typed=typed)
    return page(request, "once.html", 201, title=f"A link for {person}", secret=link, what=what, back=back)


def _role(word: str) -> Role:
    try:
        return Role(word)
    except ValueError as error:
        raise BadArguments(f"{word[:40]!r} is no role; expected one of {', '.join(Role)}") from error


def _groups(engine: Engine) -> dict[str, list[str]]:
    """For each person whom the policy asks, in which groups."""
    found: dict[str, list[str]] = {}
    for name, group in engine.policy.policy.approvers.items():
        for person in group.people:
            found.setdefault(one_spelling(person), []).append(name)
    return found


def _path(who: str) -> str:
    return f"{HERE}/person?who={quote(who)}"
