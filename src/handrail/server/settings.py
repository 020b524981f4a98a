"""What the environment says about a server. NAME_FILE instead of NAME names a file with the value."""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from handrail.channels.settings import only_one
from handrail.engine.core import OPEN_QUESTIONS
from handrail.server.limits import STREAMS
from handrail.words.errors import BadArguments

PREFIX = "HANDRAIL_"
MIB = 1024 * 1024
LONGEST_BANNER = 1_000
"""Characters: a few sentences. More would push every page down."""


class Settings(BaseSettings):
    """One server's settings, from ``HANDRAIL_…`` in the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # NAME= says nothing, as for every other setting: an empty host is every one
        extra="ignore",
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = None
    """The store, as for every command."""
    url: str | None = None
    """The public address, such as https://handrail.example.com; links and cookies follow it."""
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8765, ge=0, le=65_535)
    trusted_proxies: str = ""
    """Addresses and networks, with commas between, whose X-Forwarded headers are believed."""
    body_limit: int = Field(default=2 * MIB, ge=1024)
    """Bytes of a request's body that are read at most."""
    rate: int = Field(default=1_000, ge=1)
    """Requests a second of one address, and of one key, that are answered in the long run."""
    streams: int = Field(default=STREAMS, ge=1)
    """Live streams that one person may have open at one moment, in one process: one for each open page."""
    open_questions: int = Field(default=OPEN_QUESTIONS, ge=1)
    """Questions of one agent that may wait for people at one moment."""
    grace: float = Field(default=20.0, ge=0, allow_inf_nan=False)
    """Seconds that requests get to end when the server is told to stop."""
    drain: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Seconds between the moment when the server calls itself not ready and the end of accepting."""
    banner: str | None = Field(default=None, max_length=LONGEST_BANNER)
    """What stands on every page, such as which system this is; a browser can put it away."""
    queue: Literal["auto", "loop", "procrastinate"] = "auto"
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_roles: str | None = None
    """Who gets an account without an invitation: ``claim:value=role``, with commas between."""

    @field_validator("url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        more = parts.username is not None or parts.query or parts.fragment or parts.path not in {"", "/"}
        if parts.scheme not in {"http", "https"} or not parts.hostname or more:
            raise ValueError("expected an address such as https://handrail.example.com, without a path")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("banner")
    @classmethod
    def _said(cls, value: str | None) -> str | None:
        return " ".join(value.split()) or None if value is not None else None

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        parts = [each.strip() for each in value.split(",") if each.strip()]
        for each in parts:
            try:
                ip_network(each if each != "*" else "::/0")
            except ValueError as error:
                # one that is misread is never believed: everybody would then share the proxy's address
                raise ValueError(f"expected addresses and networks with commas between; {error}") from error
        return ",".join(parts)

    @model_validator(mode="after")
    def _together(self) -> Settings:
        if self.oidc_client_id and not self.oidc_issuer:
            raise ValueError("HANDRAIL_OIDC_CLIENT_ID needs HANDRAIL_OIDC_ISSUER")
        return self

    @property
    def secure(self) -> bool:
        """Whether the public address is an https one."""
        return self.url is not None and self.url.startswith("https:")

    def address(self) -> str:
        """Where people find this server, as far as it can know."""
        if self.url is not None:
            return self.url
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library names it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the command says comes first, then the environment, then the files that it names."""
        return init_settings, env_settings, _Files(settings_cls)


class _Files(PydanticBaseSettingsSource):
    """Values of files that ``HANDRAIL_…_FILE`` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - same
        """The file's text without its last line break."""
        name = f"{PREFIX}{field_name.upper()}_FILE"
        path = os.environ.get(name)
        if not path:
            return None, field_name, False
        only_one(os.environ, name.removesuffix("_FILE"))
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise BadArguments(f"{name} names {path}, which can't be read: {error}") from error

    def __call__(self) -> dict[str, Any]:
        """Every value that a file gives."""
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


def settings_of(**given: Any) -> Settings:
    """The environment's settings, with what a command was given instead; None means not given.

    Raises:
        BadArguments: a value is not what its name means.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(_wrong(tuple(map(str, each["loc"])), each["msg"]) for each in error.errors())
        raise BadArguments(f"settings that can't be used: {wrong}") from error


def _wrong(where: tuple[str, ...], what: str) -> str:
    told = what.removeprefix("Value error, ")
    return f"{PREFIX}{'_'.join(where).upper()}: {told}" if where else told
