"""From a judged SAML response to the profile of a person."""

from __future__ import annotations

from authio.protocols.profile import Profile, Table, Unclear, read_profile
from authio.protocols.refusals import SamlRefused
from authio.protocols.saml import EMAIL_FORMAT
from authio.protocols.saml_response import Judged


def profile_from_saml(judged: Judged, table: Table) -> Profile:
    """The profile of who a response has signed in, by the attribute table of its connection.

    A missing e-mail address (``missing``), or a single field with two values (``unclear``), is the refusal
    ``saml_attribute``; ``expected`` is the field, and ``found`` what there was.
    """
    try:
        return read_profile(
            judged.attributes,
            table,
            raw=dict(judged.attributes),
            subject=judged.name_id,
            subject_is_address=judged.name_id_format == EMAIL_FORMAT,
        )
    except Unclear as unclear:
        raise SamlRefused(
            "saml_attribute",
            check="missing" if unclear.is_missing else "unclear",
            found=unclear.found,
            expected=unclear.field,
            because=unclear.because,
        ) from None
