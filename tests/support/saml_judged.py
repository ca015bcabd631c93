"""The judge as tests call it: what a connection expects, and the refusal that came of a message."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from lxml import etree

from authio.protocols.saml_response import Expected, Judged, Keys, SamlRefused, judge
from tests.support import saml_idp as idp

FACTS = idp.Facts()
MALLORY = "mallory@evil.example"


@cache
def keys() -> Keys:
    return Keys()


def expecting(facts: idp.Facts = FACTS, *, by: idp.Signer | None = None, **changes: Any) -> Expected:
    """What the connection that *facts* are right for expects."""
    expected = Expected(
        acs_url=facts.acs_url,
        sp_entity_id=facts.sp_entity_id,
        idp_entity_id=facts.idp_entity_id,
        certificates=(keys().verifying((by or idp.signer()).pem),),
        now=facts.now,
        request_id=facts.request_id,
    )
    return replace(expected, **changes)


def accepted(message: etree._Element | bytes | str, expected: Expected | None = None) -> Judged:
    """What the judge reads from a message that has to hold."""
    posted = message if isinstance(message, str) else idp.encoded(message)
    return judge(posted, expected or expecting())


def refusal(message: etree._Element | bytes | str, expected: Expected | None = None) -> SamlRefused:
    """Why the judge refuses a message; that nothing comes of it is that nothing is returned."""
    posted = message if isinstance(message, str) else idp.encoded(message)
    try:
        judged = judge(posted, expected or expecting())
    except SamlRefused as refused:
        return refused
    raise AssertionError(f"accepted, as {judged.name_id}")
