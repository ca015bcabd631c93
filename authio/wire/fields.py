"""The types of fields in JSON bodies and query strings: strict, and refusing without repeating the value.

Each type and validator also says what it is in JSON Schema, so that the published document and the check
cannot disagree.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import colander

from authio.errors import CODES, AuthioError, BadRequest, FieldError, Unprocessable

MOST_LABELS, LONGEST_LABEL_KEY, LONGEST_LABEL = 50, 40, 600
_FORBIDDEN = frozenset({"Cc", "Cs"})
_ID = re.compile(r"[a-z][a-z_]{0,30}_[0-9A-HJKMNP-TV-Z]{26}\Z")
_EMAIL = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


class Complaint(str):
    """A sentence for the caller, with its stable code. A code of the error table becomes the answer's own."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: str, message: str | None = None) -> Complaint:
        made = super().__new__(cls, CODES[code].message if message is None else message)
        made.code = code
        return made


REQUIRED = Complaint("required", "This field has to be given.")
_WRONG_TYPE = "invalid_type"
_ELSE = Complaint("invalid", "This value is refused.")


def refuse(node: Any, code: str, message: str | None = None) -> None:
    """Raise what colander collects."""
    raise colander.Invalid(node, Complaint(code, message))


def has_forbidden_characters(text: str) -> bool:
    """Whether *text* holds a control character or half of a surrogate pair, which nobody types."""
    if text.isascii() and text.isprintable():
        return False
    return any(unicodedata.category(character) in _FORBIDDEN for character in text)


# -- types ---------------------------------------------------------------------------------------------


class _Type(colander.SchemaType):
    """``null`` counts as absent, unless the field says that it may be emptied."""

    def __init__(self, *, nullable: bool = False) -> None:
        self.nullable = nullable

    def deserialize(self, node: Any, cstruct: Any) -> Any:
        if cstruct is colander.null:
            return colander.null
        if cstruct is None:
            return None if self.nullable else colander.null
        return self.read(node, cstruct)

    def read(self, node: Any, value: Any) -> Any:
        raise AttributeError(f"{type(self).__name__} has to say how it reads a value")

    def json_schema(self) -> dict[str, Any]:
        schema = self.described()
        if self.nullable:
            schema["type"] = [schema["type"], "null"]
        return schema

    def described(self) -> dict[str, Any]:
        return {"type": "string"}


class Text(_Type):
    """A line of text, of at least one character."""

    def __init__(self, *, most: int = 200, nullable: bool = False) -> None:
        super().__init__(nullable=nullable)
        self.most = most

    def read(self, node: Any, value: Any) -> Any:
        if not isinstance(value, str):
            refuse(node, _WRONG_TYPE, "Must be text.")
        if has_forbidden_characters(value):
            refuse(node, "forbidden_character", "Must not hold control characters.")
        if not value.strip():
            refuse(node, "blank", "Must not be blank.")
        if len(value) > self.most:
            refuse(node, "too_long", f"Must be at most {self.most} characters long.")
        return value

    def described(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": self.most}


class Email(Text):
    """An e-mail address, as far as its shape can tell."""

    def __init__(self) -> None:
        super().__init__(most=320)

    def read(self, node: Any, value: Any) -> Any:
        address = super().read(node, value).strip()
        if not _EMAIL.match(address):
            refuse(node, "invalid_email", "Must be an e-mail address.")
        return address

    def described(self) -> dict[str, Any]:
        return {"type": "string", "format": "email", "maxLength": self.most}


class Domain(Text):
    """A domain name; read in lower case, and international names in their ASCII form."""

    def __init__(self) -> None:
        super().__init__(most=253)

    def read(self, node: Any, value: Any) -> Any:
        name = super().read(node, value).strip().rstrip(".").lower()
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            name = ""
        labels = name.split(".")
        if len(labels) < 2 or labels[-1].isdigit() or not all(_LABEL.match(label) for label in labels):
            refuse(node, "invalid_domain", "Must be a domain name such as example.com.")
        return name


class Id(Text):
    """One of our identifiers. Whether there is such a thing is another question."""

    def __init__(self) -> None:
        super().__init__(most=64)

    def read(self, node: Any, value: Any) -> Any:
        text = super().read(node, value)
        if not _ID.match(text):
            refuse(node, "invalid_id", "Must be an id.")
        return text


class Whole(_Type):
    """A whole number in a range. ``true``, ``1.0`` and ``"1"`` are none; in a query string digits are."""

    def __init__(self, least: int, most: int, *, complaint: str = "", digits: bool = False) -> None:
        super().__init__()
        self.least, self.most, self.digits = least, most, digits
        sentence = f"Must be a whole number from {least} to {most}."
        self.complaint = Complaint(complaint) if complaint else Complaint("out_of_range", sentence)

    def read(self, node: Any, value: Any) -> Any:
        if self.digits and isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise colander.Invalid(node, self.complaint)
        return value

    def described(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Flag(_Type):
    """``true`` or ``false``."""

    def read(self, node: Any, value: Any) -> Any:
        if not isinstance(value, bool):
            refuse(node, _WRONG_TYPE, "Must be true or false.")
        return value

    def described(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Moment(Text):
    """A point in time in UTC with ``Z``, or a date, which means its beginning."""

    def __init__(self) -> None:
        super().__init__(most=40)

    def read(self, node: Any, value: Any) -> Any:
        text = super().read(node, value)
        if not re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z)?", text):
            refuse(node, "invalid_time", "Must be a time in UTC such as 2026-01-15T12:00:00.000Z.")
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            refuse(node, "invalid_time", "Must be a time in UTC such as 2026-01-15T12:00:00.000Z.")
        return moment.replace(tzinfo=UTC)

    def described(self) -> dict[str, Any]:
        return {"type": "string", "description": "ISO 8601 in UTC with Z, or a date."}


class Labels(_Type):
    """The vendor's own keys and values. With *removable*, a value may be null: the key is taken away."""

    def __init__(self, *, removable: bool = False) -> None:
        super().__init__()
        self.removable = removable

    def read(self, node: Any, value: Any) -> Any:
        fits = isinstance(value, dict) and len(value) <= MOST_LABELS
        if not fits or not all(self._fits(key, one) for key, one in value.items()):
            refuse(node, "invalid_metadata")
        return dict(value)

    def _fits(self, key: str, value: Any) -> bool:
        if not 1 <= len(key) <= LONGEST_LABEL_KEY or has_forbidden_characters(key):
            return False
        if value is None:
            return self.removable
        return isinstance(value, str) and len(value) <= LONGEST_LABEL and not has_forbidden_characters(value)

    def described(self) -> dict[str, Any]:
        return {
            "type": "object",
            "maxProperties": MOST_LABELS,
            "propertyNames": {"maxLength": LONGEST_LABEL_KEY},
            "additionalProperties": {
                "type": ["string", "null"] if self.removable else "string",
                "maxLength": LONGEST_LABEL,
            },
        }


class List(colander.Sequence):
    """A list; ``null`` counts as absent."""

    def __init__(self, *, least: int = 0, most: int = 100) -> None:
        super().__init__()
        self.least, self.most = least, most

    def deserialize(self, node: Any, cstruct: Any, accept_scalar: Any = None) -> Any:
        if cstruct is colander.null or cstruct is None:
            return colander.null
        if not isinstance(cstruct, list):
            refuse(node, _WRONG_TYPE, "Must be a list.")
        if not self.least <= len(cstruct) <= self.most:
            refuse(node, "invalid_length", f"Must hold {self.least} to {self.most} values.")
        return super().deserialize(node, cstruct)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "minItems": self.least, "maxItems": self.most}


# -- validators ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OneOf:
    """One of a few words."""

    words: Sequence[str]
    code: str = "not_allowed"

    def __call__(self, node: Any, value: Any) -> None:
        if value not in self.words:
            text = None if self.code in CODES else f"Must be one of: {', '.join(self.words)}."
            refuse(node, self.code, text)

    def json_schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Matches:
    """Text of a certain shape."""

    pattern: str
    code: str
    message: str

    def __call__(self, node: Any, value: Any) -> None:
        if value is not None and not re.fullmatch(self.pattern, value):
            refuse(node, self.code, self.message)

    def json_schema(self) -> dict[str, Any]:
        return {"pattern": f"^(?:{self.pattern})$"}


# -- nodes ---------------------------------------------------------------------------------------------


def required(typ: Any, *children: Any, **options: Any) -> Any:
    """A field that has to be there."""
    return colander.SchemaNode(typ, *children, missing_msg=REQUIRED, **options)


def optional(typ: Any, *children: Any, default: Any = colander.drop, **options: Any) -> Any:
    """A field that may be absent; then it is *default*, or absent from what is read."""
    return colander.SchemaNode(typ, *children, missing=default, **options)


def read(schema: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    """*value* as *schema* reads it, unknown keys left out.

    Raises what it is answered with: the code of the table where all that is wrong has such codes, else
    ``validation_failed``, with one entry per field either way.
    """
    try:
        found: dict[str, Any] = schema.deserialize(dict(value))
    except colander.Invalid as invalid:
        raise refusal(invalid) from None
    return found


def refusal(invalid: Any) -> AuthioError:
    """The error that answers what colander found."""
    errors = []
    for field, messages in invalid.asdict(separator=None).items():
        for message in messages:
            complaint = message if isinstance(message, Complaint) else _ELSE
            if message == REQUIRED:
                # colander hands this one out as a translation string of its own.
                complaint = REQUIRED
            errors.append(FieldError(field=field, code=complaint.code, message=str(complaint)))
    codes = [error.code for error in errors]
    code = codes[0] if codes and all(one in CODES for one in codes) else "validation_failed"
    kind = BadRequest if CODES[code].status == BadRequest.status else Unprocessable
    return kind(code, errors=errors)
