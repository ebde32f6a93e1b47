"""Refusals about money; the common ones are in `fortunes.errors`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from fortunes.errors import DomainError


class InvalidPool(DomainError):
    code, status, title = "invalid-pool", 422, _("This pool is not valid.")


class PoolAlreadyExists(DomainError):
    code, title = "pool-already-exists", _("The campaign already has a pool.")


class PoolNotFound(DomainError):
    code, status, title = "pool-not-found", 404, _("There is no such pool.")


class InvalidAmount(DomainError):
    code, status, title = "invalid-amount", 422, _("An amount must be a positive number of fen.")


class PoolOverfunded(DomainError):
    code, title = "pool-overfunded", _("This is more than the pool still needs.")


class BusinessKeyReused(DomainError):
    code, status, title = "business-key-reused", 422, _("This business key belongs to another posting.")


class InvalidBusinessKey(DomainError):
    code, status, title = (
        "invalid-business-key",
        422,
        _("A business key has 1 to 64 characters, and no reserved prefix."),
    )


class SettlementNotFound(DomainError):
    code, status, title = "settlement-not-found", 404, _("The campaign has no settlement yet.")


class ManifestNotPublished(DomainError):
    code, status, title = "manifest-not-published", 404, _("The manifest is published once the split is sealed.")


class SettlementFinished(DomainError):
    code, title = "settlement-finished", _("The settlement has ended; there is nothing to pause or resume.")


class CompensationTooHigh(DomainError):
    """Facts: `limit_fen`."""

    code, status, title = "compensation-too-high", 422, _("This is more than one compensation may be.")


class InvalidCase(DomainError):
    code, status, title = (
        "invalid-case",
        422,
        _("A case number has 1 to 32 letters, digits, dots, dashes and underscores."),
    )


class CaseAlreadyCompensated(DomainError):
    code, title = "case-already-compensated", _("This case of the player was compensated already, and otherwise.")


class CompensationFundEmpty(DomainError):
    code, title = "compensation-fund-empty", _("The campaign has not set that much aside for compensations.")


class TooEarly(DomainError):
    """Facts: `reveal_at` and `server_time`, both RFC 3339."""

    code, status, title = "too-early", 425, _("Packets can't be opened yet.")
    temporary = True


class NotSettledYet(DomainError):
    code, title = "not-settled-yet", _("The pool has not been split yet.")
    temporary = True


class NotAWinner(DomainError):
    code, title = "not-a-winner", _("There is no packet for you in this campaign.")
