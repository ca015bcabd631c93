"""One response judged in process, beside the least that any verifier has to do: CPU time, nothing else."""

from __future__ import annotations

import base64
import hashlib
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from authio.protocols.saml_response import Expected, Keys, judge
from benchmarks.driver import UnexpectedAnswer
from benchmarks.metadata import IdentityProvider
from benchmarks.sign_ins import SCENARIOS, Scenario, facts_of, respond, saml_way
from tests.support.saml_idp import DS, encoded

_TIMES = 200
_ROUNDS = 5
_CONNECTION = "conn_01JD3S6M8ZQ4T7V9X2C5B8N1K4"


def verification() -> dict[str, float]:
    """Milliseconds of CPU for one response: the floor, and the judge by scenario."""
    identity_provider, own = IdentityProvider(), rsa.generate_private_key(65537, 2048)
    found = {"floor": _milliseconds(_floor(identity_provider))}
    for name in ("assertion", "both", "encrypted"):
        found[name] = _milliseconds(_judging(SCENARIOS[name], identity_provider, own))
    return found


def _message(
    scenario: Scenario, identity_provider: IdentityProvider, own: rsa.RSAPrivateKey | None
) -> tuple[str, Expected]:
    way = saml_way(_CONNECTION, "https://sso.example.com", idp_entity_id=identity_provider.entity_id("1"))
    facts = facts_of(way, request_id="_request", now=datetime.now(UTC))
    to = own.public_key() if own else None
    posted = encoded(respond(facts, scenario, identity_provider, to=to))
    expected = Expected(
        acs_url=way.acs_url,
        sp_entity_id=way.sp_entity_id,
        idp_entity_id=way.idp_entity_id,
        certificates=(Keys().verifying(identity_provider.signer.pem),),
        now=facts.now,
        request_id=facts.request_id,
        decryption_keys=(own,) if own and scenario.encrypted else (),
    )
    return posted, expected


def _judging(
    scenario: Scenario, identity_provider: IdentityProvider, own: rsa.RSAPrivateKey
) -> Callable[[], Any]:
    posted, expected = _message(scenario, identity_provider, own)
    judged = judge(posted, expected)
    if judged.signed != scenario.signed or judged.was_encrypted != scenario.encrypted:
        raise UnexpectedAnswer(f"the judge saw signatures over {judged.signed}")
    return lambda: judge(posted, expected)


def _floor(identity_provider: IdentityProvider) -> Callable[[], None]:
    """Parse, canonicalise what is signed and what says so, verify; twice, all in C, and no check at all."""
    posted, _ = _message(SCENARIOS["both"], identity_provider, None)
    key = identity_provider.signer.certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("an RSA key was wanted")

    def verify() -> None:
        root = etree.fromstring(base64.b64decode(posted))
        for element in (root, root[-1]):
            signature = element.find(f"{DS}Signature")
            info = signature.find(f"{DS}SignedInfo")
            element.remove(signature)
            digest = hashlib.sha256(_canonical(element)).digest()
            if base64.b64decode(info.findtext(f".//{DS}DigestValue")) != digest:
                raise UnexpectedAnswer("the floor does not verify what it measures")
            # A signature over something else raises.
            key.verify(
                base64.b64decode(signature.findtext(f"{DS}SignatureValue")),
                _canonical(info),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
            element.insert(1, signature)

    verify()
    return verify


def _canonical(element: etree._Element) -> bytes:
    octets: bytes = etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    return octets


def _milliseconds(act: Callable[[], Any]) -> float:
    rounds = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        for _ in range(_TIMES):
            act()
        rounds.append((time.process_time() - began) / _TIMES)
    return round(1000 * statistics.median(rounds), 3)
