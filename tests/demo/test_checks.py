"""The demo's checks: an honest season passes, and whatever is broken in it is found by the check for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from config.demo import chances, checks, table
from config.demo.facts import DrawFact, Facts
from config.demo.journal import Heard, Journal
from fortunes import rules
from tests.demo.honest import BEFORE, CLOSES_AT, RESULT, VERSIONS, broken, honest

TRADES = "every trade that was agreed is stored, once, and both sides know"
PLAYS = "every special card that was played is stored, once, and no other"


def test_an_honest_season_passes() -> None:
    assert broken(*honest()) == []


def test_an_empty_season_does_not() -> None:
    facts = replace(
        honest()[1],
        draws=[],
        transfers=[],
        trades={},
        deals={},
        plays={},
        hands={},
        events={},
        payouts={},
        paid_fen={},
        wallets={},
        vote=replace(RESULT, ballots=[]),
        versions=VERSIONS[:1],
    )
    assert "enough happened to be worth a check" in broken(Journal(), facts)


def lose_a_draw(journal: Journal, facts: Facts) -> None:
    facts.draws.pop()


def double_a_draw(journal: Journal, facts: Facts) -> None:
    facts.draws.append(replace(facts.draws[0], id="another"))


def lose_a_gift(journal: Journal, facts: Facts) -> None:
    facts.trades.clear()


def move_a_gift_twice(journal: Journal, facts: Facts) -> None:
    facts.transfers.append(facts.transfers[0])


def forget_a_trade(journal: Journal, facts: Facts) -> None:
    facts.deals.clear()


def tell_one_side(journal: Journal, facts: Facts) -> None:
    journal.diaries[0].deals.clear()


def trade_half(journal: Journal, facts: Facts) -> None:
    del facts.transfers[4]


def move_for_nothing(journal: Journal, facts: Facts) -> None:
    facts.transfers.append(replace(facts.transfers[0], by="u"))


def acknowledge_what_was_not_done(journal: Journal, facts: Facts) -> None:
    journal.diaries[1].agreed.add("u")


def forget_a_play(journal: Journal, facts: Facts) -> None:
    facts.plays.clear()


def play_unasked(journal: Journal, facts: Facts) -> None:
    journal.diaries[0].plays.clear()


def use_up_nothing(journal: Journal, facts: Facts) -> None:
    del facts.transfers[1]


def miscount_a_hand(journal: Journal, facts: Facts) -> None:
    facts.hands["bob"]["red"] += 1


def mislead_a_player(journal: Journal, facts: Facts) -> None:
    journal.diaries[0].cards["green"] += 1


def draw_at_the_deadline(journal: Journal, facts: Facts) -> None:
    facts.draws[0] = replace(facts.draws[0], at=CLOSES_AT)


def loaded_dice(journal: Journal, facts: Facts) -> None:
    for number in range(100):
        facts.draws.append(DrawFact(f"x{number}", "bob", "red", "red", "red", BEFORE))
        journal.diaries[1].draws[f"x{number}"] = "red"


def draw_against_the_secret(journal: Journal, facts: Facts) -> None:
    facts.draws[0] = replace(facts.draws[0], replayed="green")


def hide_the_secret(journal: Journal, facts: Facts) -> None:
    facts.draws[:] = [replace(draw, replayed=None) for draw in facts.draws]


def give_another_kind(journal: Journal, facts: Facts) -> None:
    facts.draws[0] = replace(facts.draws[0], wish="green", replayed="green")


def forget_a_winner(journal: Journal, facts: Facts) -> None:
    del facts.payouts["bob"]


def pay_a_loser(journal: Journal, facts: Facts) -> None:
    facts.payouts["charlie"] = 0


def lose_a_fen(journal: Journal, facts: Facts) -> None:
    facts.payouts["alice"] -= 1


def split_unevenly(journal: Journal, facts: Facts) -> None:
    facts.payouts.update(alice=52, bob=49)


def pay_twice(journal: Journal, facts: Facts) -> None:
    facts.paid_fen["alice"] *= 2


def miscount_a_wallet(journal: Journal, facts: Facts) -> None:
    facts.wallets["bob"] += 1


def promise_more(journal: Journal, facts: Facts) -> None:
    journal.diaries[0].opened_fen = 52


def lose_an_event(journal: Journal, facts: Facts) -> None:
    journal.diaries[0].events.pop()


def leave_a_gap(journal: Journal, facts: Facts) -> None:
    journal.diaries[0].events.pop(0)


def tell_twice(journal: Journal, facts: Facts) -> None:
    journal.diaries[1].events.append(journal.diaries[1].events[-1])


def tell_something_else(journal: Journal, facts: Facts) -> None:
    journal.diaries[1].events[-1] = replace(journal.diaries[1].events[-1], data={"trade": "u"})


def miss_a_broadcast(journal: Journal, facts: Facts) -> None:
    journal.diaries[1].broadcasts.pop()


def settle_twice(journal: Journal, facts: Facts) -> None:
    again = Heard(5, "campaign.settled", {})
    for feed in (facts.broadcasts, *(diary.broadcasts for diary in journal.diaries)):
        feed.append(again)


def be_surprised(journal: Journal, facts: Facts) -> None:
    journal.surprises.append("500")


@pytest.mark.parametrize(
    ("spoil", "found_by"),
    [
        (lose_a_draw, "every acknowledged scan is stored, once, and no other"),
        (double_a_draw, "every acknowledged scan is stored, once, and no other"),
        (lose_a_gift, "every acknowledged gift is stored, once, and no other"),
        (move_a_gift_twice, "every acknowledged gift is stored, once, and no other"),
        (forget_a_trade, TRADES),
        (tell_one_side, TRADES),
        (trade_half, TRADES),
        (move_for_nothing, TRADES),
        (acknowledge_what_was_not_done, TRADES),
        (forget_a_play, PLAYS),
        (play_unasked, PLAYS),
        (use_up_nothing, PLAYS),
        (miscount_a_hand, "hands = what players reckon = draws + transfers"),
        (mislead_a_player, "hands = what players reckon = draws + transfers"),
        (draw_at_the_deadline, "nothing counts after the deadline"),
        (loaded_dice, "cards fall by the published odds"),
        (draw_against_the_secret, "the published secret explains every draw"),
        (hide_the_secret, "the published secret explains every draw"),
        (give_another_kind, "the published secret explains every draw"),
        (forget_a_winner, "winners = complete hands"),
        (pay_a_loser, "winners = complete hands"),
        (lose_a_fen, "packets + returned = pool, evenly"),
        (split_unevenly, "packets + returned = pool, evenly"),
        (pay_twice, "every packet is in its wallet, to the fen"),
        (miscount_a_wallet, "every packet is in its wallet, to the fen"),
        (promise_more, "players were told what their packet holds"),
        (lose_an_event, "events reached their players in order, once, without a gap"),
        (leave_a_gap, "events reached their players in order, once, without a gap"),
        (tell_twice, "events reached their players in order, once, without a gap"),
        (tell_something_else, "events reached their players in order, once, without a gap"),
        (miss_a_broadcast, "broadcasts reached everybody"),
        (settle_twice, "the season opened, froze and settled once"),
        (be_surprised, "every answer was one that is documented"),
    ],
)
def test_what_is_broken_is_found(spoil: Callable[[Journal, Facts], None], found_by: str) -> None:
    journal, facts = honest()
    spoil(journal, facts)
    assert found_by in broken(journal, facts)


def test_a_capped_kind_may_be_replaced() -> None:
    journal, facts = honest()
    capped = rules.parse(rules.dump(facts.rules) | {"caps": {"green": {"units": 1}}})
    facts = replace(facts, rules=capped)
    facts.draws[0] = replace(facts.draws[0], wish="green", replayed="green")
    assert "the published secret explains every draw" not in broken(journal, facts)


def test_the_table_shows_figures_and_faults() -> None:
    journal, facts = honest()
    lose_a_fen(journal, facts)
    shown = "\n".join(table.lines(journal, facts, checks.every(journal, facts)))
    assert "0.50 yuan to 0.50 yuan" in shown
    assert "FAULT  packets + returned = pool, evenly" in shown
    assert "100 fen in packets + 0 returned are not the 101 of the pool" in shown
    assert "ok     winners = complete hands" in shown


@pytest.mark.parametrize(
    ("counts", "weights", "likelihood"),
    [
        # Against tables of the chi-square distribution: 9.488 at 4 and 3.841 at 1 degrees of freedom are 5 %.
        ((120, 80), (1, 1), 0.0047),
        ((110, 90), (1, 1), 0.157),
        ((25, 25, 23, 22, 5), (25, 25, 23, 22, 5), 1.0),
        ((0, 0), (1, 1), 1.0),
        ((1, 5), (0, 1), 0.0),
        ((7,), (3,), 1.0),
    ],
)
def test_chi_square(counts: tuple[int, ...], weights: tuple[int, ...], likelihood: float) -> None:
    assert chances.chi_square(counts, weights) == pytest.approx(likelihood, abs=0.01)
