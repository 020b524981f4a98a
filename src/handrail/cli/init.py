"""``handrail init``: write a commented policy to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handrail.cli import screen
from handrail.cli.options import AsJson
from handrail.words.errors import Conflict, NotFound, Refused

DEFAULT = "support-triage"
NAME = "handrail.yaml"
Template = Annotated[
    str, typer.Option("--template", "-t", metavar="NAME", help="Which policy to begin with; see --list.")
]
List = Annotated[bool, typer.Option("--list", help="List the templates and write nothing.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a policy that is there.")]
Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder to write it to.")]


def init(
    directory: Folder = Path(),
    *,
    template: Template = DEFAULT,
    only_list: List = False,
    force: Force = False,
    json: AsJson = False,
) -> None:
    """Write handrail.yaml, a commented policy to begin with."""
    if only_list:
        _list(json=json)
        return
    text = _template(template)
    path = directory / NAME
    _write(path, text, force=force)
    if json:
        screen.document({"written": str(path), "template": template})
    else:
        screen.say(
            f"{path} is written (template {template}). Read it and make it yours, then: handrail check"
        )


def _list(*, json: bool) -> None:
    from handrail.cli import templates

    found = [(name, templates.about(name)) for name in templates.names()]
    if json:
        for name, about in found:
            screen.line({"template": name, "about": about})
        return
    screen.table(("template", "what it is for"), found, "There are no templates.")


def _template(name: str) -> str:
    from handrail.cli import templates
    from handrail.policy.nearest import nearest

    if name in templates.names():
        return templates.text(name)
    near = nearest(name, templates.names())
    hint = f"; did you mean {near!r}?" if near else ""
    raise NotFound(f"there is no template {name!r}{hint} Known: {', '.join(templates.names())}")


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Conflict(f"{path} is there already; --force writes over it") from error
    except OSError as error:
        raise Refused(f"{path} can't be written: {error.strerror or error}") from error
