"""What other people wrote is as it was released: every file is listed with its licence and its hash."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLACES = (ROOT / "src/handrail/server/static/vendor", ROOT / "tests/support/axe")
LIST = "VENDOR.toml"


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_every_file_is_listed_and_as_it_was_released(place: Path) -> None:
    """Nothing is changed, missing or there without a word about it."""
    listed = tomllib.loads((place / LIST).read_text())["file"]
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in place.iterdir()}
    del found[LIST]
    assert found == {each["path"]: each["sha256"] for each in listed}
    for each in listed:
        assert each["name"]
        assert each["version"]
        assert each["licence"]


def test_every_work_is_named_in_the_notice() -> None:
    """With its licence."""
    notice = (ROOT / "NOTICE").read_text()
    for place in PLACES:
        for each in tomllib.loads((place / LIST).read_text())["file"]:
            assert each["name"] in notice
