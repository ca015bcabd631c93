"""SAML responses judged: from the bytes at the ACS URL to who was signed in, or to a named refusal."""

from __future__ import annotations

from authio.protocols.refusals import SamlRefused
from authio.protocols.saml_response.judgement import Expected, Judged, SamlResponse, judge, read_response
from authio.protocols.saml_response.keys import Keys, VerifyingKey
from authio.protocols.saml_response.signature import UNKNOWN_KEY

__all__ = [
    "UNKNOWN_KEY",
    "Expected",
    "Judged",
    "Keys",
    "SamlRefused",
    "SamlResponse",
    "VerifyingKey",
    "judge",
    "read_response",
]
