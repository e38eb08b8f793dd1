"""Settings from the environment: a thin layer over `environs` that adds a product prefix and remembers every name read.

Secrets may also come from a file named by `<NAME>_FILE` (Docker and Kubernetes secrets).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from environs import Env

D = TypeVar("D")
V = TypeVar("V")

_source = Env()
_names: dict[str, str] = {}


def names() -> dict[str, str]:
    """Every variable read so far, with its default as text; `.env.example` must list the same names."""
    return dict(_names)


def _remember(name: str, default: object) -> None:
    _names.setdefault(name, "" if default is None else str(default))


def text(name: str, default: str = "") -> str:
    """A text, stripped; empty counts as unset."""
    _remember(name, default)
    return os.environ.get(name, "").strip() or default


def secret(name: str, default: str = "") -> str:
    """A text that must never be printed; `<NAME>_FILE` names a file to read it from."""
    _remember(name, default)
    if path := os.environ.get(f"{name}_FILE", "").strip():
        return Path(path).read_text(encoding="utf-8").strip()
    return os.environ.get(name, "").strip() or default


def integer(name: str, default: int = 0) -> int:
    """A whole number. Raises `environs.EnvError` when the value is not one."""
    _remember(name, default)
    return _source.int(name) if os.environ.get(name, "").strip() else default


def decimal(name: str, default: str = "0") -> Decimal:
    """A decimal number. Raises `environs.EnvError` when the value is not one."""
    _remember(name, default)
    return _source.decimal(name) if os.environ.get(name, "").strip() else Decimal(default)


def flag(name: str, default: bool = False) -> bool:
    """True for 1/true/yes/on, False for 0/false/no/off. Raises `environs.EnvError` for anything else."""
    _remember(name, default)
    return _source.bool(name) if os.environ.get(name, "").strip() else default


def words(name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A comma-separated list; blanks are dropped."""
    _remember(name, ",".join(default))
    raw = os.environ.get(name, "").strip()
    return tuple(word.strip() for word in raw.split(",") if word.strip()) if raw else default


@dataclass(frozen=True)
class ProductEnv:
    """Reads `<PREFIX>_<NAME>`, else `<NAME>`: two products may differ where the contracts give one name."""

    prefix: str

    def text(self, name: str, default: str = "") -> str:
        return self._read(text, name, default)

    def secret(self, name: str, default: str = "") -> str:
        return self._read(secret, name, default)

    def integer(self, name: str, default: int = 0) -> int:
        return self._read(integer, name, default)

    def decimal(self, name: str, default: str = "0") -> Decimal:
        return self._read(decimal, name, default)

    def flag(self, name: str, default: bool = False) -> bool:
        return self._read(flag, name, default)

    def words(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        return self._read(words, name, default)

    def _read(self, reader: Callable[[str, D], V], name: str, default: D) -> V:
        """Read the product's own variable when it is set; remember only the shared name."""
        _remember(name, default)
        own = f"{self.prefix}_{name}"
        if not (os.environ.get(own, "").strip() or os.environ.get(f"{own}_FILE", "").strip()):
            return reader(name, default)
        value = reader(own, default)
        _names.pop(own, None)
        return value


def for_product(prefix: str) -> ProductEnv:
    """A reader that tries `<prefix>_<NAME>` before `<NAME>`."""
    return ProductEnv(prefix)
