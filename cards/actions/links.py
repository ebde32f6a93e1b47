"""The links of trades: looked at by anybody, and followed by the first who accepts."""

from __future__ import annotations

from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from accounts import invitations as codes
from accounts.actions import invitations
from accounts.models import Friendship
from cards import answers, catalogue, errors
from cards.actions import listing, trades
from cards.models import ShareLink, TradeNote
from fortunes import keys, sql
from fortunes.answers import instant
from fortunes.identity import SignedIn
from fortunes.models import IdempotencyKey


def look(*, code: str) -> answers.LinkAnswer:
    """What a link offers or asks for; counts an open of it. Raises LinkNotFound, also for those of who was shut out."""
    link = ShareLink.objects.filter(_spelt(code), player__is_active=True).select_related("player", "campaign", "trade")
    found = link.first()
    if found is None:
        raise errors.LinkNotFound
    sql.execute(sql.text("cards", "count_open"), {"link": found.pk})
    return _describe(found)


def accept(*, asked: keys.Request, code: str, by: SignedIn) -> answers.TradeReceipt:
    """Follow a link: get what is given or give what is asked for, at once, and become friends with its player.

    Refusals: LinkNotFound (also where the player was shut out or one of the two has blocked the other),
    TradeWithOneself, and those of `trades.accept`.
    """
    link = _followed(asked, code, by.pk)
    if link is None:
        raise errors.LinkNotFound
    if link.player_id == by.pk:
        raise errors.TradeWithOneself
    return trades.accept_by_link(asked=asked, trade_pk=link.pk, by=by)


def _followed(asked: keys.Request, code: str, player_id: int) -> ShareLink | None:
    """The link, in one query whatever there is to hide; and the one that this very request has followed before."""
    route = Concat(Value(f"{asked.route}:"), Cast(OuterRef("campaign"), CharField()))
    done = Exists(IdempotencyKey.objects.filter(player=player_id, route=route, key=asked.key))
    blocked = Exists(
        Friendship.objects.filter(player=player_id, friend=OuterRef("player"), state__in=invitations.BLOCKS)
    )
    return ShareLink.objects.filter(_spelt(code), Q(player__is_active=True) & ~Q(blocked) | Q(done)).first()


def _spelt(code: str) -> Q:
    return Q(code=codes.normalise_code(code))


def _describe(link: ShareLink) -> answers.LinkAnswer:
    kinds, trade = catalogue.of(link.campaign_id), link.trade
    if trade.expires_at is None:
        raise ValueError("a trade with a link ends by itself")
    return answers.LinkAnswer(
        campaign=link.campaign.slug,
        type=trade.type,
        state=listing.state(trade),
        proposer=answers.ProposerAnswer(id=link.player.public_id, nickname=link.player.nickname),
        gives=kinds.slugs(trade.gives),
        takes=kinds.slugs(trade.takes),
        note=TradeNote.objects.filter(trade=trade).values_list("text", flat=True).first(),
        expires_at=instant(trade.expires_at),
    )
