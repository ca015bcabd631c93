"""Form fields: what a browser sends becomes an answer, and nothing is lost or invented on the way."""

from __future__ import annotations

import io
from typing import Any

import colander
import pytest

from authio.plugin import box, line, secret, upload
from authio.plugin.fields import Upload


class Answers(colander.MappingSchema):
    metadata_url = line("metadata_url", title="Address", description="There.", placeholder="https://…")
    metadata_xml = box("metadata_xml", title="XML", description="There.")
    metadata_file = upload("metadata_file", title="File", description="There.")
    client_secret = secret("client_secret", title="Secret", description="There.")


class Sent:
    """What web frameworks hand over for an uploaded file."""

    def __init__(self, content: bytes) -> None:
        self.file = io.BytesIO(content)
        self.filename = "metadata.xml"


def test_answers_come_as_text_and_files_as_bytes() -> None:
    answers = Answers().deserialize(
        {"metadata_url": " https://a.example ", "metadata_file": Sent(b"\xff\xfe<"), "client_secret": "s"}
    )

    assert answers == {
        "metadata_url": " https://a.example ",
        "metadata_xml": "",
        "metadata_file": b"\xff\xfe<",
        "client_secret": "s",
    }


@pytest.mark.parametrize("nothing", [b"", "", colander.null, Sent(b"")])
def test_no_file_is_no_answer(nothing: Any) -> None:
    assert Answers().deserialize({"metadata_file": nothing})["metadata_file"] == ""


def test_text_in_place_of_a_file_is_no_answer() -> None:
    assert Answers().deserialize({"metadata_file": "a name only"})["metadata_file"] == ""


def test_what_is_no_file_is_refused() -> None:
    with pytest.raises(colander.Invalid):
        Answers().deserialize({"metadata_file": 7})


def test_a_file_and_a_secret_are_never_given_back_to_a_browser() -> None:
    node = Answers()["metadata_file"]

    assert Upload().serialize(node, b"content") is colander.null
    assert Answers()["client_secret"].widget.redisplay is False


def test_no_browser_corrects_or_remembers_what_is_typed() -> None:
    schema = Answers()

    for name in ("metadata_url", "metadata_xml"):
        assert schema[name].widget.attributes["autocomplete"] == "off"
        assert schema[name].widget.attributes["spellcheck"] == "false"
    assert schema["metadata_url"].widget.attributes["placeholder"] == "https://…"
    assert schema["client_secret"].widget.attributes["autocomplete"] == "new-password"
