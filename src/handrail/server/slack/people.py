"""Who clicked: a member of Slack becomes a person of Handrail, or is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError

from handrail.engine.identity.accounts import person_id
from handrail.words.errors import BadArguments, Refused
from handrail.words.person import Person, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.web import WebClient

    from handrail.engine.core import Engine

STRANGER = (
    "Handrail does not know you. Sign in to Handrail, ask there for a Slack code, "
    "and send it here: /handrail link CODE"
)
NOBODY = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
"""What Slack says of members of other workspaces."""
_RANK = {Role.VIEWER: 0, Role.REVIEWER: 1, Role.ADMIN: 2}
_NEEDS = {
    Role.VIEWER: "an account",
    Role.REVIEWER: "the role of a reviewer: yours only looks",
    Role.ADMIN: "the role of an admin",
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member of Slack: a team (or an enterprise's user in it) and a user id."""

    team: str
    user: str

    def __str__(self) -> str:
        """As an account keeps it."""
        return f"{self.team} {self.user}"


def member_of(body: Mapping[str, Any]) -> Member:
    """Who sent a click, a modal or a command; the signature vouches for it.

    Raises:
        Refused: it says nobody.
    """
    user = body.get("user")
    if isinstance(user, dict):
        team = user.get("team_id") or (body.get("team") or {}).get("id")
        found = Member(str(team or ""), str(user.get("id") or ""))
    else:
        found = Member(str(body.get("team_id") or ""), str(body.get("user_id") or ""))
    if not found.team or not found.user:
        raise Refused(STRANGER)
    return found


class Register:
    """Finds the person of a member, by the account's own link or by a confirmed address of our workspace."""

    def __init__(self, engine: Engine, client: WebClient, *, match_email: bool) -> None:
        """Nothing is asked of Slack yet."""
        self._engine, self._client, self._match_email = engine, client, match_email
        self._team: str | None = None

    def person(self, member: Member, needs: Role) -> Person:
        """The member's person, who has at least this role.

        Raises:
            Refused: nobody knows the member, the account is closed, or its role is less.
        """
        found = self._engine.store.read(lambda tx: tx.people.by_slack(str(member)))
        if found is None and self._match_email:
            found = self._by_address(member)
        if found is None:
            raise Refused(STRANGER)
        if not found.active:
            raise Refused(f"the account {found.id} is closed")
        if _RANK[found.role] < _RANK[needs]:
            raise Refused(f"this needs {_NEEDS[needs]}")
        return found

    def _by_address(self, member: Member) -> Person | None:
        """Whose address the workspace has confirmed; guests, bots and strangers are nobody."""
        try:
            if self._team is None:
                self._team = str(self._client.auth_test()["team_id"])
            user: dict[str, Any] = self._client.users_info(user=member.user)["user"]
        except SlackApiError as error:
            if error.response.get("error") in NOBODY:
                return None
            raise Refused(f"Slack does not say who you are: {error.response.get('error')}") from error
        except (SlackClientError, OSError) as error:
            raise Refused(
                f"Slack does not say who you are now ({type(error).__name__}): try again"
            ) from error
        if member.team != self._team or not _is_colleague(user, self._team):
            return None
        try:
            address = person_id(str((user.get("profile") or {}).get("email") or ""))
        except BadArguments:
            return None
        found = self._engine.store.read(lambda tx: tx.people.get(address))
        # who linked another member said which one is theirs
        return found if found is not None and found.slack is None else None


def _is_colleague(user: Mapping[str, Any], team: str) -> bool:
    foreign = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "is_app_user")
    if any(user.get(each) for each in foreign) or user.get("team_id") != team:
        return False
    return user.get("is_email_confirmed") is True
