"""Every code the core itself can find, with its usual level and its sentence for the IT admin.

A provider adds codes of its own, and better sentences for these, in its connector's ``messages``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from authio.protocols.findings import Finding, Level

_ERROR: Mapping[str, str] = {
    # what was brought instead of a document
    "empty": "There is nothing here yet. Bring the metadata of your identity provider.",
    "too_large": "This is larger than any metadata document. Export it again and bring only that file.",
    "not_xml": "This is not an XML document. Bring the metadata file as your identity provider exports it.",
    "malformed_xml": (
        "This XML is damaged, as happens when a part is missing or an editor changed it. "
        "Export the metadata again and upload the file instead of copying its text."
    ),
    "unsupported_encoding": "This file is in an unusual character set. Save it as UTF-8 and try again.",
    "too_deep": "This document is nested deeper than metadata ever is. Export it again.",
    "dtd_forbidden": (
        "This document contains a document type declaration, which is never accepted. "
        "Export the metadata again from your identity provider."
    ),
    "html_page": (
        "This is a web page, not metadata. Open the link in a private window: "
        "if it asks you to sign in, it is not the metadata address."
    ),
    "html_escaped": "The angle brackets were escaped while copying. Download the file and upload that.",
    "browser_view_copied": (
        "This was copied from the browser's view of the file. "
        "Save the page as a file and upload it, or give us its address."
    ),
    "url_in_xml_box": "This is an address, not a document. Put it into the field for the metadata URL.",
    "certificate_not_metadata": (
        "This is only the certificate. Bring the whole metadata document, "
        "or enter the certificate together with the sign-on URL and the entity ID."
    ),
    "private_key": (
        "This is a private key. We never need it; keep it secret, and replace it if it has been shared."
    ),
    "oidc_document": (
        "This document is for OpenID Connect. Bring the SAML metadata, or choose OpenID Connect."
    ),
    "saml_message": "This is a message of one sign-in, not metadata. Bring the metadata document.",
    # what the metadata says
    "no_idp_descriptor": "This document does not describe an identity provider. Export its SAML metadata.",
    "sp_metadata_only": (
        "This describes an application, not the identity provider. "
        "Bring the metadata that your identity provider hands out."
    ),
    "own_sp_metadata": "This is the file we gave you. Bring the one that your identity provider gives.",
    "wsfed_only": "This document is only for WS-Federation. Switch the application to SAML and export again.",
    "no_saml2": "This identity provider speaks only an older SAML. Switch SAML 2.0 on and export again.",
    "multiple_idps": "This file describes several identity providers. Say which entity ID is yours.",
    "metadata_expired": "This metadata has run out. Export a fresh copy from your identity provider.",
    "missing_entity_id": "The metadata has no entity ID. Export it again.",
    "entity_id_too_long": "The entity ID is longer than SAML allows (1,024 characters). Shorten it there.",
    "bad_entity_id": "This entity ID holds blanks, quotes or other characters that no entity ID has.",
    "tenant_template": (
        "This is the template for every tenant, not the document of yours. "
        "Use the address that holds your own tenant's ID."
    ),
    "no_sso_endpoint": "The metadata names no sign-on address. Finish the set-up there, then export again.",
    "no_usable_binding": (
        "The sign-on addresses use neither HTTP-Redirect nor HTTP-POST. Switch one of these on and "
        "export again."
    ),
    "bad_endpoint": "One of the addresses in it is not a web address. Correct it there and export again.",
    "insecure_endpoint": "One of the addresses in it does not begin with https://. Correct it there.",
    "no_signing_cert": (
        "The metadata holds no signing certificate. Create or activate one there, then export again."
    ),
    "bad_certificate": "The signing certificate cannot be read. Copy or export it again, whole.",
    "weak_key": "The signing key is shorter than 1,024 bits. Create a certificate with 2,048 bits or more.",
    "all_signing_certs_expired": (
        "Every signing certificate has expired. Activate a new one there, then bring the new metadata."
    ),
    # what the discovery document says
    "malformed_document": "What came back is not a discovery document. Check the issuer.",
    "error_document": "The server answered with an error. Check the issuer for typing mistakes.",
    "jwks_not_discovery": "These are keys, not a discovery document. Enter the issuer.",
    "saml_metadata_not_discovery": "This is SAML metadata. Enter the OpenID Connect issuer, or choose SAML.",
    "missing_issuer": "The discovery document names no issuer.",
    "issuer_mismatch": (
        "The document names another issuer than the one entered. "
        "Enter the issuer exactly as the identity provider states it."
    ),
    "missing_endpoint": "The discovery document lacks an address that sign-in needs.",
    "missing_jwks_uri": "The discovery document does not say where the signing keys are.",
    "not_openid": "This server speaks OAuth 2.0 without OpenID Connect, so it cannot sign people in.",
    "no_code_flow": (
        "This server does not offer the authorization code flow. Switch it on for the application."
    ),
    "no_asymmetric_alg": (
        "ID tokens would be signed with a shared secret or not at all. Choose RS256 for the application."
    ),
    "unsupported_client_auth": (
        "This server accepts no client secret, and other ways to authenticate are not supported yet."
    ),
    # single values
    "answer_missing": "This is still missing.",
    "answer_too_long": "This is longer than it can be. Copy the value again.",
    "bad_value": "This holds line breaks or other characters that do not belong here. Copy the value again.",
    "bad_url": "This is not a web address. Copy it again from your console; it begins with https://.",
    "insecure_url": "This address begins with http://. Use the https:// address.",
    "private_address": (
        "This address is inside a private network and cannot be reached. Upload the file instead."
    ),
    "mail_gateway_url": (
        "A mail filter has rewritten this address. Copy it from the console itself, not from an e-mail."
    ),
    "admin_console_url": "This is the address of your console, not the one that belongs here.",
    "sso_url_not_metadata": "This is the sign-on address, not the metadata address.",
    "entity_id_not_metadata": "This is the entity ID (issuer), not the metadata address.",
    "oidc_url_for_saml": (
        "This address is for OpenID Connect. Bring the SAML metadata URL, or choose OpenID Connect."
    ),
    "saml_url_for_oidc": "This address is for SAML. Bring the OpenID Connect issuer, or choose SAML.",
    "endpoint_not_issuer": "This is one of the issuer's endpoints. Enter the issuer itself.",
    "not_a_domain": "This is not a domain name. Enter it like login.example.com, without a path.",
    "wrong_host": "This address looks right but is on a host that does not belong to this provider.",
    # getting there
    "fetch_failed": "The address could not be read. Open it in a private window, or upload the file instead.",
    "fetch_timeout": "The address did not answer in time. Try again, or upload the file instead.",
    "fetch_too_large": "The address answers with more than any metadata document holds. Check it.",
    "provider_failed": (
        "This provider could not be checked because of a fault on our side. Your answers are kept; try "
        "again later."
    ),
    "provider_unknown": "No installed provider recognises this. Name the provider and the protocol.",
}

_WARNING: Mapping[str, str] = {
    "wrong_provider": (
        "This does not look like the identity provider you picked. Check, or pick the other one."
    ),
    "unknown_host": (
        "The sign-on address is on a host that this provider does not own. "
        "That is right if your company uses a domain of its own there; check the name."
    ),
    "one_signing_cert_expired": "One of the signing certificates has expired and was left out.",
    "cert_expires_soon": "The signing certificate runs out within 30 days. Plan its replacement.",
    "cert_not_yet_valid": (
        "A signing certificate is not valid yet. Sign-in by it works only from its first day on."
    ),
    "short_key": "The signing key has fewer than 2,048 bits. Plan a stronger certificate.",
    "metadata_expires_soon": (
        "This metadata runs out within 30 days. Use the metadata URL, or plan to renew it."
    ),
    "no_redirect_binding": "The identity provider takes sign-in requests by HTTP-POST only, which works.",
    "idp_entity_id_equals_sp": (
        "The identity provider uses our entity ID as its own. It works, but tells nobody who is who; "
        "give it a name of its own."
    ),
    "wants_signed_requests": (
        "The identity provider asks for signed sign-in requests, and this connection sends unsigned ones. "
        "Switch the requirement off in the application's settings there."
    ),
}

_SHARED_CODES: Mapping[str, str] = {"short_key": "weak_key"}
"""A warning whose code on the wire is that of an error: the same matter, less of it."""

REASONS: Mapping[str, tuple[Level, str]] = MappingProxyType(
    {code: (Level.ERROR, sentence) for code, sentence in _ERROR.items()}
    | {code: (Level.WARNING, sentence) for code, sentence in _WARNING.items()}
)
"""Code to level and sentence: the closed list of what the core finds."""


def noticed(code: str, *, field: str = "", found: str = "") -> Finding:
    """The finding of that code; a code outside :data:`REASONS` is a programming error (``KeyError``)."""
    level, sentence = REASONS[code]
    return Finding(level, _SHARED_CODES.get(code, code), sentence, field, found)
