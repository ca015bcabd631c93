"""Google over OpenID Connect: client ID and client secret; the issuer is always the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

import colander

from authio.plugin import (
    LONGEST_ANSWER,
    OIDC_CLAIMS,
    Context,
    Judged,
    OidcConnector,
    OidcFingerprint,
    Walkthrough,
    line,
    secret,
)
from authio_google import explanations
from authio_google.saml import CONSOLES

ISSUER = "https://accounts.google.com"

_DOMAIN = re.compile(r"(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.){1,10}[a-z][a-z0-9-]{0,61}[a-z0-9]")
_CLIENT_ID = re.compile(r"[0-9a-z][0-9a-z-]{0,199}\.apps\.googleusercontent\.com")


class OidcAnswers(colander.MappingSchema):
    """What the IT admin brings back from the window OAuth client created."""

    client_id = line(
        "client_id",
        title="Client ID",
        description="In Google Auth Platform, under Clients. It ends in .apps.googleusercontent.com.",
        placeholder="000000000000-….apps.googleusercontent.com",
    )
    client_secret = secret(
        "client_secret",
        title="Client secret",
        description="Shown once, right after Create. If it is gone: Clients, your client, Add secret.",
    )
    hosted_domains = line(
        "hosted_domains",
        title="Hosted domains",
        description=(
            "The domains of your Workspace accounts, separated by commas. Accounts of other domains are not "
            "let in."
        ),
        placeholder="your-company.com",
    )


class GoogleOidc(OidcConnector):
    """A client of the type Web application, in a project whose audience is Internal."""

    key = "google-oidc"
    connection_type = "GoogleOIDC"
    schema = OidcAnswers
    ways = (("client_id", "client_secret"),)
    walkthrough = Walkthrough.load(__package__, "oidc")
    # Google sends no groups over OpenID Connect.
    attributes = {field: names for field, names in OIDC_CLAIMS.items() if field != "groups"}
    fingerprint = OidcFingerprint(
        hosts=("accounts.google.com",),
        custom_domains=False,
        authorization=r"/o/oauth2/v2/auth",
        token=r"/token",  # noqa: S106 - a pattern, not a secret
    )
    consoles = CONSOLES
    explanations = explanations.OIDC
    messages = {
        "not_a_google_client_id": (
            "This is not a client ID of Google's, which ends in .apps.googleusercontent.com. In Google Auth "
            "Platform, open Clients and copy Client ID."
        ),
        "not_a_domain": (
            "One of these is not a domain. Enter them like your-company.com, separated by commas."
        ),
        "admin_console_url": (
            "This is the address of the console. In Google Auth Platform, open Clients and copy Client ID."
        ),
    }

    def check_client_id(self, text: str, context: Context) -> Judged:
        """A client ID as Google makes them; anything else cannot sign anybody in."""
        if _CLIENT_ID.fullmatch(text):
            return Judged(text)
        return Judged(text, (self.error("not_a_google_client_id", found=text[:200]),))

    def check_hosted_domains(self, text: str, context: Context) -> Judged:
        """Domains, separated by commas or blanks, become one list in lower case."""
        if len(text) > LONGEST_ANSWER:
            return self.check_text(text, context)
        domains = list(dict.fromkeys(text.lower().replace(",", " ").replace(";", " ").split()))
        strange = next((domain for domain in domains if not _DOMAIN.fullmatch(domain)), None)
        if strange is not None:
            return Judged(text, (self.error("not_a_domain", found=strange[:200]),))
        return Judged(", ".join(domains))

    def prepare(self, answers: dict[str, str | bytes]) -> dict[str, str | bytes]:
        """Google is one issuer for everybody."""
        return answers | {"issuer": ISSUER}

    def required_claims(self, answers: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
        """Tokens have to name one of the hosted domains, where any were given."""
        domains = answers.get("hosted_domains", "")
        return {"hd": tuple(domains.split(", "))} if domains else {}
