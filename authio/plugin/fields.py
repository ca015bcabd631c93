"""The form fields that most providers ask for, ready for a schema: each with its name and its widget.

A provider gives title and description in its console's own words. Fields are optional for the form:
what is missing is said by the connector, whose ``ways`` know which fields go together.
"""

from __future__ import annotations

from typing import Any

import colander
from deform.widget import PasswordWidget, TextAreaWidget, TextInputWidget, Widget


class Upload(colander.SchemaType):
    """The bytes of one uploaded file, whatever the form library hands over for it."""

    def serialize(self, node: colander.SchemaNode, appstruct: Any) -> Any:
        """Nothing: a file cannot be given back to a browser."""
        return colander.null

    def deserialize(self, node: colander.SchemaNode, cstruct: Any) -> Any:
        """The file's bytes, or null when none was chosen."""
        if isinstance(cstruct, bytes):
            return cstruct or colander.null
        if isinstance(cstruct, str) or cstruct in (None, colander.null):
            return colander.null
        file = getattr(cstruct, "file", cstruct)
        if not hasattr(file, "read"):
            raise colander.Invalid(node, "This is not a file.")
        return file.read() or colander.null

    def cstruct_children(self, node: colander.SchemaNode, cstruct: Any) -> list[Any]:
        """A file has no parts."""
        return []


class UploadWidget(Widget):
    """A plain file input, without a store between requests. The template is called ``upload``."""

    template = "upload"
    readonly_template = "upload"
    accept = ".xml,text/xml,application/xml,application/samlmetadata+xml"

    def serialize(self, field: Any, cstruct: Any, **kw: Any) -> Any:
        """The input, always empty."""
        return field.renderer(self.template, field=field, cstruct="", **kw)

    def deserialize(self, field: Any, pstruct: Any) -> Any:
        """What the browser sent, for :class:`Upload` to read."""
        return colander.null if pstruct in (None, colander.null, "", b"") else pstruct


def line(name: str, *, title: str, description: str, placeholder: str = "") -> colander.SchemaNode:
    """One line of text."""
    attributes = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
    if placeholder:
        attributes["placeholder"] = placeholder
    return _node(name, title, description, TextInputWidget(attributes=attributes))


def box(name: str, *, title: str, description: str, rows: int = 8) -> colander.SchemaNode:
    """Text of several lines."""
    widget = TextAreaWidget(rows=rows, attributes={"autocomplete": "off", "spellcheck": "false"})
    return _node(name, title, description, widget)


def secret(name: str, *, title: str, description: str) -> colander.SchemaNode:
    """A secret: never shown back."""
    widget = PasswordWidget(
        redisplay=False, attributes={"autocomplete": "new-password", "spellcheck": "false"}
    )
    return _node(name, title, description, widget)


def upload(name: str, *, title: str, description: str) -> colander.SchemaNode:
    """One file, which arrives as bytes."""
    return colander.SchemaNode(
        Upload(), name=name, title=title, description=description, missing="", widget=UploadWidget()
    )


def _node(name: str, title: str, description: str, widget: Widget) -> colander.SchemaNode:
    # An empty input is no answer; blanks around one are for the connector to take off.
    return colander.SchemaNode(
        colander.String(allow_empty=True),
        name=name,
        title=title,
        description=description,
        missing="",
        widget=widget,
    )
