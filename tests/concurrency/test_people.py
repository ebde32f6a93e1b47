"""Host apps' users, invitations and erasures under races, each with a control where a guard can be cut out."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from accounts import errors, federation, locks
from accounts.actions import erasure, friendships
from accounts.actions import federation as sign_ins
from accounts.actions import invitations as links
from accounts.actions import players as arrivals
from accounts.models import FederatedIdentity, Friendship, InvitationLink, Player, SpentToken
from cards.errors import FriendNotFound
from fortunes import sql
from tests.accounts import hosts
from tests.accounts.hosts import HostApp
from tests.concurrency.together import PATIENCE_S, together
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory

pytestmark = pytest.mark.committed


@pytest.fixture
def app(settings: Settings, tmp_path: Path) -> Iterator[HostApp]:
    with hosts.running() as app:
        settings.DEBUG = True
        settings.FEDERATION_FILE = hosts.configured(tmp_path, app.configuration(slug=f"h-{secrets.token_hex(8)}"))
        # As when a process starts.
        federation.load()
        yield app


def _violations() -> list[Any]:
    names = ("friendships_mirror", "friends_counted", "erased_players_are_forgotten")
    return [row for name in names for row in sql.fetch(sql.text("accounts", f"invariants/{name}"))]


def _unlocked(ids: Iterable[int]) -> dict[int, locks.Locked]:
    """What `locks.of` says, without any lock."""
    players = Player.objects.filter(pk__in=ids)
    return {player.pk: locks.Locked(player.public_id, player.friend_count, erased=False) for player in players}


def _tied(player: Player) -> bool:
    return Friendship.objects.filter(player=player).exists() or Friendship.objects.filter(friend=player).exists()


def test_first_sign_ins_of_one_host_user_make_one_player(app: HostApp):
    tokens = [app.token("user-7") for _ in range(12)]
    sessions = together(*(partial(sign_ins.sign_in, token=token) for token in tokens))
    assert len({session.player.id for session in sessions}) == 1
    assert FederatedIdentity.objects.filter(player__public_id=sessions[0].player.id).count() == 1
    # All keys were asked for once.
    assert app.asked == 1


def test_control_a_look_before_the_insert_makes_several(app: HostApp):
    user, looked = federation.user_of(app.token("user-7")), threading.Barrier(4)

    def look_and_insert() -> None:
        with transaction.atomic(durable=True):
            assert sign_ins._player_of(user) is None
            looked.wait(PATIENCE_S)
            player = arrivals.arrive()
            FederatedIdentity.objects.create(player=player, issuer=user.issuer, subject=user.subject)

    outcomes = together(*[look_and_insert] * 4)
    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 3


def test_of_many_who_bring_one_token_one_is_signed_in(app: HostApp):
    sign_ins.sign_in(token=app.token("user-7"))
    outcomes = together(*[partial(sign_ins.sign_in, token=app.token("user-7"))] * 16)
    assert sum(isinstance(outcome, errors.FederatedTokenUsed) for outcome in outcomes) == 15


def test_control_a_look_at_spent_tokens_lets_several_in(app: HostApp, monkeypatch: pytest.MonkeyPatch):
    sign_ins.sign_in(token=app.token("user-7"))
    looked = threading.Barrier(4)

    def look(user: federation.HostUser) -> None:
        if SpentToken.objects.filter(pk=user.digest).exists():
            raise errors.FederatedTokenUsed
        looked.wait(PATIENCE_S)
        SpentToken.objects.bulk_create(
            [SpentToken(digest=user.digest, expires_at=user.expires_at)], ignore_conflicts=True
        )

    monkeypatch.setattr(sign_ins, "_spend", look)
    outcomes = together(*[partial(sign_ins.sign_in, token=app.token("user-7"))] * 4)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)


def test_parallel_calls_fill_the_limit_of_links_exactly(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(links, "LINK_LIMIT", 5)
    alice = PlayerFactory.create()
    outcomes = together(*(partial(links.create, by=alice.pk, channel=f"c{n}") for n in range(16)))
    assert sum(isinstance(outcome, errors.InvitationLimitReached) for outcome in outcomes) == 11
    assert InvitationLink.objects.filter(player=alice, revoked_at=None).count() == 5


def test_control_without_the_lock_parallel_calls_overstep_the_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(links, "LINK_LIMIT", 1)
    alice, counted = PlayerFactory.create(), threading.Barrier(4)
    fresh_code = links.invitations.fresh_code

    def after_counting() -> str:
        counted.wait(PATIENCE_S)
        return fresh_code()

    monkeypatch.setattr(locks, "of", _unlocked)
    monkeypatch.setattr(links.invitations, "fresh_code", after_counting)
    together(*(partial(links.create, by=alice.pk, channel=f"c{n}") for n in range(4)))
    assert InvitationLink.objects.filter(player=alice).count() == 4


def test_one_channel_asked_for_by_8_at_once_has_one_link():
    alice = PlayerFactory.create()
    outcomes = together(*[partial(links.create, by=alice.pk, channel="moments")] * 8)
    assert sorted(made for _, made in outcomes) == [False] * 7 + [True]
    assert len({link.code for link, _ in outcomes}) == 1


def test_a_link_followed_by_many_at_once_counts_each():
    alice, others = PlayerFactory.create(), PlayerFactory.create_batch(12)
    code = links.create(by=alice.pk)[0].code
    follow = [partial(links.accept, by=other.pk, code=code) for other in others]
    standings = together(*follow, *follow)
    assert all(standing.state == "friends" for standing in standings)
    assert InvitationLink.objects.get(code=code).acceptances == 12
    assert Player.objects.get(pk=alice.pk).friend_count == 12
    assert _violations() == []


def test_a_link_that_is_revoked_while_it_is_followed_makes_no_friends(monkeypatch: pytest.MonkeyPatch):
    alice, bob = PlayerFactory.create_batch(2)
    code = links.create(by=alice.pk)[0].code
    found, revoked = threading.Event(), threading.Event()
    apply = friendships.apply

    def late(**given: Any) -> Any:
        found.set()
        assert revoked.wait(PATIENCE_S)
        return apply(**given)

    def revoke() -> None:
        assert found.wait(PATIENCE_S)
        links.revoke(by=alice.pk, code=code)
        revoked.set()

    monkeypatch.setattr(friendships, "apply", late)
    outcome, _ = together(partial(links.accept, by=bob.pk, code=code), revoke)
    assert isinstance(outcome, errors.InvitationNotFound)
    assert not _tied(bob) and not InvitationLink.objects.get(code=code).acceptances


def test_nobody_waits_to_be_counted_as_an_open():
    alice = PlayerFactory.create()
    code = links.create(by=alice.pk)[0].code
    locked, looked = threading.Event(), threading.Event()

    def hold() -> bool:
        with transaction.atomic(durable=True):
            InvitationLink.objects.select_for_update().get(code=code)
            locked.set()
            return looked.wait(PATIENCE_S)

    def look() -> None:
        assert locked.wait(PATIENCE_S)
        links.look(code=code)
        looked.set()

    assert together(hold, look) == [True, None]
    assert InvitationLink.objects.get(code=code).opens == 0


def test_erasures_among_verbs_of_all_friends():
    """Friends follow, ask, block and end while players are erased, some of them friends of one another."""
    for _ in range(6):
        alice, bob, *others = PlayerFactory.create_batch(8)
        for other in [bob, *others[:3]]:
            FriendshipFactory.create(player=alice, friend=other)
        codes = [links.create(by=player.pk)[0].code for player in (alice, bob)]
        outcomes = together(
            partial(erasure.erase, player_id=alice.pk, by=alice.pk),
            partial(erasure.erase, player_id=alice.pk, by=bob.pk),
            partial(erasure.erase, player_id=bob.pk, by=bob.pk),
            *(partial(links.accept, by=other.pk, code=code) for other in others for code in codes),
            partial(friendships.end, by=others[0].pk, player=alice.public_id),
            partial(friendships.ask, by=others[4].pk, player=bob.public_id),
            partial(friendships.block, by=others[1].pk, player=alice.public_id),
        )
        assert outcomes[:3] == [None] * 3
        unexpected = [
            outcome
            for outcome in outcomes
            if isinstance(outcome, Exception) and not isinstance(outcome, errors.DomainError)
        ]
        assert unexpected == []
        assert _violations() == []


def test_erasures_among_gifts_and_scans():
    """No circle of waits between an erasure, gifts from and to the player, and scans of theirs."""
    campaign = make.SeasonFactory.create(rulebook={"quotas": make.PLENTY})
    for _ in range(4):
        alice, bob = PlayerFactory.create_batch(2)
        FriendshipFactory.create(player=alice, friend=bob)
        slugs = {}
        for player in (alice, bob):
            drawn = [make.DrawFactory.create(campaign=campaign, player=player) for _ in range(4)]
            slugs[player.pk] = [campaign.kinds.get(ordinal=draw.kind).slug for draw in drawn]
        outcomes = together(
            *(partial(make.give, campaign, alice, bob, [slug]) for slug in slugs[alice.pk]),
            partial(erasure.erase, player_id=alice.pk, by=alice.pk),
            *(partial(make.give, campaign, bob, alice, [slug]) for slug in slugs[bob.pk]),
            *(partial(make.redeem, campaign, player) for player in (alice, bob)),
        )
        refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert all(isinstance(outcome, FriendNotFound) for outcome in refused), refused
        assert outcomes[4] is None
        assert _violations() == []


def _asks_while_the_other_is_erased(monkeypatch: pytest.MonkeyPatch, *, guarded: bool) -> tuple[Player, Player]:
    """The erasure comes after the look at the players, and before what is written by it."""
    alice, bob = PlayerFactory.create_batch(2)
    looked, erased = threading.Event(), threading.Event()
    both = locks.both

    def look(one: int, other: int) -> dict[int, locks.Locked]:
        seen = both(one, other) if guarded else _unlocked([one, other])
        looked.set()
        # With the lock the erasure waits for us, and so this wait ends by itself.
        erased.wait(0.5 if guarded else 10)
        return seen

    def erase() -> None:
        assert looked.wait(PATIENCE_S)
        erasure.erase(player_id=alice.pk, by=alice.pk)
        erased.set()

    with monkeypatch.context() as patch:
        patch.setattr(locks, "both", look)
        together(partial(friendships.ask, by=bob.pk, player=alice.public_id), erase)
    return alice, bob


def test_nobody_is_tied_to_a_player_who_is_being_erased(monkeypatch: pytest.MonkeyPatch):
    _, bob = _asks_while_the_other_is_erased(monkeypatch, guarded=True)
    assert not _tied(bob)
    assert _violations() == []


def test_control_without_the_lock_somebody_is_tied_to_nobody(monkeypatch: pytest.MonkeyPatch):
    alice, bob = _asks_while_the_other_is_erased(monkeypatch, guarded=False)
    assert _tied(bob)
    assert _violations() != []
    Friendship.objects.filter(player__in=[alice, bob]).delete()
