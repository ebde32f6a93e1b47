"""What a socket command is: a shape for its data, and a function that calls one action with it.

Each app fills a table `COMMANDS` in its own commands.py; the roof joins them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from fortunes import rest
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
