"""The watch that the browser tests keep: each thing that must not happen is noticed when it does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.browser import Browser

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'"
HEAD = '<!doctype html><html lang="en"><head><title>A page</title>{head}</head>'
PAGE = HEAD + '<body><main data-page="sample"><h1>A page</h1>{body}</main></body></html>'


class Site:
    """A few pages on the loopback address, all under one strict policy."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, str, str]] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, text = site.pages.get(self.path, (404, "text/html", ""))
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", POLICY)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def page(self, body: str = "", *, head: str = "", status: int = 200) -> None:
        icon = '<link rel="icon" href="/icon.svg">'
        self.pages["/"] = (status, "text/html", PAGE.format(head=icon + head, body=body))
        self.pages["/icon.svg"] = (200, "image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"/>')


@pytest.fixture(autouse=True)
def _pictures_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pictures of these pages are not pictures of the product."""
    monkeypatch.setattr("tests.support.browser.SCREENSHOTS", tmp_path)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_a_good_page_is_good(browser: Browser, site: Site, size: str) -> None:
    site.page("<p>Some text.</p>")
    with browser.person(site.url, size=size) as person:
        person.page.goto("/")
        picture = person.look("good")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_page_with_an_error_status_is_a_page(browser: Browser, site: Site) -> None:
    site.page("<p>This link has been used.</p>", status=410)
    with browser.person(site.url) as person:
        person.page.goto("/")
        person.look("gone")


@pytest.mark.parametrize(
    ("head", "body", "noticed"),
    [
        ("<script>document.title = 'x'</script>", "", "Content Security Policy"),
        ("", '<p style="color: red">Red.</p>', "Content Security Policy"),
        ("", '<img alt="" src="http://127.0.0.2:9/picture.png">', "127.0.0.2"),
        ("", '<img alt="" src="/nothing.png">', "404 for"),
        ('<script src="/throws.js"></script>', "", "script error"),
        ('<script src="/complains.js"></script>', "", "console error: oh no"),
    ],
)
def test_what_must_not_happen_is_noticed(
    browser: Browser, site: Site, head: str, body: str, noticed: str
) -> None:
    site.page(body, head=head)
    site.pages["/throws.js"] = (200, "text/javascript", "throw new Error('thrown');")
    site.pages["/complains.js"] = (200, "text/javascript", "console.error('oh no');")
    with pytest.raises(AssertionError, match=noticed), browser.person(site.url) as person:
        person.page.goto("/", wait_until="networkidle")


def test_a_request_to_another_host_is_noticed(browser: Browser, site: Site) -> None:
    site.page('<a href="http://127.0.0.2:9/">Away</a>')
    with browser.person(site.url) as person:
        person.page.goto("/")
        with person.page.expect_request("http://127.0.0.2:9/"):
            person.page.get_by_role("link").click(no_wait_after=True)
        with pytest.raises(AssertionError, match="another host"):
            person.expect_no_trouble()
        person.trouble.clear()


def test_sideways_scrolling_is_noticed_and_its_cause_named(browser: Browser, site: Site) -> None:
    site.page(f"<p>{'x' * 400}</p>")
    with browser.person(site.url, size="narrow") as person:
        person.page.goto("/")
        with pytest.raises(AssertionError, match="<p>xxx"):
            person.expect_no_sideways_scroll()


def test_what_axe_finds_is_told_with_its_place(browser: Browser, site: Site) -> None:
    site.page('<img src="/icon.svg">')
    with browser.person(site.url) as person:
        person.page.goto("/")
        with pytest.raises(AssertionError, match=r"image-alt \(critical\)"):
            person.expect_accessible()


def test_focus_that_cannot_be_seen_is_noticed(browser: Browser, site: Site) -> None:
    site.page('<button class="hidden">Press</button>', head='<link rel="stylesheet" href="/style.css">')
    site.pages["/style.css"] = (200, "text/css", ".hidden:focus { outline: none }")
    with browser.person(site.url) as person:
        person.page.goto("/")
        person.tab_to("button")
        with pytest.raises(AssertionError, match="cannot be seen"):
            person.expect_focus_seen()
        with pytest.raises(AssertionError, match="did not reach"):
            person.tab_to("a")


def test_without_scripts_none_runs(browser: Browser, site: Site) -> None:
    site.page('<p id="text">plain</p>', head='<script src="/complains.js" defer></script>')
    site.pages["/complains.js"] = (
        200,
        "text/javascript",
        "document.getElementById('text').textContent = 'no';",
    )
    with browser.person(site.url, scripts=False) as person:
        person.page.goto("/")
        assert person.page.locator("#text").inner_text() == "plain"
        assert person.look("plain").name == "sample-plain-wide-no-script.png"
