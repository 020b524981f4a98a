"""The policy: what runs and ran, checking another text, seeing what it would change, and taking it up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.datastructures import FormData, UploadFile

from handrail.engine.restrict import activate
from handrail.policy.diff.changes import Change, diff
from handrail.policy.load import load_stored
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.checking import loaded
from handrail.server.pages.doing import fresh, tried
from handrail.server.pages.drawing import page
from handrail.server.pages.lines import differences
from handrail.words.errors import BadArguments, NotFound, PolicyError

if TYPE_CHECKING:
    from handrail.policy.model import Policy
    from handrail.ports import Transaction

router = APIRouter(include_in_schema=False, prefix="/policy")
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Admin = Annotated[Caller, Depends(allow("admin"))]
Text = Annotated[str, Form()]
HERE = "/policy"
NAME = "handrail.yaml"
FILE = "file."
"""Before a file's name in the form."""
UPLOADS = 50
VERSIONS = 50
AROUND = 2
"""Lines that are shown before and after one with a mistake."""
NOT_TEXT = "the file {} is not text in UTF-8"
Files = dict[str, str]


async def given_files(request: Request) -> tuple[str, Files]:
    """The main file's name and every text of the form; an uploaded file takes the place of the typed one."""
    form = await request.form(max_files=UPLOADS)
    typed = {
        name.removeprefix(FILE): text.replace("\r\n", "\n")
        for name, text in form.items()
        if name.startswith(FILE) and isinstance(text, str)
    }
    name = form.get("name")
    return name if isinstance(name, str) and name else NAME, {**typed, **await _uploaded(form)}


@router.get("")
def shown(request: Request, caller: Viewer) -> Response:
    """The running version, and those before it."""
    del caller

    def work(tx: Transaction) -> tuple[str | None, tuple[str, Files] | None, Any]:
        active = tx.restrictions.read().policy
        stored = None if active is None else _stored(tx, active)
        return active, stored, tx.restrictions.activations(VERSIONS)

    active, stored, versions = state_of(request).store.read(work)
    name, files = stored or (NAME, {})
    agents = list(state_of(request).engine.policy.policy.agents)
    return fresh(
        request, "policy.html", active=active, name=name, files=files, versions=versions, agents=agents
    )


@router.get("/version")
def version(request: Request, caller: Viewer, digest: str) -> Response:
    """A version, and what would change if it ran."""
    name, files = _at(request, digest)
    return _checked(request, caller, name, files, old=digest)


@router.get("/new")
def ask(request: Request, caller: Viewer) -> Response:
    """The form for another text, which begins as the running one."""
    del caller
    name, files = _running(request)
    return page(request, "new_policy.html", name=name, files=files or {NAME: "handrail: 1\n"}, wrong=[])


@router.post("/check")
def check(
    request: Request, caller: Viewer, given: Annotated[tuple[str, Files], Depends(given_files)]
) -> Response:
    """What is wrong with a text, line by line; or what it would change."""
    name, files = given
    return _checked(request, caller, name, files)


@router.post("/activate")
def take_up(
    request: Request, caller: Admin, name: Text, files: Text, expected: Text, reason: Text = ""
) -> Response:
    """Make the text that was checked the running version, everywhere."""

    def act() -> str:
        if not reason.strip():
            raise BadArguments("a policy is taken up with a reason: it stays in the log")
        engine = state_of(request).engine
        wanted = loaded(engine, name, _unpacked(files))
        activate(engine, wanted, caller.human().id, reason, expected or None)
        return f"Version {wanted.digest[:12]} runs now, on every server."

    return tried(request, HERE, act)


def _checked(request: Request, caller: Caller, name: str, files: Files, old: str | None = None) -> Response:
    """What is wrong, or what would change."""
    engine = state_of(request).engine
    engine.refresh()
    try:
        wanted = loaded(engine, name, files)
    except (PolicyError, NotFound) as error:
        return page(
            request, "new_policy.html", 422, name=name, files=files, wrong=list(_mistakes(error, files))
        )
    expected = state_of(request).store.read(lambda tx: tx.restrictions.read().policy)
    return page(
        request,
        "change.html",
        name=name,
        files=files,
        packed=json.dumps(files),
        digest=wanted.digest,
        old=old,
        expected=expected,
        changes=_changes(request, wanted),
        lines=differences(_running(request)[1], files),
        manages=caller.role == "admin",
    )


def _changes(request: Request, wanted: Policy) -> list[Change]:
    """In words, with what lets agents do more before all else."""
    name, files = _running(request)
    found = diff(load_stored(name, files) if files else None, wanted)
    return sorted(found, key=lambda each: each.widens is not True)


def _mistakes(error: PolicyError | NotFound, files: Mapping[str, str]) -> Any:
    """Each mistake with the lines around it."""
    if isinstance(error, NotFound):
        yield None, str(error), []
        return
    for each in error.problems:
        lines = files.get(each.file, "").splitlines()
        first = max(each.line - 1 - AROUND, 0)
        around = list(enumerate(lines[first : each.line + AROUND], first + 1))
        yield each, each.message, around


def _running(request: Request) -> tuple[str, Files]:
    """The running version's main file and texts; nothing where none runs."""

    def work(tx: Transaction) -> tuple[str, Files]:
        active = tx.restrictions.read().policy
        return (NAME, {}) if active is None else _stored(tx, active)

    return state_of(request).store.read(work)


def _at(request: Request, digest: str) -> tuple[str, Files]:
    return state_of(request).store.read(lambda tx: _stored(tx, digest))


def _stored(tx: Transaction, digest: str) -> tuple[str, Files]:
    found = tx.restrictions.policy(digest)
    if found is None:
        raise NotFound(f"there is no version {digest[:12]}")
    name, files = found
    return name, dict(files)


def _unpacked(text: str) -> Files:
    """The files as the page packed them, to the last sign."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadArguments("the policy came back damaged; check it again") from error
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise BadArguments("the policy came back damaged; check it again")
    return found


async def _uploaded(form: FormData) -> Files:
    found: Files = {}
    for each in form.getlist("upload"):
        if isinstance(each, UploadFile) and each.filename:
            try:
                found[each.filename] = (await each.read()).decode("utf-8")
            except UnicodeDecodeError as error:
                raise BadArguments(NOT_TEXT.format(each.filename[:60])) from error
    return found
