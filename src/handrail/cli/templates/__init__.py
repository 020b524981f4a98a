"""Policies to begin with, one file each. The first comment line of each says what it is for."""

from __future__ import annotations

from importlib.resources import files

SUFFIX = ".yaml"


def names() -> tuple[str, ...]:
    """Every template, in alphabetical order."""
    found = (file.name for file in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX)))


def text(name: str) -> str:
    """The policy file of one template.

    Raises:
        KeyError: there is no such template.
    """
    if name not in names():
        raise KeyError(name)
    return (files(__name__) / f"{name}{SUFFIX}").read_text(encoding="utf-8")


def about(name: str) -> str:
    """What a template is for: its first comment, up to the end of the line.

    Raises:
        KeyError: there is no such template.
    """
    comments = (line for line in text(name).splitlines() if line.startswith("#"))
    return next(comments, "").lstrip("# ")
