"""What both providers have in common: a console, switches, a sign-in page, and a memory of who came by."""

from __future__ import annotations

import secrets
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from authio.clock import Clock, wire_time
from authio.rehearse.credentials import Credentials, Unusable
from authio.rehearse.pages import CONTINUE, Pages, style_sheet
from authio.rehearse.people import PEOPLE, Person
from authio.rehearse.switches import (
    PREFIX,
    Positions,
    Switches,
    Table,
    UnknownSwitch,
    mistakes,
    overrides,
)
from authio.rehearse.web import FORM, Answer, Asked, Bad, redirect, to_json

Kept = TypeVar("Kept")
PATIENCE: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Value:
    """Something to paste elsewhere."""

    name: str
    label: str
    text: str


@dataclass(frozen=True)
class SignIn:
    """Somebody who came by, and how they were sent back."""

    when: str
    outcome: str
    person: str
    mistakes: tuple[str, ...]
    details: Mapping[str, str]


class Waiting(Generic[Kept]):
    """Things that are kept under a random name for some time, the oldest given up first, and taken once."""

    def __init__(self, clock: Clock, *, lives: timedelta = PATIENCE, most: int = 200) -> None:
        self._clock, self._lives, self._most = clock, lives, most
        self._lock = threading.Lock()
        self._held: dict[str, tuple[datetime, Kept]] = {}

    def put(self, value: Kept) -> str:
        """Keep *value*; its name."""
        name = secrets.token_urlsafe(24)
        with self._lock:
            while len(self._held) >= self._most:
                del self._held[next(iter(self._held))]
            self._held[name] = (self._clock.now() + self._lives, value)
        return name

    def take(self, name: str) -> Kept | None:
        """What was kept under that name, which is free from now on."""
        with self._lock:
            ends, value = self._held.pop(name, (None, None))
        return value if ends is not None and ends > self._clock.now() else None

    def look(self, name: str) -> Kept | None:
        """The same without taking it."""
        with self._lock:
            ends, value = self._held.get(name, (None, None))
        return value if ends is not None and ends > self._clock.now() else None


class Provider(ABC):
    """One identity provider behind one port."""

    protocol: str
    table: Table
    starts: bool = False
    """Whether a sign-in can begin here."""
    open_to_other_sites: frozenset[str] = frozenset()
    """Paths to which other sites send forms."""

    def __init__(self, credentials: Credentials, *, url: str, clock: Clock) -> None:
        self.credentials = credentials
        self.url = url
        self.clock = clock
        self.switches = Switches(self.table)
        self.pages = Pages(protocol=self.protocol, url=url)
        self._recent: deque[SignIn] = deque(maxlen=50)
        self._routes: Mapping[tuple[str, str], Callable[[Asked], Answer]] = {
            ("GET", "/"): self._console,
            ("GET", "/switches"): lambda _: to_json(self.switches.read()),
            ("POST", "/switches"): self._switch,
            ("POST", "/rotate"): self._rotate,
            ("GET", "/sign-ins"): self._sign_ins,
            ("GET", "/style.css"): lambda _: style_sheet(),
            ("GET", "/continue.js"): lambda _: Answer(CONTINUE, content_type="text/javascript"),
            **self.routes(),
        }

    @abstractmethod
    def routes(self) -> Mapping[tuple[str, str], Callable[[Asked], Answer]]:
        """What this protocol adds, by method and path."""

    @abstractmethod
    def values(self) -> Sequence[Value]:
        """What to paste where."""

    @abstractmethod
    def renew(self, *, overlap: bool, lives: timedelta | None) -> None:
        """Sign with new keys from now on."""

    def answer(self, asked: Asked) -> Answer:
        """The reply to a request, or :class:`Bad`."""
        route = self._routes.get((asked.method, asked.path))
        if route is None:
            known = any(path == asked.path for _, path in self._routes)
            raise Bad("Not by this method." if known else "There is nothing here.", 405 if known else 404)
        try:
            return route(asked)
        except UnknownSwitch as unknown:
            raise Bad(f"There is no such switch or position: {unknown}.", 422) from None
        except Unusable as problem:
            raise Bad(str(problem), 500) from None

    def apology(self, bad: Bad) -> Answer:
        """A page that says why not."""
        return self.pages.show("notice", title="That does not work", status=bad.status, sentence=bad.sentence)

    def sign_in_page(self, sign_in: str, *, audience: str, positions: Positions, email: str = "") -> Answer:
        """The page on which somebody says who they are."""
        known = next((one for one in PEOPLE.values() if one.email == email), None)
        person = known or (Person(email, "", "") if email else PEOPLE["ada"])
        return self.pages.show(
            "login",
            title="Sign in",
            leads_away=True,
            sign_in=sign_in,
            audience=audience,
            person=person,
            people=PEOPLE,
            **self._shown_switches(positions, at_sign_in=True),
        )

    def positions(self, *parameters: Mapping[str, str]) -> dict[str, str]:
        """How the switches stand for this one request: the last of *parameters* has the last word."""
        changes = [overrides(one) for one in parameters]
        return self.switches.read({name: value for one in changes for name, value in one.items()})

    def remember(self, outcome: str, person: str, positions: Positions, **details: str) -> None:
        """Note who came by and how they were sent back."""
        made = tuple(one.mistake for one in mistakes(self.table, positions))
        shown = {name.replace("_", " "): text for name, text in details.items() if text}
        self._recent.appendleft(SignIn(wire_time(self.clock.now()), outcome, person, made, shown))

    def _console(self, _: Asked) -> Answer:
        return self.pages.show(
            "console",
            title="Console",
            values=self.values(),
            starts=self.starts,
            recent=list(self._recent)[:10],
            **self._shown_switches(self.switches.read(), at_sign_in=False),
        )

    def _switch(self, asked: Asked) -> Answer:
        if asked.content_type == FORM:
            form = asked.form
            if form.pop("reset", ""):
                self.switches.reset()
            else:
                self.switches.change(form)
            return redirect("/")
        self.switches.change({name: str(value) for name, value in asked.json.items()})
        return to_json(self.switches.read())

    def _rotate(self, asked: Asked) -> Answer:
        given = asked.form if asked.content_type == FORM else asked.json
        days = str(given.get("days", ""))
        if days and not (days.isascii() and days.isdigit() and len(days) < 5):
            raise Bad("days is a number of days.", 422)
        overlap = given.get("overlap") in (True, "yes")
        self.renew(overlap=overlap, lives=timedelta(days=int(days)) if days else None)
        return redirect("/") if asked.content_type == FORM else to_json({})

    def _sign_ins(self, _: Asked) -> Answer:
        return to_json([{**vars(one), "details": dict(one.details)} for one in self._recent])

    def _shown_switches(self, positions: Positions, *, at_sign_in: bool) -> dict[str, Any]:
        return {
            "shown": [one for one in self.table.values() if one.at_sign_in or not at_sign_in],
            "positions": positions,
            "made": mistakes(self.table, positions),
            "prefix": PREFIX if at_sign_in else "",
        }
