"""Events come out of a stream as they went in, however the bytes were cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from handrail.meters.sse import LARGEST, Events, data_of

EVENTS = st.lists(
    st.tuples(
        st.sampled_from([b"data: x", b"event: ping\ndata: {}", b": note", b"data: a\ndata:b", b"data: \xff"]),
        st.sampled_from([b"\n\n", b"\r\n\r\n", b"\r\r"]),
    ),
    max_size=6,
)


@given(events=EVENTS, tail=st.sampled_from([b"", b"data: un"]), cuts=st.lists(st.integers(0, 200)))
def test_every_event_comes_out_once_and_unchanged_wherever_the_bytes_were_cut(
    events: list[tuple[bytes, bytes]], tail: bytes, cuts: list[int]
) -> None:
    whole = [text + end for text, end in events]
    raw = b"".join(whole) + tail
    places = sorted({0, len(raw), *(min(cut, len(raw)) for cut in cuts)})
    reader = Events()
    found = [each for begin, end in pairwise(places) for each in reader.feed(raw[begin:end])]
    assert b"".join(found) + reader.rest() == raw
    assert [data_of(each) for each in found] == [data_of(each) for each in whole]


def test_the_lines_of_one_event_are_joined() -> None:
    assert data_of(b"event: x\ndata: a\ndata:  b\ndata:c\n\n") == b"a\n b\nc"
    assert data_of(b": only a note\n\n") == b""


def test_an_event_that_never_ends_is_passed_on() -> None:
    reader = Events()
    big = b"data: " + b"x" * LARGEST
    assert list(reader.feed(big)) == [big]
    assert list(reader.feed(b"\n\ndata: y\n\n"))[-1] == b"data: y\n\n"
