"""Keeps `locale/*/LC_MESSAGES/django.po` in step with the texts in the code; needs Babel and Django, not GNU gettext.

    python scripts/messages.py            rewrite the four catalogues: new texts added, gone ones dropped
    python scripts/messages.py --missing  only list what has no translation yet; ends with 1 if there is any

English is the source. Our catalogues also carry the words of the back office's packages (Unfold, import-export, history,
and Django's own where its Uzbek is incomplete) that those packages leave untranslated: ours are loaded last and win.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from gettext import GNUTranslations, NullTranslations
from importlib.util import find_spec
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
SOURCE_LANGUAGE = "en"
PLURALS = {
    "ru": "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);",
    "uz": "nplurals=1; plural=0;",
    "tr": "nplurals=2; plural=(n > 1);",
    "en": "nplurals=2; plural=(n != 1);",
}
"""The rule that picks the form of a word after a number; Uzbek has one form."""

OWN = ("apps", "config", "templates")
LENT = (
    "unfold/*.py",
    "unfold/mixins/*.py",
    "unfold/templatetags/*.py",
    "unfold/templates/admin/**/*.html",
    "unfold/templates/unfold/**/*.html",
    "unfold/contrib/filters/**/*.py",
    "unfold/contrib/filters/templates/**/*.html",
    "unfold/contrib/import_export/*.py",
    "unfold/contrib/import_export/templates/**/*.html",
    "unfold/contrib/simple_history/templates/**/*.html",
    "simple_history/*.py",
    "simple_history/templates/simple_history/*.html",
    "import_export/admin.py",
    "import_export/forms.py",
    "django/contrib/admin/*.py",
    "django/contrib/admin/templatetags/*.py",
    "django/contrib/admin/views/*.py",
    "django/contrib/auth/forms.py",
    "django/contrib/auth/password_validation.py",
)
"""Files of packages whose texts people see in the back office (for passwords: also in the apps)."""

LENDERS = ("django/conf", "django/contrib/admin", "django/contrib/auth", "import_export", "axes", "rest_framework")
"""Packages that bring catalogues of their own."""

KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}

Key = tuple[str | None, str | tuple[str, ...]]
"""What a catalogue looks a text up by: its context, if any, and its English (a singular with its plural)."""


def path_of(language: str) -> Path:
    """Where the catalogue of a language lies."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """The stored catalogue; an empty one if there is none yet."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as stored:
        return read_po(stored, locale=language)


def key_of(message: Message) -> Key:
    return message.context, tuple(message.id) if isinstance(message.id, list | tuple) else message.id


def wanted() -> dict[str, Catalog]:
    """What each catalogue has to hold by today's sources, without translations."""
    own, lent = texts_of(ROOT, own_files()), texts_of(packages(), lent_files())
    return {language: _merged(language, own, lent) for language in PLURALS}


def _merged(language: str, own: Catalog, lent: Catalog) -> Catalog:
    catalog = Catalog(locale=language)
    theirs = [] if language == SOURCE_LANGUAGE else _untranslated(lent, language)
    for message in [*own, *theirs]:
        if message.id:
            catalog.add(message.id, locations=message.locations, context=message.context)
    return catalog


def own_files() -> Iterator[Path]:
    """Our sources, without tests and migrations."""
    for folder in OWN:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".html", ".txt"} and not {"tests", "migrations"} & set(path.parts):
                yield path


def packages() -> Path:
    """The folder that holds the installed packages."""
    found = find_spec("unfold")
    if found is None or found.origin is None:
        raise SystemExit("the packages of requirements.txt are not installed: make setup")
    return Path(found.origin).parent.parent


def lent_files() -> Iterator[Path]:
    root = packages()
    for pattern in LENT:
        yield from sorted(root.glob(pattern))


def texts_of(root: Path, paths: Iterator[Path]) -> Catalog:
    """Every marked text of these files, with the files it is in."""
    catalog = Catalog()
    for path in paths:
        for _line, text, _notes, context in _extracted(path):
            catalog.add(text, locations=[(path.relative_to(root).as_posix(), 0)], context=context)
    return catalog


def _extracted(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # Django turns a template into calls of gettext between blanks; the brackets let them start at any column.
        source = f"(\n{templatize(source)}\n)"
    yield from extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS)  # type: ignore[arg-type]


def _untranslated(lent: Catalog, language: str) -> list[Message]:
    theirs = [_lender(package, language) for package in LENDERS]
    return [message for message in lent if message.id and not any(_knows(words, message) for words in theirs)]


def _lender(package: str, language: str) -> NullTranslations:
    compiled = packages() / package / "locale" / language / "LC_MESSAGES" / "django.mo"
    if not compiled.exists():
        return NullTranslations()
    with compiled.open("rb") as stored:
        return GNUTranslations(stored)


def _knows(words: NullTranslations, message: Message) -> bool:
    known: Mapping[object, str] = getattr(words, "_catalog", {})
    singular = message.id[0] if isinstance(message.id, list | tuple) else message.id
    name = f"{message.context}\x04{singular}" if message.context else singular
    return name in known or (name, 0) in known


def refreshed(language: str, catalog: Catalog) -> Catalog:
    """Today's texts with the translations that are stored."""
    stored = {key_of(message): message for message in read(language)}
    for message in catalog:
        before = stored.get(key_of(message))
        if message.id and before is not None:
            message.string, message.user_comments = before.string, before.user_comments
            message.flags |= before.flags & {"fuzzy"}
    return catalog


def is_translated(message: Message) -> bool:
    words = message.string if isinstance(message.string, list | tuple) else [message.string]
    return not message.fuzzy and bool(words) and all(words)


def missing(language: str, catalog: Catalog) -> list[Message]:
    """Texts of a catalogue that wait for a translator; English needs none."""
    if language == SOURCE_LANGUAGE:
        return []
    return [message for message in catalog if message.id and not is_translated(message)]


def write(language: str, catalog: Catalog) -> None:
    """Stores a catalogue, without dates and line numbers: it changes only when a text does."""
    body = io.BytesIO()
    write_po(body, catalog, width=120, omit_header=True, include_lineno=False, sort_by_file=True, ignore_obsolete=True)
    head = (
        'msgid ""\nmsgstr ""\n"Project-Id-Version: Mahalla\\n"\n'
        f'"Language: {language}\\n"\n"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        f'"Content-Transfer-Encoding: 8bit\\n"\n"Plural-Forms: {PLURALS[language]}\\n"\n\n'
    )
    path_of(language).parent.mkdir(parents=True, exist_ok=True)
    path_of(language).write_bytes(head.encode() + body.getvalue())


def compile_into(folder: Path) -> None:
    """Compiles the stored catalogues under another folder, laid out as Django's LOCALE_PATHS expects."""
    for language in PLURALS:
        target = folder / language / "LC_MESSAGES"
        target.mkdir(parents=True, exist_ok=True)
        with (target / "django.mo").open("wb") as compiled:
            write_mo(compiled, read(language))


def main(arguments: list[str]) -> int:
    only_list = "--missing" in arguments
    waiting = 0
    for language, catalog in wanted().items():
        current = refreshed(language, catalog)
        if not only_list:
            write(language, current)
        untranslated = missing(language, current)
        waiting += len(untranslated)
        for message in untranslated if only_list else ():
            print(f"{language}\t{key_of(message)[1]!r}\t{message.locations[0][0]}")
        print(f"{language}: {len(current)} texts, {len(untranslated)} without a translation", file=sys.stderr)
    return 1 if waiting and only_list else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
