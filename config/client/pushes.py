"""What the server tells by itself, by the name of each event. An app ignores names that it doesn't know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all payloads. After an event with a `hand_version` above that of the hand in hand, the hand is old."""


class CampaignOpened(News, frozen=True, kw_only=True):
    campaign: str
    opens_at: str
    closes_at: str


class CampaignFrozen(News, frozen=True, kw_only=True):
    campaign: str
    frozen_at: str


class CampaignSettled(News, frozen=True, kw_only=True):
    campaign: str
    winners: int
    reveal_at: str


class ShareChanged(News, frozen=True, kw_only=True):
    complete: int
    each_fen: int | None
    counted_at: str


class FriendshipNews(News, frozen=True, kw_only=True):
    """Both sides hear the same: `by` has done it to `to`."""

    by: str
    to: str


class GiftSent(News, frozen=True, kw_only=True):
    trade: str
    to: str
    gives: list[str]
    hand_version: int


class GiftReceived(News, frozen=True, kw_only=True):
    trade: str
    sender: str
    gives: list[str]
    hand_version: int
    complete: bool


class TradeProposed(News, frozen=True, kw_only=True):
    """To the proposer and all who are asked. `gives` and `takes` are the proposer's."""

    trade: str
    type: str
    audience: str
    proposer: str
    gives: list[str]
    takes: list[str]
    expires_at: str
    has_note: bool


class TradeAccepted(News, frozen=True, kw_only=True):
    """To both sides: the cards have changed hands."""

    trade: str
    type: str
    proposer: str
    by: str
    gives: list[str]
    takes: list[str]
    hand_version: int
    complete: bool


class TradeClosed(News, frozen=True, kw_only=True):
    """Nothing more comes of a trade: it was declined, cancelled, voided by a vote, has expired, or somebody else was
    faster.
    """

    trade: str
    state: str
    by: str | None
    hand_version: int | None


class CardStolen(News, frozen=True, kw_only=True):
    """To the one who was robbed."""

    play: str
    by: str
    kind: str
    hand_version: int
    complete: bool


class CardTaken(News, frozen=True, kw_only=True):
    """To the thief's other devices."""

    play: str
    friend: str
    kind: str
    hand_version: int
    complete: bool


class CardTurned(News, frozen=True, kw_only=True):
    """A wild card of one's own has become this kind."""

    play: str
    kind: str
    hand_version: int
    complete: bool


class CardCopied(News, frozen=True, kw_only=True):
    """A copy card of one's own has become a card like a friend's."""

    play: str
    friend: str
    kind: str
    hand_version: int
    complete: bool


class PresenceChanged(News, frozen=True, kw_only=True):
    """A friend has come or gone."""

    player: str
    online: bool


class InvitationCredited(News, frozen=True, kw_only=True):
    draw: str
    invited: str
    kind: str
    hand_version: int
    complete: bool


class DrawGranted(News, frozen=True, kw_only=True):
    draw: str
    kind: str
    reason: str
    hand_version: int
    complete: bool


class CompensationPaid(News, frozen=True, kw_only=True):
    campaign: str
    amount_fen: int
    reason: str


class RuleAnnounced(News, frozen=True, kw_only=True):
    """A change of the rules that takes force then, unless a vote strikes it before."""

    amendment: str
    takes_force_at: str


class RulebookChanged(News, frozen=True, kw_only=True):
    """The rules of this version are in force since that instant; `paths` are what it changed, as JSON Pointers."""

    version: int
    reason: str
    in_force_at: str
    closes_at: str
    proposal: str | None
    amendment: str | None
    paths: list[str]


class ProposalOpened(News, frozen=True, kw_only=True):
    proposal: str
    opens_at: str
    closes_at: str


class ProposalExtended(News, frozen=True, kw_only=True):
    proposal: str
    closes_at: str


class ProposalCancelled(News, frozen=True, kw_only=True):
    proposal: str


class ProposalClosed(News, frozen=True, kw_only=True):
    """Only an `adopted` one has a winner, and a version if its changes made a new one."""

    proposal: str
    outcome: str
    winner: int | None
    cast: int
    eligible: int
    version: int | None


class TallyChanged(News, frozen=True, kw_only=True):
    """Ballots by the option's number, as of that instant, for whoever watches."""

    proposal: str
    ballots: dict[str, int]
    cast: int
    at: str


class AnnouncementPublished(News, frozen=True, kw_only=True):
    announcement: str
    pinned: bool


class AnnouncementWithdrawn(News, frozen=True, kw_only=True):
    announcement: str


class CommentAnswered(News, frozen=True, kw_only=True):
    """Staff have replied to a comment."""

    proposal: str
    comment: str
    answers: str


class CommentModerated(News, frozen=True, kw_only=True):
    """Staff have hidden a comment from everybody but its author, or show it again."""

    proposal: str
    comment: str
    hidden: bool


class CardConverted(News, frozen=True, kw_only=True):
    """A vote has removed a kind: what one held of it has become `into`, one slug a card, or money."""

    conversion: str
    kind: str
    cards: int
    into: list[str]
    fen: int
    hand_version: int
    complete: bool


class ConversionPaid(News, frozen=True, kw_only=True):
    """What one held of a kind that a vote has removed was worth is in the wallet."""

    conversion: str
    campaign: str
    amount_fen: int


TYPES: Mapping[str, type[News]] = {
    "campaign.opened": CampaignOpened,
    "campaign.frozen": CampaignFrozen,
    "campaign.settled": CampaignSettled,
    "share.changed": ShareChanged,
    "presence.changed": PresenceChanged,
    "friendship.asked": FriendshipNews,
    "friendship.accepted": FriendshipNews,
    "friendship.ended": FriendshipNews,
    "gift.sent": GiftSent,
    "gift.received": GiftReceived,
    "trade.proposed": TradeProposed,
    "trade.accepted": TradeAccepted,
    "trade.closed": TradeClosed,
    "card.stolen": CardStolen,
    "card.taken": CardTaken,
    "card.turned": CardTurned,
    "card.copied": CardCopied,
    "invitation.credited": InvitationCredited,
    "draw.granted": DrawGranted,
    "compensation.paid": CompensationPaid,
    "card.converted": CardConverted,
    "conversion.paid": ConversionPaid,
    "rule.announced": RuleAnnounced,
    "rulebook.changed": RulebookChanged,
    "proposal.opened": ProposalOpened,
    "proposal.extended": ProposalExtended,
    "proposal.cancelled": ProposalCancelled,
    "proposal.closed": ProposalClosed,
    "tally.changed": TallyChanged,
    "announcement.published": AnnouncementPublished,
    "announcement.withdrawn": AnnouncementWithdrawn,
    "comment.answered": CommentAnswered,
    "comment.moderated": CommentModerated,
}


class Push(msgspec.Struct, kw_only=True):
    """An event of the player's has `seq`, a broadcast has `campaign_seq`, what is true for the moment has neither."""

    event: str
    at: str
    data: dict[str, Any]
    campaign: str | None = None
    seq: int | None = None
    campaign_seq: int | None = None

    @property
    def news(self) -> News | None:
        """The data by its type; None if the event is newer than this client."""
        known = TYPES.get(self.event)
        return msgspec.convert(self.data, known) if known else None
