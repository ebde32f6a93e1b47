"""Opening a packet, and the sweeper that credits what stays unopened."""

from __future__ import annotations

import pytest

from accounts.models import Player
from fortunes.errors import IdempotencyKeyReused
from fortunes.models import Campaign
from redpackets import errors
from redpackets.actions import packets, settlements, showing
from redpackets.models import LedgerEntry, Settlement, Wallet
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


@pytest.fixture
def bob() -> Player:
    return PlayerFactory.create()


def season(clock: Clock, *winners: Player, **pool: object) -> Settlement:
    """A settlement whose pool has been split between these winners."""
    run = make.SettlementFactory.create(**{f"pool__{name}": value for name, value in pool.items()})
    if winners:
        make.complete(run.pool.campaign, winners)
    make.close(clock, run)
    return make.split(run)


def moved(run: Settlement, player: Player) -> list[int]:
    entries = LedgerEntry.objects.filter(source_kind="pool", source_owner=run.pool_id, destination_owner=player.pk)
    return list(entries.filter(destination_kind="wallet").values_list("amount_fen", flat=True))


def test_a_winner_opens_their_packet(clock: Clock, alice: Player, bob: Player) -> None:
    run = season(clock, alice, bob, amount_fen=1001)
    make.reveal(clock, run)
    due = make.payouts(run)[alice.pk]
    before = packets.view(campaign_id=run.pool.campaign_id, player_id=alice.pk)

    opened = make.open_packet(run, alice)

    after = packets.view(campaign_id=run.pool.campaign_id, player_id=alice.pk)
    assert (before.state, before.amount_fen, before.proof) == ("ready", None, None)
    assert (opened.amount_fen, opened.wallet_balance_fen) == (due, due)
    assert (after.state, after.amount_fen, after.opened_at) == ("opened", due, opened.opened_at)
    assert after.proof and (after.proof.pool, after.proof.player) == (run.pool_id, alice.pk)
    assert moved(run, alice) == [due]
    assert Wallet.objects.get(player=alice).balance_fen == due
    assert moved(run, bob) == []


def test_the_same_request_again_is_answered_from_the_first(clock: Clock, alice: Player) -> None:
    run = season(clock, alice)
    make.reveal(clock, run)

    assert make.open_packet(run, alice, key="one") == make.open_packet(run, alice, key="one")
    assert len(moved(run, alice)) == 1


def test_another_request_is_answered_alike_and_moves_nothing(clock: Clock, alice: Player) -> None:
    run = season(clock, alice)
    make.reveal(clock, run)

    assert make.open_packet(run, alice) == make.open_packet(run, alice)
    assert moved(run, alice) == [100_000]


def test_a_key_that_came_with_another_request(clock: Clock, alice: Player) -> None:
    first, second = season(clock, alice), season(clock, alice)
    make.reveal(clock, second)
    make.open_packet(first, alice, key="one")

    with pytest.raises(IdempotencyKeyReused):
        make.open_packet(second, alice, key="one")


def test_before_the_reveal_even_a_stranger_to_the_pool_hears_only_the_time(
    clock: Clock, alice: Player, bob: Player
) -> None:
    run = season(clock, alice)

    for player, state in ((alice, "sealed"), (bob, "none")):
        assert packets.view(campaign_id=run.pool.campaign_id, player_id=player.pk).state == state
        with pytest.raises(errors.TooEarly) as refusal:
            make.open_packet(run, player)
        assert refusal.value.facts["reveal_at"].endswith("Z")
        assert refusal.value.facts["server_time"] < refusal.value.facts["reveal_at"]
        assert 1 <= (refusal.value.retry_after_s or 0) <= 18 * 60 + 1
    assert moved(run, alice) == []


def test_after_the_reveal_but_before_the_split(clock: Clock, alice: Player) -> None:
    run = make.SettlementFactory.create()
    make.complete(run.pool.campaign, [alice])
    make.reveal(clock, run)

    with pytest.raises(errors.NotSettledYet):
        make.open_packet(run, alice)


def test_who_did_not_win(clock: Clock, alice: Player, bob: Player) -> None:
    run = season(clock, alice)
    make.reveal(clock, run)

    with pytest.raises(errors.NotAWinner):
        make.open_packet(run, bob)
    assert packets.view(campaign_id=run.pool.campaign_id, player_id=bob.pk).state == "none"
    assert not Wallet.objects.filter(player=bob).exists()


def test_a_share_of_nothing_is_open_without_a_posting(clock: Clock, alice: Player, bob: Player) -> None:
    run = season(clock, alice, bob, amount_fen=1)
    make.reveal(clock, run)
    poor = alice if make.payouts(run)[alice.pk] == 0 else bob

    opened = make.open_packet(run, poor)

    assert (opened.amount_fen, opened.wallet_balance_fen) == (0, 0)
    assert packets.view(campaign_id=run.pool.campaign_id, player_id=poor.pk).state == "opened"
    assert moved(run, poor) == []


def test_what_stays_unopened_is_credited_at_the_reveal(clock: Clock, alice: Player, bob: Player) -> None:
    run = season(clock, alice, bob, credit_after_s=0, amount_fen=1001)
    settlements.credit_due(budget_s=5)
    assert (run.state, moved(run, alice)) == ("credit", [])

    make.reveal(clock, run)
    first = make.open_packet(run, alice)
    settlements.credit_due(budget_s=5)

    assert moved(run, alice) == [first.amount_fen]
    assert moved(run, bob) == [1001 - first.amount_fen]
    assert Settlement.objects.get(pk=run.pk).state == "done"
    # Whose packet was credited opens it all the same, and sees the same figures.
    assert make.open_packet(run, bob).wallet_balance_fen == 1001 - first.amount_fen


def test_it_is_credited_as_late_as_the_pool_says(clock: Clock, alice: Player) -> None:
    run = season(clock, alice, credit_after_s=3600)
    make.reveal(clock, run)
    settlements.credit_due(budget_s=5)
    assert moved(run, alice) == []

    assert run.credit_at
    clock.move_to(run.credit_at)
    settlements.credit_due(budget_s=5)
    assert moved(run, alice) == [100_000]


def test_crediting_twice_pays_once(clock: Clock, alice: Player, bob: Player) -> None:
    run = season(clock, alice, bob, credit_after_s=0)
    make.reveal(clock, run)
    settlements.credit_due(budget_s=5)
    run.chunks.update(credited_at=None)
    Settlement.objects.filter(pk=run.pk).update(state="credit")

    settlements.credit_due(budget_s=5)

    assert moved(run, alice) + moved(run, bob) == [50_000, 50_000]
    assert Wallet.objects.get(player=alice).balance_fen == 50_000


def test_a_wallet_adds_up_over_campaigns(clock: Clock, alice: Player) -> None:
    first, second = season(clock, alice, amount_fen=7), season(clock, alice, amount_fen=5)
    make.reveal(clock, second)

    assert make.open_packet(first, alice).wallet_balance_fen == 7
    assert make.open_packet(second, alice).wallet_balance_fen == 12

    entries = list(showing.entries_of(player_id=alice.pk).order_by("id"))
    told = showing.describe_entries(entries, player_id=alice.pk)
    assert [(entry.source, entry.amount_fen) for entry in told] == [("pool", 7), ("pool", 5)]
    assert told[0].campaign == Campaign.objects.get(pk=first.pool.campaign_id).slug
