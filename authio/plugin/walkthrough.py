"""Walkthroughs: the provider's own screens in order, as data. Text allows bold and links, no more."""

from __future__ import annotations

import importlib.resources
import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

_MARK = re.compile(
    r"\*\*(?P<bold>[^*\n]{1,200})\*\*|\[(?P<text>[^\]\n]{1,200})\]\((?P<href>https://[^\s()<>\"]{1,500})\)"
)
_STEP_KEYS = frozenset(
    {"title", "do", "shows", "asks", "mistakes", "image", "alt", "last_checked", "layout", "optional"}
)


class WalkthroughError(ValueError):
    """A walkthrough file is wrong; the message names the file and the step."""


@dataclass(frozen=True)
class Span:
    """A run of text: ``text``, ``bold`` (a label of the console) or ``link`` (with ``href``)."""

    kind: str
    text: str
    href: str = ""


Line = tuple[Span, ...]


@dataclass(frozen=True)
class Shown:
    """One of our values, where the provider's console wants it, under the console's own label."""

    value: str
    label: str


@dataclass(frozen=True)
class Picture:
    """A picture below the package's ``assets`` folder, with what it shows in words."""

    path: str
    alt: str


@dataclass(frozen=True)
class Layout:
    """A step on one generation of the console: shown beside its siblings, by name."""

    name: str
    do: tuple[Line, ...]
    shows: tuple[Shown, ...] = ()
    mistakes: tuple[Line, ...] = ()
    picture: Picture | None = None


@dataclass(frozen=True)
class Step:
    """One screen of the provider's console, and what to do there.

    Where consoles differ, ``layouts`` holds each variant, and ``do``, ``shows``, ``mistakes`` and
    ``picture`` of the step itself are empty.
    """

    title: str
    do: tuple[Line, ...]
    shows: tuple[Shown, ...] = ()
    asks: tuple[str, ...] = ()
    mistakes: tuple[Line, ...] = ()
    picture: Picture | None = None
    last_checked: date | None = None
    layouts: tuple[Layout, ...] = ()
    optional: bool = False

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture of the step, those of its layouts included."""
        found = (self.picture, *(layout.picture for layout in self.layouts))
        return tuple(picture for picture in found if picture is not None)

    @property
    def all_shown(self) -> tuple[Shown, ...]:
        """Every value of ours the step shows, in whatever layout."""
        return self.shows + tuple(shown for layout in self.layouts for shown in layout.shows)


@dataclass(frozen=True)
class Walkthrough:
    """The steps in order. Count and progress are for whoever shows them to compute."""

    steps: tuple[Step, ...]

    @classmethod
    def load(cls, package: str, name: str) -> Walkthrough:
        """The walkthrough in ``steps/<name>.toml`` of *package*, or :class:`WalkthroughError`."""
        file = importlib.resources.files(package).joinpath("steps", f"{name}.toml")
        where = f"{package}: steps/{name}.toml"
        try:
            return cls.parse(file.read_text("utf-8"), where=where)
        except FileNotFoundError:
            raise WalkthroughError(f"{where} is missing") from None

    @classmethod
    def parse(cls, text: str, *, where: str = "walkthrough") -> Walkthrough:
        """The walkthrough written in *text*, or :class:`WalkthroughError` naming *where*."""
        try:
            found = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise WalkthroughError(f"{where}: {error}") from None
        steps = found.pop("step", None)
        if found or not isinstance(steps, list) or not steps:
            raise WalkthroughError(f"{where} has to hold [[step]] tables and nothing else")
        return cls(tuple(_steps(steps, where)))

    @property
    def asks(self) -> tuple[str, ...]:
        """Every field that is asked for, in order."""
        return tuple(name for step in self.steps for name in step.asks)

    @property
    def last_checked(self) -> date | None:
        """The oldest day on which a step was compared with the provider's console."""
        return min((step.last_checked for step in self.steps if step.last_checked), default=None)


def read_line(text: str, *, where: str = "text") -> Line:
    """``**bold**`` and ``[text](https://…)`` become spans, everything else stays text."""
    spans: list[Span] = []
    position = 0
    for match in _MARK.finditer(text):
        if match.start() > position:
            spans.append(Span("text", text[position : match.start()]))
        if match["bold"] is not None:
            spans.append(Span("bold", match["bold"]))
        else:
            spans.append(Span("link", match["text"], match["href"]))
        position = match.end()
    if position < len(text):
        spans.append(Span("text", text[position:]))
    if not spans or any(span.kind == "text" and ("**" in span.text or "](" in span.text) for span in spans):
        raise WalkthroughError(f"{where}: {text!r} is empty, or a bold or a link in it is not closed")
    return tuple(spans)


def _steps(tables: list[Any], where: str) -> Iterator[Step]:
    """One step for each table; neighbours with the same title and a layout each are one step."""
    numbered = ((table, f"{where}, step {number}") for number, table in enumerate(tables, 1))
    for (title, varies), group in itertools.groupby(numbered, key=_identity):
        if not varies:
            yield from (_step(table, place) for table, place in group)
            continue
        variants = list(group)
        steps = [_step(table, place) for table, place in variants]
        names = [_text(table, "layout", place) for table, place in variants]
        if len(set(names)) != len(names) or len(names) < 2:
            raise WalkthroughError(
                f"{variants[0][1]}: layouts of {title!r} need a sibling and names that differ"
            )
        yield Step(
            title=title,
            do=(),
            asks=tuple(dict.fromkeys(name for step in steps for name in step.asks)),
            last_checked=min((step.last_checked for step in steps if step.last_checked), default=None),
            layouts=tuple(
                Layout(name, step.do, step.shows, step.mistakes, step.picture)
                for name, step in zip(names, steps, strict=True)
            ),
            optional=all(step.optional for step in steps),
        )


def _identity(numbered: tuple[Any, str]) -> tuple[str, bool]:
    table, place = numbered
    _known(table, _STEP_KEYS, place)
    return _text(table, "title", place), "layout" in table


def _step(found: Mapping[str, Any], where: str) -> Step:
    do = _lines(found, "do", where)
    if not do:
        raise WalkthroughError(f"{where}: there is nothing to do")
    checked = found.get("last_checked")
    if checked is not None and type(checked) is not date:
        raise WalkthroughError(f"{where}: last_checked is a date without a time")
    return Step(
        title=_text(found, "title", where),
        do=do,
        shows=_shows(found, where),
        asks=_texts(found, "asks", where),
        mistakes=_lines(found, "mistakes", where),
        picture=_picture(found, where),
        last_checked=checked,
        optional=found.get("optional") is True,
    )


def _known(found: Any, keys: frozenset[str], where: str) -> None:
    if not isinstance(found, dict):
        raise WalkthroughError(f"{where} is not a table")
    strangers = sorted(set(found) - keys)
    if strangers:
        raise WalkthroughError(f"{where}: unknown {', '.join(strangers)}")


def _text(found: Mapping[str, Any], key: str, where: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value.strip():
        raise WalkthroughError(f"{where}: {key} is missing")
    return value


def _texts(found: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    values = found.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
        raise WalkthroughError(f"{where}: {key} is a list of texts")
    return tuple(values)


def _lines(found: Mapping[str, Any], key: str, where: str) -> tuple[Line, ...]:
    return tuple(read_line(text, where=f"{where}, {key}") for text in _texts(found, key, where))


def _shows(found: Mapping[str, Any], where: str) -> tuple[Shown, ...]:
    shows = found.get("shows", {})
    if not isinstance(shows, dict) or not all(isinstance(label, str) and label for label in shows.values()):
        raise WalkthroughError(f"{where}: shows maps a value of ours to the console's label")
    return tuple(Shown(value, label) for value, label in shows.items())


def _picture(found: Mapping[str, Any], where: str) -> Picture | None:
    if "image" not in found and "alt" not in found:
        return None
    if not found.get("image") or not found.get("alt"):
        raise WalkthroughError(f"{where}: image and alt come together")
    return Picture(_text(found, "image", where), _text(found, "alt", where))
