"""The house rules of imports, rooms, names and egress, read from the code itself (design 3.3, 3.4, 3.5, 3.14, 3.22)."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

APPS = Path(__file__).resolve().parents[2]
ROOT = APPS.parent

LAYERS = {
    "core": 0,
    "integrations": 1,
    "accounts": 2,
    "ledger": 3,
    "notifications": 3,
    "payments": 3,
    "shop": 4,
    "urgent": 4,
    "loyalty": 4,
    "tickets": 4,
    "florist": 4,
    "portal": 5,
}
"""Calls go down, siblings are silent."""

PUBLIC = {"actions", "queries", "events", "models"}
"""What an app shows to the apps above it. `core` shows everything."""

MORE_PUBLIC = {
    "accounts": {"authentication", "tokens", "kit"},
    "notifications": {"live", "consumers", "channels"},
    "integrations": {"ports", "guests", "dishes", "telegram", "eskiz", "twilio"},
}
"""Platform apps that show more (design 3.3)."""

ALLOWED = {
    (
        "portal/apps.py",
        "apps.integrations.checks",
    ): "integrations is no Django app, so the roof registers its system checks",
    (
        "portal/driving.py",
        "apps.integrations.http",
    ): "journeys drive a running server from outside, through the one careful client",
    ("portal/driving.py", "apps.integrations.websocket"): "the same for sockets",
    (
        "portal/sandbox_urls.py",
        "apps.integrations.sandbox",
    ): "`manage.py sandbox` serves the vendors' fakes in a process of its own",
}
"""Single imports beyond the rules, each with its reason."""

RULES = {"actions", "queries", "models", "states", "access"}
FACES = {"api", "pages", "admin", "tasks"}

ROOMS = {
    *(
        "__init__",
        "admin",
        "access",
        "actions",
        "api",
        "apps",
        "checks",
        "conf",
        "conftest",
        "data",
        "errors",
        "events",
        "gateways",
    ),
    *(
        "handlers",
        "journey",
        "live",
        "management",
        "migrations",
        "models",
        "pages",
        "queries",
        "seeding",
        "states",
        "tasks",
    ),
    *("tests", "README"),
}
"""Rooms of a product; a new one needs a line in `apps/README.md`."""

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "service", "services"}

EGRESS = {
    *(
        "httpx",
        "httpcore",
        "requests",
        "urllib.request",
        "urllib3",
        "http.client",
        "aiohttp",
        "websockets",
        "websocket",
    ),
    *(
        "socket",
        "ssl",
        "smtplib",
        "ftplib",
        "telnetlib",
        "twilio",
        "pywebpush",
        "boto3",
        "google.auth.transport",
        "firebase_admin",
    ),
}
MAY_CONNECT = {
    "integrations/http.py": "the one client of the house",
    "integrations/websocket.py": "the socket of journeys; no server code imports it",
    "integrations/mail.py": "names SMTP's exceptions; Django's mail backend connects",
    "integrations/twilio.py": "Twilio's own library",
    "integrations/push.py": "pywebpush encrypts; it sends through our client",
    "portal/management/commands/serve.py": "asks whether the port is free, connects to nobody",
    "conftest.py": "closes the network for tests",
}
"""Every other import of something that can open a connection fails."""


@dataclass(frozen=True)
class Import:
    """One import of one file: what it names, where, and whether it hides inside a function."""

    file: str
    app: str
    room: str
    name: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"apps/{self.file}:{self.line} imports {self.name}"

    @property
    def target(self) -> tuple[str, str]:
        """App and room of an import of ours."""
        parts = [*self.name.split("."), "", ""]
        return parts[1], parts[2]

    @property
    def is_test(self) -> bool:
        return self.room in ("tests", "conftest")


def files() -> list[Path]:
    return [path for path in sorted(APPS.rglob("*.py")) if "migrations" not in path.parts]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def names_of(node: ast.AST) -> list[str]:
    """Full dotted names; `from apps.ledger import actions` counts as `apps.ledger.actions`."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return [f"relative.{node.module}"] if isinstance(node, ast.ImportFrom) else []


def walk(node: ast.AST, function: str = "") -> Iterator[tuple[ast.AST, str]]:
    for child in ast.iter_child_nodes(node):
        yield child, function
        inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        yield from walk(child, inner)


def imports() -> list[Import]:
    found = []
    for path in files():
        file = path.relative_to(APPS).as_posix()
        app, *rest = file.removesuffix(".py").split("/")
        room = rest[0] if rest else app
        for node, function in walk(tree(path)):
            found += [Import(file, app, room, name, node.lineno, function) for name in names_of(node)]
    return found


IMPORTS = imports()
OURS = [found for found in IMPORTS if found.name.startswith("apps.") and found.app in LAYERS]


def complain(found: list[Import]) -> str:
    return "\n".join(str(one) for one in found)


def test_every_app_has_a_layer() -> None:
    apps = {path.name for path in APPS.iterdir() if path.is_dir() and (path / "apps.py").exists()}
    assert apps <= set(LAYERS)


def test_arrows_only_point_down() -> None:
    wrong = [
        found for found in OURS if found.target[0] != found.app and LAYERS.get(found.target[0], 99) >= LAYERS[found.app]
    ]
    assert not wrong, complain(wrong)


def test_nobody_imports_config() -> None:
    # `config` has no tests of its own: the roof's tests look at it.
    wrong = [
        found
        for found in IMPORTS
        if found.name.split(".")[0] == "config" and not (found.app == "portal" and found.is_test)
    ]
    assert not wrong, complain(wrong)


def test_imports_are_absolute() -> None:
    wrong = [found for found in IMPORTS if found.name.startswith("relative.")]
    assert not wrong, complain(wrong)


def is_allowed(found: Import) -> bool:
    return any(found.file == file and found.name.startswith(name) for file, name in ALLOWED)


def test_other_apps_are_entered_by_their_public_rooms() -> None:
    wrong = []
    for found in OURS:
        app, room = found.target
        if app in (found.app, "core") or found.is_test or is_allowed(found):
            continue
        if room not in PUBLIC | MORE_PUBLIC.get(app, set()):
            wrong.append(found)
    assert not wrong, complain(wrong)


def test_nobody_imports_the_tests_of_another_app() -> None:
    wrong = [found for found in OURS if found.target[1] == "tests" and found.target[0] != found.app]
    assert not wrong, complain(wrong)


def test_rules_do_not_know_faces() -> None:
    wrong = [
        found for found in OURS if found.room in RULES and found.target[0] == found.app and found.target[1] in FACES
    ]
    assert not wrong, complain(wrong)


def test_integrations_know_no_tables() -> None:
    wrong = [
        found
        for found in IMPORTS
        if found.app == "integrations"
        and not found.is_test
        and (found.name.startswith(("django.db", "django.contrib.auth")) or found.name.startswith("apps.core.models"))
    ]
    assert not wrong, complain(wrong)


def test_no_import_hides_in_a_function() -> None:
    # Django itself asks for one: AppConfig.ready wires up the app's own handlers and checks.
    wrong = [
        found
        for found in OURS
        if found.function and not found.is_test and not (found.file.endswith("/apps.py") and found.function == "ready")
    ]
    assert not wrong, complain(wrong)


def test_conf_is_readable_while_django_starts() -> None:
    wrong = [found for found in IMPORTS if found.file.endswith("/conf.py") and found.name.startswith("django")]
    assert not wrong, complain(wrong)


def opens_connections(found: Import) -> bool:
    return any(found.name == module or found.name.startswith(f"{module}.") for module in EGRESS)


def test_only_the_http_client_opens_connections() -> None:
    wrong = [
        found for found in IMPORTS if opens_connections(found) and found.file not in MAY_CONNECT and not found.is_test
    ]
    assert not wrong, complain(wrong)


def test_no_file_is_called_by_a_nothing_word() -> None:
    wrong = [
        path.relative_to(APPS).as_posix()
        for path in APPS.rglob("*")
        if path.stem in FORBIDDEN_NAMES and "__pycache__" not in path.parts
    ]
    assert not wrong


@pytest.mark.parametrize("app", [name for name, layer in LAYERS.items() if layer == 4])
def test_a_product_has_only_known_rooms(app: str) -> None:
    rooms = {path.stem for path in (APPS / app).glob("*") if path.name != "__pycache__"}
    assert rooms <= ROOMS


def test_no_room_is_empty() -> None:
    empty = [
        path.relative_to(APPS).as_posix()
        for path in files()
        if path.name != "__init__.py" and not path.read_text(encoding="utf-8").strip()
    ]
    assert not empty


def function_lengths() -> dict[str, int]:
    """Lines of each function of ours without its docstring; tests and migrations aside."""
    found = {}
    for path in files():
        if "tests" in path.parts or path.name == "conftest.py":
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found[f"{path.relative_to(APPS)}:{node.lineno} {node.name}"] = lines_of(node)
    return found


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    whole = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is None:
        return whole
    return whole - ((first.end_lineno or first.lineno) - first.lineno + 1)


def test_functions_are_short() -> None:
    lengths = function_lengths()
    assert statistics.median(lengths.values()) <= 10
    assert {name: length for name, length in lengths.items() if length > 40} == {}


def test_files_are_short() -> None:
    long = {
        path.relative_to(APPS).as_posix(): count
        for path in files()
        if "tests" not in path.parts and (count := len(path.read_text(encoding="utf-8").splitlines())) > 600
    }
    assert long == {}


@pytest.mark.parametrize("word", ["save", "delete"])
def test_models_do_not_override_writes(word: str) -> None:
    wrong = [
        f"{path.relative_to(APPS)}:{node.lineno}"
        for path in files()
        if "models" in path.relative_to(APPS).as_posix() and "tests" not in path.parts
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and node.name == word
    ]
    assert not wrong


def test_every_public_function_says_what_it_does() -> None:
    """Docstrings in the rooms that others call."""
    silent = [
        f"{path.relative_to(APPS)}:{node.lineno} {node.name}"
        for path in files()
        if {"actions", "queries"} & set(path.relative_to(APPS).with_suffix("").parts) and "tests" not in path.parts
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and ast.get_docstring(node) is None
    ]
    assert not silent
