"""What schemathesis does besides its own checks. It loads this module by name, in its own process, without Django."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections import Counter
from pathlib import Path

import requests
import schemathesis
from schemathesis.auths import GLOBAL_AUTH_STORAGE

URL = os.environ["FORTUNES_FUZZED_URL"]
TOKEN = os.environ["FORTUNES_FUZZED_TOKEN"]
ERRORS = Path(os.environ["FORTUNES_FUZZED_ERRORS"]).read_text(encoding="utf-8")
EXAMPLES = json.loads(Path(os.environ["FORTUNES_FUZZED_EXAMPLES"]).read_text(encoding="utf-8"))
ANSWERS = Path(os.environ["FORTUNES_FUZZED_ANSWERS"])

# Whoever does these is signed out or gone, so that a player who is new does them.
LAST_DEEDS = re.compile(r"DELETE /api/v1/(me|sessions|sessions/current)$")
KNOWN = {(int(status), code) for status, code in re.findall(r"^\| (\d+) \| `([^`]+)`", ERRORS, re.MULTILINE)}

_seen: Counter[str] = Counter()
# Of examples that somebody else asks for, by their key.
_tokens: dict[str | None, str] = {}


@schemathesis.auth(refresh_interval=None)
class Token:
    """The one player's, or that of a new one for the last deeds. Their word, too, where they have to give it."""

    def get(self, case: schemathesis.Case, context: schemathesis.AuthContext) -> str:
        if (theirs := _tokens.get(case.headers.get("Idempotency-Key"))) is not None:
            return theirs
        if not LAST_DEEDS.match(f"{case.method} {case.path}"):
            return TOKEN
        name, password = f"new-{secrets.token_hex(8)}", secrets.token_urlsafe()
        session = requests.Session()
        session.trust_env = False
        body = {"username": name, "password": password}
        answer = session.post(f"{URL}/api/v1/players", json=body, timeout=30).json()
        is_meant_well = case.meta is not None and case.meta.generation.mode.is_positive
        if is_meant_well and isinstance(case.body, dict) and "confirm" in case.body:
            case.body = {"confirm": name, "password": password}
        return str(answer["tokens"]["access"])

    def set(self, case: schemathesis.Case, data: str, context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_add_examples(context: schemathesis.HookContext, examples: list[schemathesis.Case]) -> None:
    """Each operation is answered well at least once, however little the generator has time to find."""
    assert context.operation is not None
    known = EXAMPLES[context.operation.definition.raw["operationId"]]
    key = secrets.token_hex(8)
    if known["token"]:
        _tokens[key] = known["token"]
    given = {} if known["body"] is None else {"body": known["body"], "media_type": "application/json"}
    case = context.operation.Case(path_parameters=known["path"], headers={"Idempotency-Key": key}, **given)
    # As it does with the cases that it makes itself.
    GLOBAL_AUTH_STORAGE.set(case, schemathesis.AuthContext(operation=context.operation, app=None))
    examples.append(case)


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    """Which statuses each operation gave at all, for the test to see that work was done."""
    line = f"{case.operation.definition.raw['operationId']} {response.status_code}\n"
    _seen[line] += 1
    if _seen[line] == 1:
        with ANSWERS.open("a", encoding="utf-8") as file:
            file.write(line)


@schemathesis.check
def known_refusal(context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case) -> None:
    """Every refusal is a problem document with a code of docs/errors.md and that code's status, never HTML."""
    if response.status_code < 400:
        return
    media_type = response.headers.get("content-type", [""])[0]
    assert media_type == "application/problem+json", f"a refusal as {media_type}: {response.text[:200]}"
    problem = response.json()
    assert (response.status_code, problem["code"]) in KNOWN, f"unknown refusal: {problem}"
    assert problem["status"] == response.status_code
    if response.status_code in (429, 503):
        assert "retry-after" in response.headers
