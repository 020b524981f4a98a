"""What a store does when its process forks: a child must never use, or close, a connection of its parent."""

from __future__ import annotations

import os
import weakref


class Forkable:
    """A store that is told of forks from its first ``watch`` on."""

    def watch(self) -> None:
        """Be told."""
        _watched.add(self)

    def before_fork(self) -> None:
        """Be in no transaction while the process is copied."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Forget every connection without closing it; open new ones when they are needed."""


_watched: weakref.WeakSet[Forkable] = weakref.WeakSet()
inherited: list[object] = []
"""A child's copies of its parent's connections, kept so that they are not closed as garbage."""


def _before() -> None:
    for store in list(_watched):
        store.before_fork()


def _in_parent() -> None:
    for store in list(_watched):
        store.after_fork_in_parent()


def _in_child() -> None:
    for store in list(_watched):
        store.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
