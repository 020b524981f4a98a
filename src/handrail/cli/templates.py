"""Templates for `handrail init`: commented policies to begin with, shipped inside the package."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from handrail.words.errors import NotFound

FIRST = "support-triage"
"""What `handrail init` writes when no template is named."""
_SUFFIX = ".yaml"


def names() -> tuple[str, ...]:
    """Every template's name, in alphabetical order."""
    found = (one.name for one in _folder().iterdir() if one.name.endswith(_SUFFIX))
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found))


def text(name: str) -> str:
    """The policy that the template begins with.

    Raises:
        NotFound: there is no such template; the message names those that there are.
    """
    if name not in names():
        raise NotFound(f"there is no template {name!r}; there are {', '.join(names())}")
    return _folder().joinpath(f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def about(name: str) -> str:
    """The template's first comment: one sentence about what it is for.

    Raises:
        NotFound: there is no such template.
    """
    return text(name).split("\n", 1)[0].removeprefix("# ")


def _folder() -> Traversable:
    return files("handrail").joinpath("cli", "templates")
