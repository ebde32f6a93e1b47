"""Recompute a settlement from its published manifest, with nothing but Python's standard library.

python settlement.py manifest.json                  do the figures add up to the pool, was the promised secret used?
python settlement.py manifest.json PLAYER           what does this player get? (the number is in the opened packet)
python settlement.py manifest.json all PLAYER …     with every winner's number: each payout and the Merkle root
"""

import hashlib
import json
import sys
from pathlib import Path


def require(met, fault):
    if not met:
        sys.exit(f"WRONG: {fault}")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def int64(number):
    return number.to_bytes(8, "big")


def check(m):
    """The promise was kept, the pots follow from the weights, and all of it is the pool."""
    secret, total, share = bytes.fromhex(m["secret"]), m["weight"], m["share_fen"]
    require(sha256(secret).hex() == m["commitment"], "another secret was promised")
    require(sha256(secret, bytes.fromhex(m["public_value"])).hex() == m["seed"], "the seed isn't the secret's")
    require(sum(c["winners"] for c in m["chunks"]) == m["winners"], "winners are missing")
    require(m["minimum_fen"] * m["winners"] + share + m["returned_fen"] == m["amount_fen"], "fen are missing")
    require(total == 0 or m["returned_fen"] < (total if m["remainder"] == "return" else 1), "too much was returned")
    before, base = 0, share // total if total else 0
    for c in m["chunks"]:
        pot = share * (before + c["weight"]) // total - share * before // total if total else 0
        bonus = pot - c["winners"] * base
        require(c["weight"] == c["winners"] >= c["bonus"] == bonus >= 0, f"chunk {c['number']} has another bonus")
        require(c["pot_fen"] == pot, f"chunk {c['number']} has another pot")
        before += c["weight"]
    require(before == total, "weights are missing")


def chance(m, player):
    """h of a player, the number that decides who gets one fen more."""
    digest = sha256(bytes.fromhex(m["seed"]), int64(m["pool"]), int64(player))
    return int.from_bytes(digest[3:11], "big") & (2**63 - 1)


def amount(m, player):
    """The fen of one winner, from the manifest alone."""
    chunk = next(c for c in m["chunks"] if c["low"] <= player <= c["high"])
    last = chunk["threshold"]
    bonus = last is not None and (chance(m, player), player) <= (int(last["h"]), last["player"])
    return m["minimum_fen"] + m["share_fen"] // m["weight"] + bonus


def merkle_root(leaves):
    """RFC 6962, section 2.1."""
    if len(leaves) < 2:
        return sha256(*(b"\0" + leaf for leaf in leaves))
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1", merkle_root(leaves[:left]), merkle_root(leaves[left:]))


def check_all(m, players):
    """One fen more goes to the smallest chances and nobody else, and the payouts are the published ones."""
    leaves = []
    for c in m["chunks"]:
        mine = sorted(p for p in players if c["low"] <= p <= c["high"])
        require(sha256(*map(int64, mine)).hex() == c["ids_hash"], f"chunk {c['number']} has other winners")
        lucky = set(sorted(mine, key=lambda p: (chance(m, p), p))[: c["bonus"]])
        fen = {p: m["minimum_fen"] + m["share_fen"] // m["weight"] + (p in lucky) for p in mine}
        require(all(amount(m, p) == fen[p] for p in mine), f"chunk {c['number']} has another threshold")
        leaves.append(sha256(*(int64(p) + int64(fen[p]) for p in mine)))
        require(leaves[-1].hex() == c["payouts_hash"], f"chunk {c['number']} has other payouts")
    require(merkle_root(leaves).hex() == m["merkle_root"], "another Merkle root")


if __name__ == "__main__":
    manifest, words = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), sys.argv[2:]
    check(manifest)
    if words[:1] == ["all"]:
        check_all(manifest, [int(word) for word in words[1:]])
    elif words:
        print(f"{amount(manifest, int(words[0]))} fen")
    print(f"ok: {manifest['winners']} winners, {manifest['amount_fen'] - manifest['returned_fen']} fen paid")
