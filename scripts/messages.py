"""Keeps `locale/*/LC_MESSAGES/django.po` in step with the texts in the code; needs Babel and Django, not GNU gettext.

    python scripts/messages.py            rewrite the catalogues: new texts added, gone ones dropped
    python scripts/messages.py --missing  only list what has no translation yet; ends with 1 if there is any

English is the source. Our catalogues also carry the words of the back office's packages (Unfold, import-export,
history, and Django's own where its Uzbek is incomplete) that those packages leave untranslated: ours are loaded last
and win.
"""

from __future__ import annotations

import ast
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
    "kk": "nplurals=2; plural=(n!=1);",
}
"""The rule that picks the form of a word after a number; Uzbek has one form."""

OWN = ("apps", "config", "templates")
PARTS = {
    "kk": ("apps/florist/pages/", "apps/florist/errors/", "templates/florist/", "templates/base.html"),
}
"""Languages that only some pages speak: where their texts stand. Everything else falls back to the house's language."""
CHOICES = {"kk": "apps/florist/models/"}
"""Where such a language also speaks the words of choices (statuses and kinds), but no names of columns."""
LENT = (
    "unfold/*.py",
    "unfold/mixins/*.py",
    "unfold/templatetags/*.py",
    "unfold/templates/**/*.html",
    "unfold/contrib/filters/**/*.py",
    "unfold/contrib/filters/templates/**/*.html",
    "unfold/contrib/import_export/*.py",
    "unfold/contrib/import_export/templates/**/*.html",
    "unfold/contrib/simple_history/templates/**/*.html",
    "simple_history/*.py",
    "simple_history/templates/simple_history/*.html",
    "import_export/admin.py",
    "import_export/forms.py",
    "axes/admin.py",
    "axes/apps.py",
    "axes/models.py",
    "django/contrib/admin/*.py",
    "django/contrib/admin/templatetags/*.py",
    "django/contrib/admin/views/*.py",
    "django/contrib/auth/forms.py",
    "django/contrib/auth/password_validation.py",
    "django/contrib/admin/templates/admin/*.html",
    "django/contrib/admin/templates/registration/logged_out.html",
    "django/contrib/admin/templates/registration/password_change*.html",
    "django/core/validators.py",
    "django/db/models/*.py",
    "django/db/models/fields/*.py",
    "django/forms/*.py",
    "django/utils/timesince.py",
    "django/utils/dates.py",
)
"""Files of packages whose texts people see in the back office (for passwords: also in the apps)."""

LENDERS = ("django/conf", "django/contrib/admin", "django/contrib/auth", "import_export", "axes")
"""Packages that bring catalogues of their own."""

CALLS = {
    "_": (1, False),
    "gettext": (1, False),
    "gettext_lazy": (1, False),
    "gettext_noop": (1, False),
    "ngettext": (2, False),
    "ngettext_lazy": (2, False),
    "pgettext": (1, True),
    "pgettext_lazy": (1, True),
    "npgettext": (2, True),
    "npgettext_lazy": (2, True),
}
"""Functions that mark a text: how many forms they are given, and whether a context comes first."""

TEMPLATE_CALLS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
"""The same for what Django makes of a template, in Babel's notation."""

Words = str | tuple[str, ...]
"""A text as the code marks it; a tuple is a singular with its plural."""

Key = tuple[str | None, Words]
"""What a catalogue looks a text up by: its context, if any, and its English."""


def path_of(language: str) -> Path:
    """Where the catalogue of a language lies."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def blank(language: str) -> Catalog:
    """A catalogue without texts, with our rule for the plural."""
    catalog = Catalog(locale=language)
    catalog.mime_headers = [("Plural-Forms", PLURALS[language])]
    return catalog


def read(language: str) -> Catalog:
    """The stored catalogue; a blank one if there is none yet."""
    path = path_of(language)
    if not path.exists():
        return blank(language)
    with path.open("rb") as stored:
        return read_po(stored, locale=language)


def key_of(message: Message) -> Key:
    return message.context, tuple(message.id) if isinstance(message.id, list | tuple) else message.id


def wanted() -> dict[str, Catalog]:
    """What each catalogue has to hold by today's sources, without translations."""
    own, lent = texts_of(ROOT, own_files()), texts_of(packages(), lent_files())
    return {
        language: _merged(language, _part(language), Catalog()) if language in PARTS else _merged(language, own, lent)
        for language in PLURALS
    }


def _part(language: str) -> Catalog:
    """What a language of some pages has to hold."""
    catalog = texts_of(ROOT, (path for path in own_files() if _name(path).startswith(PARTS[language])))
    for path in own_files():
        if _name(path).startswith(CHOICES[language]):
            for text in _choices(path.read_text(encoding="utf-8")):
                catalog.add(text, locations=[(_name(path), 0)])
    return catalog


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _choices(source: str) -> Iterator[str]:
    """Texts inside classes of choices."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Choices") for base in node.bases):
            yield from (words for words, _context in _of_tree(node) if isinstance(words, str))


def _merged(language: str, own: Catalog, lent: Catalog) -> Catalog:
    catalog = blank(language)
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
        source = path.read_text(encoding="utf-8")
        for text, context in _of_python(source) if path.suffix == ".py" else _of_template(source):
            catalog.add(text, locations=[(path.relative_to(root).as_posix(), 0)], context=context)
    return catalog


def _of_python(source: str) -> Iterator[tuple[Words, str | None]]:
    yield from _of_tree(ast.parse(source))


def _of_tree(tree: ast.AST) -> Iterator[tuple[Words, str | None]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in CALLS:
                yield from _of_call(node.args, *CALLS[name])


def _of_call(given: list[ast.expr], count: int, has_context: bool) -> Iterator[tuple[Words, str | None]]:
    words = [node.value for node in given if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    context = words.pop(0) if has_context and words else None
    if len(words) >= count:
        yield (words[0] if count == 1 else tuple(words[:count])), context


def _of_template(source: str) -> Iterator[tuple[Words, str | None]]:
    # Django turns a template into calls of gettext between blanks; the brackets let them start at any column.
    calls = io.BytesIO(f"(\n{templatize(source)}\n)".encode())
    for _line, text, _notes, context in extract("python", calls, keywords=TEMPLATE_CALLS):  # type: ignore[arg-type]
        yield text, context


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
