"""A provider's walkthrough as the page shows it: our values filled in, pictures addressed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any

from authio.plugin import Provider, ServiceProvider, Walkthrough
from authio.plugin.walkthrough import Layout, Line, Picture, Shown, Step


@dataclass(frozen=True)
class Value:
    """One of our values under the console's own label; ``id`` is the element's on the page."""

    id: str
    name: str
    label: str
    text: str


@dataclass(frozen=True)
class Part:
    """What is to be done on one screen: of a step, or of one of its layouts (then it has a ``name``)."""

    name: str
    do: tuple[Line, ...]
    values: tuple[Value, ...]
    mistakes: tuple[Line, ...]
    picture: str
    alt: str


@dataclass(frozen=True)
class Stage:
    """One numbered step."""

    number: int
    title: str
    parts: tuple[Part, ...]
    is_optional: bool
    asks: bool
    last_checked: date | None


def walk(request: Any, provider: Provider, walkthrough: Walkthrough, sp: ServiceProvider) -> list[Stage]:
    """The steps in order. Every value's element has an id of its own, however often the value is shown."""
    ids = count(1)

    def values(shows: Iterable[Shown]) -> tuple[Value, ...]:
        return tuple(
            Value(f"value-{next(ids)}", shown.value, shown.label, sp.value(shown.value)) for shown in shows
        )

    def part(of: Step | Layout, name: str) -> Part:
        return Part(
            name=name,
            do=of.do,
            values=values(of.shows),
            mistakes=of.mistakes,
            picture=_address(request, provider, of.picture),
            alt=of.picture.alt if of.picture is not None else "",
        )

    return [
        Stage(
            number=number,
            title=step.title,
            parts=tuple(part(layout, layout.name) for layout in step.layouts) or (part(step, ""),),
            is_optional=step.optional,
            asks=bool(step.asks),
            last_checked=step.last_checked,
        )
        for number, step in enumerate(walkthrough.steps, start=1)
    ]


def _address(request: Any, provider: Provider, picture: Picture | None) -> str:
    if picture is None:
        return ""
    return str(request.route_path("portal.asset", provider=provider.key, path=picture.path))
