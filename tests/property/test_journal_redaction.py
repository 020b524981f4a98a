"""Properties of redaction: a secret under a redacted path shows nowhere, and every value can be written."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.journal.digests import field_digests
from handrail.journal.entry import encode
from handrail.journal.redaction import Redactor
from handrail.words.entry import Entry, Kind, StoredEntry

SECRET = "SECRET-4111"
JSON = msgspec.json.Encoder(decimal_format="number").encode
SALT = bytes(range(16))
NAMES = st.text(st.characters(codec="utf-8", exclude_characters=".[]* "), min_size=1, max_size=5).filter(
    lambda name: name == name.strip()
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def write(value: object, **more: object) -> bytes:
    """A whole entry's bytes, as sealed."""
    return encode(StoredEntry(1, Entry(Kind.PROPOSED, 1, JSON({"value": value, **more}))))


@st.composite
def planted(draw: st.DrawFn) -> tuple[dict[str, object], str]:
    """A value with a secret in it, and a path that names the secret: through fields, stars and lists."""
    value: object = draw(st.sampled_from([SECRET, [SECRET], {"in": SECRET}, [[{"in": [SECRET]}]]]))
    path = ""
    for name in draw(st.lists(NAMES, min_size=1, max_size=4)):
        for _ in range(draw(st.integers(0, 2))):
            value = [draw(VALUES), value, draw(VALUES)]
            path = draw(st.sampled_from(["", "[*]"])) + path
        value = {**draw(st.dictionaries(NAMES, VALUES, max_size=3)), name: value}
        path = f".{draw(st.sampled_from([name, '*']))}{path}"
    assert isinstance(value, dict)
    return value, f"args{path}"


@given(planted(), st.lists(NAMES, max_size=2))
@settings(max_examples=200)
def test_a_secret_under_a_redacted_path_never_shows_in_the_entry(
    case: tuple[dict[str, object], str], others: list[str]
) -> None:
    value, path = case
    redactor = Redactor((*(f"args.{name}.deeper" for name in others), path))
    bare = write(Redactor().redact("args", value))
    kept = write(redactor.redact("args", value), digests=field_digests("args", value, SALT))
    assert SECRET.encode() in bare
    assert SECRET.encode() not in kept


@given(VALUES)
@settings(max_examples=150)
def test_without_paths_a_small_value_is_kept_exactly(value: object) -> None:
    assert Redactor(("output.x",)).redact("args", value) == value


ODD = st.one_of(
    st.text(max_size=8),
    st.floats(),
    st.decimals(),
    st.binary(max_size=4),
    st.just(10**4000),
    st.just(Decimal("1E+999")),
    st.dates(),
    st.just("x" * 5000),
)
ANYTHING = st.recursive(
    ODD | LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.integers() | st.none(), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


@given(ANYTHING, st.sampled_from([(), ("output.a.b",), ("output",)]))
@settings(max_examples=200)
def test_whatever_a_tool_returns_can_be_written(value: object, paths: tuple[str, ...]) -> None:
    write(Redactor(paths).redact("output", value))
