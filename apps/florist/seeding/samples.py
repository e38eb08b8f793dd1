"""What the sample shops are made of: people, flowers, bouquets, zones, and how much of everything."""

from __future__ import annotations

DAYS = 60
CUSTOMERS = 150
"""Buyers of each shop."""
ORDERS_A_DAY = (9, 4)
"""Orders a day of the first shop and of the second."""
PASSWORD = "mahalla-demo"  # noqa: S105 - published on purpose; a production start refuses the sample house
OWNER_PHONE = "+77010000001"
WAYS_IN = (
    f"{OWNER_PHONE} owns both shops, +77010000002 manages, …03 and …04 are florists, …06 brings; password {PASSWORD}",
    "pages: {address}/desk/manager/, {address}/desk/florist/, {address}/desk/courier/",
)

SHOPS = (("Роза на Абая", "+77270000001", "пр. Абая, 44"), ("Тюльпан на Сейфуллина", "+77270000002", "Сейфуллина, 500"))
STAFF: tuple[tuple[tuple[int, str, str], ...], ...] = (
    (
        (1, "Ольга Ким", "admin"),
        (2, "Бек Нурланов", "manager"),
        (3, "Аида Серик", "florist"),
        (4, "Гульнар Ахметова", "florist"),
        (5, "Данияр Омаров", "florist"),
        (6, "Руслан Пак", "courier"),
        (7, "Ерлан Сатпаев", "courier"),
    ),
    (
        (1, "Ольга Ким", "admin"),
        (8, "Марина Ли", "manager"),
        (9, "Сауле Жунусова", "florist"),
        (10, "Тимур Абаев", "florist"),
        (11, "Арман Калиев", "courier"),
        (12, "Жанна Исаева", "courier"),
    ),
)
"""Number of the phone, name, role; the owner of both shops is one person with two seats."""

ZONES = (("Центр", 2000), ("Медеу", 2500), ("Бостандык", 2500), ("Ауэзов", 3000), ("Алатау", 3500), ("Пригород", 5000))
CATEGORIES = (
    ("Розы", 100, "роза, rose, naomi, avalanche", 6),
    ("Хризантемы", 80, "хризантема, хризантемы", 12),
    ("Тюльпаны", 120, "тюльпан, тюльпаны", 4),
    ("Альстромерии", 90, "альстромерия", 9),
    ("Экзотика", 150, "протея, орхидея, стрелиция", 10),
    ("Зелень", 70, "эвкалипт, рускус, писташ", 10),
)
"""Name, markup in per cent, keywords, days that they live."""
FLOWERS = (
    ("Роза Red Naomi", 60, "Розы", 280, 160),
    ("Роза Avalanche", 60, "Розы", 260, 120),
    ("Хризантема кустовая", 70, "Хризантемы", 240, 70),
    ("Тюльпан Strong Gold", 40, "Тюльпаны", 150, 130),
    ("Альстромерия", 70, "Альстромерии", 220, 60),
    ("Эвкалипт", 50, "Зелень", 120, 120),
)
"""Variety, height in cm, category, cost of a stem, stems that come twice a week."""
BOUQUETS: tuple[tuple[str, str, int, int | None, str, tuple[tuple[str, int], ...]], ...] = (
    ("11 красных роз", "bouquet", 14_900, None, "#b3122e", (("Роза Red Naomi", 11), ("Эвкалипт", 2))),
    ("25 красных роз", "bouquet", 29_900, 26_900, "#8e0f24", (("Роза Red Naomi", 25),)),
    ("Белая нежность", "bouquet", 16_500, None, "#e8e0d2", (("Роза Avalanche", 9), ("Эвкалипт", 3))),
    ("Тюльпаны к завтраку", "bouquet", 9_900, None, "#e8b923", (("Тюльпан Strong Gold", 19),)),
    ("Корзина «Осень»", "composition", 24_500, None, "#c4711c", (("Хризантема кустовая", 9), ("Альстромерия", 7))),
    ("Облако альстромерий", "bouquet", 13_900, 12_500, "#d986a8", (("Альстромерия", 13), ("Эвкалипт", 3))),
    ("Хризантема в горшке", "potted", 6_900, None, "#7d9c3a", ()),
    ("Открытка и лента", "other", 1_200, None, "#5a6f8f", ()),
)
"""Name, category, price, sale price, colour of the picture, stems."""
MATERIALS = (("Крафт-бумага", "packaging", 350), ("Атласная лента", "ribbon", 180), ("Открытка", "card", 500))
NAMES = ("Алия", "Асель", "Динара", "Игорь", "Ирина", "Канат", "Лаура", "Марат", "Наталья", "Нурсултан", "Сабина")
STREETS = ("Достык", "Фурманова", "Толе би", "Розыбакиева", "Жандосова", "Гагарина", "Саина")
DATES = ("День рождения мамы", "Годовщина", "День рождения жены")
WINDOWS = ((9, 11), (11, 13), (13, 15), (15, 17), (17, 19), (19, 21))
METHODS = ("kaspi", "kaspi", "cash", "transfer", "qr")
TODAY = ("new", "new", "paid", "paid", "paid", "paid", "assembled", "assembled", "delivery", "delivered", "issue")
"""Statuses of the orders that the shop is busy with now."""
CALLED_OFF = 18
"""One order of so many in the past was cancelled."""
BATCH = 500
