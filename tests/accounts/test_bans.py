from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts import errors, tokens
from accounts.actions import bans, sessions
from accounts.models import Ban, Player
from fortunes.models import AuditEntry
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db

PASSWORD = "six lucky carps"
FRAUD = Ban.Reason.FRAUD


@pytest.fixture(autouse=True)
def _ask_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "REMEMBER_S", 0.0)


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create(password=PASSWORD)


@pytest.fixture
def boss() -> Player:
    return PlayerFactory.create(is_staff=True)


def _sign_in(player: Player):
    return sessions.sign_in(username=player.username, password=PASSWORD, network="198.51.100.9")


def test_a_banned_player_is_out_and_stays_out(alice: Player, boss: Player):
    session = _sign_in(alice)
    ban = bans.ban(player_id=alice.pk, by=boss.pk, reason=FRAUD)
    assert (ban.player_id, ban.by_id, ban.reason, ban.lifted_at) == (alice.pk, boss.pk, "fraud", None)
    with pytest.raises(errors.TokenInvalid):
        tokens.player_of(session.tokens.access)
    with pytest.raises(errors.RefreshInvalid):
        sessions.refresh(token=session.tokens.refresh)
    with pytest.raises(errors.WrongCredentials):
        _sign_in(alice)


def test_a_ban_is_lifted_and_old_tokens_stay_dead(alice: Player, boss: Player):
    session = _sign_in(alice)
    bans.ban(player_id=alice.pk, by=boss.pk, reason=FRAUD)
    lifted = bans.unban(player_id=alice.pk, by=boss.pk)
    assert lifted.lifted_at is not None and lifted.lifted_by_id == boss.pk
    with pytest.raises(errors.TokenInvalid):
        tokens.player_of(session.tokens.access)
    with pytest.raises(errors.RefreshInvalid):
        sessions.refresh(token=session.tokens.refresh)
    assert _sign_in(alice).tokens.access


def test_a_session_that_slipped_in_beside_the_ban_does_not_come_alive_with_its_end(alice: Player, boss: Player):
    bans.ban(player_id=alice.pk, by=boss.pk, reason=Ban.Reason.FRAUD)
    # As by a sign-in that had read the player before.
    with transaction.atomic():
        slipped_in = sessions.begin(alice).tokens
    bans.unban(player_id=alice.pk, by=boss.pk)
    with pytest.raises(errors.TokenInvalid):
        tokens.player_of(slipped_in.access)
    with pytest.raises(errors.RefreshInvalid):
        sessions.refresh(token=slipped_in.refresh)


def test_the_history_is_kept_and_audited(alice: Player, boss: Player):
    for reason in (FRAUD, Ban.Reason.ABUSE):
        bans.ban(player_id=alice.pk, by=boss.pk, reason=reason)
        bans.unban(player_id=alice.pk, by=boss.pk)
    assert list(Ban.objects.filter(player=alice).order_by("pk").values_list("reason", flat=True)) == ["fraud", "abuse"]
    entries = AuditEntry.objects.filter(subject="accounts.player", subject_id=alice.pk).order_by("seq")
    assert [(entry.action, entry.actor_id, entry.data) for entry in entries] == [
        ("player.banned", boss.pk, {"reason": "fraud"}),
        ("player.unbanned", boss.pk, {}),
        ("player.banned", boss.pk, {"reason": "abuse"}),
        ("player.unbanned", boss.pk, {}),
    ]


def test_who_can_not_be_banned(alice: Player, boss: Player):
    chief = PlayerFactory.create(is_superuser=True)
    gone = PlayerFactory.create()
    bans.ban(player_id=gone.pk, by=boss.pk, reason=FRAUD)
    for player_id, refusal in [
        (boss.pk, errors.BanOfOneself),
        (chief.pk, errors.StaffNotBanned),
        (PlayerFactory.create(is_staff=True).pk, errors.StaffNotBanned),
        (2**60, errors.PlayerNotFound),
        (gone.pk, errors.AlreadyBanned),
    ]:
        with pytest.raises(refusal):
            bans.ban(player_id=player_id, by=boss.pk, reason=FRAUD)
    assert Ban.objects.count() == 1


def test_who_can_not_be_let_in(alice: Player, boss: Player):
    for player_id, refusal in [(alice.pk, errors.NotBanned), (2**60, errors.PlayerNotFound)]:
        with pytest.raises(refusal):
            bans.unban(player_id=player_id, by=boss.pk)
    assert not AuditEntry.objects.filter(action="player.unbanned", subject_id=alice.pk).exists()


def test_the_database_takes_one_ban_in_force(alice: Player, boss: Player):
    Ban.objects.create(player=alice, by=boss, reason=FRAUD)
    with pytest.raises(IntegrityError, match="ban_in_force_once"), transaction.atomic():
        Ban.objects.create(player=alice, by=boss, reason=FRAUD)
    with pytest.raises(IntegrityError, match="ban_lifted_by_somebody"), transaction.atomic():
        Ban.objects.filter(player=alice).update(lifted_by=boss)
    with pytest.raises(IntegrityError, match="ban_reason"), transaction.atomic():
        Ban.objects.filter(player=alice).update(reason="no")
