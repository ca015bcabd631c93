"""A vendor with the unmodified ``workos`` package, and its customers' IT admins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from workos import WorkOSClient

from authio.ids import ulid_of
from tests.peers.person import CALLBACK, Page, Person
from tests.support.server import Server
from tests.support.visitor import Visited, Visitor

STATE = "what the product remembers"

Ours = Mapping[str, str]
"""What the walkthrough hands over, by its ``data-sp``."""


@dataclass(frozen=True)
class Customer:
    """An organization whose IT admin has been through the portal."""

    organization_id: str
    connection_id: str
    ours: Ours


class Vendor:
    """The vendor's backend, and everything it does with a running server."""

    def __init__(self, server: Server, client: WorkOSClient) -> None:
        self.server, self.client = server, client

    def set_up(self, provider: str, bring: Callable[[Ours], Mapping[str, str]]) -> Customer:
        """A new customer: a link is minted, and its IT admin goes from there to Save.

        *bring* is what the IT admin does meanwhile in the provider's console: it is given our values and
        returns the answers.
        """
        organization = self.client.organizations.create_organization(name=f"Customer of {provider}")
        link = self.server.mint(organization_id=organization.id)
        with Visitor(self.server.url) as admin:
            page = admin.submit(admin.get(link), "start", it_admin_email="it@initech.example")
            page = admin.submit(page, "pick", provider=provider)
            ours = {str(one["data-sp"]): one.get_text() for one in page.html.select("[data-sp]")}
            page = admin.submit(page, "answers", **bring(ours))
            assert page.name == "review", _findings(page)
            assert admin.submit(page, "save").name == "done"
        (connection,) = self.client.sso.list_connections(organization_id=organization.id).data
        return Customer(organization.id, connection.id, ours)

    def switch(self, customer: Customer, *names: str) -> None:
        """Have the customer's IT admin, come from the vendor's product, turn on those switches."""
        link = self.client.admin_portal.generate_link(organization=customer.organization_id, intent="sso")
        with Visitor(self.server.url) as admin:
            page = admin.submit(admin.get(link.link), "start", it_admin_email="it@initech.example")
            assert page.name == "connection", _findings(page)
            page = admin.submit(page, "options", **dict.fromkeys(names, "on"))
            assert set(names) <= {str(one["name"]) for one in page.form("options").select("[checked]")}

    def leave(self, person: Person, customer: Customer, **wanted: Any) -> Page:
        """Press the product's button; the page where that leads. *wanted* is what the product adds."""
        return person.go(
            self.client.sso.get_authorization_url(
                organization=customer.organization_id, redirect_uri=CALLBACK, state=STATE, **wanted
            )
        )

    def welcome(self, page: Page) -> Any:
        """Who has come back to the product: their profile, as both calls tell it."""
        assert page.url.startswith(CALLBACK), f"{page.url}: {page.error} {page.says[:500]}"
        assert set(page.query) <= {"code", "state"}, page.query
        told = self.client.sso.get_profile_and_token(code=page.query["code"])
        again = requests.get(
            f"{self.server.url}/sso/profile",
            headers={"Authorization": f"Bearer {told.access_token}"},
            timeout=30,
        )
        assert again.json()["id"] == told.profile.id
        return told.profile

    def attempts(self, customer: Customer) -> list[dict[str, Any]]:
        """The customer's sign-in attempts, newest first."""
        answer = requests.get(
            f"{self.server.url}/v1/sign_in_attempts",
            params={"connection_id": customer.connection_id},
            headers={"Authorization": f"Bearer {self.server.demo['api_key']}"},
            timeout=30,
        )
        answer.raise_for_status()
        return list(answer.json()["data"])

    def acs(self, customer: Customer) -> str:
        """Where responses for this customer go."""
        return f"{self.server.url}/sso/saml/{ulid_of(customer.connection_id)}/acs"


def _findings(page: Visited) -> str:
    """What the portal has against what was brought."""
    found = [
        f"{one['data-finding']}: {one.get_text(' ', strip=True)}"
        for one in page.html.select("[data-finding]")
    ]
    return f"{page.name} ({page.status}): {found}"
