"""Seasons, scans, draws and gifts. Cards have a history, so everything here goes through the actions."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import factory
from django.conf import settings
from django.db import transaction

from accounts.models import Player
from cards import answers, catalogue, codes, hands
from cards.actions import checkins, presets, scans, stock, trades
from cards.models import CardKind, CodeBatch, Draw, Hand, Trade
from fortunes import clock, keys, rulebooks, secretkeys
from fortunes.actions import rulechanges
from fortunes.models import Campaign
from redpackets.actions import openings, pools
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.factories.fortunes import CampaignFactory

PLENTY = {"code": {"per_day": 1_000, "per_campaign": 5_000}}
SPECIALS = (("wild", "万能福"), ("steal", "顺手牵羊"), ("copy", "沾福"))


class DraftSeasonFactory(CampaignFactory):
    """A draft of the preset. `rulebook` replaces parts of its rules."""

    rulebook = factory.LazyFunction(dict)

    @classmethod
    def _create(cls, model_class: type[Campaign], *args: Any, **fields: Any) -> Campaign:
        return presets.five_fortunes(**fields)


class SeasonFactory(DraftSeasonFactory):
    """A live season with a funded pool, opened as staff would; its due stock is released.

    With `specials` it has a card of each special role as well; a rulebook decides which may be played. `announced` are
    changes of the rules that are announced before the opening: how long after it each takes force, and what it changes.
    """

    pool_fen = 1_000_000
    specials = False
    announced: Sequence[tuple[timedelta, Mapping[str, Any]]] = ()

    @classmethod
    def _create(
        cls,
        model_class: type[Campaign],
        *args: Any,
        pool_fen: int,
        specials: bool,
        announced: Sequence[tuple[timedelta, Mapping[str, Any]]],
        **fields: Any,
    ) -> Campaign:
        campaign = super()._create(model_class, **fields)
        if specials:
            known = set(campaign.kinds.values_list("slug", flat=True))
            missing = [special for special in SPECIALS if special[0] not in known]
            CardKind.objects.bulk_create(
                CardKind(campaign=campaign, ordinal=ordinal, slug=slug, role=slug, name_zh=zh, name_en=slug.title(),
                         glyph=zh[0], colour="#888888")
                for ordinal, (slug, zh) in enumerate(missing, start=len(known))
            )  # fmt: skip
        for later, changes in announced:
            rulechanges.announce(
                campaign_id=campaign.pk, name_zh="顺手牵羊卡", name_en="The steal card", changes=changes,
                takes_force_at=clock.now() + later, by=None,
            )  # fmt: skip
        pool = pools.create(campaign_id=campaign.pk, amount_fen=pool_fen)
        pools.fund(pool_id=pool.pk, amount_fen=pool_fen, business_key=f"fund:{campaign.slug}")
        campaign = openings.open(campaign_id=campaign.pk)
        stock.release_due()
        return campaign


def code(
    campaign: Campaign, *, source: int = 0, batch: int | None = None, valid_for: timedelta = timedelta(days=30)
) -> str:
    """The text of a fresh signed code, of the campaign's first batch unless another is given."""
    key_id, key = secretkeys.current(settings.SCAN_CODE_KEYS)
    if batch is None:
        batch = 1
        until = campaign.closes_at + timedelta(days=30)
        CodeBatch.objects.get_or_create(
            campaign=campaign, number=1, defaults={"source": 0, "count": 1_000_000, "expires_at": until}
        )
    fresh = codes.fresh(campaign_id=campaign.pk, source=source, batch=batch, expires_at=clock.now() + valid_for)
    return codes.encode(fresh, key_id=key_id, key=key)


def asked(player: Player, route: str, body: Any, key: str | None = None) -> keys.Request:
    """A request under a fresh key."""
    return keys.request(player_id=player.pk, route=route, key=key or secrets.token_hex(8), body=body)


def scan(campaign: Campaign, player: Player, *, text: str | None = None, key: str | None = None) -> scans.Scan:
    """A scan that the player is about to make."""
    text = text or code(campaign)
    return scans.Scan(asked(player, "scans", {"campaign": campaign.slug, "code": text}, key), text)


def redeem(campaign: Campaign, player: Player, **given: Any) -> scans.Outcome:
    """The outcome of one scan of one player."""
    (outcome,) = scans.redeem(campaign=campaign, scans=[scan(campaign, player, **given)])
    return outcome


def check_in(campaign: Campaign, player: Player, *, key: str | None = None) -> answers.Redemption:
    """Today's check-in."""
    return checkins.check_in(campaign=campaign, asked=asked(player, "check-ins", {"campaign": campaign.slug}, key))


def give(
    campaign: Campaign, giver: Player, receiver: Player, gives: Sequence[str], *, key: str | None = None
) -> answers.TradeReceipt:
    """A gift between friends."""
    body = {"campaign": campaign.slug, "type": "gift", "to": receiver.public_id, "gives": list(gives)}
    return trades.gift(
        asked=asked(giver, "trades", body, key), campaign=campaign, giver=giver, to=receiver.public_id, gives=gives
    )


class TradingSeasonFactory(SeasonFactory):
    """A season with the special kinds, where `deal` can give anybody any card. `rules` are more of its rulebook."""

    specials = True
    rules = factory.LazyFunction(dict)
    rulebook = factory.LazyAttribute(lambda made: {"caps": {}, "quotas": PLENTY, **made.rules})

    class Meta:
        exclude = ["rules"]


def deal(campaign: Campaign, player: Player, *cards: str) -> None:
    """Put chosen cards into a player's hand, by slug, as if codes had yielded them."""
    hands.ensure(campaign_id=campaign.pk, players=[player.pk])
    known = catalogue.of(campaign.pk)
    with transaction.atomic():
        for card in cards:
            hand = Hand.objects.select_for_update().get(campaign=campaign, player=player)
            moment = clock.now()
            today = moment.astimezone(ZoneInfo(campaign.tz)).date()
            kind = known.kinds.index(card)
            hand.used_today = hand.used_today if hand.day == today else [0] * len(hand.used)
            hand.counts[kind] += 1
            hand.used_today[0] += 1
            hand.used[0] += 1
            hand.version, hand.day = hand.version + 1, today
            rules = rulebooks.current(campaign.pk)
            is_complete = known.complete(rules, hand.counts, hand.escrow)
            hand.completed_at = (hand.completed_at or moment) if is_complete else None
            hand.save()
            Draw.objects.create(
                campaign=campaign, player=player, source=0, nonce=secrets.token_bytes(16), key=secrets.token_hex(8),
                body_hash=b"", rulebook_version=rulebooks.in_force(campaign.pk).version, wish=kind, kind=kind,
                hand_after=hand.counts, escrow_after=hand.escrow, used_today_after=hand.used_today[0],
                used_after=hand.used[0], hand_version=hand.version, at=moment,
            )  # fmt: skip


def held(campaign: Campaign, player: Player) -> dict[str, int]:
    """A player's cards by slug, only those that there are."""
    hand = Hand.objects.filter(campaign=campaign, player=player).first()
    counts = catalogue.of(campaign.pk).counts(hand.counts) if hand else {}
    return {slug: count for slug, count in counts.items() if count}


class DrawFactory(factory.Factory[Draw]):
    """A redeemed scan."""

    class Meta:
        model = Draw

    campaign = factory.SubFactory(SeasonFactory)
    player = factory.SubFactory(PlayerFactory)

    @classmethod
    def _create(cls, model_class: type[Draw], *args: Any, campaign: Campaign, player: Player) -> Draw:
        outcome = redeem(campaign, player)
        if isinstance(outcome, Exception):
            raise outcome
        return model_class.objects.get(player=player, campaign=campaign, hand_version=outcome.hand.version)


class GiftFactory(factory.Factory[Trade]):
    """A card that was drawn by `giver` and given to `receiver`."""

    class Meta:
        model = Trade

    campaign = factory.SubFactory(SeasonFactory)
    giver = factory.SubFactory(PlayerFactory)
    receiver = factory.SubFactory(PlayerFactory)

    @classmethod
    def _create(
        cls, model_class: type[Trade], *args: Any, campaign: Campaign, giver: Player, receiver: Player
    ) -> Trade:
        FriendshipFactory.create(player=giver, friend=receiver)
        drawn = DrawFactory.create(campaign=campaign, player=giver)
        slug = campaign.kinds.get(ordinal=drawn.kind).slug
        return model_class.objects.get(public_id=give(campaign, giver, receiver, [slug]).trade.id)
