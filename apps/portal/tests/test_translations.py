"""Every text speaks Russian, Uzbek and Turkish, keeps its placeholders, and Django finds it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from django.test import Client
from django.utils import translation

from apps.core import errors, texts
from apps.ledger import errors as ledger_errors
from apps.portal.tests.cast import at_the_desk, hire
from apps.urgent import errors as urgent_errors
from scripts import messages

TRANSLATED = ("ru", "uz", "tr")
STORED = (*TRANSLATED, *messages.PARTS)
"""With the languages that only some pages speak."""
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z%]|\{\w*\}")


@pytest.fixture(scope="module")
def wanted() -> dict[str, Catalog]:
    """What the sources of today need."""
    return messages.wanted()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locale")
    messages.compile_into(folder)
    return folder


@pytest.fixture
def spoken(compiled: Path, settings: Any) -> Iterator[None]:
    """Django as in production (Russian unless asked), reading the catalogues as they are in the tree now."""
    settings.LANGUAGE_CODE = "ru"
    settings.LOCALE_PATHS = [compiled]
    with translation.override(settings.LANGUAGE_CODE):
        yield


def texts_in(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def forms(words: Any) -> list[str]:
    return list(words) if isinstance(words, list | tuple) else [words]


@pytest.mark.parametrize("language", list(messages.PLURALS))
def test_the_catalogue_holds_exactly_the_texts_of_the_code(language: str, wanted: dict[str, Catalog]) -> None:
    needed = {messages.key_of(message) for message in texts_in(wanted[language])}
    stored = {messages.key_of(message) for message in texts_in(messages.read(language))}
    assert (needed - stored, stored - needed) == (set(), set()), "run: make messages"


@pytest.mark.parametrize("language", STORED)
def test_every_text_is_translated_for_certain(language: str) -> None:
    assert [message.id for message in messages.missing(language, messages.read(language))] == []


def test_english_is_the_source() -> None:
    assert {word for message in texts_in(messages.read("en")) for word in forms(message.string)} == {""}


@pytest.mark.parametrize("language", STORED)
def test_placeholders_are_the_same_in_every_language(language: str) -> None:
    for message in texts_in(messages.read(language)):
        allowed = [Counter(PLACEHOLDER.findall(english)) for english in forms(message.id)]
        for words in forms(message.string):
            assert Counter(PLACEHOLDER.findall(words)) in allowed, (message.id, words)


@pytest.mark.parametrize("language", STORED)
def test_blanks_around_a_text_are_kept(language: str) -> None:
    for message in texts_in(messages.read(language)):
        english = forms(message.id)[0]
        edges = (english[:1].isspace(), english[-1:].isspace())
        for words in forms(message.string):
            assert (words[:1].isspace(), words[-1:].isspace()) == edges, (message.id, words)


@pytest.mark.parametrize("language", list(messages.PLURALS))
def test_a_number_has_the_forms_of_its_language(language: str) -> None:
    catalog = messages.read(language)
    assert catalog.plural_forms == messages.PLURALS[language]
    for message in texts_in(catalog):
        assert len(forms(message.string)) == (catalog.num_plurals if message.pluralizable else 1), message.id


@pytest.mark.parametrize("language", ["uz", "tr"])
def test_latin_catalogues_hold_no_cyrillic_letters(language: str) -> None:
    for message in texts_in(messages.read(language)):
        assert not any(re.search("[а-яё]", words, re.IGNORECASE) for words in forms(message.string)), message.id


def test_uzbek_is_written_with_the_right_apostrophe() -> None:
    """The letters o‘ and g‘ carry U+2018; with another sign a search for the word finds nothing."""
    for message in texts_in(messages.read("uz")):
        assert not any(re.search("[og]['’`ʻ]", words, re.IGNORECASE) for words in forms(message.string)), message.id


@pytest.mark.parametrize("language", list(messages.PLURALS))
def test_set_up_can_compile_the_catalogue(language: str, tmp_path: Path) -> None:
    """The command of scripts/setup.sh, which needs no GNU gettext."""
    target = tmp_path / "django.mo"
    command = [sys.executable, "-m", "babel.messages.frontend", "--quiet", "compile", "--use-fuzzy"]
    where = ["--input-file", str(messages.path_of(language)), "--output-file", str(target)]
    done = subprocess.run([*command, *where], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert target.read_bytes()[:4] in {b"\xde\x12\x04\x95", b"\x95\x04\x12\xde"}


REFUSALS = [
    (errors.NotFound(), "Не найдено", "Topilmadi", "Bulunamadı", "Not found"),
    (
        urgent_errors.OrderNotFound(),
        "Такого заказа нет",
        "Bunday buyurtma yo‘q",
        "Böyle bir sipariş yok",
        "There is no such order",
    ),
    (
        ledger_errors.NotEnoughBalance(),
        "На балансе недостаточно средств",
        "Balansda mablag‘ yetarli emas",
        "Bakiyede yeterli para yok",
        "There is not enough money on the balance",
    ),
]


@pytest.mark.parametrize(("refusal", "ru", "uz", "tr", "en"), REFUSALS, ids=lambda value: getattr(value, "code", ""))
def test_a_refusal_speaks_every_language(
    spoken: None, refusal: errors.Refused, ru: str, uz: str, tr: str, en: str
) -> None:
    assert texts.in_languages(refusal.message) == {"ru": ru, "uz": uz, "tr": tr, "en": en}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ru", ["Срочные услуги", "Документация API", "Перейти к содержанию"]),
        ("uz", ["Tezkor xizmatlar", "API hujjatlari", "Asosiy qismga o‘tish"]),
        ("tr", ["Acil hizmetler", "API belgeleri", "İçeriğe geç"]),
        ("en", ["Urgent services", "API documents", "Skip to the content"]),
    ],
)
def test_the_home_page_speaks_every_language(spoken: None, client: Client, language: str, words: list[str]) -> None:
    page = client.get("/", headers={"Accept": "text/html", "Accept-Language": language}).content.decode()
    assert [word for word in words if word not in page] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ru", ["Срочные услуги", "Отклики", "Проводки", "Журнал входов", "Выйти"]),
        ("uz", ["Tezkor xizmatlar", "Kontakt xaridlari", "Provodkalar", "Kirishlar jurnali", "Chiqish"]),
        ("tr", ["Acil hizmetler", "İletişim alımları", "Kayıtlar", "Giriş günlüğü", "Oturumu kapat"]),
        ("en", ["Urgent services", "Takes", "Entries", "Sign-in log", "Log out"]),
    ],
)
def test_the_menu_of_the_back_office_speaks_every_language(spoken: None, language: str, words: list[str]) -> None:
    hire()
    page = at_the_desk("admin").get("/admin/", headers={"Accept-Language": language}).content.decode()
    assert [word for word in words if word not in page] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ru", ["Применить фильтры", "Тёмная"]),
        ("uz", ["Filtrlarni qo‘llash", "Qorong‘i"]),
        ("tr", ["Filtreleri uygula", "Koyu"]),
        ("en", ["Apply Filters", "Dark"]),
    ],
)
def test_a_list_of_the_back_office_has_no_foreign_words(spoken: None, language: str, words: list[str]) -> None:
    """Words of Unfold, which it does not translate itself."""
    hire()
    page = at_the_desk("admin").get("/admin/urgent/order/", headers={"Accept-Language": language}).content.decode()
    assert [word for word in words if word not in page] == []


def test_a_number_picks_its_word(spoken: None) -> None:
    """Three forms in Russian, one in Uzbek."""
    english = ("%(counter)s result", "%(counter)s results")
    found = {}
    for language in TRANSLATED:
        with texts.speaking(language):
            found[language] = [translation.ngettext(*english, count) % {"counter": count} for count in (1, 3, 5)]
    assert found["ru"] == ["1 результат", "3 результата", "5 результатов"]
    assert found["uz"] == ["1 ta natija", "3 ta natija", "5 ta natija"]
    assert found["tr"] == ["1 sonuç", "3 sonuç", "5 sonuç"]
