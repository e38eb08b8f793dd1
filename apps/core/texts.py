"""Texts in several languages: as a value (for rows that staff write) and from the catalogues (for what we write)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise

LANGUAGES = ("ru", "uz", "tr", "en")
"""The house's languages, in the order in which a missing one is replaced."""


@dataclass(frozen=True)
class Text:
    """One text in up to four languages; a missing language falls back in the order of `LANGUAGES`."""

    ru: str = ""
    uz: str = ""
    tr: str = ""
    en: str = ""

    def pick(self, language: str) -> str:
        """The words in `language`, or the nearest there are."""
        own = getattr(self, language, "") if language in LANGUAGES else ""
        return own or next((words for words in self.to_json().values() if words), "")

    def to_json(self) -> dict[str, str]:
        return {language: getattr(self, language) for language in LANGUAGES}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Text:
        """Reads a stored mapping; unknown languages are dropped."""
        return cls(**{language: str(stored.get(language) or "") for language in LANGUAGES})


def language_of(source: Any) -> str:
    """The language of a person (`.language`) or of a request (person first, then Accept-Language)."""
    person = getattr(source, "user", None)
    for candidate in (getattr(source, "language", ""), getattr(person, "language", "")):
        if candidate in LANGUAGES:
            return str(candidate)
    if hasattr(source, "META"):
        return translation.get_language_from_request(source).split("-")[0]
    return settings.LANGUAGE_CODE


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Translate lazily marked texts into `language` inside the block."""
    with translation.override(language if language in LANGUAGES else settings.LANGUAGE_CODE):
        yield


def in_languages(text: str | Promise, languages: Iterable[str] = LANGUAGES, **facts: Any) -> dict[str, str]:
    """The same catalogue text in several languages, placeholders filled: `{"ru": …, "uz": …}`."""
    return {language: _spoken(text, language, facts) for language in languages}


def _spoken(text: str | Promise, language: str, facts: dict[str, Any]) -> str:
    with speaking(language):
        return str(text).format(**facts) if facts else str(text)
