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
