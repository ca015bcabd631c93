"""Names that a SAML response is written in: namespaces, elements and the algorithms we know."""

from __future__ import annotations

SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
EC = "{http://www.w3.org/2001/10/xml-exc-c14n#}"
XENC = "{http://www.w3.org/2001/04/xmlenc#}"
XENC11 = "{http://www.w3.org/2009/xmlenc11#}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

RESPONSE = f"{SAMLP}Response"
ASSERTION = f"{SAML}Assertion"
ENCRYPTED_ASSERTION = f"{SAML}EncryptedAssertion"
ENCRYPTED_ID = f"{SAML}EncryptedID"
NAME_ID = f"{SAML}NameID"
ISSUER = f"{SAML}Issuer"
SIGNATURE = f"{DS}Signature"

SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
ENTITY_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

_DS = "http://www.w3.org/2000/09/xmldsig#"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_PSS = "http://www.w3.org/2007/05/xmldsig-more#"
_XENC = "http://www.w3.org/2001/04/xmlenc#"
_XENC11 = "http://www.w3.org/2009/xmlenc11#"

DIGESTS = {
    f"{_XENC}sha256": "sha256",
    f"{_MORE}sha384": "sha384",
    f"{_XENC}sha512": "sha512",
    f"{_DS}sha1": "sha1",
}
"""Digest methods, SHA-1 among them: whether that one is taken is decided per connection."""

SIGNATURES = {
    f"{_MORE}rsa-sha256": ("rsa", "sha256"),
    f"{_MORE}rsa-sha384": ("rsa", "sha384"),
    f"{_MORE}rsa-sha512": ("rsa", "sha512"),
    f"{_PSS}sha256-rsa-MGF1": ("pss", "sha256"),
    f"{_PSS}sha384-rsa-MGF1": ("pss", "sha384"),
    f"{_PSS}sha512-rsa-MGF1": ("pss", "sha512"),
    f"{_MORE}ecdsa-sha256": ("ecdsa", "sha256"),
    f"{_MORE}ecdsa-sha384": ("ecdsa", "sha384"),
    f"{_MORE}ecdsa-sha512": ("ecdsa", "sha512"),
    f"{_DS}rsa-sha1": ("rsa", "sha1"),
    f"{_MORE}ecdsa-sha1": ("ecdsa", "sha1"),
}
"""Signature methods as the kind of key and the hash. There is no keyed hash among them, and never will be."""

GCM = {f"{_XENC11}aes128-gcm": 16, f"{_XENC11}aes192-gcm": 24, f"{_XENC11}aes256-gcm": 32}
"""Encryption that notices a change, with the length of its key in bytes."""

CBC = {f"{_XENC}aes128-cbc": 16, f"{_XENC}aes192-cbc": 24, f"{_XENC}aes256-cbc": 32}
"""Encryption that does not notice a change: for identity providers that have nothing better."""

OAEP_SHA1_MASK = f"{_XENC}rsa-oaep-mgf1p"
OAEP = f"{_XENC11}rsa-oaep"
MASKS = {
    f"{_XENC11}mgf1sha1": "sha1",
    f"{_XENC11}mgf1sha256": "sha256",
    f"{_XENC11}mgf1sha384": "sha384",
    f"{_XENC11}mgf1sha512": "sha512",
}
"""Mask generation functions of RSA-OAEP, as their hash."""
