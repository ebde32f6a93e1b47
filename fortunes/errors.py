"""Refusals: what an action says when it will not do what was asked.

An expected refusal is a subclass of `DomainError` with a stable `code`. The API turns it into RFC 9457 problem+json
and the socket into an error frame, so a code means the same everywhere. `docs/errors.md` lists them all, and a test
compares that page with the classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """An expected refusal; nothing was changed.

    `status` is the HTTP status it is rendered with, `temporary` says that the same request may succeed later, and
    `facts` are extra members of the problem document (JSON types only).
    """

    code: ClassVar[str]
    status: ClassVar[int] = 409
    title: ClassVar[str | Promise]
    temporary: ClassVar[bool] = False

    def __init__(self, detail: str | Promise = "", *, retry_after_s: int | None = None, **facts: Any) -> None:
        super().__init__(str(detail) or self.code)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.facts = facts


class CampaignNotFound(DomainError):
    code, status, title = "campaign-not-found", 404, _("There is no such campaign.")


class CampaignNotLive(DomainError):
    code, title = "campaign-not-live", _("The campaign has not begun yet.")


class CampaignFrozen(DomainError):
    code, title = "campaign-frozen", _("The deadline has passed; nothing more counts.")


class CampaignAlreadyOpened(DomainError):
    code, title = "campaign-already-opened", _("The campaign has already been opened.")


class OpeningChecksFailed(DomainError):
    code, title = "opening-checks-failed", _("The campaign can't be opened yet.")


class InvalidRules(DomainError):
    code, status, title = "invalid-rules", 422, _("These rules are not valid.")


class RulebookNotFound(DomainError):
    code, status, title = "rulebook-not-found", 404, _("There is no such version of the rules.")


class InvalidCampaign(DomainError):
    code, status, title = "invalid-campaign", 422, _("This campaign is not valid.")


class IdempotencyKeyMissing(DomainError):
    code, status, title = "idempotency-key-missing", 400, _("This request needs an Idempotency-Key.")


class IdempotencyKeyInvalid(DomainError):
    code, status, title = "idempotency-key-invalid", 400, _("An Idempotency-Key is 1 to 64 printable ASCII characters.")


class IdempotencyKeyReused(DomainError):
    code, status, title = "idempotency-key-reused", 422, _("This Idempotency-Key came before with another request.")


class JobNotFound(DomainError):
    code, status, title = "job-not-found", 404, _("Beat rings for no such job.")


class DeadLetterNotFound(DomainError):
    code, status, title = "dead-letter-not-found", 404, _("There is no such dead letter.")


class DeadLetterDecided(DomainError):
    code, title = "dead-letter-decided", _("Somebody has decided about this dead letter already.")


class Busy(DomainError):
    code, status, title = "busy", 503, _("The server is busy. Please try again.")
    temporary = True


class StillInProgress(DomainError):
    code, title = "still-in-progress", _("The first request with this Idempotency-Key is still running.")
    temporary = True


def every() -> Iterator[type[DomainError]]:
    """All refusals that the loaded apps can give, by code."""
    seen: set[type[DomainError]] = set()
    waiting = [DomainError]
    while waiting:
        for child in waiting.pop().__subclasses__():
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    yield from sorted((c for c in seen if "code" in vars(c)), key=lambda c: c.code)
