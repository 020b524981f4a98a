"""Whoever sends a body with a mistake reads what was wrong, where, and what was possible there."""

from __future__ import annotations

import msgspec
import pytest

from handrail.server.api.approvals import NewVote, NewVotes
from handrail.server.api.mistakes import explained
from handrail.server.api.people import NewPerson, NewReset
from handrail.server.api.sessions import NewSession


def told(shape: type, body: bytes) -> tuple[str, str]:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(body, type=shape)
    return explained(shape, str(caught.value))


@pytest.mark.parametrize(
    ("shape", "body", "pointer", "expected"),
    [
        (NewPerson, b'{"person": "a@example.com"}', "", "; expected one of: id, role, name"),
        (NewPerson, b'{"id": "a", "role": "boss"}', "/role", "; expected one of: viewer, reviewer, admin"),
        (NewVote, b'{"choice": "yes", "seen": "x"}', "/choice", "; expected one of: approve, reject"),
        (NewVotes, b'{"items": [{"approval": "x"}]}', "/items/0", "; expected one of: id, seen"),
        (NewSession, b'{"inside": {"id": "x"}}', "/inside", "; expected one of: session, session_token"),
        (NewReset, b'{"second_factor": "drop"}', "/second_factor", "; expected one of: end, keep"),
    ],
)
def test_an_unknown_name_is_answered_with_those_that_are_known(
    shape: type, body: bytes, pointer: str, expected: str
) -> None:
    place, detail = told(shape, body)
    assert place == pointer
    assert detail.endswith(expected)


def test_another_mistake_is_told_as_the_decoder_says_it() -> None:
    assert told(NewVote, b'{"choice": "approve"}') == ("", "Object missing required field `seen`")
    assert told(NewPerson, b'{"id": 5, "role": "viewer"}') == ("/id", "Expected `str`, got `int`")
