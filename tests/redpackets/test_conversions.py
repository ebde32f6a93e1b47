"""What a vote has promised for cards that are worth money now: paid from the fund, once, as far as it goes."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from accounts.models import Player
from cards.models import Conversion
from fortunes import deadletters, invariants, sql
from fortunes.models import Campaign, DeadLetter, Event
from redpackets import tasks
from redpackets.actions import compensations, conversions, showing
from redpackets.models import CompensationFund, LedgerEntry, Wallet
from tests.factories import aftermaths as rules
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db

EACH = rules.INTO_FEN["steal"]["amount_fen"]


@pytest.fixture
def season() -> Campaign:
    """A season in which a vote has just removed the steal card, for so much money each. Nobody had one yet."""
    return rules.season_with_steals()


def remove(season: Campaign, *held: int) -> list[Player]:
    """Players who held so many steal cards each when these were removed for money, in the order in which it is owed."""
    players: list[Player] = PlayerFactory.create_batch(len(held))
    for player, cards in zip(players, held, strict=True):
        make.deal(season, player, *["steal"] * cards)
    rules.remove(season, "steal", promising=rules.INTO_FEN)
    rules.follow(season)
    order = list(Conversion.objects.filter(campaign=season).order_by("pk").values_list("player", flat=True))
    return sorted(players, key=lambda player: order.index(player.pk))


def set_aside(season: Campaign, cards: int) -> None:
    """Enough for so many cards."""
    compensations.fund(
        campaign_id=season.pk, amount_fen=cards * EACH, business_key=f"bank:{secrets.token_hex(6)}", by=None
    )


def balances(*players: Player) -> list[int]:
    """In cards."""
    return [showing.wallet(player_id=player.pk).balance_fen // EACH for player in players]


def unpaid(season: Campaign) -> int:
    return Conversion.objects.filter(campaign=season, paid_at=None).count()


def letters(season: Campaign) -> list[str | None]:
    found = DeadLetter.objects.filter(job=conversions.JOB, subject_id=season.pk).order_by("pk")
    return list(found.values_list("outcome", flat=True))


def broken() -> list[str]:
    return [known.name for known in invariants.every() if sql.fetch(known.query)]


def test_money_goes_from_the_fund_to_the_wallets_once(season: Campaign) -> None:
    set_aside(season, 10)
    one, other = remove(season, 2, 3)

    assert conversions.pay_due() is False
    tasks.pay_conversions()

    assert sorted(balances(one, other)) == [2, 3]
    row = Conversion.objects.get(campaign=season, player=one)
    entry = LedgerEntry.objects.get(business_key=f"conversion:{row.pk}")
    assert (entry.source_kind, entry.source_owner, entry.destination_owner) == ("goodwill", season.pk, one.pk)
    assert row.paid_at
    fund = CompensationFund.objects.get(pk=season.pk)
    assert (fund.paid_fen, fund.paused_at) == (5 * EACH, None)
    assert LedgerEntry.objects.filter(source_kind="goodwill", source_owner=season.pk).count() == 2
    assert letters(season) == []
    assert broken() == []


def test_the_player_is_told_and_sees_where_it_came_from(season: Campaign) -> None:
    set_aside(season, 10)
    (player,) = remove(season, 2)
    conversions.pay_due()

    row = Conversion.objects.get(campaign=season)
    (told,) = Event.objects.filter(player=player, type="conversion.paid").values_list("data", flat=True)
    assert told == {"conversion": str(row.public_id), "campaign": season.slug, "amount_fen": 2 * EACH}
    (entry,) = showing.describe_entries(list(showing.entries_of(player_id=player.pk)), player_id=player.pk)
    assert (entry.source, entry.campaign, entry.amount_fen) == ("goodwill", season.slug, 2 * EACH)


def test_chunks_and_a_short_time_change_nothing(season: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversions, "CHUNK", 2)
    set_aside(season, 10)
    players = remove(season, 1, 1, 1, 2, 1)

    rounds = 1
    while conversions.pay_due(budget_s=0):
        rounds += 1

    assert sorted(balances(*players)) == [1, 1, 1, 1, 2]
    assert rounds == 4
    assert broken() == []


def test_a_task_that_has_more_to_do_rings_again(season: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    set_aside(season, 1)
    (player,) = remove(season, 1)
    rung: list[dict[str, Any]] = []
    monkeypatch.setattr(conversions, "BUDGET_S", 0.0)
    monkeypatch.setattr(conversions.pay_due, "__kwdefaults__", {"budget_s": 0.0})
    monkeypatch.setattr(tasks.pay_conversions, "apply_async", lambda **given: rung.append(given))
    tasks.pay_conversions()
    assert rung == [{"expires": tasks.EXPIRES_S}]
    assert balances(player) == [1]


class TestTooLittle:
    def test_nobody_has_set_anything_aside(self, season: Campaign) -> None:
        (player,) = remove(season, 1)
        conversions.pay_due()
        conversions.pay_due()

        assert (balances(player), unpaid(season), letters(season)) == ([0], 1, [None])
        assert CompensationFund.objects.get(pk=season.pk).paused_at
        assert broken() == []

    def test_first_come_first_served_and_a_letter_asks_for_more(self, season: Campaign) -> None:
        set_aside(season, 3)
        first, second, third = remove(season, 2, 2, 1)

        conversions.pay_due()
        conversions.pay_due()

        held = Conversion.objects.filter(campaign=season).order_by("pk").values_list("cards", flat=True)
        paid = 2 if held[0] + held[1] <= 3 else 1
        assert balances(first, second, third) == [*held[:paid], *[0] * (3 - paid)]
        assert letters(season) == [None]

    def test_topping_up_goes_on_and_closes_the_letter(self, season: Campaign) -> None:
        set_aside(season, 1)
        players = remove(season, 1, 1, 1)
        conversions.pay_due()
        assert letters(season) == [None]

        set_aside(season, 2)
        conversions.pay_due()

        assert balances(*players) == [1, 1, 1]
        assert letters(season) == ["revived"]
        assert broken() == []

    def test_topping_up_by_too_little_brings_another_letter(self, season: Campaign) -> None:
        players = remove(season, 1, 1)
        conversions.pay_due()
        set_aside(season, 1)
        conversions.pay_due()
        conversions.pay_due()
        assert (balances(*players), letters(season)) == ([1, 0], ["revived", None])

    def test_a_letter_that_is_revived_without_money_comes_again(self, season: Campaign) -> None:
        remove(season, 1)
        conversions.pay_due()
        letter = DeadLetter.objects.get(job=conversions.JOB, subject_id=season.pk)
        deadletters.revive(letter_id=letter.pk, by=PlayerFactory.create().pk)
        conversions.pay_due()
        assert letters(season) == ["revived", None]

    def test_one_that_is_dismissed_leaves_it_as_it_is_until_there_is_money(self, season: Campaign) -> None:
        (player,) = remove(season, 1)
        conversions.pay_due()
        letter = DeadLetter.objects.get(job=conversions.JOB, subject_id=season.pk)
        deadletters.dismiss(letter_id=letter.pk, by=PlayerFactory.create().pk)
        conversions.pay_due()
        assert (balances(player), letters(season)) == ([0], ["dismissed"])

        set_aside(season, 1)
        conversions.pay_due()
        assert balances(player) == [1]

    def test_others_are_paid_meanwhile(self, season: Campaign) -> None:
        rich = rules.season_with_steals()
        set_aside(rich, 1)
        (poor_player,) = remove(season, 1)
        (rich_player,) = remove(rich, 1)
        conversions.pay_due()
        assert balances(poor_player, rich_player) == [0, 1]

    def test_others_are_paid_while_one_campaign_fails(self, season: Campaign) -> None:
        """Its entry is there already, which nobody but us can have written: somebody has to look."""
        other = rules.season_with_steals()
        for each in (season, other):
            set_aside(each, 1)
        (stuck,), (paid,) = remove(season, 1), remove(other, 1)
        row = Conversion.objects.get(campaign=season)
        LedgerEntry.objects.create(
            source_kind="goodwill", source_owner=season.pk, destination_kind="wallet", destination_owner=stuck.pk,
            amount_fen=EACH, business_key=f"conversion:{row.pk}",
        )  # fmt: skip
        with pytest.raises(RuntimeError, match="0 of 1 conversions"):
            conversions.pay_due()
        assert balances(stuck, paid) == [0, 1]
        assert unpaid(season) == 1

    def test_what_is_owed_is_not_free(self, season: Campaign) -> None:
        def known() -> tuple[int, int]:
            owed = conversions.owed_fen(campaign_id=season.pk)
            return owed // EACH, conversions.free_fen(campaign_id=season.pk) // EACH

        set_aside(season, 5)
        assert known() == (0, 5)
        remove(season, 2)
        assert known() == (2, 3)
        conversions.pay_due()
        assert known() == (0, 3)


def test_a_key_that_was_used_pays_nothing_and_stops(season: Campaign) -> None:
    """What no way through the product leads to."""
    set_aside(season, 5)
    (player,) = remove(season, 1)
    row = Conversion.objects.get(campaign=season)
    LedgerEntry.objects.create(
        source_kind="goodwill", source_owner=season.pk, destination_kind="wallet", destination_owner=player.pk,
        amount_fen=1, business_key=f"conversion:{row.pk}",
    )  # fmt: skip
    with pytest.raises(RuntimeError, match="0 of 1 conversions"):
        conversions.pay_due()
    assert (unpaid(season), Wallet.objects.filter(player=player).exists()) == (1, False)
