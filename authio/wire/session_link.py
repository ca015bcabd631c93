"""Session links on the wire: asked for by the vendor's backend for somebody who is signed in there."""

from __future__ import annotations

import colander

from authio.wire.fields import Email, List, OneOf, Text, optional, required
from authio.wire.setup_link import browsable

INTENTS = ("sso", "certificate_renewal")
_MOST_CONTACTS = 20


def _addresses(description: str) -> colander.SchemaNode:
    return optional(List(most=_MOST_CONTACTS), required(Email(), name="address"), description=description)


class SessionLinkIn(colander.MappingSchema):
    """The body that asks for a session link. Fields of older clients that say nothing here are ignored."""

    organization = required(Text(most=64), description="Whose single sign-on is to be managed.")
    intent = optional(
        Text(most=40),
        default=INTENTS[0],
        validator=OneOf(INTENTS, code="intent_not_available"),
        description="What the visit is for: it decides where in the portal it begins.",
    )
    return_url = optional(
        Text(most=2048), validator=browsable, description="Where the way back to your product leads."
    )
    success_url = optional(
        Text(most=2048), validator=browsable, description="Where the IT admin goes when all is done."
    )
    it_contact_emails = _addresses("Taken for the sake of existing clients; nothing is sent to them.")
    admin_emails = _addresses("The older name of it_contact_emails.")
    external_user_id = optional(
        Text(most=200), description="Your own id of the person, by which the visit can be revoked."
    )


class SessionLinkRevokedIn(colander.MappingSchema):
    """The body that ends somebody's session links, and the visits over them."""

    organization = required(Text(most=64), description="The organization the links lead to.")
    external_user_id = required(Text(most=200), description="Your own id of the person.")
