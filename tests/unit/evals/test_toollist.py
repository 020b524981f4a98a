"""What a tool does is read from its name, and the policy that is written from it says so."""

from __future__ import annotations

import io

import pytest
from ruamel.yaml import YAML

from evals.agentdojo.policyfile import policy
from evals.agentdojo.toollist import VERBS, does, reads

WORDS = {"read", "create", "update", "delete", "send", "pay", "run"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("get_most_recent_transactions", "read"),
        ("check_restaurant_opening_hours", "read"),
        ("send_email", "send"),
        ("send_money", "pay"),
        ("update_scheduled_transaction", "pay"),
        ("share_file", "update"),
        ("reserve_hotel", "create"),
        ("remove_user_from_slack", "delete"),
    ],
)
def test_the_first_word_says_what_a_tool_does(name: str, expected: str) -> None:
    """A known first word decides, and what is no read pays when it names money."""
    assert does(name) == expected


@pytest.mark.parametrize("name", ["fetch_page", "getmoney", "GET_page", "", "_get_page"])
def test_an_unknown_first_word_is_never_a_read(name: str) -> None:
    """A name that does not tell means `run`, so that its tool asks; nearly a read is none."""
    assert does(name) == "run"
    assert not reads(name)


def test_every_verb_gives_a_word_of_the_policy_and_a_reason() -> None:
    """The table uses only words that the policy file knows, and says why."""
    assert {verb for verb, _why in VERBS.values()} <= WORDS
    assert all(why for _verb, why in VERBS.values())


def test_the_policy_lets_reads_run_and_asks_for_the_rest() -> None:
    """Every tool may be used; reads stand at preapproved, others at suggest, and no higher."""
    loaded = YAML(typ="safe").load(io.StringIO(policy(["get_iban", "send_money", "mystery"])))
    assert loaded["handrail"] == 1
    assert loaded["agents"]["agent"]["may"] == ["get_iban", "send_money", "mystery"]
    assert loaded["tools"] == {
        "get_iban": {"does": "read", "starts": "preapproved", "at_most": "preapproved"},
        "send_money": {"does": "pay", "starts": "suggest", "at_most": "suggest"},
        "mystery": {"does": "run", "starts": "suggest", "at_most": "suggest"},
    }
