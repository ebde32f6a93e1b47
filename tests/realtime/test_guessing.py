"""A hundred wrong codes at once, over HTTP and on two processes: five are judged."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import pytest

from accounts import otp
from fortunes import threads
from tests.accounts import texting
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed


async def test_a_hundred_wrong_codes_lock_out_exactly(committed_db: None, a: Server, b: Server) -> None:
    number = texting.number()
    code = await threads.run(texting.ask, number)
    body = {"phone": number, "code": texting.another(code)}
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(trust_env=False, timeout=60, limits=limits) as client:
        urls = [f"{server.url}/api/v1/sessions/phone" for server in (a, b)] * 50
        answers = await asyncio.gather(*(client.post(url, json=body) for url in urls))
        late = await client.post(urls[0], json={"phone": number, "code": code})
    told = Counter((answer.status_code, answer.json()["code"]) for answer in answers)
    assert told == {(401, "wrong-code"): otp.MOST_TRIES, (429, "locked-out"): 100 - otp.MOST_TRIES}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers if answer.status_code == 429)
    assert late.json()["code"] == "locked-out", "the right one comes too late"
