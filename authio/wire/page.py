"""Lists on the wire: the query that asks for a page, and the envelope around its objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import colander

from authio.wire.fields import Id, OneOf, Text, Whole, optional


class PageQuery(colander.MappingSchema):
    """What every list takes. ``normal`` is newest first, with ``after`` and ``before`` as moments in time."""

    limit = optional(Whole(1, 100, digits=True), default=10, description="How many objects at most.")
    order = optional(
        Text(most=10),
        default="desc",
        validator=OneOf(("asc", "desc", "normal")),
        description="By time of creation. normal: newest first; before means older, after newer.",
    )
    after = optional(Id(), description="The id of an object: what follows it in this order.")
    before = optional(Id(), description="The id of an object: what comes just before it in this order.")


def list_out(objects: Sequence[dict[str, Any]], *, before: str | None, after: str | None) -> dict[str, Any]:
    """The list object. A cursor is null where there is nothing more on its side."""
    return {"object": "list", "data": list(objects), "list_metadata": {"before": before, "after": after}}
