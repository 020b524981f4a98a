"""Policy versions: what runs, what ran before, and taking up another one after looking at what it changes."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff
from typing import Annotated

from fastapi import Path, Request, Response
from msgspec import Meta, Struct

from handrail.engine.restrict import activate
from handrail.policy.diff.changes import Change, diff
from handrail.policy.load import load_stored
from handrail.policy.model import Policy
from handrail.ports import Transaction
from handrail.server.api.route import PAGE, Limit, Who, answer, engine_of, reading, route, routes, store_of
from handrail.server.api.shapes import DIGEST, Digest, Moment, Reason, Taken, Word, moment
from handrail.server.checking import loaded
from handrail.words.errors import NotFound, PolicyError

router = routes("policy")
FILES = 50

NAME = "handrail.yaml"

Files = Annotated[dict[Word, str], Meta(min_length=1, max_length=FILES)]
Version = Annotated[str, Path(pattern=DIGEST, description="A version's digest.")]
EXAMPLE = {"name": NAME, "files": {NAME: "handrail: 1\n"}}


class PolicyShape(Struct):
    """One version, with every file that it includes."""

    digest: Digest
    name: str
    files: dict[str, str]
    active: bool


class VersionShape(Struct):
    """One time at which a version became the running one."""

    digest: Digest
    at: Moment
    by: str
    reason: str
    active: bool


class VersionList(Struct):
    """Activations, newest first."""

    items: list[VersionShape]


class NewPolicy(Taken):
    """A policy: the name of its main file, and the texts of all."""

    name: Word
    files: Files


class ProblemShape(Struct):
    """One mistake: where it stands, what it is, and what was expected."""

    file: str
    line: int
    column: int
    detail: str
    expected: str | None
    nearest: str | None


class ChangeShape(Struct):
    """One difference in the words of the file; `widens` where it obviously lets agents do more."""

    section: str
    name: str
    kind: str
    before: str | None
    after: str | None
    widens: bool | None


class Checked(Struct):
    """Whether it could run, and what it would change against the running version."""

    ok: bool
    digest: Digest | None
    problems: list[ProblemShape]
    changes: list[ChangeShape]
    diff: str


class NewVersion(Taken):
    """A policy to take up, and the version that it follows: another one in between is a conflict."""

    name: Word
    files: Files
    reason: Reason
    expected: Digest


class Activated(Struct):
    """The version that runs now, and what it changed."""

    digest: Digest
    changes: list[ChangeShape]
    diff: str


@route(router, "GET /policy", gives=PolicyShape)
def get_policy(request: Request) -> Response:
    """Look at the running version."""
    return answer(store_of(request).read(lambda tx: _version(tx, None)))


@route(router, "GET /policy/versions", gives=VersionList)
def list_policy_versions(request: Request, limit: Limit = PAGE) -> Response:
    """List which version became the running one when, by whom and why."""

    def work(tx: Transaction) -> VersionList:
        active = tx.restrictions.read().policy
        found = tx.restrictions.activations(limit)
        return VersionList(
            [
                VersionShape(
                    each.policy, moment(each.at), each.by, each.reason, place == 0 and each.policy == active
                )
                for place, each in enumerate(found)
            ]
        )

    return answer(store_of(request).read(work))


@route(router, "GET /policy/versions/{digest}", gives=PolicyShape)
def get_policy_version(request: Request, digest: Version) -> Response:
    """Look at one version."""
    return answer(store_of(request).read(lambda tx: _version(tx, digest)))


@route(router, "POST /policy/check", takes=NewPolicy, gives=Checked, said=EXAMPLE)
def check_policy(request: Request, given: Annotated[NewPolicy, reading(NewPolicy)]) -> Response:
    """Check a policy as if it were to run here, with the tools that are known; nothing is changed."""
    engine = engine_of(request)
    try:
        wanted = loaded(engine, given.name, given.files)
    except PolicyError as error:
        return answer(Checked(ok=False, digest=None, problems=_problems(error), changes=[], diff=""))
    before = store_of(request).read(lambda tx: _version(tx, None))
    return answer(
        Checked(
            ok=True,
            digest=wanted.digest,
            problems=[],
            changes=_changes(_policy(before), wanted),
            diff=_difference(before.files, wanted.files),
        )
    )


@route(
    router,
    "POST /policy/activate",
    takes=NewVersion,
    gives=Activated,
    said={**EXAMPLE, "reason": "Refunds above 100 ask.", "expected": "54" * 32},
)
def activate_policy(
    request: Request, caller: Who, given: Annotated[NewVersion, reading(NewVersion)]
) -> Response:
    """Make a policy the running version, on every server."""
    engine = engine_of(request)
    wanted = loaded(engine, given.name, given.files)
    before = store_of(request).read(lambda tx: _version(tx, None))
    activate(engine, wanted, caller.human().id, given.reason, given.expected)
    changes = _changes(_policy(before), wanted)
    return answer(Activated(wanted.digest, changes, _difference(before.files, wanted.files)))


def _version(tx: Transaction, digest: str | None) -> PolicyShape:
    active = tx.restrictions.read().policy
    wanted = digest or active or ""
    stored = tx.restrictions.policy(wanted)
    if stored is None:
        raise NotFound(f"there is no version {wanted[:12]}")
    name, files = stored
    return PolicyShape(wanted, name, dict(files), wanted == active)


def _policy(version: PolicyShape) -> Policy:
    return load_stored(version.name, version.files)


def _changes(before: Policy, after: Policy) -> list[ChangeShape]:
    return [_change(each) for each in diff(before, after)]


def _change(each: Change) -> ChangeShape:
    return ChangeShape(each.section, each.name, each.kind.value, each.before, each.after, each.widens)


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    lines = (
        line
        for name in sorted({*before, *after})
        for line in unified_diff(
            before.get(name, "").splitlines(), after.get(name, "").splitlines(), name, name, lineterm=""
        )
    )
    return "\n".join(lines)


def _problems(error: PolicyError) -> list[ProblemShape]:
    return [
        ProblemShape(each.file, each.line, each.column, each.message, each.expected, each.nearest)
        for each in error.problems
    ]
