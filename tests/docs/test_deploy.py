"""What is deployed names only what exists: settings, flags, files, services; and nothing runs as root."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from handrail.cli.tree import app
from handrail.server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
OF_COMPOSE = {"HANDRAIL_DOMAIN", "HANDRAIL_SITE", "HANDRAIL_SERVERS"}
"""Names that only the proxy and compose itself read."""
KNOWN = {f"HANDRAIL_{name.upper()}" for name in Settings.model_fields}
FILES = ["Dockerfile", "compose.yaml", "Caddyfile", "handrail.service"]


def text(name: str) -> str:
    """A file of the folder."""
    return (DEPLOY / name).read_text(encoding="utf-8")


def compose() -> Any:
    """The compose file, with its anchors followed."""
    yaml = YAML(typ="safe")
    return yaml.load(text("compose.yaml"))


def strange(content: str) -> set[str]:
    """Names of settings that nobody reads."""
    found = {name.removesuffix("_FILE") for name in re.findall(r"HANDRAIL_[A-Z_]*[A-Z]", content)}
    return found - KNOWN - OF_COMPOSE


def fits(arguments: list[str]) -> bool:
    """Whether the command line takes these arguments."""
    command = typer.main.get_command(app)
    name, *rest = arguments
    serving = command.commands[name]  # type: ignore[attr-defined]
    serving.make_context(name, rest)
    return True


@pytest.mark.parametrize("name", FILES)
def test_every_setting_that_is_named_exists(name: str) -> None:
    assert strange(text(name)) == set()


def test_a_setting_that_does_not_exist_would_be_found() -> None:
    assert strange("HANDRAIL_PORT=1 HANDRAIL_DATABASE_URL_FILE=x HANDRAIL_GRACES=2") == {"HANDRAIL_GRACES"}


def test_two_servers_start_as_the_command_line_has_it() -> None:
    servers = [each for each in compose()["services"].values() if each["image"] == "handrail"]
    assert len(servers) == 2
    assert all(fits(each["command"]) for each in servers)
    assert all(each["read_only"] and each["cap_drop"] == ["ALL"] for each in servers)


def test_the_unit_starts_as_the_command_line_has_it() -> None:
    [line] = re.findall(r"^ExecStart=(.+)$", text("handrail.service"), re.MULTILINE)
    program, *arguments = shlex.split(line)
    assert program.endswith("/bin/handrail")
    assert fits(arguments)


def test_a_flag_that_does_not_exist_would_be_found() -> None:
    with pytest.raises(Exception, match="No such option"):
        fits(["serve", "--polcy", "x"])


def test_everything_that_compose_refers_to_is_there() -> None:
    found = compose()
    for service in found["services"].values():
        assert set(service["networks"]) <= found["networks"].keys()
        assert set(service.get("secrets", [])) <= found["secrets"].keys()
        assert set(service.get("depends_on", [])) <= found["services"].keys()
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in found["volumes"] or source.startswith("./")
    build = found["x-server"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()


def test_the_proxy_speaks_to_the_servers_where_they_listen() -> None:
    found = compose()["services"]
    proxy = found["proxy"]
    [port] = re.findall(r"HANDRAIL_PORT=(\d+)", text("Dockerfile"))
    servers = proxy["environment"]["HANDRAIL_SERVERS"].split()
    assert servers == [f"{name}:{port}" for name in found if name.startswith("server-")]
    believed = found["server-1"]["environment"]["HANDRAIL_TRUSTED_PROXIES"]
    assert proxy["networks"]["inner"]["ipv4_address"] == believed


def test_no_secret_stands_in_the_environment() -> None:
    for service in compose()["services"].values():
        named = [
            name for name in service["environment"] if re.search("PASSWORD|TOKEN|SECRET|DATABASE_URL", name)
        ]
        assert all(name.endswith("_FILE") for name in named)


def test_the_image_is_made_of_what_is_there_and_runs_as_nobody_special() -> None:
    lines = re.sub(r"\\\n\s*", " ", text("Dockerfile")).splitlines()
    copied = [each.split()[1:-1] for each in lines if each.startswith("COPY") and "--from" not in each]
    kept = re.findall(r"^!(.+)$", text("Dockerfile.dockerignore"), re.MULTILINE)
    for path in (path for paths in copied for path in paths):
        assert (ROOT / path).exists(), path
        assert path in kept
    assert [each for each in lines if each.startswith("USER")] == ["USER 10001:10001"]
    installs = [each for each in lines if "-r requirements/" in each]
    assert installs
    assert all("--require-hashes" in each for each in installs)


def test_the_unit_asks_for_little() -> None:
    unit = text("handrail.service")
    for each in (
        "DynamicUser=yes",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=\n",
    ):
        assert each in unit
