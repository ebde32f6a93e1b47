"""What goes over a socket: frames in and out, and the codes with which sockets are closed (docs/realtime.md)."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from enum import IntEnum
from typing import Annotated, Any

import msgspec
from django.utils import translation
from rest_framework.exceptions import ParseError, ValidationError

from config import parsers, problems
from fortunes.actions.feeds import Notice, Told
from fortunes.errors import DomainError

log = logging.getLogger("fortunes.socket")

SUBPROTOCOL = "fivefortunes.v1.json"
MAX_BYTES = 16 * 1024
# The largest integer that every JSON library reads exactly.
MOST_ID = 2**53


class Close(IntEnum):
    """Why the server closes a socket; the reason in words goes with it."""

    TOO_BIG = 1009
    BROKEN = 1011
    TRY_AGAIN = 1013
    BAD_FRAME = 4400
    NOT_SIGNED_IN = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL = 4406
    TIMEOUT = 4408
    TOO_FAST = 4429


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client asks. Its answer carries the same id."""

    id: Annotated[int, msgspec.Meta(ge=1, le=MOST_ID)]
    op: str
    data: dict[str, Any] = {}


class Refused(Exception):
    """What reaches no action: a code of `problems.PROTOCOL`, and with what the socket is closed if it must be."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        command_id: int | None = None,
        temporary: bool = False,
        close: Close | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.command_id = command_id
        self.temporary = temporary
        self.close = close


_json = parsers.StrictJSONParser()


def read(text: str) -> Command:
    """The command in a text frame, as strict as the API's bodies. Raises Refused with `malformed-frame`."""
    frame = None
    try:
        frame = _json.parse(io.BytesIO(text.encode()))
        return msgspec.convert(frame, Command)
    except (ParseError, msgspec.ValidationError, RecursionError, UnicodeEncodeError) as error:
        raise Refused("malformed-frame", str(error), command_id=_id_of(frame)) from error


def _id_of(frame: Any) -> int | None:
    given = frame.get("id") if isinstance(frame, dict) else None
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def answer(command_id: int, result: Any) -> str:
    """The frame that answers a command with what its action answered."""
    return _encode({"id": command_id, "result": result})


def refusal(command_id: int | None, error: Exception, *, language: str) -> str:
    """The error frame of whatever was raised; what nobody expects is logged and told as `internal-error`."""
    with translation.override(language):
        return _encode({"id": command_id, "error": _explain(error)})


def _explain(error: Exception) -> dict[str, Any]:
    refused = problems.as_refusal(error)
    if refused is not None:
        return _told(problems.document(refused), refused.temporary, refused.retry_after_s, refused.facts)
    if isinstance(error, Refused):
        return _told(problems.protocol(error.code, detail=error.detail), error.temporary)
    if isinstance(error, ValidationError):
        facts = {"errors": problems.pointers(error.detail)}
        return _told(problems.protocol("invalid-request"), facts=facts)
    log.error("a command failed", exc_info=error)
    return _told(problems.protocol("internal-error"))


def _told(
    document: Mapping[str, Any],
    temporary: bool = False,
    retry_after_s: int | None = None,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    error = {
        "code": document["code"],
        "type": document["type"],
        "message": document.get("detail") or document["title"],
        "temporary": temporary,
        "retry_after": retry_after_s,
    }
    return error | ({"facts": facts} if facts else {})


def closes(error: Exception) -> Close | None:
    """The code with which an error ends the socket; None if it goes on."""
    if isinstance(error, Refused):
        return error.close
    return Close.NOT_SIGNED_IN if isinstance(error, DomainError) and error.status == 401 else None


def code_of(error: Exception) -> str:
    """The stable code of a refusal."""
    return error.code if isinstance(error, Refused | DomainError) else "internal-error"


def push(told: Told) -> str:
    """An event of the player's own feed."""
    return _encode(told)


def broadcast(notice: Notice) -> str:
    """A fact for everybody in the campaign, numbered by the campaign."""
    return _encode({"event": notice.event, "campaign_seq": notice.seq, "at": notice.at, "data": notice.data})


def ephemeral(event: str, at: str, data: Any) -> str:
    """What is true for the moment: without a number, never sent again, and not to be missed by anybody."""
    return _encode({"event": event, "at": at, "data": data})


def _encode(frame: Any) -> str:
    return msgspec.json.encode(frame, enc_hook=str).decode()
