"""An application's rail, by the name that people give it: ``module:rail``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from handrail.words.errors import BadArguments, HandrailError, NotFound, Refused

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.engine.rail import Rail


def imported(spec: str) -> Rail:
    """Import the application and give its rail; the folder that one stands in comes first.

    Raises:
        BadArguments: the name is not ``module:rail``.
        NotFound: there is no such module, or no rail of this name in it.
        Refused: the module can't be imported.
        HandrailError: what the module's own use of Handrail raised.
    """
    module_name, _, name = spec.partition(":")
    if not module_name or not name:
        raise BadArguments(f"{spec!r} is no application; expected module:rail, such as desk:rail")
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except HandrailError:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise NotFound(f"there is no module {module_name!r}, seen from {Path.cwd()}") from error
        raise Refused(f"{module_name} can't be imported: {error}") from error
    except Exception as error:
        raise Refused(f"{module_name} can't be imported: {type(error).__name__}: {error}") from error
    return _rail(module, spec, name)


def engine_of(rail: Rail) -> Engine:
    """The engine behind a rail: the command line is part of the house, an application is not."""
    return rail._engine  # noqa: SLF001 - see above


def _rail(module: object, spec: str, name: str) -> Rail:
    from handrail.engine.rail import Rail

    found = getattr(module, name, None)
    if isinstance(found, Rail):
        return found
    rails = [each for each, value in vars(module).items() if isinstance(value, Rail)]
    known = f"; it has {', '.join(rails)}" if rails else ""
    raise NotFound(f"{spec} is no rail (what handrail.connect gives){known}")
