"""Settings of channels come from the environment, or from files that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.channels import Channels, ChannelSettings, channel_of, from_environment
from handrail.words.errors import BadArguments, ChannelError


def test_nothing_set_means_no_channel() -> None:
    assert not from_environment({}).any


def test_the_environment_names_slack_and_others() -> None:
    found = from_environment(
        {
            "HANDRAIL_URL": "https://handrail.example.com/",
            "HANDRAIL_SLACK_BOT_TOKEN": "xoxb-1",
            "HANDRAIL_NOTIFY_ON_CALL": "json://example.com/",
        }
    )
    assert found.any
    assert (found.url, found.slack_token) == ("https://handrail.example.com", "xoxb-1")
    assert found.notify == {"on_call": "json://example.com/"}
    assert "xoxb-1" not in repr(found)
    assert "json://" not in repr(found)


def test_a_file_holds_what_must_not_stand_in_the_environment(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("json://secret.example.com/\n", encoding="utf-8")
    found = from_environment(
        {"HANDRAIL_NOTIFY_ONCALL_FILE": str(secret), "HANDRAIL_SLACK_BOT_TOKEN_FILE": str(secret)}
    )
    assert found.notify == {"oncall": "json://secret.example.com/"}
    assert found.slack_token == "json://secret.example.com/"


@pytest.mark.parametrize("name", ["HANDRAIL_URL", "HANDRAIL_SLACK_BOT_TOKEN", "HANDRAIL_NOTIFY_ONCALL"])
def test_a_value_and_a_file_with_the_value_are_one_too_many(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("https://handrail.example.com", encoding="utf-8")
    both = {name: "https://other.example.com", f"{name}_FILE": str(secret)}
    with pytest.raises(BadArguments, match=f"{name} and {name}_FILE are both set"):
        from_environment(both)
    assert from_environment({**both, name: ""}) == from_environment({name: "https://handrail.example.com"})


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadArguments, match=r"HANDRAIL_NOTIFY_ONCALL_FILE names .*gone"):
        from_environment({"HANDRAIL_NOTIFY_ONCALL_FILE": str(tmp_path / "gone")})


@pytest.mark.parametrize(
    ("name", "lacks"),
    [("slack:#offers", "HANDRAIL_SLACK_BOT_TOKEN"), ("notify:on-call", "HANDRAIL_NOTIFY_ON_CALL")],
)
def test_a_channel_that_is_not_set_up_says_what_it_lacks(name: str, lacks: str) -> None:
    with pytest.raises(ChannelError, match=lacks) as refused:
        Channels(ChannelSettings())(name)
    assert refused.value.again


@pytest.mark.parametrize("name", ["pigeon:home", "slack:", "offers"])
def test_what_is_no_channel_is_not_tried_again(name: str) -> None:
    with pytest.raises(ChannelError, match="is no channel") as refused:
        channel_of(name)
    assert not refused.value.again
