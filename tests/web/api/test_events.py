"""The Events API: oldest first, filtered, and followed by a cursor that is kept."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from authio.models import events
from tests.web.api.conftest import Begin, Vendor

MADE = "organization.created"


def make(api: Vendor, name: str) -> str:
    return str(api.post_json("/organizations", {"name": name}).json["id"])


def names(api: Vendor, query: str) -> list[str]:
    return [event["data"]["name"] for event in api.get(f"/events?{query}").json["data"]]


ORDERS = ["", "&order=desc", "&order=asc", "&order=normal"]


def test_events_are_oldest_first_whatever_the_order_says(api: Vendor, subtests: pytest.Subtests) -> None:
    for name in "ABC":
        make(api, name)

    for order in ORDERS:
        with subtests.test(order=order):
            assert names(api, f"events={MADE}{order}") == ["A", "B", "C"]


def test_the_types_are_required(api: Vendor) -> None:
    for query in ("", "?events=", "?events=,"):
        refused = api.get(f"/events{query}", status=422).json
        assert [one["field"] for one in refused["errors"]] == ["events"]


SPELLINGS = [
    "events=organization.created,organization.deleted",
    "events=organization.created&events=organization.deleted",
    "events%5B0%5D=organization.created&events%5B1%5D=organization.deleted",
    "events[]=organization.created&events[]=organization.deleted",
]


def test_types_come_in_four_spellings_and_nothing_else_is_returned(
    api: Vendor, subtests: pytest.Subtests
) -> None:
    organization = make(api, "A")
    api.put_json(f"/organizations/{organization}", {"name": "B"})
    api.delete(f"/organizations/{organization}")

    for query in SPELLINGS:
        with subtests.test(query=query):
            found = [event["event"] for event in api.get(f"/events?{query}").json["data"]]

            assert found == ["organization.created", "organization.deleted"]


def test_a_cursor_is_followed_to_the_end_and_finds_what_comes_later(api: Vendor) -> None:
    for name in "ABC":
        make(api, name)
    first = api.get(f"/events?events={MADE}&limit=2").json
    rest = api.get(f"/events?events={MADE}&limit=2&after={first['list_metadata']['after']}").json
    last = rest["data"][-1]["id"]

    assert [event["data"]["name"] for event in first["data"] + rest["data"]] == ["A", "B", "C"]
    assert first["list_metadata"]["before"] is None
    assert rest["list_metadata"] == {"before": None, "after": None}
    assert names(api, f"events={MADE}&after={last}") == []
    make(api, "D")
    assert names(api, f"events={MADE}&after={last}") == ["D"]


def test_events_of_one_organization_and_of_a_time(api: Vendor, clock: Any) -> None:
    from authio.clock import wire_time

    first = make(api, "A")
    clock.step(minutes=1)
    middle = wire_time(clock.now())
    make(api, "B")

    assert names(api, f"events={MADE}&organization_id={first}") == ["A"]
    assert names(api, f"events={MADE}&range_start={middle}") == ["B"]
    assert names(api, f"events={MADE}&range_end={middle}") == ["A"]
    assert names(api, f"events={MADE}&range_start=2020-01-01&range_end=2020-01-02") == []


NO_UTC_TIMES = [
    "yesterday",
    "1767225600",
    "2026-13-01",
    "2026-01-01T00:00:00+01:00",
    "2026-01-01T00:00:00",
]


def test_a_time_that_is_not_utc_is_refused(api: Vendor, subtests: pytest.Subtests) -> None:
    for moment in NO_UTC_TIMES:
        with subtests.test(moment=moment):
            refused = api.get("/events", {"events": MADE, "range_start": moment}, status=422).json

            assert refused["errors"][0]["code"] == "invalid_time"


def test_an_event_is_listed_as_it_was_stored(api: Vendor, services: Begin) -> None:
    make(api, "Bücher & Söhne 📚 <\u2028>")

    answer = api.get(f"/events?events={MADE}")

    with services(write=False) as s:
        (body,) = s.session.execute(sa.select(events.c.body)).scalars()
    assert bytes(body) in answer.body


def test_events_of_another_project_are_not_seen(api: Vendor, stranger: Vendor) -> None:
    organization = make(api, "A")

    assert names(stranger, f"events={MADE}") == []
    assert names(stranger, f"events={MADE}&organization_id={organization}") == []
