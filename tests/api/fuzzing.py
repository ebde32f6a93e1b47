"""Schemathesis against a running server: its configuration, with ids and codes that exist, and its run."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from config import documents
from config.local import environment
from fortunes import rulebooks
from tests.accounts import texting
from tests.api.calls import EXAMPLES
from tests.api.world import PASSWORD, World
from tests.factories import talk

MANY, SOME, FEW = 300, 20, 3
# One player has 20 trades open at a time.
OPEN = 8
# How often a generated value is one that exists. The rest keeps the refusals in view.
OFTEN = 0.8
# Tokens are short-lived, and a long run isn't.
LONG = {"ACCESS_TOKEN_LIFETIME_S": str(7 * 24 * 3600), "ASKS_PER_MINUTE": "1000000", "COMMENTS_PER_DAY": "1000000"}
# Not asked for, because: a request that conforms to the schema can be refused for a hundred reasons of the game, and
# what the schema can't say (a body of 16 KiB) is refused as well. Which refusals there may be is `known_refusal`'s.
LEFT_OUT = ("positive_data_acceptance",)

Values = Mapping[str, Sequence[str | int]]


def known_values(world: World) -> Values:
    """Values that exist, by the name of the field or parameter that takes them."""
    names = [str(player.public_id) for player in (world.pal, world.friend, world.other)]
    names += [str(world.befriended()) for _ in range(SOME)]
    return {
        "path.slug": [world.live.slug, world.revealed.slug],
        "path.kind": ["patriotism"],
        "path.version": [rulebooks.in_force(world.live.pk).version],
        "path.player": names,
        "path.session": [str(world.device()) for _ in range(FEW)],
        "path.code": [world.link(world.me), world.link(world.pal)],
        "path.proposal_id": [str(world.vote().public_id) for _ in range(FEW)],
        "path.comment_id": [str(talk.comment(world.me, world.vote()).id) for _ in range(FEW)],
        "path.trade_id": [str(world.trade()) for _ in range(FEW)],
        "header.Idempotency-Key": [secrets.token_hex(8) for _ in range(MANY)],
        "body.code": [world.code() for _ in range(MANY)],
        "body.to": names,
        "body.player": names,
        "body.gives[*]": ["patriotism"],
        "body.takes[*]": ["patriotism"],
        "body.to_some[*]": names,
        "body.link": ["wechat", "weibo", "qr", "kol:somebody"],
        "body.username": [world.me.username, world.other.username],
        "body.password": [PASSWORD],
        "body.token": [world.host.token(secrets.token_hex(6)) for _ in range(MANY)],
        "body.invitation": [world.link(world.me)],
        "body.phone": [texting.number() for _ in range(MANY)],
        "body.refresh": [world.session().tokens.refresh for _ in range(SOME)],
    }


def values_of(world: World) -> dict[str, Values]:
    """Where an operation takes others than the rest."""
    number, friends = texting.number(), [str(friend.public_id) for friend in (world.pal, world.friend)]
    for _ in range(SOME):
        world.card()
        for role in ("wild", "steal", "copy"):
            world.special(role)
    play = {"path.slug": [world.live.slug], "body.from": friends[:1], "body.kind": ["patriotism"]}
    return {
        "trades_create": {
            # Most of what may be in a body has to fit together, so a key that was spent is one reason too many.
            "header.Idempotency-Key": [secrets.token_hex(8) for _ in range(10 * MANY)],
            "path.slug": [world.live.slug],
            "body.to": friends,
            "body.to_some[*]": friends,
            "body.note": ["please"],
        },
        "steals_create": play,
        "copies_create": play,
        "wilds_create": play | {"body.kind": ["prosperity", "harmony", "friendliness", "dedication"]},
        "trades_accept": {"path.trade_id": [str(world.wish_of_pal()) for _ in range(OPEN)]},
        "trades_decline": {"path.trade_id": [str(world.wish_of_pal()) for _ in range(OPEN)]},
        "trades_cancel": {"path.trade_id": [str(world.wish()) for _ in range(OPEN)]},
        "links_read": {"path.code": [world.spread(world.me) for _ in range(FEW)]},
        "links_accept": {"path.code": [world.spread(world.newcomer()) for _ in range(FEW)]},
        "ballot_read": {"path.proposal_id": [str(world.voted().public_id)]},
        "ballots_list": {"path.proposal_id": [str(world.counted().public_id)]},
        "sessions_create_by_phone": {"body.phone": [number], "body.code": [texting.ask(number)]},
        "players_create": {"body.username": [f"new-{secrets.token_hex(6)}" for _ in range(MANY)]},
        "friendships_accept": {"path.player": [str(world.asked()) for _ in range(SOME)]},
    }


def configuration(world: World) -> str:
    """The text of a schemathesis.toml. JSON's strings, numbers and lists are TOML's too."""
    head = [
        "request-timeout = 30",
        "continue-on-failure = true",
    ]
    tail = [
        "[output.sanitization]",
        "enabled = false",
        "[phases.stateful.inference]",
        'algorithms = ["location-headers", "dependency-analysis"]',
    ]
    tail += [line for check in LEFT_OUT for line in (f"[checks.{check}]", "enabled = false")]
    tail += _bound("", known_values(world), "parameters")
    for operation, values in values_of(world).items():
        tail += ["[[operations]]", f'include-operation-id = "{operation}"']
        tail += _bound(operation, values, "operations.parameters")
    # Dictionaries belong to the whole file, and TOML wants its tables apart.
    return "\n".join([*head, *tail]) + "\n"


def _bound(prefix: str, values: Values, table: str) -> list[str]:
    """One dictionary for each parameter, and the parameters that take from them."""
    names = {parameter: f"{prefix}_{number}" for number, parameter in enumerate(values)}
    takes = [f'"{parameter}" = {{ dictionary = "{name}", probability = {OFTEN} }}' for parameter, name in names.items()]
    lists = [
        line
        for parameter, name in names.items()
        for line in (f"[dictionaries.{name}]", f"values = {json.dumps(values[parameter])}")
    ]
    return [f"[{table}]", *takes, *lists]


def _example(name: str, world: World) -> dict[str, Any]:
    """A request that is answered well, whatever the time lets the generator find."""
    call = EXAMPLES[name](world)
    path = {part: str(value) for part, value in call.path.items()}
    return {"path": path, "body": call.body, "token": call.by and world.token(call.by)}


def run(folder: Path, url: str, world: World, *words: str) -> subprocess.CompletedProcess[str]:
    """One run of schemathesis over the whole schema. `words` are further options of its command."""
    schema, errors, config = folder / "openapi.yaml", folder / "errors.md", folder / "schemathesis.toml"
    schema.write_text(documents.openapi())
    errors.write_text(documents.errors())
    config.write_text(configuration(world))
    examples = folder / "examples.json"
    examples.write_text(json.dumps({name: _example(name, world) for name in EXAMPLES}, default=str))
    command: list[str | Path] = [
        Path(sys.executable).with_name("schemathesis"),
        "--config-file",
        config,
        "run",
        schema,
        "--url",
        url,
    ]
    # Its proxy settings are for the world outside.
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    env |= {
        "SCHEMATHESIS_HOOKS": "tests.api.hooks",
        "PYTHONPATH": str(environment.ROOT),
        "FORTUNES_FUZZED_URL": url,
        "FORTUNES_FUZZED_TOKEN": world.token(world.me),
        "FORTUNES_FUZZED_ERRORS": str(errors),
        "FORTUNES_FUZZED_EXAMPLES": str(examples),
        "FORTUNES_FUZZED_ANSWERS": str(folder / "answers"),
    }
    command += ["--no-color", "--report", "json", "--report-json-path", folder / "report.json", *words]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
