"""Everything that is held about a player, as the player gets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from rest_framework.test import APIClient

from accounts import phones
from accounts.actions import bans, exports, friendships
from accounts.actions import invitations as links
from accounts.models import Ban, FederatedIdentity, NotificationSettings, Player, Referral
from fortunes import clock as database_clock
from fortunes import personal
from fortunes.models import Exclusion, Proposal
from tests.factories import cards as make
from tests.factories import redpackets as money
from tests.factories import talk, votes
from tests.factories import trades as deals
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.house import tree
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

Clients = Callable[[Player], APIClient]

# Which section tells of the rows that refer to a player; None with the reason, where none does.
TOLD: dict[str, str | None] = {
    "accounts.Ban.by": None,  # what staff did: the audit
    "accounts.Ban.lifted_by": None,
    "accounts.Ban.player": "bans",
    "accounts.FederatedIdentity.player": "host-apps",
    "accounts.Friendship.friend": None,  # the other side of the row that is told of
    "accounts.Friendship.player": "friendships",
    "accounts.InvitationLink.player": "invitations",
    "accounts.NotificationSettings.player": "notifications",
    "accounts.Phone.player": "phones",
    "accounts.Push.player": None,  # which of the events a host app is told of, for a day
    "accounts.Referral.invited": "referrals",
    "accounts.Referral.inviter": "referrals",
    "accounts.RefreshFamily.player": "sessions",
    "cards.Addressee.player": None,  # who was asked by somebody's trade, which told them
    "cards.CodeBatch.printed_by": None,
    "cards.CodeBatch.revoked_by": None,
    "cards.Conversion.player": "conversions",
    "cards.Draw.player": "draws",
    "cards.Hand.player": "hands",
    "cards.InvitationCredit.invited": None,  # what somebody else got for them
    "cards.InvitationCredit.inviter": "invitation-credits",
    "cards.Play.friend": "transfers",
    "cards.Play.player": "plays",
    "cards.ShareLink.player": "share-links",
    "cards.Trade.proposer": "trades",
    "cards.Trade.recipient": "trades",
    "cards.TradeNote.player": "trade-notes",
    "cards.Transfer.giver": "transfers",
    "cards.Transfer.receiver": "transfers",
    "fortunes.Amendment.announced_by": None,  # what staff did: the audit
    "fortunes.Announcement.written_by": None,
    "fortunes.AuditEntry.actor": None,
    "fortunes.Ballot.player": "ballots",
    "fortunes.Campaign.opened_by": None,
    "fortunes.Comment.hidden_by": None,
    "fortunes.Comment.player": "comments",
    "fortunes.DeadLetter.decided_by": None,
    "fortunes.Event.player": "events",
    "fortunes.Exclusion.player": "exclusions",
    "fortunes.Feed.player": None,  # a counter behind the events
    "fortunes.Proposal.drafted_by": None,
    "fortunes.Proposal.opened_by": None,
    "fortunes.PushDue.player": None,  # that a host app will be told of some, for a while
    "fortunes.IdempotencyKey.player": None,  # copies of answers, for 48 hours
    "fortunes.Membership.player": "memberships",
    "fortunes.Rulebook.decided_by": None,
    "redpackets.Contender.player": None,  # scratch of a running split, gone once jackpots are drawn
    "redpackets.Packet.player": "packets",
    "redpackets.Payout.player": "packets",
    "redpackets.Wallet.player": "wallet",
}


# Of these there is nothing in a season without special cards, in which nobody signed in or was brought.
NOTHING_HERE = {"sessions", "ballots", "invitation-credits", "plays", "conversions", "share-links", "trade-notes"}


def _export(client: APIClient) -> dict[str, Any]:
    answer = client.get("/api/v1/me/export")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert "attachment" in answer["Content-Disposition"] and answer["Cache-Control"] == "no-store"
    return json.loads(answer.getvalue())


def test_every_row_that_refers_to_a_player_is_told_of() -> None:
    found = {
        f"{app}.{model.__name__}.{field.name}"
        for app in tree.APPS
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.concrete_fields
        if field.related_model is Player
    }
    assert found == set(TOLD)
    assert {section for section in TOLD.values() if section} <= set(personal.sections())


def test_a_new_players_export_has_every_section(alice: Player, client_of: Clients):
    document = _export(client_of(alice))
    assert set(document) == {"player", "exported_at", *personal.sections()}
    assert document["player"] == str(alice.public_id)
    (profile,) = document["profile"]
    assert (profile["username"], profile["nickname"], profile["password"]) == (alice.username, "Alice", False)
    assert not any(rows for name, rows in document.items() if name not in ("player", "exported_at", "profile"))


def test_the_export_tells_all(alice: Player, bob: Player, charlie: Player, client_of: Clients, clock: Clock):
    season = money.SettlementFactory.create(winners=1)
    campaign = season.pool.campaign
    make.GiftFactory.create(campaign=campaign, giver=alice, receiver=bob)
    money.complete(campaign, [alice])
    friendships.block(by=charlie.pk, player=alice.public_id)
    link, _ = links.create(by=alice.pk, channel="moments")
    newcomer = PlayerFactory.create()
    Referral.objects.create(invited=newcomer, inviter=alice, link=link)
    phones.attach(alice.pk, "+8613800138000")
    FederatedIdentity.objects.create(player=alice, issuer="wallet", subject="user-7")
    NotificationSettings.objects.create(player=alice, enabled=True, muted=["gift.received"], tz="UTC")
    bans.ban(player_id=alice.pk, by=charlie.pk, reason=Ban.Reason.ABUSE)
    bans.unban(player_id=alice.pk, by=charlie.pk)
    Exclusion.objects.create(campaign=money.DraftFactory.create(), player=alice, reason="fraud")
    over = votes.EndedProposalFactory.create(campaign=campaign, state=Proposal.State.CLOSED)
    talk.comment(alice, over, "So be it")
    money.close(clock, season)
    money.split(season)
    money.reveal(clock, season)
    money.open_packet(season, alice)

    document = json.loads(exports.document(player_id=alice.pk).read())
    told = {name: rows for name, rows in document.items() if isinstance(rows, list)}
    assert {name for name, rows in told.items() if not rows} == NOTHING_HERE
    assert told["phones"][0]["number"] == "+8613800138000"
    assert told["host-apps"][0]["known_there_as"] == "user-7"
    assert told["notifications"][0]["muted"] == ["gift.received"]
    assert [(row["player"], row["state"]) for row in told["friendships"]] == [(str(bob.public_id), "friends")]
    assert (told["invitations"][0]["channel"], told["referrals"][0]["brought"]) == ("moments", str(newcomer.public_id))
    assert [row["action"] for row in told["audit"]] == ["player.banned", "player.unbanned"]
    assert told["bans"][0]["lifted_at"] is not None
    assert (len(told["draws"]), len(told["trades"]), len(told["transfers"])) == (2, 1, 1)
    assert told["transfers"][0]["receiver"] == str(bob.public_id)
    assert told["hands"][0]["counts"] == {**told["hands"][0]["counts"], "patriotism": 1}
    amount_fen = told["packets"][0]["amount_fen"]
    assert told["wallet"] == [{"balance_fen": amount_fen}]
    assert [entry["amount_fen"] for entry in told["wallet-entries"]] == [amount_fen]
    assert [(row["text"], row["hidden"]) for row in told["comments"]] == [("So be it", False)]
    assert told["comments"][0]["proposal"] == str(over.public_id)
    assert {row["event"] for row in told["events"]} >= {"friendship.accepted", "gift.sent"}
    # Names of others are theirs, and who has blocked one isn't told.
    text = json.dumps(document)
    assert not any(name in text for name in (bob.username, "Bob", charlie.username, str(charlie.public_id)))


def test_the_export_tells_of_trades_and_of_what_was_written_for_them(alice: Player, bob: Player):
    season = make.TradingSeasonFactory.create(rules={"specials": ["wild", "steal", "copy"]})
    FriendshipFactory.create(player=alice, friend=bob)
    make.deal(season, alice, "wild", "harmony", "harmony", "steal")
    make.deal(season, bob, "dedication", "dedication", "dedication")
    deals.propose(season, alice, "gift", link="kol:panda", gives=["harmony"], note="Happy new year")
    asked = deals.propose(season, alice, "request", to=[bob], takes=["dedication"])
    deals.accept(asked.trade.id, bob)
    deals.turn(season, alice, "prosperity")
    deals.steal(season, alice, bob)

    told = json.loads(exports.document(player_id=alice.pk).read())
    assert [row["text"] for row in told["trade-notes"]] == ["Happy new year"]
    assert [(row["channel"], row["claims"]) for row in told["share-links"]] == [("kol:panda", 0)]
    assert sorted((row["type"], row["kind"]) for row in told["plays"]) == [
        ("steal", "dedication"),
        ("wild", "prosperity"),
    ]
    assert {(bool(row["trade"]), bool(row["play"])) for row in told["transfers"]} == {(True, False), (False, True)}
    assert len(told["transfers"]) == 5
    assert told["hands"][0]["given_by_others"]["cards"] == 1
    # What was taken from somebody is in their export too, without a word about how.
    theirs = json.loads(exports.document(player_id=bob.pk).read())
    assert len(theirs["transfers"]) == 2 and not theirs["plays"]


def test_a_long_history_is_read_in_parts(alice: Player, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(personal, "BATCH", 3)
    monkeypatch.setattr(exports, "IN_MEMORY", 512)
    campaign = make.SeasonFactory.create(rulebook={"quotas": make.PLENTY})
    for _ in range(11):
        make.DrawFactory.create(campaign=campaign, player=alice)
    with exports.document(player_id=alice.pk) as file:
        assert len(json.loads(file.read())["draws"]) == 11


def test_an_export_now_and_then(alice: Player, client_of: Clients):
    client = client_of(alice)
    answers = [client.get("/api/v1/me/export") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert int(answers[-1]["Retry-After"]) > 0


def test_only_for_players_who_are_signed_in():
    assert APIClient().get("/api/v1/me/export").status_code == 401


def test_the_instant_is_the_databases(alice: Player, clock: Clock):
    clock.shift(timedelta(days=3))
    document = json.loads(exports.document(player_id=alice.pk).read())
    assert abs(database_clock.datetime.fromisoformat(document["exported_at"]) - clock.now()) < timedelta(minutes=1)
