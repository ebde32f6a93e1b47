"""A player is forgotten: no word of theirs is left anywhere, and all that others rest on still holds."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from psycopg import sql as composed
from rest_framework.test import APIClient

from accounts import errors, phones, tokens
from accounts.actions import bans, codes, erasure, friendships, players, sessions
from accounts.actions import invitations as links
from accounts.models import Ban, FederatedIdentity, InvitationLink, Message, Player, RefreshFamily
from fortunes import invariants, sql
from fortunes.models import AuditEntry, Event
from tests.factories import redpackets as money
from tests.factories import talk, votes
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.plugins.clock import Clock
from tests.redpackets.verifying import verify

pytestmark = pytest.mark.django_db

Clients = Callable[[Player], APIClient]
ADDRESS = "/api/v1/me"
PASSWORD = "six lucky carps"

SEARCHED = """
SELECT c.table_name, c.column_name, c.data_type
  FROM information_schema.columns c
  JOIN information_schema.tables t USING (table_schema, table_name)
 WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
   AND (c.data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY', 'USER-DEFINED', 'inet'))
"""


def _found(word: str) -> list[str]:
    """The columns of the database in which a word occurs, as text or as bytes."""
    places = []
    with connection.cursor() as cursor:
        cursor.execute(SEARCHED)
        columns = cursor.fetchall()
        assert len(columns) > 60
        for table, column, kind in columns:
            place = composed.SQL(
                "position(convert_to(%s, 'UTF8') in {})" if kind == "bytea" else "position(%s in {}::text)"
            )
            query = composed.SQL("SELECT count(*) FROM {} WHERE {} > 0").format(
                composed.Identifier(table), place.format(composed.Identifier(column))
            )
            cursor.execute(query, [word])
            if cursor.fetchone()[0]:
                places.append(f"{table}.{column}")
    return places


def _violated() -> list[str]:
    return [invariant.name for invariant in invariants.every() if sql.fetch(invariant.query)]


@pytest.fixture
def canaries() -> dict[str, str]:
    """Words that occur nowhere else."""
    word = secrets.token_hex(4)
    return {
        "username": f"canary-{word}",
        "nickname": f"Kanarie {word}",
        "subject": f"host-user-{word}",
        "channel": f"to-{word}-fans",
        "comment": f"I am {word}!",
        "phone": f"+861380013{secrets.randbelow(10_000):04}",
    }


@pytest.fixture
def known(canaries: dict[str, str], bob: Player, client: Client) -> Player:
    """Somebody of whom the database has a word of every kind, and whom staff have looked after."""
    session = players.sign_up(username=canaries["username"], password=PASSWORD, nickname=canaries["nickname"])
    player = Player.objects.get(public_id=session.player.id)
    phones.attach(player.pk, canaries["phone"])
    codes.ask(phone=canaries["phone"])
    FederatedIdentity.objects.create(player=player, issuer="wallet", subject=canaries["subject"])
    links.create(by=player.pk, channel=canaries["channel"])
    talk.comment(player, votes.OpenProposalFactory.create(), canaries["comment"])
    FriendshipFactory.create(player=player, friend=bob)
    friendships.ask(by=player.pk, player=PlayerFactory.create().public_id)
    friendships.block(by=PlayerFactory.create().pk, player=player.public_id)
    client.force_login(PlayerFactory.create(is_staff=True, is_superuser=True))
    page = f"/admin/accounts/player/{player.pk}/change/"
    assert client.post(page, {"nickname": f"{canaries['nickname']}!"}).status_code == 302
    return player


def test_no_word_is_left_anywhere(known: Player, canaries: dict[str, str], client_of: Clients):
    assert _found(canaries["username"]) == ["accounts_player.username"]
    assert _found(canaries["nickname"]) == ["accounts_player.nickname"]
    assert _found(canaries["subject"]) == ["accounts_federatedidentity.subject"]
    assert _found(canaries["channel"]) == ["accounts_invitationlink.channel"]
    assert _found(canaries["comment"]) == ["fortunes_comment.text"]
    hashed = phones.hash_of(canaries["phone"])
    assert Message.objects.filter(number_hash=hashed).exists()
    proof = {"confirm": canaries["username"], "password": PASSWORD}
    assert client_of(known).delete(ADDRESS, proof, format="json").status_code == 204
    assert {word: _found(word) for word in canaries.values()} == {word: [] for word in canaries.values()}
    assert not Message.objects.filter(number_hash=hashed).exists()
    assert phones.find(canaries["phone"]) is None
    assert _violated() == []


def test_what_is_left_is_nobody(known: Player, bob: Player, canaries: dict[str, str]):
    erasure.erase(player_id=known.pk, by=known.pk)
    left = Player.objects.get(pk=known.pk)
    assert (left.nickname, left.is_active, left.friend_count, left.public_id) == ("", False, 0, known.public_id)
    assert left.username.startswith("erased-") and not left.has_usable_password()
    assert Player.objects.get(pk=bob.pk).friend_count == 0
    ended = Event.objects.filter(player=bob).order_by("-seq")[0]
    assert (ended.type, ended.data) == (
        "friendship.ended", {"by": str(known.public_id), "to": str(bob.public_id)},
    )  # fmt: skip
    assert not RefreshFamily.objects.filter(player=known, revoked_at=None).exists()
    assert not InvitationLink.objects.filter(player=known, revoked_at=None).exists()
    with pytest.raises(errors.TokenInvalid):
        tokens.player_of(tokens.issue(left).token)
    with pytest.raises(errors.WrongCredentials):
        sessions.sign_in(username=canaries["username"], password=PASSWORD, network="192.0.2.1")


def test_twice_is_once_and_audited(known: Player):
    for _ in range(2):
        erasure.erase(player_id=known.pk, by=known.pk)
    erasure.erase_oneself(player_id=known.pk, confirm="anything", password=None, network="192.0.2.1")
    (entry,) = AuditEntry.objects.filter(action="player.erased", subject_id=known.pk)
    assert (entry.actor_id, entry.subject, entry.data) == (known.pk, "accounts.player", {})


def test_staff_erase_for_a_player_who_asked(known: Player):
    staff = PlayerFactory.create(is_staff=True)
    erasure.erase(player_id=known.pk, by=staff.pk)
    assert AuditEntry.objects.get(action="player.erased").actor_id == staff.pk


def test_staff_are_not_erased(alice: Player):
    Player.objects.filter(pk=alice.pk).update(is_staff=True)
    with pytest.raises(errors.StaffNotErased):
        erasure.erase(player_id=alice.pk, by=alice.pk)
    with pytest.raises(errors.PlayerNotFound):
        erasure.erase(player_id=2**60, by=alice.pk)


def test_a_banned_player_who_was_erased_is_not_let_in_again(alice: Player, bob: Player):
    bans.ban(player_id=alice.pk, by=bob.pk, reason=Ban.Reason.FRAUD)
    erasure.erase(player_id=alice.pk, by=bob.pk)
    with pytest.raises(errors.PlayerNotFound):
        bans.unban(player_id=alice.pk, by=bob.pk)
    with pytest.raises(IntegrityError, match="player_erased_for_good"), transaction.atomic():
        Player.objects.filter(pk=alice.pk).update(is_active=True)


@pytest.mark.parametrize(
    ("proof", "status", "code"),
    [
        ({"confirm": "somebody-else", "password": PASSWORD}, 422, "erasure-not-confirmed"),
        ({"confirm": "alice-2026"}, 422, "erasure-not-confirmed"),
        ({"confirm": "alice-2026", "password": "wrong"}, 401, "wrong-credentials"),
        ({"password": PASSWORD}, 400, "invalid-request"),
        ({}, 400, "invalid-request"),
        ({"confirm": "alice-2026", "password": PASSWORD, "really": True}, 400, "invalid-request"),
    ],
)
def test_without_proof_nobody_is_erased(proof: Any, status: int, code: str, client_of: Clients):
    player = PlayerFactory.create(username="alice-2026", password=PASSWORD)
    answer = client_of(player).delete(ADDRESS, proof, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Player.objects.get(pk=player.pk).erased_at is None


def test_a_stolen_token_is_no_licence_to_guess_the_password(client_of: Clients):
    player = PlayerFactory.create(password=PASSWORD)
    client, guess = client_of(player), {"confirm": player.username, "password": "wrong"}
    codes_told = [client.delete(ADDRESS, guess, format="json").json()["code"] for _ in range(7)]
    assert codes_told == ["wrong-credentials"] * 5 + ["locked-out", "too-many-requests"]


def test_without_a_password_the_username_is_proof_enough(alice: Player, client_of: Clients):
    assert client_of(alice).delete(ADDRESS, {"confirm": alice.username.upper()}, format="json").status_code == 204
    assert Player.objects.get(pk=alice.pk).erased_at is not None


def test_only_for_players_who_are_signed_in():
    assert APIClient().delete(ADDRESS, {"confirm": "x"}, format="json").status_code == 401


def test_the_phone_comes_back_as_somebody_new(known: Player, canaries: dict[str, str]):
    erasure.erase(player_id=known.pk, by=known.pk)
    newcomer = players.arrive()
    phones.attach(newcomer.pk, canaries["phone"])
    assert phones.find(canaries["phone"]) == newcomer != known


def test_username_and_host_apps_user_come_back_as_somebody_new(known: Player, canaries: dict[str, str]):
    erasure.erase(player_id=known.pk, by=known.pk)
    again = players.sign_up(username=canaries["username"], password=PASSWORD)
    assert again.player.id != known.public_id
    FederatedIdentity.objects.create(player=players.arrive(), issuer="wallet", subject=canaries["subject"])


def test_the_settlement_can_still_be_verified(alice: Player, bob: Player, charlie: Player, clock: Clock):
    """Erased before the deadline, between split and reveal, and after: the money is the same."""
    season = money.SettlementFactory.create()
    money.complete(season.pool.campaign, [alice, bob, charlie])
    erasure.erase(player_id=alice.pk, by=alice.pk)
    money.close(clock, season)
    sealed = money.split(season)
    assert sealed.winners == 3
    erasure.erase(player_id=bob.pk, by=bob.pk)
    money.reveal(clock, season)
    money.open_packet(season, charlie)
    erasure.erase(player_id=charlie.pk, by=charlie.pk)
    verify(sealed)
    assert _violated() == []


def test_nobody_makes_new_ties_to_whom_is_erased(alice: Player, bob: Player):
    code = links.create(by=alice.pk)[0].code
    erasure.erase(player_id=alice.pk, by=alice.pk)
    for verb, refusal in [
        (friendships.ask, errors.PlayerNotFound),
        (friendships.block, errors.PlayerNotFound),
        (friendships.accept, errors.FriendshipNotFound),
    ]:
        with pytest.raises(refusal):
            verb(by=bob.pk, player=alice.public_id)
    with pytest.raises(errors.InvitationNotFound):
        links.accept(by=bob.pk, code=code)
    # With a token that is remembered for some seconds more.
    with pytest.raises(errors.TokenInvalid):
        friendships.ask(by=alice.pk, player=bob.public_id)
    with pytest.raises(errors.TokenInvalid):
        links.create(by=alice.pk)
    with pytest.raises(errors.TokenInvalid):
        players.rename(player_id=alice.pk, nickname="Alice")
    assert _violated() == []
