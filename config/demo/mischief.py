"""Bad input, as players and their apps produce it. Each has its documented code and changes nothing."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from config.client.rest import Client
from config.demo.player import Player


@dataclass(frozen=True, slots=True)
class Props:
    """Codes of which each is wrong in its own way, and everybody in the season."""

    forged: str
    expired: str
    foreign: str
    players: list[Player]


async def scan_a_code(player: Player, what: str, code: str, refusal: str) -> None:
    await player.refused(what, player.season.scan(code), refusal)


async def scan_a_forged_code(player: Player, props: Props) -> None:
    await scan_a_code(player, "scan of a forged code", props.forged, "code-invalid")


async def scan_an_expired_code(player: Player, props: Props) -> None:
    await scan_a_code(player, "scan of an expired code", props.expired, "code-expired")


async def scan_a_foreign_code(player: Player, props: Props) -> None:
    await scan_a_code(player, "scan of another season's code", props.foreign, "code-foreign")


async def scan_a_used_code(player: Player, props: Props) -> None:
    if player.used_codes:
        await scan_a_code(player, "scan of a code one has used", player.used_codes[0], "code-used")


async def scan_a_friends_code(player: Player, props: Props) -> None:
    used = [code for friend in player.friends for code in friend.used_codes]
    if used:
        await scan_a_code(player, "scan of a code a friend has used", random.choice(used), "code-used")


async def scan_under_a_used_key(player: Player, props: Props) -> None:
    if not player.scans_left:
        return
    key, code = secrets.token_hex(8), next(player.world.codes)
    answer = await player.answered("scan", player.season.scan(code, key=key))
    player.note_draw(code, answer)
    if answer:
        second = player.season.scan(next(player.world.codes), key=key)
        await player.refused("scan under a used key", second, "idempotency-key-reused")


async def scan_under_a_bad_key(player: Player, props: Props) -> None:
    sent = player.season.scan(next(player.world.codes), key="two words")
    await player.refused("scan under a bad key", sent, "idempotency-key-invalid")


async def give_what_is_not_held(player: Player, props: Props) -> None:
    lacking = [kind for kind in player.world.complete_set if not player.diary.cards[kind]]
    if lacking:
        # Ten at once, because a friend may be giving one this very moment.
        gift = player.season.gift(player.friends[0].diary.player, [lacking[0]] * 10)
        await player.refused("gift of cards not held", gift, "card-not-held")


async def give_to_a_stranger(player: Player, props: Props) -> None:
    strangers = [other for other in props.players if other is not player and other not in player.friends]
    gift = player.season.gift(random.choice(strangers).diary.player, [player.world.complete_set[0]])
    await player.refused("gift to a stranger", gift, "friend-not-found")


async def give_to_oneself(player: Player, props: Props) -> None:
    gift = player.season.gift(player.diary.player, [player.world.complete_set[0]])
    await player.refused("gift to oneself", gift, "trade-with-oneself")


async def give_an_unknown_kind(player: Player, props: Props) -> None:
    gift = player.season.gift(player.friends[0].diary.player, ["jade"])
    await player.refused("gift of an unknown kind", gift, "kind-unknown")


async def give_over_the_socket_what_is_not_held(player: Player, props: Props) -> None:
    lacking = [kind for kind in player.world.complete_set if not player.diary.cards[kind]]
    if lacking:
        gift = player.line.gift(player.friends[0].diary.player, [lacking[0]] * 10)
        await player.refused("gift of cards not held (socket)", gift, "card-not-held")


async def ask_for_nonsense(player: Player, props: Props) -> None:
    await player.refused("unknown command (socket)", player.command("trade.steal", {}), "unknown-op")


async def come_unsigned(player: Player, props: Props) -> None:
    async with Client(player.client.base_url) as nobody:
        await player.refused("hand without signing in", nobody.season(player.world.slug).hand(), "not-signed-in")


async def lose_the_connection(player: Player, props: Props) -> None:
    """No bad input, but bad weather, and in the middle of a gift if there is something to give."""
    await asyncio.gather(player.share(), player.line.drop())


TRICKS: tuple[Callable[[Player, Props], Awaitable[None]], ...] = (
    scan_a_used_code,
    give_to_a_stranger,
    lose_the_connection,
    scan_under_a_used_key,
    scan_a_forged_code,
    give_what_is_not_held,
    scan_a_friends_code,
    lose_the_connection,
    give_to_oneself,
    scan_an_expired_code,
    give_over_the_socket_what_is_not_held,
    lose_the_connection,
    scan_a_foreign_code,
    ask_for_nonsense,
    give_an_unknown_kind,
    lose_the_connection,
    scan_under_a_bad_key,
    come_unsigned,
)


async def scan_too_early(player: Player) -> None:
    code = next(player.world.codes)
    answer = await player.refused(
        "early scan", player.season.scan(code), "campaign-not-live", before=player.world.opens
    )
    player.note_draw(code, answer)


async def scan_too_often(player: Player) -> None:
    if player.scans_left == 0:
        await scan_a_code(player, "scan over the quota", next(player.world.codes), "daily-limit-reached")


async def scan_too_late(player: Player) -> None:
    await scan_a_code(player, "late scan", next(player.world.codes), "campaign-frozen")


async def give_too_late(player: Player) -> None:
    gift = player.season.gift(player.friends[0].diary.player, [player.world.complete_set[0]])
    await player.refused("late gift", gift, "campaign-frozen")


async def open_too_early(player: Player) -> None:
    await player.refused(
        "opening before the reveal", player.season.open_packet(), "too-early", before=player.world.reveals
    )
