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
    prizes = sum(tier["count"] * tier["prize_fen"] for tier in jackpots(m))
    require(prizes == sum(c.get("prizes_fen", 0) for c in m["chunks"]), "jackpots are missing")
    paid = m["minimum_fen"] * m["winners"] + share + prizes
    require(paid + m["returned_fen"] == m["amount_fen"], "fen are missing")
    require(total == 0 or m["returned_fen"] < (total if m["remainder"] == "return" else 1), "too much was returned")
    before = 0
    for c in m["chunks"]:
        pot = share * (before + c["weight"]) // total - share * before // total if total else 0
        heaviest = c["winners"] * (2**24 if m["mode"] == "random" else 1)
        require(c["winners"] <= c["weight"] <= heaviest, f"chunk {c['number']} has another weight")
        require(c["pot_fen"] == pot, f"chunk {c['number']} has another pot")
        require(0 <= c["bonus"] <= c["winners"], f"chunk {c['number']} has another bonus")
        before += c["weight"]
    require(before == total, "weights are missing")


def jackpots(m):
    """Those that were drawn; manifests of version 1 know none."""
    return m.get("jackpots", [])


def chances(m, player):
    """The numbers of a player: what they weigh, h that decides about one fen more, j that decides about jackpots."""
    digest = sha256(bytes.fromhex(m["seed"]), int64(m["pool"]), int64(player))
    w, h, j = (int.from_bytes(digest[low:high], "big") for low, high in ((0, 3), (3, 11), (11, 19)))
    return w + 1 if m["mode"] == "random" else 1, h & (2**63 - 1), j & (2**63 - 1)


def base(m, weight):
    """What a winner of this weight gets without luck."""
    return m["minimum_fen"] + m["share_fen"] * weight // m["weight"]


def amount(m, player):
    """The fen of one winner, from the manifest alone."""
    chunk = next(c for c in m["chunks"] if c["low"] <= player <= c["high"])
    weight, h, j = chances(m, player)
    last = chunk["threshold"]
    bonus = last is not None and (h, player) <= (int(last["h"]), last["player"])
    tiers = (tier["prize_fen"] for tier in jackpots(m) if (j, player) <= (int(tier["j"]), tier["player"]))
    return base(m, weight) + bonus + next(tiers, 0)


def merkle_root(leaves):
    """RFC 6962, section 2.1."""
    if len(leaves) < 2:
        return sha256(*(b"\0" + leaf for leaf in leaves))
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1", merkle_root(leaves[:left]), merkle_root(leaves[left:]))


def drawn(m, players):
    """The jackpots by player: those with the smallest j have them, in the order in which the rules name them."""
    prizes = [tier["prize_fen"] for tier in jackpots(m) for _ in range(tier["count"])]
    return dict(zip(sorted(players, key=lambda p: (chances(m, p)[2], p)) if prizes else [], prizes))


def check_all(m, players):
    """Jackpots and one fen more go to the smallest chances and nobody else, and the payouts are the published ones."""
    prizes, leaves = drawn(m, players), []
    for c in m["chunks"]:
        mine = {p: chances(m, p) for p in sorted(p for p in players if c["low"] <= p <= c["high"])}
        require(sha256(*map(int64, mine)).hex() == c["ids_hash"], f"chunk {c['number']} has other winners")
        require(sum(weight for weight, _, _ in mine.values()) == c["weight"], f"chunk {c['number']} has another weight")
        fen = {p: base(m, weight) for p, (weight, _, _) in mine.items()}
        bonus = c["pot_fen"] + c["winners"] * m["minimum_fen"] - sum(fen.values())
        require(bonus == c["bonus"], f"chunk {c['number']} has another bonus")
        for p in sorted(mine, key=lambda p: (mine[p][1], p))[:bonus]:
            fen[p] += 1
        fen = {p: fen[p] + prizes.get(p, 0) for p in mine}
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
