"""Tables, one module per noun, and facts about one row. No policy, no queries.

Rows are SQLAlchemy Core rows: plain values with attributes. They are never changed in place; a change
is a statement in a service.
"""

from authio.db import metadata
from authio.models.audit import audit_events
from authio.models.connection import ConnectionState, connections
from authio.models.event import events
from authio.models.idempotency import idempotency_records
from authio.models.organization import DomainState, organization_domains, organizations
from authio.models.project import Activation, api_keys, projects
from authio.models.setup_link import LinkState, portal_sessions, setup_links
from authio.models.webhook import DeliveryState, deliveries, delivery_attempts, webhook_endpoints

__all__ = [
    "Activation",
    "ConnectionState",
    "DeliveryState",
    "DomainState",
    "LinkState",
    "api_keys",
    "audit_events",
    "connections",
    "deliveries",
    "delivery_attempts",
    "events",
    "idempotency_records",
    "metadata",
    "organization_domains",
    "organizations",
    "portal_sessions",
    "projects",
    "setup_links",
    "webhook_endpoints",
]
