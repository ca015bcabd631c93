"""A browser without scripts, for tests of a running server: redirects, cookies and forms."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup, Tag


@dataclass(frozen=True)
class Visited:
    """A page as it came: ``status``, the final ``url``, and ``html`` to select from."""

    status: int
    url: str
    html: BeautifulSoup

    @property
    def name(self) -> str:
        """The page's name, from ``<main data-page>``."""
        main = self.html.find("main")
        return str(main.get("data-page", "")) if isinstance(main, Tag) else ""

    def form(self, name: str) -> Tag:
        """The form with that ``data-form``; LookupError if the page has none."""
        found = self.html.select_one(f'form[data-form="{name}"]')
        if found is None:
            raise LookupError(f"the page {self.name!r} ({self.status}) has no form {name!r}")
        return found


class Visitor:
    """One visitor of the server at *home*, with cookies of their own."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._session = requests.Session()
        # Proxies and ~/.netrc are none of a test's business.
        self._session.trust_env = False

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(self, address: str) -> Visited:
        """The page at *address*, a path or an address on the same server."""
        return self._read(self._session.get(urljoin(self._home, address), timeout=30))

    def submit(self, page: Visited, form: str, **fields: str) -> Visited:
        """Send a form of *page* with *fields* filled in; hidden fields and prefilled values go along."""
        element = page.form(form)
        values = {
            str(one["name"]): str(one.get("value", ""))
            for one in element.select("input[name]:not([type=submit]):not([type=file])")
            if one.get("type") not in {"checkbox", "radio"} or one.has_attr("checked")
        }
        target = urljoin(page.url, str(element.get("action") or ""))
        return self._read(self._session.post(target, data={**values, **fields}, timeout=30))

    def _read(self, answer: requests.Response) -> Visited:
        return Visited(answer.status_code, answer.url, BeautifulSoup(answer.text, "html.parser"))
