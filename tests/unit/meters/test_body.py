"""A body is read strictly, and edited without touching another byte of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.meters.body import edited, read
from handrail.words.errors import BadArguments

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(
    value=st.dictionaries(st.text(), VALUES, max_size=5),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_what_is_read_is_what_json_reads_and_no_edit_gives_the_same_bytes(
    value: dict[str, object], indent: int | None, *, ascii_only: bool
) -> None:
    data = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        data.decode()
    except UnicodeDecodeError:
        return
    body = read(data)
    assert {name: field.value for name, field in body.fields.items()} == json.loads(data)
    assert edited(body, []) == data


@given(value=st.dictionaries(st.text(), VALUES, max_size=5), number=st.integers(0, 10**9))
def test_an_edit_changes_one_field_and_nothing_else(value: dict[str, object], number: int) -> None:
    data = json.dumps(value, indent=1).encode()
    body = read(data)
    for name in (*value, "max_tokens"):
        assert json.loads(edited(body, [body.set(name, number)])) == {**value, name: number}


def test_every_other_byte_stays_as_it_came() -> None:
    data = '{ "b" : 1.50, "max_tokens":9 ,\t"é": "\\u0041\\/" , "n": 1e2 }\n'.encode()
    body = read(data)
    assert edited(body, [body.set("max_tokens", 5)]) == data.replace(b":9", b":5")
    assert edited(body, [body.set("x", 5)]) == data.replace(b"{", b'{"x":5,', 1)


def test_an_inner_object_is_edited_in_its_place() -> None:
    data = b'{"stream_options": { "a": {"b": 1}, "include_usage" :false}, "z": 0}'
    inner = read(data).inner("stream_options")
    assert inner is not None
    assert edited(inner, [inner.set("include_usage", value=True)]) == data.replace(b"false", b"true")
    assert read(b'{"stream_options": null}').inner("stream_options") is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": 1, "\\u0061": 2}', "twice"),
        (b'{"a": [{"b": 1, "b": 2}]}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1} {}', "goes on"),
        (b"[]", "JSON object"),
        (b"", "JSON object"),
        (b"\xef\xbb\xbf{}", "JSON object"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a" 1}', "colon"),
        (b'{"a": 1 "b": 2}', "comma"),
        (b'{"a": 1,}', "name was expected"),
        (b"{a: 1}", "name was expected"),
        (b'{"a": }', "not JSON"),
        (b'{"a": "\n"}', "not JSON"),
        (b'{"a":' + b"[" * 100_000, "deep"),
    ],
)
def test_what_two_readers_might_read_in_two_ways_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadArguments, match=why):
        read(data)
