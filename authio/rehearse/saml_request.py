"""Sign-in requests of service providers: by Redirect and by POST, with their signatures judged."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus

from lxml import etree

from authio.rehearse.service_provider import ServiceProvider
from authio.rehearse.web import Asked, Bad
from authio.rehearse.xml_names import SAML, SAMLP
from authio.rehearse.xml_signatures import SIGNATURE, NotSigned, decoded, parser, verify, verify_octets

LARGEST: Final = 128 * 1024
_SIGNED_FIELDS: Final = ("SAMLRequest", "RelayState", "SigAlg")


@dataclass(frozen=True)
class SamlRequest:
    """A request, or what stands in for one where the provider begins by itself (``id`` is empty then)."""

    service_provider: ServiceProvider = field(repr=False)
    acs_url: str
    id: str = ""
    relay_state: str = ""
    binding: str = ""
    signature: str = ""
    """``verified``, ``none``, or ``unchecked`` where the keys are not known."""
    is_passive: bool = False
    force_authn: bool = False
    name_id_format: str = ""


def read_request(
    asked: Asked, look_up: Callable[[str], ServiceProvider], *, url: str, has_to_be_signed: bool
) -> SamlRequest:
    """The request that a browser has brought to *url*, or :class:`Bad`."""
    by_post = asked.method == "POST"
    parameters = asked.form if by_post else asked.query
    root = _message(parameters.get("SAMLRequest", ""), deflated=not by_post)
    destination, issuer = root.get("Destination"), (root.findtext(f"{SAML}Issuer") or "").strip()
    if destination not in (None, url):
        raise Bad("This request is meant for another address: its Destination is not this one.")
    if not issuer or not root.get("ID"):
        raise Bad("This request has no ID, or does not say who sends it.")
    sender = look_up(issuer)
    signature = _judge_post(root, sender) if by_post else _judge_redirect(asked.raw_query, parameters, sender)
    if has_to_be_signed and signature != "verified":
        raise Bad("Requests have to be signed here, and this one is not, or its key is not known.", 403)
    policy = root.find(f"{SAMLP}NameIDPolicy")
    return SamlRequest(
        sender,
        acs_url=_acs(root.get("AssertionConsumerServiceURL"), sender),
        id=root.get("ID"),
        relay_state=parameters.get("RelayState", ""),
        binding="HTTP-POST" if by_post else "HTTP-Redirect",
        signature=signature,
        is_passive=root.get("IsPassive") in ("true", "1"),
        force_authn=root.get("ForceAuthn") in ("true", "1"),
        name_id_format="" if policy is None else policy.get("Format", ""),
    )


def _acs(named: str | None, sender: ServiceProvider) -> str:
    acs_url = named or next(iter(sender.acs_urls), "")
    if not acs_url:
        raise Bad("This request names no ACS URL, and the metadata of who sends it cannot be read.")
    if not sender.takes(acs_url):
        raise Bad("The ACS URL in this request is not one that the service provider's metadata lists.", 403)
    return acs_url


def _message(text: str, *, deflated: bool) -> etree._Element:
    try:
        octets = binascii.a2b_base64("".join(text.split()).encode("ascii"), strict_mode=True)
        document = _inflated(octets) if deflated else octets
        root = etree.fromstring(document, parser())
    except (ValueError, zlib.error, etree.XMLSyntaxError):
        raise Bad("There is no sign-in request here, or it cannot be read.") from None
    if root.getroottree().docinfo.doctype or root.tag != f"{SAMLP}AuthnRequest":
        raise Bad("This is not a sign-in request.")
    return root


def _inflated(octets: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    document = inflater.decompress(octets, LARGEST)
    if not inflater.eof:
        raise ValueError("too large, or cut off")
    return document


def _judge_post(root: etree._Element, sender: ServiceProvider) -> str:
    if root.find(SIGNATURE) is None:
        return "none"
    if not sender.signing_keys:
        return "unchecked"
    try:
        verify(root, sender.signing_keys)
    except NotSigned:
        raise _badly_signed() from None
    return "verified"


def _judge_redirect(raw_query: str, parameters: Mapping[str, str], sender: ServiceProvider) -> str:
    if "Signature" not in parameters:
        return "none"
    if not sender.signing_keys:
        return "unchecked"
    # What is signed is the query as it was written, not as it reads.
    written = dict(part.partition("=")[::2] for part in raw_query.split("&"))
    octets = "&".join(f"{name}={written[name]}" for name in _SIGNED_FIELDS if name in written)
    try:
        verify_octets(
            octets.encode("ascii"),
            decoded(unquote_plus(written["Signature"])),
            sender.signing_keys,
            algorithm=parameters.get("SigAlg", ""),
        )
    except (NotSigned, KeyError, UnicodeEncodeError):
        raise _badly_signed() from None
    return "verified"


def _badly_signed() -> Bad:
    return Bad("The signature of this request is not by a key in the service provider's metadata.", 403)


def encoded(document: bytes) -> str:
    """A message as a form carries it."""
    return base64.b64encode(document).decode("ascii")
