"""A server runs what people approved, where it has the tool itself. The claim decides who runs it, once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from handrail.engine import blocking
from handrail.engine.core import logger
from handrail.engine.road import RESUMABLE, resume
from handrail.words.errors import Conflict, HandrailError, NotRun, StoreError

if TYPE_CHECKING:
    from handrail.engine.core import Engine

AT_ONCE = 100
"""Actions that one round takes up at most."""


def run_approved(engine: Engine) -> int:
    """Run every approved action whose tool this process has, oldest first; how many ended meanwhile.

    What is halted stays approved: starting it would only have it refused for good, and nobody asked for that.

    Raises:
        StoreError: the store can't be used now; what did not run stays approved.
    """
    tools = [tool.name for tool in engine.tools.values() if not tool.elsewhere]
    if not tools or engine.unrecorded:
        return 0
    found = engine.store.read(lambda tx: tx.actions.approved(tools, AT_ONCE))
    return sum(_ran(engine, action) for action in found)


def _ran(engine: Engine, action: str) -> bool:
    """Whether it ran, well or not: both are settled and told in the journal."""
    try:
        if not _resume(engine, action):
            return False
    except StoreError:
        raise
    except (NotRun, Conflict):
        return False
    except HandrailError as error:
        logger.warning("approved action %s did not end well: %s", action, error)
    except Exception as error:  # noqa: BLE001 - a tool's own error: it is settled as failed, the others go on
        logger.info("approved action %s failed: %s", action, type(error).__name__)
    return True


def _resume(engine: Engine, action: str) -> bool:
    """False when a halt covers it, or somebody else was faster."""
    from handrail.engine import aio

    stored, halts = engine.store.read(lambda tx: (tx.actions.get(action), tx.restrictions.read().halts))
    if stored is None or stored.state not in RESUMABLE:
        return False
    if any(halt.covers(stored.agent, stored.tool) for halt in halts):
        return False
    if engine.tools[stored.tool].is_async:
        asyncio.run(aio.walk(engine, resume(engine, action)))
    else:
        blocking.walk(engine, resume(engine, action))
    return True
