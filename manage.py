#!/usr/bin/env python3
"""The only entry point for people: serve, migrate, seed, journey, tick, ledger verify."""

import os
import sys
from pathlib import Path


def read_env_file() -> None:
    """Fill in what `.env` (or the file named by ENV_FILE) says and the environment does not. Containers need none."""
    from dotenv import load_dotenv

    load_dotenv(os.environ.get("ENV_FILE", Path(__file__).resolve().parent / ".env"), override=False)


def main() -> None:
    read_env_file()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
