"""Secrets of a development checkout, generated once.

For production `python -m config.local.secrets` prints new ones, and with the word `web` those of its input that web
processes need.
"""

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

KEY_RINGS = ("access_token_keys", "scan_code_keys", "draw_keys", "settlement_keys")
NOT_FOR_WEB = "settlement_keys"
PASSWORDS = ("superuser", "owner", "app", "valkey")


def ensure(path: Path) -> Path:
    """The application's secrets. In each key ring the first id is the current one."""
    _create_once(path, fresh())
    return path


def fresh() -> dict[str, Any]:
    return {"django_secret_key": secrets.token_urlsafe(50)} | {
        ring: {"k1": secrets.token_hex(32)} for ring in KEY_RINGS
    }


def for_web(content: dict[str, Any]) -> dict[str, Any]:
    """Without the ring by which whoever breaks into a web process could foretell the settlement."""
    return {name: value for name, value in content.items() if name != NOT_FOR_WEB}


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
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


if __name__ == "__main__":
    print(json.dumps(for_web(json.load(sys.stdin)) if sys.argv[1:] == ["web"] else fresh()))
