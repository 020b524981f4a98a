"""Something that is made once and then kept, also when several threads want it at the same time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Once(Generic[T]):
    """A value that the first who wants it makes, while the others wait."""

    def __init__(self) -> None:
        """Not made yet."""
        self._lock = threading.Lock()
        self._made: T | None = None

    def get(self, make: Callable[[], T]) -> T:
        """The value; when ``make`` raises, the next one tries again."""
        if (made := self._made) is not None:
            return made
        with self._lock:
            if self._made is None:
                self._made = make()
            return self._made

    def forget(self) -> None:
        """Make it anew next time."""
        self._made = None

    def start_anew(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.Lock()
