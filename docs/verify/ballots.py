#!/usr/bin/env python3
"""Count a vote again from its published ballots. Needs nothing but Python's standard library.

    python3 ballots.py https://…/api/v1/proposals/ID            fetch proposal and ballots, count them, check the result
    python3 ballots.py https://…/api/v1/proposals/ID RECEIPT    and look for the ballot with this receipt
    python3 ballots.py published.json [RECEIPT]                 the same of a file: {"proposal": …, "ballots": […]}

`proposal` is what GET …/proposals/ID answers, `ballots` are the items of all pages of GET …/proposals/ID/ballots. It
exits with 0 if everything is as it was told, and with 1 and the reasons if not.

    leaf = SHA-256(proposal's id, 16 bytes ‖ receipt, 16 bytes ‖ number of the option, 1 byte)
"""

import collections
import hashlib
import json
import re
import sys
import urllib.request
import uuid


def leaf(proposal, receipt, option):
    return hashlib.sha256(uuid.UUID(proposal).bytes + bytes.fromhex(receipt) + bytes([option])).hexdigest()


def decide(counts, quorum, threshold_bp):
    """(outcome, winner): what the counts by option decide. Hundredths of a percent are compared as products."""
    cast = sum(counts.values())
    if not cast or cast < quorum:
        return "no-quorum", None
    (first, most), *others = collections.Counter(counts).most_common()
    if any(count == most for _, count in others):
        return "tie", None
    if most * 10_000 <= cast * threshold_bp:
        return "below-threshold", None
    return "adopted", first


def faults(proposal, ballots):
    """Everything that is not as it was told."""
    if proposal["result"] is None:
        return [f"there is no result yet: the vote is {proposal['state']}"]
    leaves = [ballot["leaf"] for ballot in ballots]
    if any(not re.fullmatch("[0-9a-f]{64}", found) for found in leaves):
        return ["a leaf is no hash"]
    return [*faults_of_the_list(leaves, proposal["result"]), *faults_of_the_counts(proposal, ballots)]


def faults_of_the_list(leaves, result):
    if leaves != sorted(leaves):
        yield "the list isn't sorted"
    if len(set(leaves)) != len(leaves):
        yield "a ballot is in the list twice"
    digest = hashlib.sha256(b"".join(bytes.fromhex(found) for found in sorted(leaves))).hexdigest()
    if digest != result["ballots_hash"]:
        yield f"the hash of the ballots is {digest}, and was told as {result['ballots_hash']}"


def faults_of_the_counts(proposal, ballots):
    result, counts = proposal["result"], collections.Counter(ballot["option"] for ballot in ballots)
    told = {option["number"]: option["ballots"] for option in proposal["options"]}
    for option in sorted(counts.keys() | told.keys()):
        if counts[option] != told.get(option):
            yield f"option {option} has {counts[option]} ballots, and was told to have {told.get(option)}"
    if len(ballots) != result["cast"]:
        yield f"there are {len(ballots)} ballots, and {result['cast']} were told"
    if len(ballots) > result["eligible"]:
        yield f"there are {len(ballots)} ballots of {result['eligible']} who may vote"
    decided = decide(counts, proposal["quorum"], proposal["threshold_bp"])
    # A vote that was adopted may have found its changes impossible, which the ballots can't say.
    told_as = ("adopted", decided[1]) if result["outcome"] == "impossible" else (result["outcome"], result["winner"])
    if decided != told_as:
        yield f"the ballots say {decided[0]} ({decided[1]}), the result {result['outcome']} ({result['winner']})"


def voted_for(proposal, ballots, receipt):
    """The option of the ballot with this receipt; None if there is no such ballot."""
    if not re.fullmatch("[0-9a-fA-F]{32}", receipt):
        return None
    published = {ballot["leaf"]: ballot["option"] for ballot in ballots}
    for option in range(1, 256):
        if published.get(leaf(proposal["id"], receipt, option)) == option:
            return option
    return None


def fetched(address):
    """The proposal and all its ballots."""
    if not address.startswith(("https://", "http://")):
        sys.exit("this is neither a file nor an address")
    address = address.rstrip("/")
    with urllib.request.urlopen(address, timeout=60) as answer:
        proposal = json.load(answer)
    ballots, page = [], f"{address}/ballots?limit=1000"
    while page:
        with urllib.request.urlopen(page, timeout=60) as answer:
            told = json.load(answer)
        ballots += told["items"]
        page = told["next"]
    return {"proposal": proposal, "ballots": ballots}


def published(source):
    if "://" in source:
        return fetched(source)
    with open(source, encoding="utf-8") as file:
        return json.load(file)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    told = published(sys.argv[1])
    proposal, ballots = told["proposal"], told["ballots"]
    found = faults(proposal, ballots)
    if not found:
        result = proposal["result"]
        counts = ", ".join(f"option {option['number']}: {option['ballots']}" for option in proposal["options"])
        print(
            f"{result['cast']} of {result['eligible']} voted. {counts}. It is {result['outcome']}, as the ballots say."
        )
    if len(sys.argv) == 3:
        option = voted_for(proposal, ballots, sys.argv[2])
        if option is None:
            found.append("no ballot has this receipt")
        else:
            print(f"Your ballot is in the list: it is for option {option}.")
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
