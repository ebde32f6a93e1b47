"""A player among their friends, read: whom to swap with, and who is ahead. Nothing here locks or changes.

Each asks for the hands of one player and 200 friends at most, in one statement: a snapshot in which every card is in
one place, however much is traded meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from accounts import friends
from accounts.models import Player
from cards import answers, catalogue, days, ranking, suggesting
from cards.models import Hand, Trade
from fortunes import clock, rulebooks
from fortunes.answers import instant
from fortunes.models import Campaign
from fortunes.phases import Phase
from fortunes.rules import Rules

MOST = 50


def suggestions(*, campaign: Campaign, player_id: int) -> answers.Suggestions:
    """Swaps with friends from which both would get what they miss, each as it could be proposed now."""
    rules, now = rulebooks.current(campaign.pk), clock.estimate()
    offers = _offers(campaign, player_id, now)
    if campaign.phase(now) is not Phase.LIVE or len(offers) >= rules.trading.open_trades:
        return answers.Suggestions(items=[])
    # From a new account no card goes to another.
    grown = now - timedelta(hours=rules.trading.cooling_h)
    people = {one.pk: one for one in _circle(player_id) if one.joined_at <= grown}
    today = days.of(now, campaign.tz)
    held = {
        player: suggesting.Cards(hand.counts, hand.escrow)
        for player, hand in _hands(campaign, people).items()
        if _given(hand, today) < rules.trading.received_per_day
    }
    mine = held.pop(player_id, None)
    if mine is None:
        return answers.Suggestions(items=[])
    known = catalogue.of(campaign.pk)
    found = suggesting.suggest(mine, held, wanted=known.full_set(rules), weights=known.odds(rules).weights)
    fresh = [one for one in found if (one.friend, [one.gives], [one.takes]) not in offers]
    return answers.Suggestions(
        items=[
            answers.Suggestion(
                type="swap",
                to=people[one.friend].public_id,
                gives=known.slugs([one.gives]),
                takes=known.slugs([one.takes]),
            )
            for one in fresh[:MOST]
        ]
    )


def standings(*, campaign: Campaign, player_id: int) -> answers.Ranking:
    """A player and those of their friends who play in this campaign, by what they hold."""
    known, rules = catalogue.of(campaign.pk), rulebooks.current(campaign.pk)
    people = {one.public_id: one for one in _circle(player_id)}
    held = _hands(campaign, [one.pk for one in people.values()])
    ranked = ranking.rank(
        _standing(one.public_id, held.get(one.pk), known, rules)
        for one in people.values()
        if one.pk in held or one.pk == player_id
    )
    return answers.Ranking(
        items=[
            answers.Ranked(
                place=place,
                player=one.player,
                nickname=people[one.player].nickname,
                kinds=one.kinds,
                cards=one.cards,
                complete_since=instant(one.complete_since) if one.complete_since else None,
            )
            for place, one in ranked
        ]
    )


def _standing(player: UUID, hand: Hand | None, known: catalogue.Catalogue, rules: Rules) -> ranking.Standing:
    if hand is None:
        return ranking.Standing(player, kinds=0, cards=0, complete_since=None)
    # A rule may have changed since the hand did.
    is_complete = known.complete(rules, hand.counts, hand.escrow)
    return ranking.standing(
        player,
        counts=hand.counts,
        escrow=hand.escrow,
        full_set=known.full_set(rules),
        since=hand.completed_at if is_complete else None,
    )


def _given(hand: Hand, today: date) -> int:
    """How many cards of others have come to a hand today."""
    return hand.fed_today if hand.fed_day is not None and hand.fed_day >= today else 0


def _circle(player_id: int) -> list[Player]:
    """A player and their friends, without those who were shut out."""
    return [friends.player(player_id), *friends.active(player_id)]


def _hands(campaign: Campaign, players: Iterable[int]) -> dict[int, Hand]:
    """The hands of these players, of those who have one."""
    return {hand.player_id: hand for hand in Hand.objects.filter(campaign=campaign, player__in=list(players))}


def _offers(campaign: Campaign, player_id: int, now: datetime) -> list[tuple[int | None, list[int], list[int]]]:
    """To whom a player offers what for what, of all of their open trades."""
    rows = Trade.objects.filter(campaign=campaign, proposer=player_id, state=Trade.State.OPEN, expires_at__gt=now)
    return list(rows.values_list("recipient", "gives", "takes"))
