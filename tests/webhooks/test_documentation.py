"""What docs/webhooks.md says: its catalogue, and its test vectors."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from authio.webhooks import verify
from authio.wire.event import CATALOGUE, NOT_SENT_YET
from authio.wire.webhook import signature_headers

TEXT = (Path(__file__).parent.parent.parent / "docs" / "webhooks.md").read_text(encoding="utf-8")
SECRET, BODY, HEADERS = re.search(  # type: ignore[union-attr]
    r"The secret is `(whsec_\S+)`.*?```text\n(.*?)\n```.*?```text\n(.*?)\n```", TEXT, re.DOTALL
).groups()
EXPECTED = dict(line.split(": ", 1) for line in HEADERS.splitlines())


def test_the_table_of_event_types_is_the_catalogue():
    table = TEXT.partition("<!-- catalogue")[2].partition("<!-- end of catalogue")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]

    assert {name.strip("`"): (when, data) for name, when, data in rows} == {
        name: (event_type.when, event_type.data) for name, event_type in CATALOGUE.items()
    }


def test_types_that_are_not_sent_yet_are_named():
    [sentence] = re.findall(r"^These types of the same wire .*$", TEXT, re.MULTILINE)

    assert set(re.findall(r"`([^`]+)`", sentence)) == NOT_SENT_YET


def test_the_vectors_are_what_we_send():
    at = datetime(2026, 1, 1, 0, 0, 0, 678000, tzinfo=UTC)

    made = signature_headers(
        BODY.encode(), secrets=[SECRET], message_id="event_01KF0YW7HN5EXAMP1E00000008", at=at
    )

    assert made == EXPECTED


@pytest.mark.parametrize("prefix", ["Authio-", "WorkOS-", "webhook-"])
def test_the_vectors_are_what_receivers_accept(prefix):
    headers = {name: value for name, value in EXPECTED.items() if name.startswith(prefix)}

    assert verify(BODY.encode(), headers, SECRET, now=1767225600)["event"] == "organization.created"
