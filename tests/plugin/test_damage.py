"""Documents damaged at random: each is judged, quickly, and none is a fault of ours."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authio.plugin import Context
from authio.plugin.inspection import Verdict, inspect_document
from authio.plugin.loader import Plugins
from tests.plugin.conftest import DISCOVERY, METADATA

PIECES = [
    *(b"", b"<", b">", b"&", b'"', b"\x00", b"\xff\xfe", b"<!DOCTYPE a>", b"&x;"),
    *(b"<![CDATA[", b"]]>", b"<!--", b"-->", b"{", b"}", b"[", b"\\u0000", b"null", b"true"),
    *(b"-1", b'"issuer":1,', b"{tenant}", b"http://", b"https://10.0.0.1/"),
]
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 60), st.one_of(st.sampled_from(PIECES), st.binary(max_size=6))),
    min_size=1,
    max_size=5,
)
FIXTURES_KEEP_NOTHING = [HealthCheck.function_scoped_fixture]


def damaged(document: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for where, length, piece in edits:
        start = int(where * len(document))
        document = document[:start] + piece + document[start + length :]
    return document


@pytest.mark.parametrize(("key", "document"), [("acme-saml", METADATA), ("acme-oidc", DISCOVERY)])
@settings(max_examples=200, deadline=None, suppress_health_check=FIXTURES_KEEP_NOTHING)
@given(edits=EDITS)
def test_damage_is_judged_and_never_a_fault(
    plugins: Plugins, context: Context, key: str, document: bytes, edits: list[tuple[float, int, bytes]]
) -> None:
    connector = plugins.connector(key)
    assert connector is not None
    started = time.monotonic()

    found = inspect_document(plugins, connector, damaged(document, edits), context)

    assert "provider_failed" not in {finding.code for finding in found.findings}
    assert (found.settings is None) <= (found.verdict is Verdict.REJECT)
    assert time.monotonic() - started < 1


def test_a_document_is_judged_in_milliseconds(plugins: Plugins, context: Context) -> None:
    connector = plugins.connector("acme-saml")
    assert connector is not None
    times = []
    for _ in range(21):
        started = time.perf_counter()
        inspect_document(plugins, connector, METADATA, context)
        times.append(time.perf_counter() - started)

    assert sorted(times)[10] < 0.020
