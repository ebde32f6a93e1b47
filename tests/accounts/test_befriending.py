from __future__ import annotations

import itertools

import pytest

from accounts.befriending import MIRROR, Refusal, Side, Verb, after


def test_the_mirror_of_the_mirror_is_oneself():
    assert all(MIRROR[MIRROR[side]] is side for side in Side)


@pytest.mark.parametrize(("verb", "mine"), list(itertools.product(Verb, Side)))
def test_every_verb_has_an_answer_everywhere_and_repeating_it_changes_nothing(verb: Verb, mine: Side):
    state = after(verb, mine)
    if isinstance(state, Side) and verb is not Verb.END:
        assert after(verb, state) is state


@pytest.mark.parametrize("verb", [Verb.ASK, Verb.ACCEPT, Verb.END, Verb.FOLLOW])
def test_whoever_was_blocked_finds_nobody(verb: Verb):
    refusal = after(verb, Side.BARRED)
    assert (
        refusal in (Refusal.NO_PLAYER, Refusal.NO_INVITATION)
        or refusal is after(verb, Side.STRANGER) is Refusal.NO_FRIENDSHIP
    )


def test_whoever_was_blocked_blocks_as_a_stranger_would():
    assert after(Verb.BLOCK, Side.STRANGER) is Side.BLOCKED
    assert after(Verb.BLOCK, Side.BARRED) is Side.MUTUAL
    assert after(Verb.UNBLOCK, Side.MUTUAL) is after(Verb.UNBLOCK, Side.BARRED) is Side.BARRED


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb != Verb.UNBLOCK])
def test_ones_own_block_is_all_that_one_sees_of_a_mutual_one(verb: Verb):
    mine, mutual = after(verb, Side.BLOCKED), after(verb, Side.MUTUAL)
    assert mine is mutual or (mine, mutual) == (Side.BLOCKED, Side.MUTUAL)


def test_friends_are_made_only_by_asking_back_accepting_or_following_an_invitation():
    made = {(verb, mine) for verb in Verb for mine in Side if after(verb, mine) is Side.FRIENDS} - {
        (verb, Side.FRIENDS) for verb in Verb
    }
    following = {(Verb.FOLLOW, side) for side in (Side.STRANGER, Side.ASKING, Side.ASKED)}
    assert made == {(Verb.ASK, Side.ASKED), (Verb.ACCEPT, Side.ASKED), *following}


def test_only_the_one_who_blocked_can_undo_it():
    assert after(Verb.UNBLOCK, Side.BLOCKED) is Side.STRANGER
    assert all(after(verb, Side.BLOCKED) in {Side.BLOCKED, *Refusal} for verb in set(Verb) - {Verb.UNBLOCK})
