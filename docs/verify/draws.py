#!/usr/bin/env python3
"""Replay a player's draws from the published secret. Needs nothing but Python's standard library.

    python3 draws.py published.json

The file has `draw_commitment`, `draw_secret`, `kinds`, `roles`, `sources` and `tz` (GET …/fairness), `rules` by version
(GET …/rulebooks), `draws` (the items of GET …/draws) and, if there are any, `plays` and `conversions` (those of GET
…/plays and …/conversions). It exits with 0 if every draw is what the secret says, every card that a steal took by
chance, and every random fortune that a removed card became, and with 1 and the reasons if not. Besides, nobody may
have chosen what a roll was made from: a check-in's nonce is its player and its local day, and an invitation's is eight
bytes, the number of the player who came.
"""

import datetime
import hashlib
import hmac
import json
import sys
import zoneinfo


def choose(weights, number):
    """The place that an 8-byte number falls on, along integer weights."""
    point = (int.from_bytes(number, "big") * sum(weights)) >> 64
    for place, weight in enumerate(weights):
        if point < weight:
            return place
        point -= weight
    raise ValueError("the weights sum to zero")


def replay(draw, secret, kinds, rules):
    """(wish, alternative) of a draw, as kind slugs."""
    proof = draw["proof"]
    key = proof["campaign"].to_bytes(8, "big") + proof["source"].to_bytes(2, "big") + bytes.fromhex(proof["nonce"])
    roll = hmac.new(secret, key + proof["player"].to_bytes(8, "big"), "sha256").digest()
    weights = [rules["weights"].get(kind, 0) for kind in kinds]
    uncapped = [0 if kind in rules.get("caps", {}) else weight for kind, weight in zip(kinds, weights)]
    return kinds[choose(weights, roll[0:8])], kinds[choose(uncapped, roll[8:16])]


def double(chance, secret):
    """Which kind a steal took of those that the victim held twice."""
    key = b"steal" + chance["campaign"].to_bytes(8, "big") + chance["number"].to_bytes(8, "big")
    roll = hmac.new(secret, key + chance["player"].to_bytes(8, "big"), "sha256").digest()
    return chance["among"][choose([1] * len(chance["among"]), roll[0:8])]


def fortunes(conversion, secret, published):
    """What each of some removed cards became, as kind slugs."""
    chance, kinds = conversion["chance"], published["kinds"]
    rules = published["rules"][str(chance["version"])]
    weights = [
        rules["weights"].get(kind, 0) if role == "fortune" and kind not in rules.get("caps", {}) else 0
        for kind, role in zip(kinds, published["roles"])
    ]
    key = b"convert" + chance["campaign"].to_bytes(8, "big") + chance["version"].to_bytes(4, "big")
    key += chance["kind"].to_bytes(2, "big")
    for card in range(conversion["cards"]):
        rolled = key + card.to_bytes(4, "big") + chance["player"].to_bytes(8, "big")
        yield kinds[choose(weights, hmac.new(secret, rolled, "sha256").digest()[0:8])]


def is_natural(draw, source, tz):
    """True unless a nonce that follows from player and day, or from a player, is another one."""
    nonce = bytes.fromhex(draw["proof"]["nonce"])
    if source == "check-in":
        at = datetime.datetime.fromisoformat(draw["drawn_at"].replace("Z", "+00:00"))
        day = int(at.astimezone(zoneinfo.ZoneInfo(tz)).strftime("%Y%m%d"))
        return nonce == draw["proof"]["player"].to_bytes(8, "big") + day.to_bytes(4, "big")
    return source != "invitation" or len(nonce) == 8


def faults(published):
    """Everything that is not as it was committed to."""
    secret = bytes.fromhex(published["draw_secret"])
    if hashlib.sha256(secret).hexdigest() != published["draw_commitment"]:
        yield "the secret is not the one of the commitment"
    for draw in published["draws"]:
        rules = published["rules"][str(draw["rulebook_version"])]
        wish, alternative = replay(draw, secret, published["kinds"], rules)
        capped = wish in rules.get("caps", {})
        # The wish is given, or, where its units were exhausted at that moment, the alternative.
        given = {wish, alternative} if capped and draw["serial"] is None else {wish}
        numbered = capped and draw["kind"] == wish
        if draw["wish"] != wish or draw["kind"] not in given or numbered != (draw["serial"] is not None):
            yield f"draw {draw['id']}: it says {draw['wish']} → {draw['kind']}, the roll says {wish} or {alternative}"
        if not is_natural(draw, published["sources"][draw["proof"]["source"]], published["tz"]):
            yield f"draw {draw['id']}: its nonce was chosen"
    for play in published.get("plays", []):
        if play["chance"] and play["kind"] != double(play["chance"], secret):
            yield f"play {play['id']}: it took {play['kind']}, the roll says {double(play['chance'], secret)}"
    for conversion in published.get("conversions", []):
        if conversion["chance"] and conversion["into"] != list(fortunes(conversion, secret, published)):
            yield f"conversion {conversion['id']}: it gave {conversion['into']}, the rolls say otherwise"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        published = json.load(file)
    found = list(faults(published))
    print("\n".join(found) or f"{len(published['draws'])} draws are as the secret says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
