"""Tables, one module per noun, and facts about one row. No policy, no queries.

Rows are SQLAlchemy Core rows: plain values with attributes. They are never changed in place; a change
is a statement in a service.
"""

from authio.db import metadata
from authio.models.audit import audit_events
from authio.models.certificate import KeyUse, certificate_reminders, sp_keys
from authio.models.connection import ConnectionState, connections
from authio.models.event import events
from authio.models.grant import access_tokens, authorization_codes, redirect_uris, signing_keys
from authio.models.idempotency import idempotency_records
from authio.models.organization import DomainState, organization_domains, organizations
from authio.models.project import Activation, api_keys, projects
from authio.models.setup_link import LinkKind, LinkState, portal_sessions, setup_links
from authio.models.sign_in import AttemptKind, AttemptStatus, assertion_uses, profiles, sign_in_attempts
from authio.models.webhook import DeliveryState, deliveries, delivery_attempts, webhook_endpoints

__all__ = [
    "Activation",
    "AttemptKind",
    "AttemptStatus",
    "ConnectionState",
    "DeliveryState",
    "DomainState",
    "KeyUse",
    "LinkKind",
    "LinkState",
    "access_tokens",
    "api_keys",
    "assertion_uses",
    "audit_events",
    "authorization_codes",
    "certificate_reminders",
    "connections",
    "deliveries",
    "delivery_attempts",
    "events",
    "idempotency_records",
    "metadata",
    "organization_domains",
    "organizations",
    "portal_sessions",
    "profiles",
    "projects",
    "redirect_uris",
    "setup_links",
    "sign_in_attempts",
    "signing_keys",
    "sp_keys",
    "webhook_endpoints",
]
