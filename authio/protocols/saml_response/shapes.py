"""What a response may be built of: every element with its attributes and its children in order.

An allow-list: what is not written here is refused. Only places that the standard leaves open, and whose
content nobody reads, take other elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from authio.protocols.saml_response import names
from authio.protocols.saml_response.names import DS, EC, SAML, SAMLP, XENC, XENC11, XSI

MANY = 10_000


@dataclass(frozen=True)
class Slot:
    """A place among the children of an element: what may stand there, and how often."""

    shapes: Mapping[str, Shape]
    least: int = 0
    most: int = 1


@dataclass(frozen=True)
class Shape:
    """What one element may hold.

    ``has_text`` elements hold characters, all others only blanks between their children. An ``is_open``
    element holds anything, under the rules that hold everywhere. ``takes_foreign`` is for attributes of
    namespaces that are none of SAML's.
    """

    slots: tuple[Slot, ...] = ()
    attributes: Set[str] = frozenset()
    required: Set[str] = frozenset()
    has_text: bool = False
    is_open: bool = False
    takes_foreign: bool = False
    algorithms: Set[str] | None = None
    """Values of ``Algorithm`` that are known here, where the element names one."""


def _one(tag: str, shape: Shape) -> Slot:
    return Slot({tag: shape}, 1)


def _maybe(tag: str, shape: Shape) -> Slot:
    return Slot({tag: shape})


def _text(*attributes: str) -> Shape:
    return Shape(attributes=frozenset(attributes), has_text=True)


def _method(algorithms: Set[str], *slots: Slot) -> Shape:
    named = frozenset({"Algorithm"})
    return Shape(slots, named, named, algorithms=algorithms)


_ANYTHING = Shape(is_open=True)
_QUALIFIERS = ("NameQualifier", "SPNameQualifier", "Format", "SPProvidedID")

# -- signatures -------------------------------------------------------------------------------------

_INCLUSIVE = _maybe(f"{EC}InclusiveNamespaces", Shape(attributes=frozenset({"PrefixList"})))
_DIGEST = _method(frozenset(names.DIGESTS))
_ENVELOPED_OR_EXCLUSIVE = _method(frozenset({names.ENVELOPED, names.EXCLUSIVE}), _INCLUSIVE)
_KEY_HINTS: Mapping[str, Shape] = {
    f"{DS}X509Data": _ANYTHING,
    f"{DS}KeyName": _text(),
    f"{DS}KeyValue": _ANYTHING,
}
_REFERENCE = Shape(
    (
        _one(f"{DS}Transforms", Shape((Slot({f"{DS}Transform": _ENVELOPED_OR_EXCLUSIVE}, 2, 2),))),
        _one(f"{DS}DigestMethod", _DIGEST),
        _one(f"{DS}DigestValue", _text()),
    ),
    frozenset({"URI"}),
    frozenset({"URI"}),
)
_SIGNED_INFO = Shape(
    (
        _one(f"{DS}CanonicalizationMethod", _method(frozenset({names.EXCLUSIVE}), _INCLUSIVE)),
        _one(f"{DS}SignatureMethod", _method(frozenset(names.SIGNATURES))),
        _one(f"{DS}Reference", _REFERENCE),
    )
)
SIGNATURE = Shape(
    (
        _one(f"{DS}SignedInfo", _SIGNED_INFO),
        _one(f"{DS}SignatureValue", _text()),
        _maybe(f"{DS}KeyInfo", Shape((Slot(_KEY_HINTS, 1, MANY),))),
    )
)

# -- encryption -------------------------------------------------------------------------------------

_CIPHER = _one(f"{XENC}CipherData", Shape((_one(f"{XENC}CipherValue", _text()),)))
_ENCRYPTED_KEY = Shape(
    (
        _one(
            f"{XENC}EncryptionMethod",
            _method(
                frozenset({names.OAEP, names.OAEP_SHA1_MASK}),
                Slot(
                    {
                        f"{DS}DigestMethod": _DIGEST,
                        f"{XENC11}MGF": _method(frozenset(names.MASKS)),
                    },
                    most=2,
                ),
            ),
        ),
        _maybe(f"{DS}KeyInfo", Shape((Slot(_KEY_HINTS, 1, MANY),))),
        _CIPHER,
        _maybe(
            f"{XENC}ReferenceList",
            Shape((Slot({f"{XENC}DataReference": Shape(attributes=frozenset({"URI"}))}, 1, MANY),)),
        ),
        _maybe(f"{XENC}CarriedKeyName", _text()),
    ),
    frozenset({"Id", "Recipient", "Type", "MimeType", "Encoding"}),
)
_KEYS = Slot({f"{XENC}EncryptedKey": _ENCRYPTED_KEY}, most=4)
_ENCRYPTED = Shape(
    (
        _one(
            f"{XENC}EncryptedData",
            Shape(
                (
                    _one(f"{XENC}EncryptionMethod", _method(frozenset({*names.GCM, *names.CBC}))),
                    _maybe(
                        f"{DS}KeyInfo",
                        Shape((Slot({**_KEY_HINTS, f"{XENC}EncryptedKey": _ENCRYPTED_KEY}, 1, 4),)),
                    ),
                    _CIPHER,
                ),
                frozenset({"Id", "Type", "MimeType", "Encoding"}),
            ),
        ),
        _KEYS,
    )
)

# -- assertions -------------------------------------------------------------------------------------

NAME_ID = _text(*_QUALIFIERS)
_ISSUER = _text(*_QUALIFIERS)
_CONFIRMATION = Shape(
    (
        _maybe(names.NAME_ID, NAME_ID),
        _maybe(
            f"{SAML}SubjectConfirmationData",
            Shape(
                (Slot({f"{DS}KeyInfo": _ANYTHING}, most=4),),
                frozenset(
                    {"NotBefore", "NotOnOrAfter", "Recipient", "InResponseTo", "Address", f"{XSI}type"}
                ),
            ),
        ),
    ),
    frozenset({"Method"}),
    frozenset({"Method"}),
)
_CONDITIONS = Shape(
    (
        Slot(
            {
                f"{SAML}AudienceRestriction": Shape((Slot({f"{SAML}Audience": _text()}, 1, MANY),)),
                f"{SAML}OneTimeUse": Shape(),
                f"{SAML}ProxyRestriction": Shape(
                    (Slot({f"{SAML}Audience": _text()}, most=MANY),), frozenset({"Count"})
                ),
            },
            most=MANY,
        ),
    ),
    frozenset({"NotBefore", "NotOnOrAfter"}),
)
_AUTHN_STATEMENT = Shape(
    (
        _maybe(f"{SAML}SubjectLocality", Shape(attributes=frozenset({"Address", "DNSName"}))),
        _one(
            f"{SAML}AuthnContext",
            Shape(
                (
                    _maybe(f"{SAML}AuthnContextClassRef", _text()),
                    Slot({f"{SAML}AuthnContextDecl": _ANYTHING, f"{SAML}AuthnContextDeclRef": _text()}),
                    Slot({f"{SAML}AuthenticatingAuthority": _text()}, most=MANY),
                )
            ),
        ),
    ),
    frozenset({"AuthnInstant", "SessionIndex", "SessionNotOnOrAfter"}),
    frozenset({"AuthnInstant"}),
)
_VALUE = Shape(
    (_maybe(names.NAME_ID, NAME_ID),),
    frozenset({f"{XSI}type", f"{XSI}nil"}),
    has_text=True,
)
_ATTRIBUTES = Shape(
    (
        Slot(
            {
                f"{SAML}Attribute": Shape(
                    (Slot({f"{SAML}AttributeValue": _VALUE}, most=MANY),),
                    frozenset({"Name", "NameFormat", "FriendlyName"}),
                    frozenset({"Name"}),
                    takes_foreign=True,
                )
            },
            most=MANY,
        ),
    )
)


def _assertion(subject: Mapping[str, Shape]) -> Shape:
    return Shape(
        (
            _one(names.ISSUER, _ISSUER),
            _maybe(names.SIGNATURE, SIGNATURE),
            _maybe(
                f"{SAML}Subject",
                Shape(
                    (Slot(subject, most=MANY), Slot({f"{SAML}SubjectConfirmation": _CONFIRMATION}, most=MANY))
                ),
            ),
            _maybe(f"{SAML}Conditions", _CONDITIONS),
            _maybe(f"{SAML}Advice", _ANYTHING),
            Slot(
                {f"{SAML}AuthnStatement": _AUTHN_STATEMENT, f"{SAML}AttributeStatement": _ATTRIBUTES},
                most=MANY,
            ),
        ),
        frozenset({"ID", "Version", "IssueInstant"}),
        frozenset({"ID", "Version", "IssueInstant"}),
    )


DECRYPTED_ASSERTION = _assertion({names.NAME_ID: NAME_ID})
"""An assertion that came out of an encrypted one: nothing in it is encrypted again."""

# -- responses --------------------------------------------------------------------------------------


def _status_code(levels: int) -> Shape:
    """A status, told more finely inside, and more finely again; nobody does so without end."""
    finer = (_maybe(f"{SAMLP}StatusCode", _status_code(levels - 1)),) if levels else ()
    return Shape(finer, frozenset({"Value"}), frozenset({"Value"}))


RESPONSE = Shape(
    (
        _maybe(names.ISSUER, _ISSUER),
        _maybe(names.SIGNATURE, SIGNATURE),
        _maybe(f"{SAMLP}Extensions", _ANYTHING),
        _one(
            f"{SAMLP}Status",
            Shape(
                (
                    _one(f"{SAMLP}StatusCode", _status_code(4)),
                    _maybe(f"{SAMLP}StatusMessage", _text()),
                    _maybe(f"{SAMLP}StatusDetail", _ANYTHING),
                )
            ),
        ),
        Slot(
            {
                names.ASSERTION: _assertion({names.NAME_ID: NAME_ID, names.ENCRYPTED_ID: _ENCRYPTED}),
                names.ENCRYPTED_ASSERTION: _ENCRYPTED,
            }
        ),
    ),
    frozenset({"ID", "Version", "IssueInstant", "Destination", "InResponseTo", "Consent"}),
    frozenset({"ID", "Version", "IssueInstant"}),
)
"""A whole message. Whether it has to hold an assertion depends on its status."""
