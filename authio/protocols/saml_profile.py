"""From a judged SAML response to the profile of a person."""

from __future__ import annotations

from authio.protocols.profile import Profile, Table, Unclear, read_profile
from authio.protocols.refusals import SamlRefused
from authio.protocols.saml import EMAIL_FORMAT
from authio.protocols.saml_response import Judged


def profile_from_saml(judged: Judged, table: Table) -> Profile:
    """The profile of who a response has signed in, by the attribute table of its connection.

    A missing e-mail address, or a single field with two values, is the refusal ``saml_attribute``.
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
            "saml_attribute", found=unclear.found, expected=unclear.field, because=unclear.because
        ) from None
