"""Who plays in the tests of the whole API, and what each of them has: a season that runs and one that is revealed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.db import transaction

from accounts.actions import friendships, invitations, sessions
from accounts.answers import SessionAnswer
from accounts.models import Player, RefreshFamily
from fortunes.models import Campaign, Proposal
from tests.accounts.hosts import HostApp
from tests.factories import cards as make
from tests.factories import redpackets as money
from tests.factories import trades as deals
from tests.factories import votes
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.plugins.clock import Clock

PASSWORD = "plum-blossom-7"
# One scan makes a set, and every special card may be played, as often as one likes.
RULES = money.ONE_CARD | {
    "specials": ["wild", "steal", "copy"],
    "stealing": {"per_day": 1_000, "per_pair_per_day": 1_000, "protection_h": 0},
}


@dataclass
class World:
    """Seen from `me`, who owns whatever a request can name; `pal` is a second friend of mine."""

    live: Campaign
    revealed: Campaign
    host: HostApp
    federation_file: str
    me: Player
    pal: Player
    friend: Player
    other: Player
    blocked: Player
    banned: Player
    staff: Player

    @classmethod
    def make(cls, clock: Clock, folder: Path, *, live: Campaign | None = None) -> World:
        """New players, in `live` if there is such a season already. The host app's keys lie in `folder`."""
        run = money.SettlementFactory()
        names = ("pal", "friend", "other", "blocked", "banned")
        people = {name: PlayerFactory.create() for name in names}
        people["me"] = PlayerFactory.create(password=PASSWORD)
        people["staff"] = PlayerFactory.create(is_staff=True, is_superuser=True)
        money.complete(run.pool.campaign, [people["me"], people["pal"]])
        money.reveal(clock, run)
        money.split(run)
        season = live or make.SeasonFactory(rulebook=RULES, specials=True)
        world = cls(season, run.pool.campaign, _host_app(folder), str(folder / "federation.json"), **people)
        world._befriend()
        return world

    def _befriend(self) -> None:
        for friend in (self.pal, self.friend):
            FriendshipFactory(player=self.me, friend=friend)
        friendships.block(by=self.me.pk, player=self.blocked.public_id)
        Player.objects.filter(pk=self.banned.pk).update(is_active=False)

    def befriended(self) -> UUID:
        """A new friend of mine."""
        friend = PlayerFactory.create()
        FriendshipFactory(player=self.me, friend=friend)
        return friend.public_id

    def asked(self) -> UUID:
        """A new player who wants to be my friend."""
        asking = PlayerFactory.create()
        friendships.ask(by=asking.pk, player=self.me.public_id)
        return asking.public_id

    def shunned(self) -> UUID:
        """A new player whom I have blocked."""
        shunned = PlayerFactory.create()
        friendships.block(by=self.me.pk, player=shunned.public_id)
        return shunned.public_id

    def newcomer(self) -> Player:
        """A player who is nobody else's, with a password."""
        return PlayerFactory.create(password=PASSWORD)

    def token(self, player: Player) -> str:
        """An access token of a new session."""
        with transaction.atomic():
            return sessions.begin(player).tokens.access

    def session(self) -> SessionAnswer:
        """A fresh sign-in of mine."""
        return sessions.sign_in(username=self.me.username, password=PASSWORD, network="127.0.0.1")

    def device(self) -> UUID:
        """Where I have just signed in."""
        self.session()
        return RefreshFamily.objects.filter(player=self.me).latest("pk").public_id

    def link(self, player: Player) -> str:
        """The code of a player's invitation link."""
        return invitations.create(by=player.pk)[0].code

    def code(self) -> str:
        """A fresh code of the running season."""
        return make.code(self.live)

    def card(self) -> str:
        """The kind of a card that I have just drawn."""
        drawn = make.redeem(self.live, self.me)
        if isinstance(drawn, Exception):
            raise drawn
        return drawn.draw.kind

    def trade(self) -> UUID:
        """A card of mine that I gave to my pal."""
        return make.give(self.live, self.me, self.pal, [self.card()]).trade.id

    def special(self, role: str, *, by: Player | None = None) -> UUID:
        """A special card for me, or for another player; and my pal, who has cards for it."""
        make.deal(self.live, by or self.me, role)
        make.deal(self.live, self.pal, "patriotism", "patriotism")
        return self.pal.public_id

    def wish(self) -> UUID:
        """An open request of mine to my friends."""
        return deals.request(self.live, self.me, "patriotism", everyone=True, note="please").trade.id

    def wish_of_pal(self) -> UUID:
        """An open request of my pal's to me, for a card that I have."""
        return deals.request(self.live, self.pal, self.card(), to=[self.me]).trade.id

    def spread(self, player: Player) -> str:
        """The code of a link by which a player gives a card that they have just drawn."""
        drawn = make.redeem(self.live, player)
        if isinstance(drawn, Exception):
            raise drawn
        link = deals.link_gift(self.live, player, drawn.draw.kind).trade.link
        if link is None:
            raise ValueError("a gift by link without one")
        return link.code

    def talked_about(self) -> Proposal:
        """The first vote of the running season, with whatever was said there."""
        return Proposal.objects.filter(campaign=self.live).order_by("pk").first() or self.vote()

    def vote(self) -> Proposal:
        """A vote of the running season that takes ballots."""
        proposal: Proposal = votes.OpenProposalFactory.create(campaign=self.live)
        return proposal

    def motion(self) -> Proposal:
        """A vote in which I may vote, and nobody else: it opened with the season, which they joined later."""
        season = self.live
        proposal: Proposal = votes.OpenProposalFactory.create(
            campaign=season, opens_at=season.opens_at, closes_at=season.closes_at
        )
        votes.enrol(proposal, self.me)
        return proposal

    def voted(self) -> Proposal:
        """A vote in which I have voted."""
        proposal = self.motion()
        votes.cast(self.me, proposal)
        return proposal

    def counted(self) -> Proposal:
        """A vote whose ballots are published."""
        proposal = self.voted()
        votes.end(proposal)
        return proposal


def _host_app(folder: Path) -> HostApp:
    """An app whose keys are in a file: nothing has to listen."""
    app = HostApp("http://127.0.0.1:1")
    (folder / "keys.json").write_text(json.dumps(app.jwks()))
    said = app.configuration(jwks_url=None, jwks_file="keys.json")
    (folder / "federation.json").write_text(json.dumps([said]))
    return app
