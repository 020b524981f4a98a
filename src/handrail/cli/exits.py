"""Exit codes: one table, which the documentation repeats and a test compares."""

from __future__ import annotations

from enum import IntEnum

from handrail.words.errors import HandrailError, NotFound, OutcomeUnrecorded, StoreError


class Exit(IntEnum):
    """What the command's exit code says."""

    OK = 0
    NOT_DONE = 1
    USAGE = 2
    NOT_FOUND = 3
    STORE = 4
    TAMPERED = 5
    NOT_PROVEN = 6


MEANING: dict[Exit, str] = {
    Exit.OK: "done, or nothing is wrong",
    Exit.NOT_DONE: "problems were found, or it was refused, answered with no, or did not run",
    Exit.USAGE: "the command was not written right",
    Exit.NOT_FOUND: "the action, question, policy or store that was named is not there",
    Exit.STORE: "the store can't be used: locked, full, gone, or of a newer version",
    Exit.TAMPERED: "the log was changed after it was sealed",
    Exit.NOT_PROVEN: "the log is not proven by the root that was given",
}


def code_of(error: HandrailError) -> Exit:
    """The exit code that an error ends in."""
    if isinstance(error, StoreError | OutcomeUnrecorded):
        return Exit.STORE
    return Exit.NOT_FOUND if isinstance(error, NotFound) else Exit.NOT_DONE
