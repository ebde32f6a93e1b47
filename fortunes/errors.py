"""Refusals: what an action says when it will not do what was asked.

An expected refusal is a subclass of `DomainError` with a stable `code`. The API turns it into RFC 9457 problem+json
and the socket into an error frame, so a code means the same everywhere. `docs/errors.md` lists them all, and a test
compares that page with the classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.utils.functional import Promise, lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fortunes.sentences import Sentence


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


def _translated(sentence: Sentence) -> str:
    return sentence.translated(gettext)


# A sentence in the language of whoever reads it.
said = lazy(_translated, str)


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


class RuleChangeImpossible(DomainError):
    code, status, title = "rule-change-impossible", 422, _("The rules can't be changed in this way.")

    def __init__(self, why: Sentence, **facts: Any) -> None:
        super().__init__(said(why), **facts)
        self.why = why


class RuleNeedsVote(DomainError):
    code, title = "rule-needs-vote", _("After the opening only a vote may change this.")


class ProposalNotFound(DomainError):
    code, status, title = "proposal-not-found", 404, _("There is no such proposal.")


class InvalidProposal(DomainError):
    code, status, title = "invalid-proposal", 422, _("This proposal is not valid.")


class ProposalConflict(DomainError):
    code, title = "proposal-conflict", _("Another vote or an announced change concerns the same rule.")


class ProposalState(DomainError):
    code, title = "proposal-state", _("In its state this can't be done to the proposal any more.")


class ProposalChanged(DomainError):
    """Staff open, or write anew, the draft that they have seen, and no other."""

    code, title = "proposal-changed", _("Somebody has changed this draft meanwhile: look at it again.")


class AnnouncementNotFound(DomainError):
    code, status, title = "announcement-not-found", 404, _("There is no such announcement.")


class AnnouncementPublished(DomainError):
    """What players have read isn't changed any more: it is withdrawn, and another one written."""

    code, title = "announcement-published", _("This announcement has been published or withdrawn already.")


class CommentNotFound(DomainError):
    code, status, title = "comment-not-found", 404, _("There is no such comment.")


class CommentRefused(DomainError):
    code, status, title = "comment-refused", 422, _("This comment has words that are not welcome here.")


class CommentNotAllowed(DomainError):
    code, status, title = "comment-not-allowed", 403, _("You can't write comments.")


class CommentLimitReached(DomainError):
    """`limit` is how many comments one may write in `window_s` seconds; the next one is possible at `next_at`."""

    code, title = "comment-limit-reached", _("You can't write any more comments for now.")


class VoteNotOpen(DomainError):
    """`state` is what the vote is instead: scheduled, counting, closed or cancelled."""

    code, title = "vote-not-open", _("This vote takes no ballots at the moment.")


class NotEligible(DomainError):
    code, status, title = "not-eligible", 403, _("Only players who joined before the vote opened may vote.")


class OptionNotFound(DomainError):
    code, status, title = "option-not-found", 422, _("This vote has no such option.")


class BallotAlreadyCast(DomainError):
    """`option` is what the player has voted for."""

    code, title = "ballot-already-cast", _("You have voted already, and ballots of this vote can't be changed.")


class BallotNotFound(DomainError):
    code, status, title = "ballot-not-found", 404, _("You have not voted.")


class VoteNotClosed(DomainError):
    code, title = "vote-not-closed", _("The ballots are published when the vote has been counted.")


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
