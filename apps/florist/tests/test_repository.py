"""Nothing secret and nobody's data lies in the repository (contract florist 6, defect 9).

The original had committed `.env.production` with a live database URL, an SQLite file with data, and `node_modules`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
RULES = [line for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split() if not line.startswith("#")]

NEVER = (".env", ".env.*", "*.sqlite*", "*.db", "*.pem", "*.key", "*.p12", "*.dump", "id_rsa*", "node_modules")
"""Names of files and folders that hold secrets, data, or other people's code."""

EXAMPLE = ".env.example"

LOOKS_SECRET = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a URL with a password": re.compile(
        r"\b(?:postgres(?:ql)?|mysql|rediss?|amqps?)://[^\s:@/{}<>\"'$]+:(?!password@)[^\s@/{}<>\"'$]+@"
        r"(?!(?:localhost|127\.0\.0\.1|db|redis)\b)[\w.-]+"
    ),
    "a bot's token": re.compile(r"\b[0-9]{8,10}:[A-Za-z0-9_-]{35}\b"),
    "a key of AWS": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a live key of a gateway": re.compile(r"\b[sr]k_live_[0-9A-Za-z]{16,}"),
    "a token that somebody signed": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
}
"""What is no secret says so in words that are not real: `user:password@host`."""


def is_ignored(path: str) -> bool:
    """Whether Git leaves it out: the last rule that fits one of its parts decides."""
    found = False
    for rule in RULES:
        is_kept, pattern = rule.startswith("!"), rule.lstrip("!").rstrip("/")
        if any(fnmatch(part, pattern) for part in path.split("/")):
            found = not is_kept
    return found


def committed() -> Iterator[Path]:
    """Every file that Git would take."""
    for folder, folders, files in os.walk(ROOT):
        inside = Path(folder).relative_to(ROOT)
        folders[:] = [name for name in folders if name != ".git" and not is_ignored((inside / name).as_posix())]
        yield from (inside / name for name in files if not is_ignored((inside / name).as_posix()))


def secrets_in(text: str) -> list[str]:
    """What it looks like, never the secret itself."""
    return [what for what, pattern in LOOKS_SECRET.items() if pattern.search(text)]


@pytest.mark.parametrize(
    "path",
    [
        *(".env", ".env.production", "config/.env.local", "db.sqlite3", "flower_shop.sqlite", "backup/shop.db"),
        *("node_modules/react/index.js", "apps/node_modules/a.js", "deploy/server.pem", "deploy/server.key"),
        *("shop.dump", ".data/db.sqlite3", "media/florist/a.jpg"),
    ],
)
def test_what_holds_secrets_or_data_cannot_be_committed(path: str) -> None:
    assert is_ignored(path)


def test_no_file_of_such_a_name_is_there() -> None:
    files = [path for path in committed() if path.name != EXAMPLE]
    assert len(files) > 1000  # else the walk has gone astray
    assert [path for path in files if any(fnmatch(part, rule) for part in path.parts for rule in NEVER)] == []


def test_no_file_holds_a_secret() -> None:
    found = {}
    for path in committed():
        text = (ROOT / path).read_bytes().decode("utf-8", "replace")
        if what := secrets_in(text):
            found[str(path)] = what
    assert found == {}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("DATABASE_URL=postgresql://owner:" + "hunter2@containers-us-west-7.railway.app:5432/railway", "a URL with"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "a private key"),
        ("TOKEN=1234567890:" + "A" * 35, "a bot's token"),
        ("AKIA" + "A" * 16, "a key of AWS"),
        ("sk_live_" + "a" * 24, "a live key"),
        ("eyJ" + "a" * 20 + ".eyJ" + "b" * 20 + "." + "c" * 20, "a token that"),
    ],
)
def test_the_scan_finds_what_it_looks_for(text: str, what: str) -> None:
    [found] = secrets_in(text)
    assert found.startswith(what)
    assert secrets_in("postgresql://user:password@host:5432/name redis://127.0.0.1:6379/0") == []


def test_the_example_holds_no_secret() -> None:
    """Every variable of this product that the code reads as a secret is empty in the example."""
    conf = (ROOT / "apps/florist/conf.py").read_text(encoding="utf-8")
    names = set(re.findall(r"\bsecret\(\"([A-Z_]+)\"\)", conf))
    assert {"FLORIST_SECRET_KEY", "PAYMENT_WEBHOOK_SECRET", "TELEGRAM_WEBHOOK_SECRET", "TEST_OTP_CODE"} <= names
    example = (ROOT / EXAMPLE).read_text(encoding="utf-8")
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", example, re.M))
    assert {name: given.get(name, "") for name in names} == dict.fromkeys(names, "")
