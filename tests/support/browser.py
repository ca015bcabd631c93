"""A person at a browser: Debian's Chromium through Playwright, watched for everything that must not happen.

A :class:`Person` fails the test on a console error, a script error, a violation of the content security
policy, a request to another host or for something that is not there; and, when a page is looked at, on
horizontal scrolling and on anything axe finds.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    sync_playwright,
)

from tools.services import chromium

SIZES = {"narrow": (360, 640), "wide": (1440, 900)}
FLAGS = (
    "--headless",
    "--no-sandbox",  # containers and root have no user namespaces to build one from
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
SCREENSHOTS = Path(__file__).resolve().parent.parent.parent / "var" / "screenshots"

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


class Browser:
    """One Chromium; each :meth:`person` has cookies and storage of their own."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium

    @contextmanager
    def person(
        self, home: str, *, size: str = "wide", scripts: bool = True, also: tuple[str, ...] = ()
    ) -> Iterator[Person]:
        """Somebody who visits *home* (an address without path) and nothing else but the origins in *also*.

        When the block ends well, nothing forbidden may have happened during it.
        """
        width, height = SIZES[size]
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            java_script_enabled=scripts,
            reduced_motion="reduce",
            base_url=home,
            accept_downloads=True,
        )
        context.set_default_timeout(15_000)
        try:
            person = Person(context, home=home, size=size, scripts=scripts, also=also)
            yield person
            person.expect_no_trouble()
        finally:
            context.close()


class Person:
    """One visitor with one window, :attr:`page`."""

    def __init__(
        self, context: BrowserContext, *, home: str, size: str, scripts: bool, also: tuple[str, ...]
    ) -> None:
        self.context = context
        self.home = home
        self.size = size
        self.scripts = scripts
        self.trouble: list[str] = []
        self._allowed = {urlsplit(address).netloc for address in (home, *also)}
        self.page: Page = context.new_page()
        context.on("request", self._on_request)
        context.on("response", self._on_response)
        context.on("requestfailed", self._on_failed)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.trouble.append(f"script error: {error.error}"))

    # -- looking ----------------------------------------------------------------------------------

    @property
    def where(self) -> str:
        """The page's name, from ``<main data-page>``."""
        return self.page.locator("main").get_attribute("data-page") or ""

    def expect_page(self, name: str) -> None:
        """Wait for the page of that name."""
        self.page.locator(f'main[data-page="{name}"]').wait_for()

    def look(self, state: str) -> Path:
        """Judge the page as it stands and take its picture, ``<page>-<state>-<size>.png``.

        Nothing scrolls sideways, axe has nothing to say (both need scripts), no trouble so far.
        """
        if self.scripts:
            self.expect_no_sideways_scroll()
            self.expect_accessible()
        self.expect_no_trouble()
        return self.picture(state)

    def picture(self, state: str) -> Path:
        """A screenshot of the whole page, under ``var/screenshots/``."""
        name = self.where
        if not (_SLUG.match(name) and _SLUG.match(state)):
            raise AssertionError(f"page {name!r} in state {state!r}: both have to be slugs")
        size = self.size if self.scripts else f"{self.size}-no-script"
        path = SCREENSHOTS / f"{name}-{state}-{size}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path, full_page=True, animations="disabled")
        return path

    def expect_no_trouble(self) -> None:
        """AssertionError with everything forbidden that has happened so far."""
        if self.trouble:
            raise AssertionError(f"on {self.page.url}:\n  " + "\n  ".join(self.trouble))

    def expect_no_sideways_scroll(self) -> None:
        """AssertionError, naming the culprits, if the page is wider than its window."""
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        seen = self.page.evaluate("document.documentElement.clientWidth")
        if wide > seen:
            culprits = self.page.evaluate(_OVERHANGING)
            raise AssertionError(f"{self.where}: {wide} px of content in {seen} px of window: {culprits}")

    def expect_accessible(self) -> None:
        """AssertionError with every violation of WCAG 2.2 A and AA, or of good practice, that axe finds."""
        if not self.page.evaluate("typeof window.axe === 'object'"):
            self.page.evaluate(Path(AXE_FILE_PATH).read_text(encoding="utf-8"))
        result = self.page.evaluate(
            "tags => axe.run(document, { runOnly: { type: 'tag', values: tags }, preload: false })",
            list(AXE_TAGS),
        )
        if not result["passes"]:
            raise AssertionError("axe looked at nothing")
        if result["violations"]:
            raise AssertionError(f"axe on {self.where}:\n" + "\n".join(map(_told, result["violations"])))

    # -- keyboard ---------------------------------------------------------------------------------

    @property
    def focused(self) -> Locator:
        """What the keyboard's focus is on."""
        return self.page.locator(":focus")

    def tab_to(self, selector: str, *, most: int = 80) -> Locator:
        """Press Tab until the focus is on *selector*; AssertionError when that does not reach it."""
        wanted = self.page.locator(selector)
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if wanted.evaluate_all("(all) => all.includes(document.activeElement)"):
                return wanted
        raise AssertionError(f"{most} presses of Tab on {self.where} did not reach {selector}")

    def expect_focus_seen(self) -> None:
        """AssertionError if nothing shows where the focus is."""
        style = self.focused.evaluate(
            "element => { const s = getComputedStyle(element);"
            " return [s.outlineStyle, parseFloat(s.outlineWidth), s.boxShadow]; }"
        )
        if (style[0] == "none" or style[1] == 0) and style[2] == "none":
            raise AssertionError(f"the focus on {self.where} cannot be seen: {style}")

    # -- watching ---------------------------------------------------------------------------------

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc not in self._allowed:
            self.trouble.append(f"request to another host: {request.url}")

    def _on_response(self, response: Response) -> None:
        # A document may well be a 410 or a 422: that is the page being looked at. What it needs is not.
        if response.status >= 400 and not response.request.is_navigation_request():
            self.trouble.append(f"{response.status} for {response.url}")

    def _on_failed(self, request: Request) -> None:
        # Leaving a page aborts what it was still loading.
        if request.failure != "net::ERR_ABORTED":
            self.trouble.append(f"request failed: {request.url}: {request.failure}")

    def _on_console(self, message: ConsoleMessage) -> None:
        # Chromium reports violations of the content security policy here. That a document had an error
        # status it reports too, and _on_response judges that.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource:"):
            self.trouble.append(f"console {message.type}: {message.text}")


@contextmanager
def browsing() -> Iterator[Browser]:
    """A running Chromium. Raises if there is none: whoever asks for a browser has been told it is there."""
    path = os.environ.get("AUTHIO_TEST_CHROMIUM") or chromium()
    if path is None or shutil.which(path) is None:
        raise RuntimeError("Chromium is not installed; `make test-browser` installs it where it can")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield Browser(started)
        finally:
            started.close()


_OVERHANGING = """() => {
  const seen = document.documentElement.clientWidth;
  return [...document.querySelectorAll('body *')]
    .filter(element => element.getBoundingClientRect().left + element.scrollWidth > seen + 1)
    .slice(0, 5)
    .map(element => element.outerHTML.slice(0, 120));
}"""


def _told(violation: dict[str, Any]) -> str:
    places = [
        f"    {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for node in violation["nodes"][:5]
    ]
    return "\n".join([f"  {violation['id']} ({violation['impact']}): {violation['help']}", *places])
