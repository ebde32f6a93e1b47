"""docs/mobile.md: its transcripts are what a real server says, its example runs, and its table has every code."""

from __future__ import annotations

import ast
import asyncio
import re
import secrets
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts import tokens
from config import documents
from config.client.rest import Client
from config.local.environment import ROOT
from fortunes.models import DatabaseNow, Proposal
from tests.factories import cards as make
from tests.factories import votes
from tests.factories.accounts import PlayerFactory
from tests.realtime import servers, story
from tests.realtime.servers import Server
from tests.realtime.transcripts import BLOCK, Reader

PAGE = (ROOT / "docs/mobile.md").read_text()
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def stage() -> dict[str, str]:
    """A season, codes to scan, and Bob, who holds what others want. One vote is over, and another one is open."""
    season = make.TradingSeasonFactory.create()
    bob = PlayerFactory.create()
    make.deal(season, bob, "harmony", "harmony", "harmony", "patriotism")
    decided = story.put_to_the_vote(season, [{}, {"changes": {"quotas": {"code": {"per_day": 1_001}}}}])
    votes.cast(bob, decided, story.REMOVE)
    Proposal.objects.filter(pk=decided.pk).update(closes_at=DatabaseNow())
    story.close(decided)
    removed = {"changes": {"specials": ["wild"]}, "compensations": {"copy": {"into": "wild"}}}
    story.put_to_the_vote(season, [{}, removed])
    return {
        "SEASON": season.slug,
        "CODE": make.code(season),
        "OTHER_CODE": make.code(season),
        "BOB": tokens.issue(bob).token,
        "BOB_ID": str(bob.public_id),
        "DECIDED": str(decided.public_id),
        "USERNAME": f"mei-{secrets.token_hex(5)}",
        "PASSWORD": secrets.token_hex(8),
    }


async def until_presence_is_known(server: Server, token: str) -> None:
    """A process that has just begun, or has a Redis that answers nobody, says that it doesn't know."""
    async with asyncio.timeout(servers.PATIENCE_S), Client(server.url) as client:
        client.access = token
        while not (await client.get("friendships/presence"))["known"]:
            await asyncio.sleep(0.2)


@pytest.mark.committed
async def test_the_transcripts(a: Server) -> None:
    blocks = BLOCK.findall(PAGE)
    assert len(blocks) > 8
    reader = Reader(a.url, **await sync_to_async(stage)())
    await until_presence_is_known(a, reader.known["BOB"])
    for transcript in blocks:
        await reader.go_through(transcript)


@pytest.mark.committed
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("← 201", "← 202"),
        ('"nickname":"Mei"},', '"nickname":"May"},'),
        ('"tokens":', '"token":'),
        ("/api/v1/players", "/api/v1/gamers"),
    ],
)
async def test_control_a_transcript_that_is_wrong_is_found(a: Server, before: str, after: str) -> None:
    first = BLOCK.findall(PAGE)[0]
    assert before in first
    with pytest.raises(AssertionError):
        await Reader(a.url, **await sync_to_async(stage)()).go_through(first.replace(before, after))


@pytest.mark.committed
async def test_the_example(a: Server) -> None:
    """As it stands there, with the names that its first lines would give it."""
    known = await sync_to_async(stage)()
    names: dict[str, Any] = {"BASE": a.url, "SEASON": known["SEASON"], "shown": []}
    names |= {"USERNAME": known["USERNAME"], "PASSWORD": known["PASSWORD"], "CODE": known["CODE"]}
    (example,) = EXAMPLE.findall(PAGE)
    compiled = compile(example, "docs/mobile.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(compiled, names)
    await running
    assert names["scan"].hand.counts[names["scan"].draw.kind] == 1


def test_every_code_has_its_row() -> None:
    """Whoever adds a refusal says what an app does with it."""
    known = re.findall(r"^\| \d{3} \| `([a-z-]+)` \|", documents.DOCUMENTS["docs/errors.md"](), re.MULTILINE)
    section = PAGE.split("\n## What to do with a code\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "`" in line]
    listed = [code for row in rows for code in re.findall(r"`([a-z]+(?:-[a-z]+)*)`", row.split("|")[2])]
    assert len(listed) == len(set(listed))
    assert sorted(listed) == sorted(known)


def test_every_close_code_has_its_row() -> None:
    section = PAGE.split("\n## What to do with a close\n")[1].split("\n## ")[0]
    listed = {int(code) for code in re.findall(r"\b(\d{4})\b", section)}
    table = (ROOT / "docs/realtime.md").read_text().split("\n## Close codes\n")[1].split("\n## ")[0]
    assert listed - {1000, 1001, 1006} == {int(code) for code in re.findall(r"^\| (\d{4}) \|", table, re.MULTILINE)}
