"""Who asks, as far as the ground and the actions need to know."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class SignedIn(Protocol):
    """A player: their row, or what the authentication of accounts makes of a token."""

    @property
    def pk(self) -> int: ...

    @property
    def public_id(self) -> UUID: ...
