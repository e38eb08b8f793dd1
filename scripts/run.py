"""`make run`: make the data folder, migrate, load the sample data once, start the house. Says what it does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.chdir(ROOT)


def say(line: str) -> None:
    print(f"  · {line}", flush=True)


def stop(sentence: str) -> None:
    """Leave with one sentence that says what to do; a traceback would say less."""
    raise SystemExit(f"mahalla: {sentence}")


def read_settings() -> None:
    """Read .env and the settings; a value that cannot be read is named."""
    import django
    from environs import EnvError

    from manage import read_env_file

    read_env_file()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()
    except (EnvError, ValueError) as wrong:
        stop(f"a variable cannot be read: {wrong} Look it up in .env.example.")
    except OSError as wrong:
        stop(f"cannot write to {wrong.filename} ({wrong.strerror}). Choose another: DATA_DIR=/some/folder make run")


def ensure_data_dir(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except OSError as wrong:
        stop(f"cannot write to {folder} ({wrong.strerror}). Choose another folder: DATA_DIR=/some/folder make run")


def migrate() -> None:
    from django.core.management import call_command
    from django.db import OperationalError

    say("database")
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as wrong:
        stop(f"the database does not answer: {str(wrong).splitlines()[0]}. Check DATABASE_URL.")


def load_samples() -> None:
    """Only embedded: sample people have a known password and must never reach a production database."""
    from django.conf import settings
    from django.core.management import call_command

    if settings.EMBEDDED:
        say("sample data")
        call_command("seed")


def main() -> None:
    say("settings")
    read_settings()
    from django.conf import settings
    from django.core.management import CommandError, call_command

    from apps.portal.management.commands.serve import ensure_port_is_free

    try:
        # Before anything is written: the other program may be this very house on the same data.
        ensure_port_is_free("127.0.0.1", settings.PORT)
        ensure_data_dir(settings.DATA_DIR)
        migrate()
        load_samples()
        say("server")
        call_command("serve")
    except CommandError as refusal:
        stop(str(refusal))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\n  · stopped", flush=True)
