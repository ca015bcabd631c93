"""What betrays an identity provider: hosts, the shape of its names and addresses, its certificates.

Hosts are compared label by label. Patterns are matched against the whole value, never searched in it,
and values are cut off at 2,048 characters, so that neither a disguise nor a long text gets through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from authio.plugin.contract import Confidence
from authio.protocols.addresses import LONGEST, Address, on_host, parsed_or_none
from authio.protocols.oidc import OidcSettings
from authio.protocols.saml import SamlSettings


@dataclass(frozen=True)
class SamlFingerprint:
    """Traits of one provider's SAML side. Leave out what it does not have."""

    hosts: tuple[str, ...] = ()
    """Host suffixes of its sign-on and metadata addresses, such as ``acme.com``."""
    custom_domains: bool = True
    """Whether customers may also have it on a host of their own."""
    entity_id: str = ""
    """Pattern of the whole entity ID."""
    sso: str = ""
    """Pattern of path and query of the sign-on address."""
    metadata: str = ""
    """Pattern of path and query of the metadata address."""
    certificate: tuple[str, ...] = ()
    """Pieces of the certificate's subject (RFC 4514), such as ``O=Acme``, all of which are there."""

    def owns(self, host: str) -> bool:
        """Whether *host* belongs to the provider itself."""
        return on_host(host, self.hosts)

    def may_be_on(self, host: str) -> bool:
        """Whether the provider can be reached under *host* at all."""
        return self.owns(host) or self.custom_domains

    def recognise(self, thing: SamlSettings | OidcSettings | str) -> Confidence:
        """How much of *thing* carries these traits."""
        if isinstance(thing, SamlSettings):
            return self._settings(thing)
        return self._address(thing) if isinstance(thing, str) else Confidence.NO

    def is_entity_id(self, text: str) -> bool:
        """Whether *text* has the shape of one of its entity IDs."""
        return matches(self.entity_id, text)

    def is_sso(self, address: Address) -> bool:
        """Whether *address* is one of its sign-on addresses."""
        return self.may_be_on(address.host) and matches(self.sso, address.target)

    def is_metadata(self, address: Address) -> bool:
        """Whether *address* has the path of its metadata addresses, on whatever host."""
        return matches(self.metadata, address.target)

    def _settings(self, settings: SamlSettings) -> Confidence:
        sso = parsed_or_none(settings.sso_url)
        if sso is None:
            return Confidence.NO
        subjects = [certificate.subject for certificate in settings.read_certificates()]
        signals = [
            self.owns(sso.host),
            matches(self.sso, sso.target),
            self.is_entity_id(settings.idp_entity_id),
            bool(self.certificate)
            and any(all(p in subject for p in self.certificate) for subject in subjects),
        ]
        return confidence(signals, possible=self.may_be_on(sso.host))

    def _address(self, text: str) -> Confidence:
        if self.is_entity_id(text):
            return Confidence.SURE
        address = parsed_or_none(text)
        if address is None:
            return Confidence.NO
        shaped = matches(self.sso, address.target) or self.is_metadata(address)
        return confidence([self.owns(address.host), shaped], possible=self.may_be_on(address.host))


@dataclass(frozen=True)
class OidcFingerprint:
    """Traits of one provider's OpenID Connect side. Leave out what it does not have."""

    hosts: tuple[str, ...] = ()
    """Host suffixes of its issuers."""
    custom_domains: bool = True
    """Whether customers may also have it on a host of their own."""
    issuer: str = ""
    """Pattern of the path of the issuer, where it says anything."""
    authorization: str = ""
    """Pattern of path and query of the authorization endpoint."""
    token: str = ""
    """Pattern of path and query of the token endpoint."""

    def owns(self, host: str) -> bool:
        """Whether *host* belongs to the provider itself."""
        return on_host(host, self.hosts)

    def may_be_on(self, host: str) -> bool:
        """Whether the provider can be reached under *host* at all."""
        return self.owns(host) or self.custom_domains

    def recognise(self, thing: SamlSettings | OidcSettings | str) -> Confidence:
        """How much of *thing* carries these traits."""
        if isinstance(thing, OidcSettings):
            return self._settings(thing)
        return self._address(thing) if isinstance(thing, str) else Confidence.NO

    def is_endpoint(self, address: Address) -> bool:
        """Whether *address* is one of its endpoints rather than an issuer."""
        known = matches(self.authorization, address.target) or matches(self.token, address.target)
        return self.may_be_on(address.host) and known

    def _settings(self, settings: OidcSettings) -> Confidence:
        issuer = parsed_or_none(settings.issuer)
        if issuer is None:
            return Confidence.NO
        signals = [
            self.owns(issuer.host),
            matches(self.issuer, issuer.target),
            _endpoint(self.authorization, settings.authorization_endpoint),
            _endpoint(self.token, settings.token_endpoint),
        ]
        return confidence(signals, possible=self.may_be_on(issuer.host))

    def _address(self, text: str) -> Confidence:
        address = parsed_or_none(text)
        if address is None:
            return Confidence.NO
        shaped = matches(self.issuer, address.target) or self.is_endpoint(address)
        return confidence([self.owns(address.host), shaped], possible=self.may_be_on(address.host))


def matches(pattern: str, text: str) -> bool:
    """Whether a trait is there: *pattern* is given, and fits the whole of *text*, case aside."""
    return bool(pattern) and len(text) <= LONGEST and re.fullmatch(pattern, text, re.IGNORECASE) is not None


def confidence(signals: Iterable[bool], *, possible: bool) -> Confidence:
    """Two agreeing signals are sure, one is likely; ``possible`` false contradicts whatever they say."""
    count = sum(signals)
    if not count:
        return Confidence.NO
    if not possible:
        return Confidence.CONTRADICTED
    return Confidence.SURE if count > 1 else Confidence.LIKELY


def _endpoint(pattern: str, url: str) -> bool:
    address = parsed_or_none(url)
    return address is not None and matches(pattern, address.target)
