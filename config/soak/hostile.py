"""Frames that no well-meaning client sends, from a seed. Pure.

Commands and the shapes of their data come from the AsyncAPI document, so that a new command is attacked at once.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

# With a token that is wrong it ends the socket, and what was to come after it.
ENDING = "token.refresh"
LONGEST = 16 * 1024
NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**31, 2**63 - 1, 2**63, 10**40, 1e308, "", " ", "x" * 2000, "\u0000", "\ud800",
    "\u202e", "福" * 300, "00000000-0000-0000-0000-000000000000", "' OR 1=1 --", "%s%n", "../../etc/passwd", "{{7*7}}",
    [], [[]], [None], {}, {"$ne": None}, {"__proto__": {}}, ["x"] * 300, {str(n): n for n in range(200)},
)  # fmt: skip
ODD_SIGNS = "\x00\t\x7f\uffff\U0001f9e7福"
REMEMBERED = 200
BRACKETS = '{}[]",:'


class Words:
    """What can be said over the socket, and whom it can be about."""

    def __init__(self, document: Mapping[str, Any], *, players: Sequence[str], kinds: Sequence[str]) -> None:
        told = {message["$ref"].rpartition("/")[2] for message in document["operations"]["ask"]["messages"]}
        messages = document["components"]["messages"]
        self.commands = {op: messages[op]["payload"]["properties"]["data"] for op in sorted(told - {"connect"})}
        self._usual = [op for op in self.commands if op != ENDING]
        self._players = list(players)
        self._kinds = [*kinds, "no-such-kind"]
        self._trades: deque[str] = deque(maxlen=REMEMBERED)

    def heard(self, trade: str) -> None:
        """Of a trade that there is, so that more can be said of it."""
        self._trades.append(trade)

    def right(self, dice: Random) -> dict[str, Any]:
        """A command as its schema says. Whether it's allowed is another matter."""
        op = ENDING if dice.random() < 0.02 else dice.choice(self._usual)
        return {"id": dice.randint(1, 2**53), "op": op, "data": self._value(dice, self.commands[op])}

    def wrong(self, dice: Random) -> dict[str, Any]:
        """A command whose data are not as they should be."""
        frame = self.right(dice)
        data = frame["data"]
        match dice.randrange(4):
            case 0 if data:
                data[dice.choice(list(data))] = dice.choice(NASTY)
            case 1:
                data[dice.choice(("player", "token", "type", "seq", "__class__", ""))] = dice.choice(NASTY)
            case 2 if data:
                del data[dice.choice(list(data))]
            case _:
                frame["data"] = {name: dice.choice(NASTY) for name in data}
        if dice.random() < 0.1:
            frame["op"] = dice.choice(("", "trade", "connect", frame["op"].upper(), "x" * 500, "\u0000"))
        return frame

    def _value(self, dice: Random, schema: Mapping[str, Any], name: str = "") -> Any:
        if choices := schema.get("anyOf") or ("type" not in schema and schema.get("oneOf")):
            return self._value(dice, dice.choice(choices))
        if "enum" in schema or "const" in schema:
            return dice.choice(list(schema.get("enum", [schema.get("const")])))
        match schema.get("type"):
            case "object":
                # Of fields that exclude each other one, as `oneOf` says.
                exclusive = [name for choice in schema.get("oneOf", ()) for name in choice["required"]]
                required = {*schema.get("required", ()), *dice.sample(exclusive, min(1, len(exclusive)))}
                return {
                    name: self._value(dice, inner, name)
                    for name, inner in schema.get("properties", {}).items()
                    if name in required or (name not in exclusive and dice.random() < 0.7)
                }
            case "array":
                return [self._value(dice, schema["items"]) for _ in range(dice.randint(1, 3))]
            case "integer":
                return dice.randint(schema.get("minimum", 0), schema.get("maximum", 1000))
            case "boolean":
                return dice.random() < 0.5
            case "string" if name == "trade" and self._trades:
                return dice.choice(self._trades)
            case "string" if schema.get("format") == "uuid":
                return dice.choice(self._players)
            case "string":
                return dice.choice([*self._kinds, f"key-{dice.randrange(50)}", "x"])
        return None


def text(frame: Any) -> str:
    return json.dumps(frame)


def mutated(dice: Random, text: str) -> str:
    """A frame with one to four wounds."""
    for _ in range(dice.randint(1, 4)):
        at, length = dice.randrange(len(text) + 1), dice.randint(1, 12)
        match dice.randrange(5):
            case 0:
                text = text[:at] + text[at + length :]
            case 1:
                text = text[:at] + text[at : at + length] * dice.randint(2, 5) + text[at:]
            case 2:
                text = text[:at] + dice.choice(BRACKETS) + text[at + 1 :]
            case 3:
                text = text[:at] + dice.choice(ODD_SIGNS) + text[at:]
            case _:
                text = text[:at]
    return text


def noise(dice: Random) -> str | bytes:
    """Anything at all, as text or as bytes."""
    match dice.randrange(5):
        case 0:
            return dice.randbytes(dice.randrange(300))
        case 1:
            return "".join(dice.choices(BRACKETS + "0eE-+.tfn\\", k=dice.randrange(400)))
        case 2:
            return dice.choice(('{"a":', "[")) * dice.randrange(3000)
        case 3:
            return "".join(chr(dice.randrange(1, 0xD7FF)) for _ in range(dice.randrange(200)))
        case _:
            return text(dice.choice(NASTY))


def large(dice: Random) -> str:
    """Around the limit, and up to a megabyte."""
    size = dice.choice((LONGEST - 60, LONGEST + 1, 65_535, 65_537, 2**20))
    return '{"id": 1, "op": "ping", "data": {"x": "' + "x" * size + '"}}'


def wire(dice: Random) -> bytes:
    """Bytes below the frames: reserved bits, unmasked or endless fragments, lengths that lie, half a frame."""
    match dice.randrange(6):
        case 0:
            return dice.randbytes(dice.randint(1, 200))
        case 1:
            return bytes([0x81, 0x05]) + b"hello"
        case 2:
            return bytes([0xC1, 0x80]) + dice.randbytes(4)
        case 3:
            return bytes([0x01, 0x81]) + dice.randbytes(5) + bytes([0x00, 0x81]) + dice.randbytes(5)
        case 4:
            return bytes([0x81, 0xFF]) + (2**62).to_bytes(8, "big") + dice.randbytes(40)
        case _:
            return bytes([0x89, 0xFE, 0x01, 0x00]) + dice.randbytes(60)
