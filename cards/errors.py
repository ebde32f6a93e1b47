"""What the cards refuse."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from fortunes.errors import DomainError


class CodeInvalid(DomainError):
    code, status, title = "code-invalid", 422, _("This is not a valid code.")


class CodeForeign(DomainError):
    code, status, title = "code-foreign", 422, _("This code belongs to another campaign.")


class CodeExpired(DomainError):
    code, title = "code-expired", _("This code has expired.")


class CodeRevoked(DomainError):
    code, title = "code-revoked", _("This code was withdrawn; it doesn't count any more.")


class CodeUsed(DomainError):
    code, title = "code-used", _("This code has already been used.")


class DailyLimitReached(DomainError):
    code, title = "daily-limit-reached", _("You have no scans left today.")


class CampaignLimitReached(DomainError):
    code, title = "campaign-limit-reached", _("You have no scans left in this campaign.")


class AlreadyCheckedIn(DomainError):
    """`next_at` is the instant from which the next check-in counts."""

    code, title = "already-checked-in", _("You have checked in today already.")


class SourceNotOffered(DomainError):
    code, status, title = "source-not-offered", 404, _("This campaign has no such way to get cards.")


class BatchNotFound(DomainError):
    code, status, title = "batch-not-found", 404, _("There is no such batch of codes.")


class PlayerNotCompensated(DomainError):
    code, title = "player-not-compensated", _("Only players who are not of the staff are compensated.")


class CardNotHeld(DomainError):
    code, title = "card-not-held", _("You do not hold this card.")


class HandFull(DomainError):
    code, title = "hand-full", _("This hand can't take any more cards of a kind.")


class KindUnknown(DomainError):
    code, status, title = "kind-unknown", 422, _("There is no such card in this campaign.")


class FriendNotFound(DomainError):
    code, status, title = "friend-not-found", 404, _("You have no such friend.")


class TradeWithOneself(DomainError):
    code, status, title = "trade-with-oneself", 422, _("You can't trade with yourself.")


class TradeNotFound(DomainError):
    code, status, title = "trade-not-found", 404, _("There is no such trade.")


class TradeAlreadyClosed(DomainError):
    """`state` is what became of the trade, for the one who asks."""

    code, title = "trade-already-closed", _("This trade is closed already.")


class TradeExpired(DomainError):
    code, title = "trade-expired", _("This trade has expired.")


class OfferNotCovered(DomainError):
    code, title = "offer-not-covered", _("The other side does not hold the cards any more that were offered.")


class TradeLimitReached(DomainError):
    """`limit` is how many trades one may have open at a time, or propose on a day."""

    code, title = "trade-limit-reached", _("You can't propose any more trades for now.")


class ReceiverLimitReached(DomainError):
    code, title = "receiver-limit-reached", _("No more cards can be given to this player today.")


class AccountTooNew(DomainError):
    """`until` is when the account is old enough."""

    code, title = "account-too-new", _("This account is too new to give cards away.")


class LinkNotFound(DomainError):
    code, status, title = "link-not-found", 404, _("There is no such link.")


class LinkLimitReached(DomainError):
    """`limit` is how many links one may have open at a time, or make on a day."""

    code, title = "link-limit-reached", _("You can't make any more links for now.")


class NoteRefused(DomainError):
    code, status, title = "note-refused", 422, _("This note has words that are not welcome here.")


class RuleForbids(DomainError):
    """`role` is that of the special card, which may be held, and neither played nor traded."""

    code, title = "rule-forbids", _("The rules in force don't allow this card to be played or to change hands.")


class NotAFortune(DomainError):
    code, status, title = "not-a-fortune", 422, _("Only fortune cards can be stolen, copied or turned into.")


class KindHeld(DomainError):
    code, title = "kind-held", _("A wild card stands for a missing card, and you hold this one.")


class FriendLacksCard(DomainError):
    code, title = "friend-lacks-card", _("Your friend does not hold this card.")


class LastCardSpared(DomainError):
    code, title = "last-card-spared", _("Your friend has only one of this card, and a last one is never stolen.")


class NoDoubles(DomainError):
    code, title = "no-doubles", _("Your friend has no card twice.")


class StealLimitReached(DomainError):
    """`per` is `day` or `friend`, `limit` what may be stolen per local day; the next one begins at `next_at`."""

    code, title = "steal-limit-reached", _("You can't steal any more today.")


class PlayerProtected(DomainError):
    """Robbed not long ago, or too new here. `until` is when the protection ends."""

    code, title = "player-protected", _("Your friend is protected from theft for now.")
