"""The two encodings of a form, read strictly: what browsers write is taken, and nothing else.

A general reader understands more (encodings of parts, parts within parts, any number of either), all of which
is the sender's to choose and ours to pay for.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from authio.errors import BadRequest

MOST_FIELDS = 100
"""Fields in one form; ours have a dozen."""
_LONGEST_HEAD = 2048
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_VALUE = r'(?:"(?:\\.|[^"\\])*"|[^\s;"]*)'
_DISPOSITION = re.compile(rf"form-data((?:\s*;\s*[\w*]+={_VALUE})+);?", re.IGNORECASE)
_PARAMETER = re.compile(rf";\s*([\w*]+)=({_VALUE})")

Fields = list[tuple[str, str | bytes]]


def read_fields(content_type: str, body: bytes) -> Fields:
    """Names and values in their order; what was sent as a file is bytes. No form at all has no fields.

    BadRequest for what is not a form as browsers write it, or holds more fields than any of ours.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            return _urlencoded(body)
        if kind == "multipart/form-data":
            return _multipart(content_type, body)
    except ValueError:
        raise BadRequest("bad_request") from None
    return []


def _urlencoded(body: bytes) -> Fields:
    found = parse_qsl(
        body.decode("ascii"),
        keep_blank_values=True,
        encoding="utf-8",
        errors="strict",
        max_num_fields=MOST_FIELDS,
    )
    return list(found)


def _multipart(content_type: str, body: bytes) -> Fields:
    declared = _BOUNDARY.search(content_type)
    if declared is None:
        raise ValueError("no boundary")
    delimiter = b"\r\n--" + (declared[1] or declared[2]).encode("ascii")
    # What stands before the first delimiter and behind the last is nobody's; one part more than is allowed
    # is enough to know.
    _, *parts = (b"\r\n" + body).split(delimiter, MOST_FIELDS + 2)
    if not parts or not parts[-1].startswith(b"--") or len(parts) > MOST_FIELDS + 1:
        raise ValueError("no end, or too many parts")
    return [_part(part) for part in parts[:-1]]


def _part(part: bytes) -> tuple[str, str | bytes]:
    head, blank, value = part.partition(b"\r\n\r\n")
    if not blank or not head.startswith(b"\r\n") or len(head) > _LONGEST_HEAD:
        raise ValueError("not a part")
    for line in head.decode("utf-8").split("\r\n"):
        header, _, text = line.partition(":")
        if header.strip().lower() == "content-disposition":
            break
    else:
        raise ValueError("a part without a name")
    disposition = _DISPOSITION.fullmatch(text.strip())
    if disposition is None:
        raise ValueError("a part of another kind")
    parameters = {key.lower(): quoted for key, quoted in _PARAMETER.findall(disposition[1])}
    name = _unquoted(parameters.get("name", ""))
    is_file = "filename" in parameters or "filename*" in parameters
    return name, value if is_file else value.decode("utf-8")


def _unquoted(text: str) -> str:
    # Browsers write quotes and line ends within a name as %22, %0D and %0A; none of our names hold any.
    return text[1:-1] if text.startswith('"') else text
