"""The bodies of forms: what browsers write is understood, what costs more than that is refused at once."""

from __future__ import annotations

import time

import pytest
import requests

from authio.errors import BadRequest
from authio.views.portal.form_bodies import MOST_FIELDS, read_fields
from tests.web.portal.conftest import ItAdmin, code_of

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=X"


def part(head: str, value: bytes = b"v") -> bytes:
    return b"--X\r\n" + head.encode() + b"\r\n\r\n" + value + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--X--\r\n"


NAMED = 'Content-Disposition: form-data; name="a"'


def test_what_a_client_writes_is_what_is_read() -> None:
    fields = {"text": 'grüße\r\n--X "quoted"', "empty": ""}
    sent = requests.Request(
        "POST", "http://localhost", data=fields, files={"file": ('ä;".xml', b"\x00\xff\r\n--X\r\n")}
    ).prepare()

    assert isinstance(sent.body, bytes)
    assert read_fields(sent.headers["Content-Type"], sent.body) == [
        *fields.items(),
        ("file", b"\x00\xff\r\n--X\r\n"),
    ]


def test_what_a_browser_writes_for_a_file_that_was_not_chosen_is_no_bytes() -> None:
    body = multipart(part(NAMED + '; filename=""\r\nContent-Type: application/octet-stream', b""))

    assert read_fields(MULTIPART, body) == [("a", b"")]


def test_an_urlencoded_form_keeps_its_order_and_its_repeats() -> None:
    assert read_fields(URLENCODED + "; charset=latin-1", b"b=%C3%BC+1&a=&b=2") == [
        ("b", "ü 1"),
        ("a", ""),
        ("b", "2"),
    ]


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/json", "multipart/mixed; boundary=X"]
)
def test_what_is_no_form_has_no_fields(content_type: str) -> None:
    assert read_fields(content_type, multipart(part(NAMED))) == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param(URLENCODED, b"a=%ff", id="not-utf-8"),
        pytest.param(URLENCODED, b"a=\xff", id="not-ascii"),
        pytest.param("multipart/form-data", multipart(part(NAMED)), id="no-boundary"),
        pytest.param("multipart/form-data; boundary=" + "X" * 71, b"", id="long-boundary"),
        pytest.param(MULTIPART, b"", id="empty"),
        pytest.param(MULTIPART, part(NAMED), id="no-end"),
        pytest.param(MULTIPART, multipart(part("X: y")), id="no-disposition"),
        pytest.param(MULTIPART, multipart(part('Content-Disposition: attachment; name="a"')), id="no-field"),
        pytest.param(MULTIPART, multipart(part("Content-Disposition: form-data; name=a b")), id="no-value"),
        pytest.param(MULTIPART, multipart(part(NAMED, b"\xff")), id="part-not-utf-8"),
        pytest.param(MULTIPART, multipart(part(NAMED + "\r\nX: " + "y" * 3000)), id="long-head"),
    ],
)
def test_what_no_browser_writes_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_fields(content_type, body)


MEGABYTES = 4 * 1024 * 1024
DEAR = {
    "fields": (URLENCODED, (b"a&" * 2_100_000)[:MEGABYTES]),
    "names": (URLENCODED, b"&".join(b"%x=" % number for number in range(500_000))),
    "parts": (MULTIPART, multipart(*(part(NAMED, b"") for _ in range(60_000)))),
    "files": (MULTIPART, multipart(*(part(NAMED + '; filename="f"', b"") for _ in range(50_000)))),
    "headers": (MULTIPART, multipart(part(NAMED + "\r\n" + "\r\n".join(["A: b"] * 200_000)))),
    "blanks": (MULTIPART, multipart(*[part(NAMED + ";" + " " * 1900 + "=")] * MOST_FIELDS)),
    "quotes": (MULTIPART, multipart(*[part(NAMED + '; b="' + '\\"' * 900)] * MOST_FIELDS)),
}


@pytest.mark.parametrize("what", DEAR)
def test_SEC_16_a_form_that_is_dear_to_read_is_refused_cheaply(what: str) -> None:
    started = time.process_time()

    with pytest.raises(BadRequest):
        read_fields(*DEAR[what])

    # Read with a general reader these cost between 4 and 30 seconds.
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("count", [MOST_FIELDS, MOST_FIELDS + 1])
def test_SEC_16_a_form_has_so_many_fields_and_no_more(count: int) -> None:
    bodies = {
        URLENCODED: b"&".join([b"a=v"] * count),
        MULTIPART: multipart(*[part(NAMED)] * count),
    }
    for content_type, body in bodies.items():
        if count > MOST_FIELDS:
            with pytest.raises(BadRequest):
                read_fields(content_type, body)
        else:
            assert read_fields(content_type, body) == [("a", "v")] * count


@pytest.mark.parametrize("encoding", ["xyz", "rot13", "zlib", "hex"])
def test_a_part_in_an_encoding_that_is_none_is_no_mistake_of_ours(ready: ItAdmin, encoding: str) -> None:
    _, fields = ready.body("save")
    head = f"{NAMED}\r\nContent-Type: text/plain; charset={encoding}"
    token = part('Content-Disposition: form-data; name="form_token"', fields["form_token"].encode())

    answer = ready.app.post(
        "/setup/connect", multipart(token, part(head)), {"Content-Type": MULTIPART}, status="*"
    )

    assert answer.status_int == 422


@pytest.mark.parametrize("encoding", ["utf-7", "latin-1", "xyz"])
def test_a_form_in_another_encoding_is_no_mistake_of_ours(ready: ItAdmin, encoding: str) -> None:
    answer = ready.app.post(
        "/setup/save", b"a=b", {"Content-Type": f"{URLENCODED}; charset={encoding}"}, status="*"
    )

    assert (answer.status_int, code_of(answer)) == (403, "csrf_failed")
