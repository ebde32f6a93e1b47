"""What a socket command is: a shape for its data, and a function that calls one action with it.

Each app fills a table `COMMANDS` in its own commands.py, the ground the one below; the roof joins them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from rest_framework.serializers import CharField, UUIDField

from fortunes import answers, keys, rest, serializers
from fortunes.actions import ballots
from fortunes.identity import SignedIn
from fortunes.models import Campaign


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a command, and the campaign that their socket was opened for."""

    player: SignedIn
    campaign: Campaign


@dataclass(frozen=True, slots=True)
class Command:
    """`call` gets the validated data; what it returns is the answer's `result`."""

    data: type[rest.StrictSerializer]
    call: Callable[[Caller, dict[str, Any]], msgspec.Struct]

    def run(self, caller: Caller, data: dict[str, Any]) -> msgspec.Struct:
        """Validate and call. Raises the action's refusals and rest_framework's ValidationError."""
        return self.call(caller, rest.validated(self.data, data))


class Keyed(rest.StrictSerializer):
    """What REST says in a header and in the address."""

    key = CharField(default="", allow_blank=True, trim_whitespace=False)


class BallotData(Keyed, serializers.BallotRequest):
    """A ballot on a proposal of the socket's campaign, under an idempotency key."""

    proposal = UUIDField()


def cast(caller: Caller, data: dict[str, Any]) -> answers.BallotReceipt:
    # As of REST, so that either is a retry of the other.
    body = {"proposal": data["proposal"], "option": data["option"]}
    asked = keys.request(player_id=caller.player.pk, route=ballots.ROUTE, key=data["key"], body=body)
    return ballots.cast(
        asked=asked, proposal_id=data["proposal"], option=data["option"], by=caller.player, campaign=caller.campaign
    )


COMMANDS = {"ballot.cast": Command(BallotData, cast)}
