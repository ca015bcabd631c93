"""The types of fields: what they take, and how they say no."""

from __future__ import annotations

from typing import Any

import colander
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authio.errors import CODES, AuthioError
from authio.wire import fields
from authio.wire.organization import merged_metadata


def schema(**nodes: Any) -> Any:
    made = colander.SchemaNode(colander.Mapping())
    for name, node in nodes.items():
        node.name = name
        made.add(node)
    return made


def outcome(made: Any, value: dict[str, Any]) -> tuple[dict[str, Any], AuthioError | None]:
    try:
        return fields.read(made, value), None
    except AuthioError as refused:
        return {}, refused


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.characters(categories=["Cs", "Cc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TYPES = [
    fields.Text(),
    fields.Email(),
    fields.Domain(),
    fields.Id(),
    fields.Whole(1, 10),
    fields.Whole(1, 10, digits=True),
    fields.Flag(),
    fields.Moment(),
    fields.Labels(),
    fields.Labels(removable=True),
]


@pytest.mark.parametrize("typ", TYPES, ids=lambda typ: type(typ).__name__)
@given(value=ANYTHING)
def test_whatever_comes_is_read_or_refused_with_codes(typ: Any, value: Any) -> None:
    found, refused = outcome(schema(field=fields.optional(typ)), {"field": value})

    if refused is None:
        assert value is None or "field" in found
    else:
        assert refused.status in {400, 422}
        assert [error.field for error in refused.errors] == ["field"]
        assert all(error.code.isidentifier() and error.message for error in refused.errors)


@given(value=st.text())
def test_text_that_is_taken_can_be_stored_and_logged(value: str) -> None:
    try:
        taken = fields.read(schema(field=fields.required(fields.Text())), {"field": value})["field"]
    except AuthioError:
        return
    assert taken == value
    taken.encode()
    assert not set(taken) & {"\x00", "\n", "\r", "\x1b", "\x7f", "\x85"}


@pytest.mark.parametrize("value", [True, False, 1.0, "1", None, [1]])
def test_only_a_number_is_a_whole_number(value: Any) -> None:
    with pytest.raises(AuthioError):
        fields.read(schema(field=fields.required(fields.Whole(0, 10))), {"field": value})


def test_the_code_of_the_table_is_the_answer_s_own_only_if_nothing_else_is_wrong() -> None:
    made = schema(
        ttl=fields.required(fields.Whole(1, 2, complaint="ttl_out_of_range")),
        name=fields.required(fields.Text()),
    )

    with pytest.raises(AuthioError) as one:
        fields.read(made, {"ttl": 9, "name": "A"})
    with pytest.raises(AuthioError) as both:
        fields.read(made, {"ttl": 9})

    assert (one.value.code, one.value.status) == ("ttl_out_of_range", 422)
    assert both.value.code == "validation_failed"
    assert [(error.field, error.code) for error in both.value.errors] == [
        ("ttl", "ttl_out_of_range"),
        ("name", "required"),
    ]


def test_a_complaint_of_the_library_is_told_without_the_value() -> None:
    made = schema(field=fields.required(fields.Text(), validator=colander.OneOf(["a"])))

    with pytest.raises(AuthioError) as refused:
        fields.read(made, {"field": "secret-value"})

    assert "secret-value" not in repr(refused.value.errors)
    assert refused.value.errors[0].code == "invalid"


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("a@b.example", True),
        ("first.last+tag@sub.acme.example", True),
        ("admin@localhost", True),
        ("ü@acme.example", True),
        ("a@b@c.example", False),
        ("@acme.example", False),
        ("a@", False),
        ("a@.example", False),
        ("a@example-", False),
        ("a b@acme.example", False),
        ("<a@acme.example>", False),
        ("a@acme.example, b@acme.example", False),
    ],
)
def test_an_e_mail_address_is_judged_by_its_shape(address: str, fits: bool) -> None:
    made = schema(field=fields.required(fields.Email()))

    if fits:
        assert fields.read(made, {"field": address}) == {"field": address}
    else:
        with pytest.raises(AuthioError):
            fields.read(made, {"field": address})


@given(
    present=st.dictionaries(st.sampled_from("abcd"), st.text(max_size=3)),
    changes=st.dictionaries(st.sampled_from("abcd"), st.none() | st.text(max_size=3)),
)
def test_merging_metadata_sets_what_is_text_and_removes_what_is_null(
    present: dict[str, str], changes: dict[str, str | None]
) -> None:
    merged = merged_metadata(present, changes)

    if not changes:
        assert merged == {}
    else:
        assert set(merged) == (set(present) | set(changes)) - {
            key for key, one in changes.items() if one is None
        }
        assert all(merged[key] == changes.get(key, present.get(key)) for key in merged)


def test_every_code_of_its_own_that_a_field_can_have_is_in_the_table() -> None:
    for code in ("ttl_out_of_range", "intent_not_available", "url_forbidden", "invalid_metadata"):
        assert fields.Complaint(code) == CODES[code].message
