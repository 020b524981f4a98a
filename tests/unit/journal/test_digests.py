"""Salted digests: a value can be proven while its key is there, and not even guessed after that."""

from __future__ import annotations

import hmac
import json
import os
from base64 import b64encode
from decimal import Decimal
from hashlib import sha256
from types import MappingProxyType

import msgspec
import pytest

from handrail.journal.digests import MAX_FIELDS, WHOLE, field_digests, field_key, proves
from handrail.journal.redaction import REDACTED, Redactor
from handrail.journal.report import Standing
from tests.unit.journal.logbook import entry, seal

SALT = bytes(range(32))
ARGS: dict[str, object] = {
    "order_id": "o-17",
    "amount": Decimal("40.10"),
    "card": {"number": "4111", "name": "Eve"},
}


def test_a_digest_is_what_the_page_says_it_is() -> None:
    """HMAC-SHA256 gives the field's key, SHA-256 over key and JSON the digest: anyone can recompute it."""
    key = hmac.digest(SALT, b'["args","order_id"]', "sha256")
    digest = b64encode(sha256(key + b'"o-17"').digest()[:24]).decode()
    assert field_key("args", "order_id", SALT) == key
    assert field_digests("args", ARGS, SALT)["order_id"] == digest


@pytest.mark.parametrize("field", ARGS)
def test_a_revealed_field_is_proven_and_any_other_value_is_not(field: str) -> None:
    digest, key = field_digests("args", ARGS, SALT)[field], field_key("args", field, SALT)
    assert proves(digest, ARGS[field], key)
    for wrong in ("o-18", None, "", 40, Decimal("40.1"), {"number": "4111"}):
        assert not proves(digest, wrong, key)


def test_the_key_of_one_field_opens_no_other() -> None:
    digests = field_digests("args", {"a": "same", "b": "same"}, SALT)
    assert digests["a"] != digests["b"]
    assert not proves(digests["b"], "same", field_key("args", "a", SALT))
    assert proves(digests["b"], "same", field_key("args", "b", SALT))


def test_equal_values_of_two_entries_look_different() -> None:
    """Without the salt nobody can tell that two actions had the same card, or try all cards."""
    first, second = (field_digests("args", ARGS, os.urandom(16)) for _ in range(2))
    assert not set(first.values()) & set(second.values())


def test_arguments_and_output_have_different_digests() -> None:
    assert field_digests("args", ARGS, SALT)["order_id"] != field_digests("output", ARGS, SALT)["order_id"]


def test_the_order_of_nested_fields_does_not_count() -> None:
    turned = {"card": {"name": "Eve", "number": "4111"}}
    assert field_digests("args", turned, SALT)["card"] == field_digests("args", ARGS, SALT)["card"]


def test_a_read_only_mapping_gives_the_same_digests() -> None:
    frozen = MappingProxyType(ARGS | {"card": MappingProxyType({"number": "4111", "name": "Eve"})})
    assert field_digests("args", frozen, SALT) == field_digests("args", ARGS, SALT)


@pytest.mark.parametrize(
    "value", ["text", 7, None, [1, 2], {str(n): n for n in range(MAX_FIELDS + 1)}], ids=type
)
def test_a_value_without_fields_is_digested_as_a_whole(value: object) -> None:
    digests = field_digests("output", value, SALT)
    assert list(digests) == [WHOLE]
    assert proves(digests[WHOLE], value, field_key("output", None, SALT))
    assert not proves(digests[WHOLE], "other", field_key("output", None, SALT))


def test_a_field_without_a_name_is_not_the_whole() -> None:
    assert field_digests("args", {"": 1}, SALT)[""] != field_digests("args", 1, SALT)[WHOLE]


@pytest.mark.parametrize("length", [0, 15, 65])
def test_a_salt_too_short_to_hide_anything_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"a salt has 16 to 64 bytes; got {length}"):
        field_digests("args", ARGS, b"x" * length)


@pytest.mark.parametrize("length", [16, 32, 64])
def test_the_key_is_standard_hmac_for_every_salt(length: int) -> None:
    salt = os.urandom(length)
    assert field_key("args", None, salt) == hmac.digest(salt, b'["args"]', "sha256")


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(TypeError, match="a object is not JSON"):
        field_digests("output", {"a": object()}, SALT)


def test_a_value_read_back_from_the_payloads_text_is_proven() -> None:
    """The payload keeps numbers exactly; read them as decimals and they prove what was digested."""
    text = '{"amount":40.10,"big":12345678901234567890,"small":1e-7}'
    value = json.loads(text, parse_float=Decimal)
    again = json.loads(text, parse_float=Decimal)
    for name, digest in field_digests("args", value, SALT).items():
        assert proves(digest, again[name], field_key("args", name, SALT))


def test_an_erased_payload_leaves_the_log_whole_and_its_fields_past_guessing() -> None:
    """Only the digests are sealed: with payload and salt the field is proven, without them it is gone."""
    redactor, payload = Redactor(("args.card",)), [(ARGS, SALT)]
    body = {"args": redactor.redact("args", ARGS), "digests": field_digests("args", ARGS, SALT)}
    log = seal([entry(1, body=msgspec.json.Encoder(decimal_format="number").encode(body))], [1])
    told = msgspec.json.decode(log.entries[0].entry.body)
    args, salt = payload.pop()
    assert proves(told["digests"]["card"], args["card"], field_key("args", "card", salt))

    del args, salt
    assert log.verify(log.root()).standing is Standing.PROVEN
    assert told["args"]["card"] == REDACTED
    assert not proves(told["digests"]["card"], ARGS["card"], field_key("args", "card", os.urandom(16)))
    assert SALT not in log.entries[0].entry.body
