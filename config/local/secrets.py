"""Secrets of a development checkout, generated once.

For production `python -m config.local.secrets` prints new ones; with the word `web` those of its input that web
processes need, and with `complete` its input together with new ones for what is missing.
"""

import fcntl
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

KEY_RINGS = (
    "access_token_keys",
    "scan_code_keys",
    "draw_keys",
    "settlement_keys",
    "phone_hash_keys",
    "phone_encryption_keys",
    "sign_in_keys",
    "message_keys",
    "push_keys",
)
NOT_FOR_WEB = ("settlement_keys", "message_keys", "push_keys")
PASSWORDS = ("superuser", "owner", "app", "valkey")


def ensure(path: Path) -> Path:
    """The application's secrets. In each key ring the first id is the current one.

    A file of before, which lacks some, is completed: what it has stays as it is.
    """
    _create_once(path, fresh())
    if set(fresh()) - set(json.loads(path.read_text())):
        _complete(path)
    return path


def fresh() -> dict[str, Any]:
    return {"django_secret_key": secrets.token_urlsafe(50)} | {
        ring: {"k1": secrets.token_hex(32)} for ring in KEY_RINGS
    }


def completed(content: dict[str, Any]) -> dict[str, Any]:
    """With new secrets for those that are missing."""
    missing = {name: value for name, value in fresh().items() if name not in content}
    return content | missing


def for_web(content: dict[str, Any]) -> dict[str, Any]:
    """Without the rings by which a broken web process could foretell the settlement, or send in our name."""
    return {name: value for name, value in content.items() if name not in NOT_FOR_WEB}


def passwords(path: Path) -> dict[str, str]:
    """The passwords of the services' roles."""
    _create_once(path, {name: secrets.token_urlsafe(24) for name in PASSWORDS})
    stored: dict[str, str] = json.loads(path.read_text())
    return stored


def _create_once(path: Path, content: dict[str, Any]) -> None:
    """Of two processes that start together one wins, and both read whole content."""
    if path.exists():
        return
    # Not to be listed by others, but entered: as root, PostgreSQL may have to run as another user (privileges.py).
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    draft = _draft(path, content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _complete(path: Path) -> None:
    """Of two processes that complete it together the second finds it complete: both go on with the same keys."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        content = json.loads(path.read_text())
        if set(fresh()) - set(content):
            _draft(path, completed(content)).replace(path)
    finally:
        os.close(folder)


def _draft(path: Path, content: dict[str, Any]) -> Path:
    """A file beside `path`, for this user only."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
    return draft


def _print(word: str) -> None:
    """What production wants: new secrets, or what is on standard input, for web processes or completed."""
    changes = {"web": for_web, "complete": completed}
    print(json.dumps(changes[word](json.load(sys.stdin)) if word else fresh()))


if __name__ == "__main__":
    _print(*sys.argv[1:2] or [""])
