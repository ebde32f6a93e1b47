"""The demo's checks of its vote: whatever is broken about it is found by the check for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from config.demo import vote_checks, voting
from config.demo.facts import Facts, TransferFact
from config.demo.journal import Counted, Journal
from tests.demo.honest import BEFORE, FROM, RESULT, RULES, TO, broken, honest

RECOUNT = "result = ballots = their published list, hash included"
NEW_RULES = "everybody heard of the new rules, and REST says the same"
REMOVED = "what was removed is drawn, moved and played no more"
COMPENSATED = "each card that was removed was compensated once"


def lose_a_ballot(journal: Journal, facts: Facts) -> None:
    facts.vote.ballots.pop()


def vote_twice(journal: Journal, facts: Facts) -> None:
    facts.vote.ballots.append(facts.vote.ballots[0])


def change_a_ballot(journal: Journal, facts: Facts) -> None:
    facts.vote.ballots[0] = replace(facts.vote.ballots[0], option=voting.KEEP)


def vote_without_having_joined(journal: Journal, facts: Facts) -> None:
    facts.joined["bob"] = FROM


def vote_at_the_close(journal: Journal, facts: Facts) -> None:
    facts.vote.ballots[0] = replace(facts.vote.ballots[0], at=TO)


def miscount_a_shard(journal: Journal, facts: Facts) -> None:
    facts.vote.shards[voting.REMOVE] += 1


def miscount_the_result(journal: Journal, facts: Facts) -> None:
    facts.vote.counts[voting.KEEP] = 1


def tell_another_result(journal: Journal, facts: Facts) -> None:
    journal.result[voting.KEEP] = 1


def leave_a_ballot_unpublished(journal: Journal, facts: Facts) -> None:
    journal.published.popitem()


def publish_another_leaf(journal: Journal, facts: Facts) -> None:
    _, option = journal.published.popitem()
    journal.published["00" * 32] = option


def change_the_rules_again(journal: Journal, facts: Facts) -> None:
    facts.versions.append(replace(facts.versions[-1], number=3, proposal=None))


def change_them_too_early(journal: Journal, facts: Facts) -> None:
    facts.versions[-1] = replace(facts.versions[-1], in_force_at=TO - timedelta(seconds=1))


def change_nothing(journal: Journal, facts: Facts) -> None:
    facts.versions[-1] = replace(facts.versions[-1], rules=RULES)


def miss_the_new_rules(journal: Journal, facts: Facts) -> None:
    del journal.diaries[1].broadcasts[1]


def read_old_rules(journal: Journal, facts: Facts) -> None:
    journal.diaries[0].readings[0] = replace(journal.diaries[0].readings[0], version=1)


def not_read_the_rules(journal: Journal, facts: Facts) -> None:
    journal.diaries[0].readings.clear()


def draw_what_was_removed(journal: Journal, facts: Facts) -> None:
    facts.draws[-1] = replace(facts.draws[-1], at=BEFORE)


def give_what_was_removed(journal: Journal, facts: Facts) -> None:
    facts.transfers.append(TransferFact("t", "alice", "bob", "steal", BEFORE))


def leave_a_trade_open(journal: Journal, facts: Facts) -> None:
    facts.loose_ends.append("trade t")


def forget_a_card(journal: Journal, facts: Facts) -> None:
    facts.conversions.clear()


def convert_twice(journal: Journal, facts: Facts) -> None:
    facts.conversions["d"] = facts.conversions["c"]


def convert_into_something_else(journal: Journal, facts: Facts) -> None:
    facts.transfers[-1] = replace(facts.transfers[-1], kind="red")


def not_tell_of_a_conversion(journal: Journal, facts: Facts) -> None:
    journal.diaries[0].events.pop()


def see_ballots_vanish(journal: Journal, facts: Facts) -> None:
    journal.diaries[0].tallies[1] = Counted("3", {"1": 0, "2": 1})


def see_too_many_ballots(journal: Journal, facts: Facts) -> None:
    journal.diaries[0].tallies.append(Counted("9", {"1": 1, "2": 2}))


def not_watch(journal: Journal, facts: Facts) -> None:
    for diary in journal.diaries:
        diary.tallies.clear()


@pytest.mark.parametrize(
    ("spoil", "found_by"),
    [
        (lose_a_ballot, "every acknowledged ballot is stored, once, and no other"),
        (vote_twice, "every acknowledged ballot is stored, once, and no other"),
        (change_a_ballot, "every acknowledged ballot is stored, once, and no other"),
        (vote_without_having_joined, "who voted had joined before, and did it in time"),
        (vote_at_the_close, "who voted had joined before, and did it in time"),
        (change_a_ballot, RECOUNT),
        (miscount_a_shard, RECOUNT),
        (miscount_the_result, RECOUNT),
        (tell_another_result, RECOUNT),
        (leave_a_ballot_unpublished, RECOUNT),
        (publish_another_leaf, RECOUNT),
        (change_the_rules_again, "the rules are those that were voted for"),
        (change_them_too_early, "the rules are those that were voted for"),
        (change_nothing, "the rules are those that were voted for"),
        (miss_the_new_rules, NEW_RULES),
        (read_old_rules, NEW_RULES),
        (not_read_the_rules, NEW_RULES),
        (draw_what_was_removed, REMOVED),
        (give_what_was_removed, REMOVED),
        (leave_a_trade_open, REMOVED),
        (forget_a_card, COMPENSATED),
        (convert_twice, COMPENSATED),
        (convert_into_something_else, COMPENSATED),
        (not_tell_of_a_conversion, COMPENSATED),
        (see_ballots_vanish, "tallies grew to the result"),
        (see_too_many_ballots, "tallies grew to the result"),
        (not_watch, "tallies grew to the result"),
    ],
)
def test_what_is_broken_is_found(spoil: Callable[[Journal, Facts], None], found_by: str) -> None:
    journal, facts = honest()
    spoil(journal, facts)
    assert found_by in broken(journal, facts)


@pytest.mark.parametrize(("outcome", "winner"), [("tie", None), ("adopted", voting.KEEP)])
def test_another_outcome_than_that_of_the_ballots_is_found(outcome: str, winner: int | None) -> None:
    journal, facts = honest()
    assert RECOUNT in broken(journal, replace(facts, vote=replace(facts.vote, outcome=outcome, winner=winner)))


@pytest.mark.parametrize(
    ("options", "given", "decided"),
    [
        ([1, 2], {}, ("tie", None)),
        ([1, 2, 2], {}, ("adopted", 2)),
        ([1, 2, 2], {"threshold_bp": 6667}, ("below-threshold", None)),
        ([1, 2, 2], {"quorum": 4}, ("no-quorum", None)),
        ([], {}, ("no-quorum", None)),
    ],
)
def test_who_wins(options: list[int], given: dict[str, Any], decided: tuple[str, int | None]) -> None:
    facts = replace(honest()[1], vote=replace(RESULT, **given))
    assert vote_checks._decided(facts, Counter(options)) == decided
