"""A person at a browser without scripts, at pages of every origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests
from bs4 import BeautifulSoup, Tag

CALLBACK = "https://product.example.com/callback"
"""Where people come back to the product."""
HOPS = 20


@dataclass(frozen=True)
class Page:
    """What the browser shows. ``hops`` are the addresses that redirects led to, ``url`` the last of them."""

    status: int
    url: str
    hops: tuple[str, ...]
    html: BeautifulSoup = field(repr=False)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of ``url``."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def error(self) -> str:
        """The code on a page of ours that lets nobody in, or nothing."""
        found = self.html.select_one("main[data-error-code]")
        return "" if found is None else str(found["data-error-code"])

    @property
    def says(self) -> str:
        """The page's text."""
        return self.html.get_text(" ", strip=True)

    def fields(self, *having: str) -> dict[str, str]:
        """What the first form with those fields would send as it stands."""
        form = self._form(having)
        ours = form.select("input[name]:not([type=submit])")
        return {str(one["name"]): str(one.get("value", "")) for one in ours}

    def action(self, *having: str) -> str:
        """Where the first form with those fields goes."""
        return urljoin(self.url, str(self._form(having).get("action") or ""))

    def _form(self, having: tuple[str, ...]) -> Tag:
        for form in self.html.find_all("form"):
            if all(form.select_one(f'[name="{name}"]') for name in having):
                return form
        raise LookupError(f"{self.url} ({self.status}) has no form with {having}: {self.says[:500]}")


class Person:
    """One browser with its cookies. It stops at the product's door, for the product is not really there."""

    def __init__(self) -> None:
        self._doors: tuple[str, ...] = (CALLBACK,)
        self._session = requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def stop_at(self, *addresses: str) -> None:
        """Stop in front of *addresses*, too, from now on."""
        self._doors = (CALLBACK, *addresses)

    def go(self, address: str) -> Page:
        """Open *address* and follow where it leads."""
        return self._follow("GET", address, {})

    def send(self, page: Page, *having: str, **fields: str) -> Page:
        """Fill in and send the first form with the fields *having* and *fields*."""
        names = (*having, *fields)
        return self._follow("POST", page.action(*names), {**page.fields(*names), **fields})

    def post(self, address: str, fields: Mapping[str, str]) -> Page:
        """Send *fields* to *address*, as some page might."""
        return self._follow("POST", address, fields)

    def _follow(self, method: str, address: str, fields: Mapping[str, str]) -> Page:
        hops: tuple[str, ...] = ()
        while len(hops) < HOPS:
            if address.startswith(self._doors):
                return Page(0, address, hops, BeautifulSoup("", "html.parser"))
            answer = self._session.request(method, address, data=fields, allow_redirects=False, timeout=30)
            if not answer.is_redirect:
                html = BeautifulSoup(answer.text, "html.parser")
                return Page(answer.status_code, address, hops, html)
            address = urljoin(address, answer.headers["Location"])
            method, fields, hops = "GET", {}, (*hops, address)
        raise RuntimeError(f"redirected {HOPS} times, at last to {address}")
