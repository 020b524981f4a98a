"""``handrail serve``: the server for people and programs."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handrail.cli import models, screen
from handrail.cli.opened import DEFAULT, SQLITE
from handrail.cli.options import AppSpec, AsJson, Database, PolicyPath
from handrail.words.errors import BadArguments, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handrail.app import App
    from handrail.engine.core import Engine
    from handrail.server.settings import Settings

Host = Annotated[
    str | None,
    typer.Option(
        "--host", metavar="ADDRESS", envvar="HANDRAIL_HOST", help="Where to listen. Default: 127.0.0.1."
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port", metavar="NUMBER", envvar="HANDRAIL_PORT", help="Default: 8765; 0 takes a free one."
    ),
]


def serve(
    context: typer.Context,
    *,
    app: AppSpec = None,
    host: Host = None,
    port: Port = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Serve people and programs: pages, API, questions, halts. Ctrl-C or SIGTERM ends it in good order.

    The first start prints a link that makes the first admin.
    """
    if app is not None:
        _one_store(context, app)
    found = settings(host=host, port=port, database_url=database)
    _refuse_inside_a_session()
    with _opened(app, policy, found) as opened:
        _run(opened, found, json=json)


def _one_store(context: typer.Context, app: str) -> None:
    """An application opens its own policy and store: another one beside it would silently not count.

    Raises:
        BadArguments: one was given on the command line.
    """
    for name in ("policy", "database"):
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise BadArguments(f"--{name} and --app exclude each other: {app} opens its own policy and store")


def _run(opened: App, settings: Settings, *, json: bool) -> None:
    from handrail.server.app import make_app
    from handrail.server.auth import links
    from handrail.server.serve import bound, serve

    with bound(settings.host, settings.port) as listening:
        here = settings.model_copy(update={"port": listening.getsockname()[1]})
        made = make_app(opened, here)
        outer = models.around(made, opened.engine)

        def started() -> None:
            _tell(here, links.first(opened.engine, here.address()), json=json)
            _warn_of_silence(opened.engine)

        serve(made, here, listening, started, outer)


def _tell(settings: Settings, link: str | None, *, json: bool) -> None:
    """The address, and the link that makes the first admin: on the screen only, in no log."""
    if json:
        screen.line({"url": settings.address(), "port": settings.port, "first_link": link})
        return
    screen.say(f"Handrail serves at {settings.address()}", "bold")
    if link is not None:
        screen.say(f"There is no admin yet. Within an hour, and once, this link makes one:\n\n  {link}\n")
    if not settings.secure and settings.host not in {"127.0.0.1", "::1", "localhost"}:
        screen.complain(
            "passwords and keys travel unprotected unless something in front speaks https; "
            "then say so with HANDRAIL_URL=https://…",
            "warning",
        )
    sys.stdout.flush()


def _warn_of_silence(engine: Engine) -> None:
    """A policy that tells people where this server can't: they would wait for what never comes."""
    named = {channel for group in engine.policy.policy.approvers.values() for channel in group.via}
    if named and engine.deliverer is None:
        screen.complain(
            f"the policy tells people by {', '.join(sorted(named))}, and no channel is set up here: "
            "questions are only on the pages",
            "warning",
        )


def settings(**given: Any) -> Settings:
    """The environment's settings, with what a command was given instead.

    Raises:
        Refused: the extra is not installed.
        BadArguments: a value is not what its name means.
    """
    try:
        from handrail.server.settings import settings_of
    except ImportError as error:
        raise Refused(f"the server needs 'pip install handrail[server]' ({error.name} is missing)") from error
    return settings_of(**given)


def _refuse_inside_a_session() -> None:
    from handrail.engine.context import MARK, inside_a_session

    if inside_a_session():
        raise Refused(f"serving is for people, and this runs inside a rail session ({MARK} is set)")


@contextmanager
def _opened(spec: str | None, policy: Path | None, settings: Settings) -> Iterator[App]:
    """The application's own engine, or one over the policy file, or over the store's active policy."""
    from handrail.app import open_app

    if spec is not None:
        with _imported(spec) as found:
            yield found
        return
    url = settings.database_url.get_secret_value() if settings.database_url else None
    opened = open_app(_policy_file(policy, url), database=url)
    try:
        yield opened
    finally:
        opened.close()


def _policy_file(given: Path | None, url: str | None) -> Path | None:
    """The file that was named or lies here; none where a store has its policy.

    Raises:
        NotFound: there is neither, and to start all the same would leave an empty store behind.
    """
    from handrail.app import store_url

    if given is not None or DEFAULT.is_file():
        return given or DEFAULT
    place = store_url(Path.cwd(), url)
    if place.startswith(SQLITE) and not Path(place.removeprefix(SQLITE)).exists():
        raise NotFound(
            f"there is no {DEFAULT} here, and no store at {place.removeprefix(SQLITE)}: go to the policy's "
            "folder, name it with --policy, or write one with 'handrail init'"
        )
    return None


@contextmanager
def _imported(spec: str) -> Iterator[App]:
    from handrail.app import App
    from handrail.cli.apps import engine_of, imported

    # the rail's end closes all that it opened, its keeper with it
    with imported(spec) as rail:
        engine = engine_of(rail)
        if engine.keeper is None:
            raise Refused(f"{spec} is no rail that handrail.connect opened over a store of its own")
        yield App(engine, engine.store, engine.keeper, {})
