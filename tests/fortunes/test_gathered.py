"""Questions that are asked together: each gets its own answer, whatever becomes of the others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from fortunes.threads import Gathered


class Slow:
    """Answers a list once it's allowed to, and knows what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.began = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)
        self.at_once = self.most_at_once = 0
        self._guard = threading.Lock()

    def __call__(self, questions: Sequence[int]) -> list[int]:
        with self._guard:
            self.asked.append(list(questions))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.began.release()
        self.go_on.acquire(timeout=20)
        with self._guard:
            self.at_once -= 1
        if -1 in questions:
            raise ZeroDivisionError
        return [10 * question for question in questions]


async def began(slow: Slow) -> None:
    await asyncio.to_thread(slow.began.acquire)


async def test_those_who_come_while_others_are_answered_share_the_next_call() -> None:
    slow = Slow()
    gathered = Gathered(slow, most=100, calls=1)
    first = asyncio.create_task(gathered(1))
    await began(slow)
    rest = [asyncio.create_task(gathered(number)) for number in range(2, 50)]
    await asyncio.sleep(0)
    slow.go_on.release(2)

    assert await asyncio.gather(first, *rest) == [10 * number for number in range(1, 50)]
    assert slow.asked == [[1], list(range(2, 50))]


async def test_a_call_has_so_many_questions_and_there_are_so_many_calls() -> None:
    slow = Slow()
    gathered = Gathered(slow, most=3, calls=2)
    asking = [asyncio.create_task(gathered(number)) for number in range(10)]
    await began(slow)
    await began(slow)
    slow.go_on.release(10)

    assert await asyncio.gather(*asking) == [10 * number for number in range(10)]
    assert max(map(len, slow.asked)) == 3
    assert slow.most_at_once == 2


async def test_what_a_call_raises_is_for_those_whose_question_it_had() -> None:
    slow = Slow()
    gathered = Gathered(slow, most=2, calls=1)
    asking = [asyncio.create_task(gathered(number)) for number in (1, -1, 3, 4)]
    slow.go_on.release(10)
    outcomes = await asyncio.gather(*asking, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes[:2]] == [ZeroDivisionError] * 2
    assert outcomes[2:] == [30, 40]
    # And it goes on.
    assert await gathered(5) == 50


async def test_who_leaves_neither_is_asked_for_nor_disturbs_the_others() -> None:
    slow = Slow()
    gathered = Gathered(slow, most=100, calls=1)
    asked, leaves = asyncio.create_task(gathered(1)), asyncio.create_task(gathered(2))
    await began(slow)
    waits, other = asyncio.create_task(gathered(3)), asyncio.create_task(gathered(4))
    await asyncio.sleep(0)
    leaves.cancel()
    waits.cancel()
    slow.go_on.release(2)

    assert list(await asyncio.gather(asked, other)) == [10, 40]
    assert slow.asked == [[1, 2], [4]]
    for task in (leaves, waits):
        with pytest.raises(asyncio.CancelledError):
            await task
