"""The door: what a provider may use of authio is imported from here, and nothing else is promised."""

from __future__ import annotations

from authio.plugin.contract import (
    CONTRACT_VERSION,
    LONGEST_ANSWER,
    SP_VALUES,
    Answers,
    Confidence,
    Connector,
    Context,
    Fetch,
    Fetched,
    Judged,
    Provider,
    Resolved,
    ServiceProvider,
    Settings,
)
from authio.plugin.diagnosis import Explanation
from authio.plugin.fields import box, line, secret, upload
from authio.plugin.fingerprints import OidcFingerprint, SamlFingerprint
from authio.plugin.hookspecs import hookimpl
from authio.plugin.loader import PluginError, Plugins
from authio.plugin.oidc import OIDC_CLAIMS, OidcConnector
from authio.plugin.saml import SAML_ATTRIBUTES, SamlConnector
from authio.plugin.walkthrough import Step, Walkthrough, WalkthroughError
from authio.protocols.addresses import Address, on_host, parsed_or_none, read_address, tidy
from authio.protocols.certificates import Certificate
from authio.protocols.findings import Finding, Level, Refused
from authio.protocols.oidc import OidcSettings
from authio.protocols.saml import SamlSettings

__all__ = [
    "CONTRACT_VERSION",
    "LONGEST_ANSWER",
    "OIDC_CLAIMS",
    "SAML_ATTRIBUTES",
    "SP_VALUES",
    "Address",
    "Answers",
    "Certificate",
    "Confidence",
    "Connector",
    "Context",
    "Explanation",
    "Fetch",
    "Fetched",
    "Finding",
    "Judged",
    "Level",
    "OidcConnector",
    "OidcFingerprint",
    "OidcSettings",
    "PluginError",
    "Plugins",
    "Provider",
    "Refused",
    "Resolved",
    "SamlConnector",
    "SamlFingerprint",
    "SamlSettings",
    "ServiceProvider",
    "Settings",
    "Step",
    "Walkthrough",
    "WalkthroughError",
    "box",
    "hookimpl",
    "line",
    "on_host",
    "parsed_or_none",
    "read_address",
    "secret",
    "tidy",
    "upload",
]
