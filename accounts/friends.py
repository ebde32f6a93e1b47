"""Who is whose friend, and whom a player can find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import answers, errors, names
from accounts.models import Friendship, Player
from fortunes import presence as online
from fortunes import sql

BLOCKS = (Friendship.State.BLOCKED, Friendship.State.MUTUAL)
TIES = (Friendship.State.ASKING, Friendship.State.ASKED, Friendship.State.FRIENDS)


def find(player: UUID | str, *, seen_by: int) -> Player:
    """The active player of a public id, or (a str) of a username. Raises PlayerNotFound.

    Whoever has blocked `seen_by` is not to be found, by the same query and so at the same cost as an unknown player.
    """
    barred = Friendship.objects.filter(player=seen_by, friend=OuterRef("pk"), state=Friendship.State.BARRED)
    found = _named(player, Player.objects.filter(~Exists(barred), is_active=True))
    if found is None:
        raise errors.PlayerNotFound
    return found


def find_any(player: UUID | str) -> Player:
    """The player of this id or username, shut out or not, and whoever has blocked whom. Raises PlayerNotFound."""
    found = _named(player, Player.objects.filter(erased_at=None))
    if found is None:
        raise errors.PlayerNotFound
    return found


def find_tied(player: UUID | str, *, to: int) -> Player:
    """The active player of this id or username who is a friend of `to`, has asked them or was asked, or is `to`.

    Raises FriendshipNotFound for all others: the unknown, strangers and whoever has blocked `to` cost the same query,
    so that an id one has kept doesn't tell of a block.
    """
    ties = Friendship.objects.filter(player=to, friend=OuterRef("pk"), state__in=TIES)
    found = _named(player, Player.objects.filter(Q(pk=to) | Exists(ties), is_active=True))
    if found is None:
        raise errors.FriendshipNotFound
    return found


def _named(player: UUID | str, among: QuerySet[Player]) -> Player | None:
    if isinstance(player, UUID):
        return among.filter(public_id=player).first()
    username = names.normalise_username(player)
    return among.filter(username=username).first() if names.is_username(username) else None


def of(player_id: int) -> list[int]:
    """The ids of a player's friends, ascending; 200 at most."""
    friends = Friendship.objects.filter(player=player_id, state=Friendship.State.FRIENDS)
    return list(friends.order_by("friend").values_list("friend", flat=True))


def blocked_by(player_id: int) -> QuerySet[Friendship, int]:
    """The ids of the players whom a player has blocked, as a part of other queries (`settings.BLOCKED_PLAYERS`)."""
    blocks = Friendship.objects.filter(player=player_id, state__in=BLOCKS)
    return blocks.values_list("friend", flat=True)


def active(player_id: int) -> list[Player]:
    """A player's friends, without those who were shut out; 200 at most."""
    ties = Friendship.objects.filter(player=player_id, state=Friendship.State.FRIENDS, friend__is_active=True)
    return [tie.friend for tie in ties.select_related("friend")]


def contacts(players: Sequence[int]) -> list[dict[int, UUID]]:
    """The public ids of each one's friends by id, in one query; 200 at most for each."""
    found: dict[int, dict[int, UUID]] = {player: {} for player in players}
    friends = Friendship.objects.filter(player__in=found, state=Friendship.State.FRIENDS).order_by("friend")
    for player_id, friend_id, public_id in friends.values_list("player", "friend", "friend__public_id"):
        found[player_id][friend_id] = public_id
    return [found[player] for player in players]


def confirmed(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int, UUID]]:
    """Those pairs of a player and another who are friends now, with the other's public id."""
    asked = list(pairs)
    sides = {"players": [player for player, _ in asked], "others": [other for _, other in asked]}
    rows = sql.fetch(sql.text("accounts", "confirmed_friends"), sides)
    return [(row.player_id, row.friend_id, row.public_id) for row in rows]


def presence(player_id: int) -> answers.PresenceAnswer:
    """Which of a player's friends are online."""
    (known,) = contacts([player_id])
    return answers.presence(known, online.look(known))


def standings(player_id: int) -> QuerySet[Friendship]:
    """How a player stands to others, as far as they may know: not who has blocked them."""
    mine = Friendship.objects.filter(player=player_id).exclude(state=Friendship.State.BARRED)
    return mine.select_related("friend")


def player(player_id: int) -> Player:
    return Player.objects.get(pk=player_id)


def public_ids(players: Iterable[int]) -> dict[int, UUID]:
    """Public ids by id, in one query."""
    return dict(Player.objects.filter(pk__in=set(players)).values_list("pk", "public_id"))
