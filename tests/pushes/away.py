"""Players who came from a host app and are away, and what happens meanwhile."""

from __future__ import annotations

import json
import secrets
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.db import transaction

from accounts.actions import federation, notifications, pushes
from accounts.events import FriendshipAsked
from accounts.models import FederatedIdentity, Player, Push
from fortunes import events, sql
from fortunes.models import Feed, PushDue
from tests.accounts.hosts import HostApp
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

# Events of so long are told together.
COALESCED = timedelta(seconds=4)


def configured(folder: Path, url: str, **others: str) -> str:
    """A file of issuers with one host app, whose push service has this address. Nobody signs in by it."""
    entries = [
        {"slug": slug, "issuer": f"https://{slug}.example", "audience": "five", "algorithms": ["ES256"],
         "jwks_url": "https://host.example/keys.json", "push_url": address}
        for slug, address in {"host": url, **others}.items()
    ]  # fmt: skip
    file = folder / f"issuers-{secrets.token_hex(4)}.json"
    file.write_text(json.dumps(entries))
    return str(file)


def arrived(slug: str = "host", **fields: str) -> Player:
    """Somebody who has signed in with the host app's token."""
    player = PlayerFactory.create(**fields)
    FederatedIdentity.objects.create(player=player, issuer=slug, subject=subject(player))
    with transaction.atomic():
        notifications.let(player_id=player.pk)
    return player


def subject(player: Player) -> str:
    return f"user-{player.pk}"


def ask(player: Player, times: int = 1) -> None:
    """Strangers ask to be friends, all in one transaction."""
    entries = [(player.pk, FriendshipAsked(by=uuid4(), to=player.public_id)) for _ in range(times)]
    with transaction.atomic():
        events.append(campaign_id=None, entries=entries)


def asked_by(player: Player) -> None:
    """The player asks somebody: an event of their own doing."""
    with transaction.atomic():
        events.append(campaign_id=None, entries=[(player.pk, FriendshipAsked(by=player.public_id, to=uuid4()))])


def is_due(player: Player) -> bool:
    return PushDue.objects.filter(player=player).exists()


def feed(player: Player) -> Feed:
    return Feed.objects.get(player=player)


def tell(clock: Clock) -> int:
    """Some seconds later, when what came together is told together."""
    clock.shift(COALESCED)
    return pushes.send_due()


def rows(player: Player) -> list[Push]:
    return list(Push.objects.filter(player=player).order_by("pk"))


def row(player: Player) -> Push:
    (only,) = rows(player)
    return only


def broken() -> list[int]:
    """Who is not due though they should be, and the like."""
    return [row.player_id for row in sql.fetch(sql.text("fortunes", "invariants/pushes_are_due"))]


def signed_in(app: HostApp) -> Player:
    session = federation.sign_in(token=app.token("user-7"))
    return Player.objects.get(public_id=session.player.id)


def choose(player: Player, **chosen: Any) -> None:
    own: dict[str, Any] = {
        "enabled": True,
        "muted": [],
        "quiet_from": "23:00",
        "quiet_to": "08:00",
        "tz": "Asia/Shanghai",
        **chosen,
    }
    for name in ("quiet_from", "quiet_to"):
        own[name] = time.fromisoformat(own[name]) if own[name] else None
    notifications.change(player_id=player.pk, **own)
