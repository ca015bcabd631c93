"""The identity provider of a test sign-in, for tests of the portal: it answers what the portal asks."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lxml import etree
from webtest import TestResponse

from authio.ids import new_id
from tests.support.clock import SteppedClock
from tests.support.saml_idp import Facts, encoded, failure, sign, signed_response, signer
from tests.web.portal.conftest import ItAdmin

ENTITY_ID = "https://idp.acme.example/metadata"
VALUES = {
    "idp_entity_id": ENTITY_ID,
    "sso_url": "https://idp.acme.example/sso",
    "certificate": signer().pem,
}
"""What the provider hands out, for a connector that takes single values."""


@dataclass
class Idp:
    """Answers the request that a page leads to, at the same browser."""

    admin: ItAdmin
    clock: SteppedClock

    def request(self, page: TestResponse) -> Any:
        """The AuthnRequest on the way that *page*, the one that leaves, leads to."""
        assert (page.status_int, page.html.main["data-page"]) == (200, "onward"), page.text
        link = page.html.select_one("main a.button.primary")["href"]
        # A page of ours that goes on by itself: browsers hold redirects behind a form against form-action.
        assert page.html.select_one("meta[http-equiv=refresh]")["content"] == f"0;url={link}"
        query = dict(parse_qsl(urlsplit(link).query))
        return etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"]), -15))

    def facts(self, asked: Any, **changes: Any) -> Facts:
        ns = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}
        good = Facts(
            now=self.clock.now(),
            idp_entity_id=ENTITY_ID,
            sp_entity_id=asked.findtext("saml:Issuer", namespaces=ns),
            acs_url=asked.get("AssertionConsumerServiceURL"),
            request_id=asked.get("ID"),
            assertion_id=new_id("event").replace("event", "_a"),
        )
        return replace(good, **changes)

    def answer(self, page: TestResponse, *, by: str = "", **changes: Any) -> TestResponse:
        """Come back with a response that is good but for *changes*, or signed by somebody else."""
        asked = self.request(page)
        return self._bring(
            asked, signed_response(self.facts(asked, **changes), by=signer(by) if by else signer())
        )

    def deny(self, page: TestResponse) -> TestResponse:
        """Come back with a refusal of the provider's."""
        asked = self.request(page)
        codes = (
            "urn:oasis:names:tc:SAML:2.0:status:Responder",
            "urn:oasis:names:tc:SAML:2.0:status:RequestDenied",
        )
        refusal = failure(self.facts(asked), *codes)
        sign(refusal, signer())
        return self._bring(asked, refusal)

    def _bring(self, asked: Any, response: Any) -> TestResponse:
        path = urlsplit(asked.get("AssertionConsumerServiceURL")).path
        sent = self.admin.app.post(path, {"SAMLResponse": encoded(response)}, status="*")
        assert sent.status_int == 302, sent.text
        return self.admin.go(urlsplit(sent.location).path)
