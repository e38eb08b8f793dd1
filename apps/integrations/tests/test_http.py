"""The one client: where it may go, what it repeats, what it logs."""

from __future__ import annotations

import logging
import socket
import threading
import time

import pytest

from apps.integrations import http
from apps.integrations.http import AddressRefused, Call, Reply
from apps.integrations.ports import VendorBusy, VendorRefused, VendorUnsure


def call(url: str, method: str = "GET", **more) -> Call:
    return Call(vendor="test", method=method, url=url, **more)


class Script:
    """A WSGI server that answers by a list of steps; the last one is repeated."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.seen: list[dict] = []

    def __call__(self, environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        self.seen.append({**environ, "body": environ["wsgi.input"].read(length)})
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return step(environ, start_response)


def answers(status: int = 200, body: bytes = b"{}", **headers):
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]

    def step(environ, start_response):
        start_response(f"{status} X", [*named, ("Content-Length", str(len(body)))])
        return [body]

    return step


def hangs_up(environ, start_response):
    start_response("200 X", [("Content-Length", "64")])
    return [b""]


def sleeps(seconds: float):
    def step(environ, start_response):
        time.sleep(seconds)
        return answers()(environ, start_response)

    return step


PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "192.0.2.1",
    "240.0.0.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
]


class TestAddresses:
    @pytest.mark.parametrize("address", PRIVATE)
    def test_private(self, address):
        assert not http.is_public(address)

    @pytest.mark.parametrize("address", ["93.184.216.34", "149.154.167.220", "2606:2800:220:1:248:1893:25c8:1946"])
    def test_public(self, address):
        assert http.is_public(address)

    @pytest.mark.parametrize(
        "url",
        [
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://localhost/x",
            "https://169.254.169.254/latest/meta-data",
            "https://2130706433/",
            "https://127.1/",
        ],
    )
    def test_no_call_to_a_private_address(self, url):
        with pytest.raises(AddressRefused, match="private address"):
            http.send(call(url))

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("http://example.com/", "only https"),
            ("ftp://example.com/", "only https"),
            ("file:///etc/passwd", "only https"),
            ("//example.com/", "only https"),
            ("", "only https"),
            ("https://user:password@example.com/", "credentials in the address"),
            ("https://exa mple.com:port/", "cannot be built"),
        ],
    )
    def test_no_call_to_an_odd_address(self, url, reason):
        with pytest.raises(AddressRefused, match=reason):
            http.send(call(url))

    def test_a_name_that_leads_inside(self, monkeypatch):
        resolve_to(monkeypatch, ["93.184.216.34", "10.0.0.5"])
        with pytest.raises(AddressRefused, match="private address"):
            http.send(call("https://vendor.example/"))

    def test_a_name_that_changes_after_the_check_gains_nothing(self, monkeypatch):
        """Looked up once, and the looked-at address is the dialled one (the closed network tells which)."""
        lookups = resolve_to(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
        with pytest.raises(AssertionError, match=r"reached for 93\.184\.216\.34"):
            http.send(call("https://vendor.example/"))
        assert len(lookups) == 1

    def test_an_unknown_name_is_only_busy(self, monkeypatch):
        resolve_to(monkeypatch)
        with pytest.raises(VendorBusy):
            http.send(call("https://vendor.example/", "POST"))

    def test_a_silent_resolver_does_not_hold_us(self, monkeypatch):
        release = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: release.wait(5) and [])
        monkeypatch.setattr(http, "CONNECT_TIMEOUT_S", 0.1)
        started = time.monotonic()
        with pytest.raises(VendorBusy):
            http.send(call("https://vendor.example/", "POST"))
        assert time.monotonic() - started < 2
        release.set()

    def test_loopback_only_where_the_operator_says_so(self, outside, settings, change):
        base = outside(Script(answers()))
        settings.SANDBOX_ENABLED = False
        with pytest.raises(AddressRefused):
            http.send(call(base))
        change(http_allowed_private=("127.0.0.1:1",))
        with pytest.raises(AddressRefused):
            http.send(call(base))
        for allowed in ("127.0.0.1", base.removeprefix("http://")):
            change(http_allowed_private=(allowed,))
            assert http.send(call(base)).status == 200

    def test_the_sandbox_and_its_webhooks_are_known_to_us(self, outside, settings, change):
        base = outside(Script(answers()))
        with pytest.raises(AddressRefused):
            http.send(call(base))
        settings.SANDBOX_WEBHOOKS = {"cryptobot": f"{base}/hook"}
        assert http.send(call(base)).status == 200
        settings.SANDBOX_WEBHOOKS = {}
        change(sandbox_url=base)
        assert http.send(call(base)).status == 200


def resolve_to(monkeypatch, *answers_: list[str]) -> list[str]:
    """Name lookups that give these addresses, one list after the other; none = the name is unknown."""
    lookups: list[str] = []
    left = list(answers_)

    def getaddrinfo(host, port, *args, **kwargs):
        if host[0].isdigit():  # an address stands for itself, without any resolver
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        lookups.append(host)
        if not left:
            raise socket.gaierror("unknown")
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return lookups


@pytest.fixture
def serve(outside, change):
    def start(*steps):
        script = Script(*steps)
        base = outside(script)
        change(http_allowed_private=("127.0.0.1",))
        return script, base

    return start


class TestRepeats:
    def test_an_answer_is_an_answer(self, serve):
        script, base = serve(answers(404, b'{"no":1}', Retry_After="7"))
        answer = http.send(call(f"{base}/a", query={"b": "c d"}, headers={"X-Own": "1"}))
        assert (answer.status, answer.fields(), answer.retry_after) == (404, {"no": 1}, 7)
        assert script.seen[0]["QUERY_STRING"] == "b=c+d"
        assert script.seen[0]["HTTP_X_OWN"] == "1"
        assert len(script.seen[0]["HTTP_X_REQUEST_ID"]) == 36

    def test_many_calls_share_one_client(self, serve, monkeypatch):
        script, base = serve(answers(200))
        made, real = [], http.httpx.Client.__init__
        monkeypatch.setattr(http.httpx.Client, "__init__", lambda me, **how: (made.append(me), real(me, **how))[1])
        for _ in range(4):
            http.send(call(base))
        assert (len(script.seen), len(made) <= 1) == (4, True)

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_safe_call_is_repeated_until_it_works(self, serve, status):
        script, base = serve(answers(status), answers(status), answers(200))
        assert http.send(call(base, is_idempotent=True)).status == 200
        assert len(script.seen) == 3

    def test_a_safe_call_gives_up_after_three(self, serve):
        script, base = serve(answers(503))
        assert http.send(call(base, is_idempotent=True)).status == 503
        assert len(script.seen) == 3

    def test_or_after_as_many_as_it_asks_for(self, serve):
        script, base = serve(answers(503))
        assert http.send(call(base, is_idempotent=True, attempts=2)).status == 503
        assert len(script.seen) == 2
        http.send(call(base, attempts=5))
        assert len(script.seen) == 3

    def test_a_safe_call_without_an_answer_is_busy(self, serve):
        script, base = serve(hangs_up)
        with pytest.raises(VendorBusy):
            http.send(call(base, is_idempotent=True))
        assert len(script.seen) == 3

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429])
    def test_what_the_vendor_decided_is_not_repeated(self, serve, status):
        script, base = serve(answers(status))
        assert http.send(call(base, is_idempotent=True)).status == status
        assert len(script.seen) == 1

    def test_an_unsafe_call_is_made_once(self, serve):
        script, base = serve(answers(500), answers(200))
        assert http.send(call(base, "POST", json={"a": 1})).status == 500
        assert [seen["body"] for seen in script.seen] == [b'{"a":1}']

    def test_an_unsafe_call_that_times_out_leaves_us_unsure(self, serve):
        script, base = serve(sleeps(0.6))
        with pytest.raises(VendorUnsure) as caught:
            http.send(call(base, "POST", read_timeout_s=0.2))
        assert caught.value.reason == "test: ReadTimeout"
        assert len(script.seen) == 1

    def test_an_unsafe_call_whose_answer_breaks_off_leaves_us_unsure(self, serve):
        script, base = serve(hangs_up)
        with pytest.raises(VendorUnsure):
            http.send(call(base, "POST"))
        assert len(script.seen) == 1

    def test_an_unsafe_call_that_never_left_is_only_busy(self, change):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            port = nobody.getsockname()[1]
        change(http_allowed_private=("127.0.0.1",))
        with pytest.raises(VendorBusy):
            http.send(call(f"http://127.0.0.1:{port}/", "POST"))

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_no_redirect_is_followed(self, serve, status):
        script, base = serve(answers(status, Location="/elsewhere"))
        with pytest.raises(VendorRefused, match="redirect"):
            http.send(call(base, is_idempotent=True))
        assert len(script.seen) == 1

    def test_cookies_are_not_kept(self, serve):
        script, base = serve(answers(200, Set_Cookie="a=b"))
        http.send(call(base))
        http.send(call(base))
        assert "HTTP_COOKIE" not in script.seen[1]

    def test_an_answer_has_a_size(self, serve, monkeypatch):
        monkeypatch.setattr(http, "LARGEST_ANSWER_BYTES", 1000)
        _, base = serve(answers(200, b"x" * 1000), answers(200, b"x" * 1001))
        assert len(http.send(call(base)).body) == 1000
        with pytest.raises(VendorUnsure, match="too large"):
            http.send(call(base, "POST"))

    def test_an_answer_that_trickles_has_an_end(self, serve, monkeypatch):
        monkeypatch.setattr(http, "LONGEST_READ_TIMEOUT_S", 0.3)

        def trickle(environ, start_response):
            start_response("200 X", [])
            for _ in range(40):
                time.sleep(0.05)
                yield b"x"

        _, base = serve(trickle)
        started = time.monotonic()
        with pytest.raises(VendorUnsure, match="too slow"):
            http.send(call(base, "POST"))
        assert time.monotonic() - started < 1.5

    def test_rubbish_is_no_json(self, serve):
        _, base = serve(answers(200, b"[" * 100_000), answers(200, b"\xff"), answers(200, b"[1]"))
        assert http.send(call(base)).json() is None
        assert http.send(call(base)).fields() == {}
        assert http.send(call(base)).fields() == {}

    def test_retry_after_as_a_date_or_as_rubbish(self, serve):
        _, base = serve(answers(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), answers(429, Retry_After="soon"))
        assert http.send(call(base)).retry_after == 0
        assert http.send(call(base)).retry_after is None


class TestFakeCarriage:
    """The in-process way behaves like the network."""

    def test_the_same_encoding(self):
        seen = []
        send = http.to_fake(lambda asked: seen.append(asked) or Reply.json({"a": 1}, 201, X_Y="z"))
        answer = send(call("https://v.example/p%20q?c=d", "POST", form={"k": "v w"}, basic=("u", "p")))
        assert (answer.status, answer.fields(), answer.headers["x-y"]) == (201, {"a": 1}, "z")
        assert (seen[0].method, seen[0].path, seen[0].query, seen[0].body) == ("POST", "/p q", {"c": "d"}, b"k=v+w")
        assert seen[0].headers["authorization"] == "Basic dTpw"

    @pytest.mark.parametrize("reply", [Reply(200, is_lost=True), Reply(200, delay_s=10)])
    def test_silence(self, reply):
        count = []
        send = http.to_fake(lambda asked: count.append(1) or reply)
        with pytest.raises(VendorUnsure):
            send(call("https://v.example/", "POST"))
        assert len(count) == 1
        with pytest.raises(VendorBusy):
            send(call("https://v.example/", is_idempotent=True))
        assert len(count) == 4


class TestLogs:
    SECRETS = (
        "https://api.telegram.org/bot123456:AAH-secret_part/sendMessage",
        "/bot123456%3AAAH-secret_part/getMe",
        "Authorization: Bearer abc.def.ghi",
        "token 123:AAtoken",
        "call +998 90 123-45-67 now",
        "998901234567",
        "your code is 4821",
        "your code is 482113",
        "/push/gAAAAABk1234567890abcdefghij",
    )

    @pytest.mark.parametrize("text", SECRETS)
    def test_redaction(self, text):
        hidden = http.redact(text)
        for secret in ("secret_part", "abc.def", "AAtoken", "1234567", "123-45-67", "4821", "gAAAAA"):
            assert secret not in hidden
        assert "***" in hidden

    @pytest.mark.parametrize("text", ["/message/sms/send", "status 500", "CHARGE_ALREADY_REFUNDED", "Bad Request"])
    def test_plain_words_stay(self, text):
        assert http.redact(text) == text

    def test_a_call_leaves_one_line_without_secrets(self, serve, caplog):
        _, base = serve(answers(200, b'{"secret":"body-secret"}'))
        caplog.set_level(logging.DEBUG)
        http.send(
            call(
                f"{base}/bot123456:AAH-secret_part/sendMessage",
                "POST",
                query={"phone": "998901234567"},
                json={"text": "code 482113"},
                headers={"Authorization": "Bearer header-secret"},
            )
        )
        lines = [record.getMessage() for record in caplog.records]
        ours = [line for line in lines if line.startswith("vendor call")]
        assert len(ours) == 1
        assert ours[0].startswith("vendor call test POST 127.0.0.1/bot***/sendMessage 200 ")
        everything = caplog.text
        for secret in ("secret_part", "998901234567", "482113", "header-secret", "body-secret"):
            assert secret not in everything

    def test_a_failed_call_names_its_error(self, serve, caplog):
        _, base = serve(hangs_up)
        caplog.set_level(logging.INFO)
        with pytest.raises(VendorUnsure):
            http.send(call(f"{base}/bot123456:AAH-secret_part/x", "POST"))
        assert "bot***/x VendorUnsure" in caplog.text
        assert "secret_part" not in caplog.text

    def test_a_call_does_not_print_itself(self):
        shown = repr(call("https://x.example/bot1:secret-secret/y", json={"phone": "1"}, headers={"a": "b"}))
        assert shown == "<Call test GET /bot***/y>"
