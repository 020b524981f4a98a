"""What of an answer is looked at for the provider's key, and what of it goes on."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import pytest

from handrail.llm.connection import Broken
from handrail.llm.hiding import LIMIT, shown
from handrail.llm.pool import Answer
from handrail.llm.settings import Upstream

KEY = "sk-of/the+provider=="
OPENAI = Upstream("openai", "http://127.0.0.1:1/v1", "openai", KEY, "openai")
OVER = Broken("it broke the connection", unsent=False)
Headers = list[tuple[bytes, bytes]]


async def _pieces(*pieces: bytes, breaks: Exception | None = None) -> AsyncIterator[bytes]:
    for each in pieces:
        yield each
    if breaks is not None:
        raise breaks


def _answer(*pieces: bytes, status: int = 400, headers: Headers | None = None) -> Answer:
    return Answer(status, headers or [], _pieces(*pieces))


async def _said(answer: Answer, upstream: Upstream = OPENAI) -> tuple[Answer, bytes]:
    found = await shown(answer, upstream)
    return found, b"".join([piece async for piece in found.pieces])


@pytest.mark.parametrize(
    "written", [KEY, KEY.replace("/", "\\/"), "sk-of/the%2Bprovider%3D%3D", "sk-of%2Fthe%2Bprovider%3D%3D"]
)
@pytest.mark.parametrize("status", [302, 400, 503])
async def test_a_key_is_found_however_it_is_written_and_wherever_it_is_cut(written: str, status: int) -> None:
    text = f'{{"error": "no: {written}."}}'.encode()
    for cut in range(len(text)):
        _, said = await _said(_answer(text[:cut], text[cut:], status=status))
        assert said == b'{"error": "no: [redacted]."}'


@pytest.mark.parametrize("status", [200, 400])
async def test_a_header_with_the_key_is_dropped_and_no_other(status: int) -> None:
    headers = [(b"X-Debug-Auth", f"Bearer {KEY}".encode()), (b"x-request-id", b"1")]
    found, said = await _said(_answer(b"text", status=status, headers=headers))
    assert (found.headers, said) == ([(b"x-request-id", b"1")], b"text")


async def test_a_good_answer_passes_piece_by_piece_as_it_comes() -> None:
    broken = _pieces(b"one", KEY.encode(), breaks=OVER)
    found = (await shown(Answer(200, [], broken), OPENAI)).pieces
    assert [await anext(found), await anext(found)] == [b"one", KEY.encode()]
    with pytest.raises(Broken):
        await anext(found)


ZIPPED = gzip.compress(b"plain words", mtime=0)


@pytest.mark.parametrize(
    ("encoding", "came", "why"),
    [
        (b"br", b"plain words", b"encoding that was not asked for"),
        (b"gzip", b"plain words", b"not in the encoding that it names"),
        (b"gzip", ZIPPED[:-9], b"does not unpack to one whole text"),
        (b"gzip", ZIPPED + gzip.compress(KEY.encode(), mtime=0), b"does not unpack to one whole text"),
        (b"gzip", gzip.compress(b"x" * (LIMIT + 1), mtime=0), b"one that is too long"),
        (b"identity", b"x" * (LIMIT + 1), b"longer than 1,048,576 bytes"),
    ],
)
async def test_an_error_that_nobody_can_read_is_told_of_and_not_passed_on(
    encoding: bytes, came: bytes, why: bytes
) -> None:
    headers = [(b"Content-Encoding", encoding), (b"Content-Type", b"text/html"), (b"retry-after", b"7")]
    found, said = await _said(_answer(came, headers=headers))
    assert why in said
    assert b"openai answered 400" in said
    assert found.status == 400
    assert found.headers == [
        (b"retry-after", b"7"),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(said)),
    ]


@pytest.mark.parametrize(
    ("encoding", "came"), [(b"gzip", ZIPPED), (b"identity", b"x" * LIMIT), (b"br", b""), (b"deflate", b"")]
)
async def test_an_error_that_can_be_read_and_holds_no_key_passes_unchanged(
    encoding: bytes, came: bytes
) -> None:
    headers = [(b"content-encoding", encoding), (b"content-length", b"%d" % len(came))]
    found, said = await _said(_answer(came, headers=headers))
    assert (found.headers, said) == (headers, came)


async def test_an_error_that_breaks_off_is_told_of_with_its_status() -> None:
    came = Answer(400, [], _pieces(b'{"error": "sk-of/th', breaks=OVER))
    found, said = await _said(came)
    assert found.status == 400
    assert b"did not come whole: it broke the connection" in said
    assert b"sk-of" not in said


@pytest.mark.parametrize("key", [None, "EMPTY"])
async def test_what_is_no_secret_is_not_looked_for(key: str | None) -> None:
    local = Upstream("local", "http://127.0.0.1:1/v1", "openai", key)
    _, said = await _said(_answer(b"the list is EMPTY"), local)
    assert said == b"the list is EMPTY"
    _, said = await _said(_answer(b"the list is EMPTY-12"), Upstream("local", "", "openai", "EMPTY-12"))
    assert said == b"the list is [redacted]"
