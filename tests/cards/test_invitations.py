"""Cards for inviters: what a worker gives once the invited player has drawn by themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Player
from cards import days
from cards.actions import batches, compensations, credits, printing
from cards.models import Draw, InvitationCredit, Source, SupportReason
from fortunes import clock as database_clock
from fortunes.models import Campaign, Event
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory, ReferralFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

State = InvitationCredit.State


@pytest.fixture
def season() -> Campaign:
    quotas = {"invitation": {"per_day": 2, "per_campaign": 3}}
    return make.SeasonFactory.create(rulebook={"quotas": quotas})


def invited_by(inviter: Player) -> Player:
    invited: Player = PlayerFactory.create()
    ReferralFactory.create(inviter=inviter, invited=invited)
    return invited


def states(inviter: Player) -> list[str]:
    return list(InvitationCredit.objects.filter(inviter=inviter).order_by("id").values_list("state", flat=True))


def drawn_for(inviter: Player) -> int:
    return Draw.objects.filter(player=inviter, source=2).count()


def test_the_inviter_gets_one_card_and_is_told(season: Campaign, alice: Player) -> None:
    bob = invited_by(alice)
    assert credits.credit_due() == 0
    make.redeem(season, bob)
    credits.credit_due()
    make.redeem(season, bob)
    make.check_in(season, bob)
    credits.credit_due()

    credit = InvitationCredit.objects.get(invited=bob)
    draw = Draw.objects.get(player=alice)
    assert (credit.state, credit.draw, bytes(draw.nonce)) == (State.CREDITED, draw.public_id, bob.pk.to_bytes(8))
    event = Event.objects.get(player=alice, type="invitation.credited")
    assert (event.data["draw"], event.data["invited"]) == (str(draw.public_id), str(bob.public_id))
    assert event.data["hand_version"] == draw.hand_version == 1


def test_a_check_in_counts_as_the_first_card(season: Campaign, alice: Player) -> None:
    make.check_in(season, invited_by(alice))
    credits.credit_due()

    assert states(alice) == [State.CREDITED]


def test_cards_that_come_by_themselves_do_not_count(season: Campaign, alice: Player) -> None:
    """A gift, support, an invitation of their own: only who plays is worth a card."""
    bob = invited_by(alice)
    carol = invited_by(bob)
    friend = PlayerFactory.create()
    FriendshipFactory.create(player=friend, friend=bob)
    card = make.redeem(season, friend).draw.kind
    make.give(season, friend, bob, [card])
    compensations.grant_draw(
        campaign_id=season.pk, player_id=bob.pk, by=friend.pk, reason=SupportReason.GOODWILL, key="k"
    )
    make.redeem(season, carol)
    credits.credit_due()

    assert (states(bob), states(alice)) == ([State.CREDITED], [])
    make.redeem(season, bob)
    credits.credit_due()
    assert states(alice) == [State.CREDITED]


def test_over_the_daily_quota_a_credit_waits_for_the_next_day(season: Campaign, alice: Player, clock: Clock) -> None:
    for _ in range(4):
        make.redeem(season, invited_by(alice))
    credits.credit_due()
    assert sorted(states(alice)) == [State.CREDITED, State.CREDITED, State.WAITING, State.WAITING]
    midnight = days.end(days.of(database_clock.now(), season.tz), season.tz)
    assert set(InvitationCredit.objects.filter(state=State.WAITING).values_list("due_at", flat=True)) == {midnight}

    clock.move_to(midnight - timedelta(seconds=1))
    assert credits.credit_due() == 0
    clock.move_to(midnight)
    # The third card of three, and for the fourth friend there is none for good.
    credits.credit_due()
    assert sorted(states(alice)) == [State.CREDITED] * 3 + [State.REFUSED]
    assert drawn_for(alice) == 3


def test_at_the_deadline_what_waits_is_closed(season: Campaign, alice: Player, clock: Clock) -> None:
    clock.move_to(season.closes_at - timedelta(minutes=1))
    for _ in range(3):
        make.redeem(season, invited_by(alice))
    credits.credit_due()
    assert set(InvitationCredit.objects.filter(state=State.WAITING).values_list("due_at", flat=True)) == {
        season.closes_at
    }
    make.redeem(season, invited_by(alice))
    clock.move_to(season.closes_at)
    credits.credit_due()

    assert sorted(states(alice)) == [State.CLOSED, State.CLOSED, State.CREDITED, State.CREDITED]
    assert drawn_for(alice) == 2


def test_each_campaign_has_its_own_credit(season: Campaign, alice: Player) -> None:
    bob, other = invited_by(alice), make.SeasonFactory.create()
    for campaign in (season, other, season):
        make.redeem(campaign, bob)
    credits.credit_due()

    assert states(alice) == [State.CREDITED, State.CREDITED]


def test_a_ring_of_invitations_is_worth_a_card_each_and_no_more(season: Campaign, alice: Player) -> None:
    """Rows that no sign-up could write: each came by another, all the way round."""
    bob, carol = PlayerFactory.create_batch(2)
    ring = [alice, bob, carol]
    for inviter, invited in zip(ring, [bob, carol, alice], strict=True):
        ReferralFactory.create(inviter=inviter, invited=invited)
    for _ in range(2):
        for player in ring:
            make.redeem(season, player)
        credits.credit_due()

    assert [states(player) for player in ring] == [[State.CREDITED]] * 3
    assert [drawn_for(player) for player in ring] == [1, 1, 1]


def test_a_campaign_without_the_source_credits_nobody(season: Campaign, alice: Player) -> None:
    Source.objects.filter(campaign=season, type=Source.Type.INVITATION).delete()
    make.redeem(season, invited_by(alice))
    credits.credit_due()

    assert states(alice) == []


def test_a_client_s_key_can_not_stand_in_the_way(season: Campaign, alice: Player) -> None:
    bob = invited_by(alice)
    for key in (f"invitation-{bob.pk}", f"invitation+{bob.pk}"):
        make.redeem(season, alice, key=key)
    with pytest.raises(make.keys.errors.IdempotencyKeyInvalid):
        make.scan(season, alice, key=f"invitation {bob.pk}")
    make.redeem(season, bob)
    credits.credit_due()

    assert states(alice) == [State.CREDITED]


def test_a_campaign_that_can_not_be_drawn_in_holds_up_no_other(
    season: Campaign, alice: Player, settings: object
) -> None:
    broken = make.SeasonFactory.create()
    bob = invited_by(alice)
    for campaign in (broken, season):
        make.redeem(campaign, bob)
    Campaign.objects.filter(pk=broken.pk).update(draw_key_id="lost")
    with pytest.raises(KeyError):
        credits.credit_due()

    assert dict(InvitationCredit.objects.values_list("campaign", "state")) == {
        season.pk: State.CREDITED, broken.pk: State.WAITING
    }  # fmt: skip


def test_an_invited_player_may_use_a_printed_code(season: Campaign, alice: Player) -> None:
    batch = batches.create(campaign_id=season.pk, source_slug="code", count=1, expires_at=season.closes_at)
    make.redeem(season, invited_by(alice), text=next(printing.codes(batch=batch)))

    assert credits.find_due() == 1


def test_what_has_piled_up_is_credited_ring_by_ring(
    season: Campaign, alice: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much waits, the job ends, and the worker is there for others."""
    monkeypatch.setattr(credits, "MOST", 1)
    make.redeem(season, alice)
    for _ in range(2):
        make.redeem(season, invited_by(alice))

    assert [credits.credit_due(budget_s=0) for _ in range(3)] == [1, 1, 0]
