"""Who is banned after the freeze keeps the share: it lies in their wallet, which they can't get at."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from accounts import tokens
from accounts.actions import bans, sessions
from accounts.models import Ban
from redpackets.actions import settlements
from redpackets.models import LedgerEntry, Wallet
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


def test_the_share_of_a_banned_winner_is_credited_and_stays(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "REMEMBER_S", 0.0)
    alice, bob, boss = PlayerFactory.create(), PlayerFactory.create(), PlayerFactory.create(is_staff=True)
    run = make.SettlementFactory.create(pool__credit_after_s=0, pool__amount_fen=1001)
    make.complete(run.pool.campaign, [alice, bob])
    make.close(clock, run)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {sessions.begin(alice).tokens.access}")
    bans.ban(player_id=alice.pk, by=boss.pk, reason=Ban.Reason.FARM)
    make.split(run)
    make.reveal(clock, run)

    path = f"/api/v1/campaigns/{run.pool.campaign.slug}/packet/opening"
    assert client.post(path, headers={"Idempotency-Key": "k"}).status_code == 401
    settlements.credit_due(budget_s=5)

    due = make.payouts(run)
    assert due[alice.pk] + due[bob.pk] == 1001
    assert Wallet.objects.get(player=alice).balance_fen == due[alice.pk]

    bans.unban(player_id=alice.pk, by=boss.pk)
    opened = make.open_packet(run, alice)
    assert (opened.amount_fen, opened.wallet_balance_fen) == (due[alice.pk], due[alice.pk])
    assert LedgerEntry.objects.filter(destination_kind="wallet", destination_owner=alice.pk).count() == 1
