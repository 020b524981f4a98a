"""Facts from Python: a function of the application, named in the policy as ``module:function``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from handrail.words.exact import found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class PythonFact:
    """Calls the function with the fact's parameters by name. None means there is no such thing."""

    def __init__(self, name: str) -> None:
        """Import ``module:function``.

        Raises:
            ValueError: there is no such function.
        """
        self._function = function_named(name)

    def __call__(self, given: Mapping[str, object]) -> object:
        """The fact's value."""
        return found(self._function(**given))


def function_named(name: str) -> Callable[..., Any]:
    """The function that ``module:function`` names.

    Raises:
        ValueError: there is none.
    """
    module, _, attribute = name.partition(":")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{name!r} can't be imported: {error}; expected module:function") from error
    if not callable(function):
        raise ValueError(f"{name!r} is no function")  # noqa: TRY004 - a wrong setting, not a wrong call
    return function  # type: ignore[no-any-return]
