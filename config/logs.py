"""What is logged: a JSON object a line in production, readable lines with DEBUG, nothing of a person in either.

Every record passes `Formatter`, those of Django, uvicorn and Celery too. It takes exceptions apart by itself: their
messages quote values, so of each stays what `fortunes.describing` lets through, with the places in the code.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from django.http import HttpRequest
from django.utils.functional import LazyObject
from structlog.typing import EventDict, Processor, WrappedLogger

from fortunes import describing

FRAMES = 12
# What is written here and in fortunes/heads.py, and is no secret though a hash looks like one.
_OWN = frozenset({"at", "level", "logger", "event", "exception", "head"})


class Formatter(structlog.stdlib.ProcessorFormatter):
    """For the settings' LOGGING. `readable` is for developers' eyes."""

    def __init__(self, *, readable: bool = False) -> None:
        chain: list[Processor] = [structlog.stdlib.ExtraAdder(), _head, _body]
        render = _line if readable else _json
        super().__init__(foreign_pre_chain=chain, processors=[self.remove_processors_meta, render])

    def format(self, record: logging.LogRecord) -> str:
        if record.args:
            record = logging.makeLogRecord(record.__dict__)
            record.args = _told_of(record)
        return super().format(record)


def route_of(request: HttpRequest) -> str:
    """The address as its template, without what was put into it: that may be a code or a name."""
    if request.resolver_match is not None:
        return "/" + str(request.resolver_match.route)
    return "static" if request.path.startswith("/static/") else "unmatched"


def player_of(request: HttpRequest) -> int | None:
    """The internal number of the player who asked, which means nothing outside of the database."""
    user = request.__dict__.get("user")
    # Somebody of staff whom the view didn't ask for would be looked up only now.
    return None if user is None or isinstance(user, LazyObject) else user.pk


def _told_of(record: logging.LogRecord) -> Any:
    """The arguments of a message: of errors what may be told, of addresses the route."""
    request = record.__dict__.get("request")

    def told(argument: Any) -> Any:
        if isinstance(argument, BaseException):
            return _Words(describing.of(argument))
        return route_of(request) if isinstance(request, HttpRequest) and argument == request.path else argument

    if isinstance(record.args, tuple):
        return tuple(map(told, record.args))
    return {name: told(argument) for name, argument in (record.args or {}).items()}


class _Words(str):
    """Shown without quotation marks, also by %r."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _head(_: WrappedLogger, level: str, event: EventDict) -> EventDict:
    """When, how grave, from where; the host's clock is good enough for a log."""
    record: logging.LogRecord = event["_record"]
    event["at"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    event["level"] = level
    event["logger"] = record.name
    event["process"] = record.process
    return event


def _body(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Plain values only: an object's words are anybody's guess, a request's are a player's."""
    told: dict[str, Any] = {}
    for name, value in event.items():
        if name.startswith("_"):
            told[name] = value
        elif isinstance(value, str):
            told[name] = value if name in _OWN - {"event"} else describing.redacted(value)
        elif value is None or isinstance(value, (bool, int, float)):
            told[name] = value
    if error := _error_of(event.get("exc_info")):
        told["exception"] = "\n".join(_traceback(error))
    return told


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    return exc_info[1] if isinstance(exc_info, tuple) else None


def _traceback(error: BaseException, depth: int = 0) -> Iterator[str]:
    """Like Python's own, the first cause first, with what may be told of each error."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and depth < 4:
        yield from _traceback(before, depth + 1)
        yield "and then:"
    yield "Traceback (most recent call last):"
    for frame in traceback.extract_tb(error.__traceback__)[-FRAMES:]:
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
        yield f"    {frame.line}"
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions[:3]:
            yield from _traceback(inner, depth + 1)
    yield describing.of(error)


def _json(_: WrappedLogger, __: str, event: EventDict) -> str:
    first = {name: event.pop(name) for name in ("at", "level", "logger", "event")}
    return msgspec.json.encode(first | dict(event)).decode()


def _line(_: WrappedLogger, __: str, event: EventDict) -> str:
    head = [event.pop(name) for name in ("at", "level", "logger", "event")]
    exception = event.pop("exception", None)
    event.pop("process")
    facts = [f"{name}={value}" for name, value in event.items()]
    line = " ".join([head[0][11:23], head[1].upper(), *head[2:], *facts])
    return f"{line}\n{exception}" if exception else line
