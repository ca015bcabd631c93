"""Webhook endpoints over the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pyramid.request import Request

from authio.errors import FieldError, Unprocessable
from authio.outbound import OutboundRefused
from authio.views.api.operations import Call, operation
from authio.wire.webhook_endpoint import webhook_endpoint_out


def check_address(request: Request, body: Mapping[str, Any]) -> None:
    """Unprocessable (``invalid_url``) for an address that nothing would ever be sent to."""
    if "endpoint_url" not in body:
        return
    runtime = request.registry.runtime
    try:
        parts = urlsplit(runtime.outbound.check(body["endpoint_url"]))
    except OutboundRefused:
        _refuse()
    port = str(parts.port or (443 if parts.scheme == "https" else 80))
    allowed = f"{parts.hostname}:{port}" in runtime.settings.outbound_allow
    if not allowed and port not in runtime.settings.webhook_ports:
        _refuse()


def _refuse() -> None:
    wrong = FieldError("endpoint_url", "invalid_url", "Must be a public https address.")
    raise Unprocessable("invalid_url", errors=[wrong]) from None


@operation("list_webhook_endpoints")
def list_webhook_endpoints(call: Call) -> dict[str, Any]:
    """One page, with their signing secrets."""
    page = call.services.webhooks.page(call.project_id, call.cursor)
    return call.listed(page, [webhook_endpoint_out(endpoint) for endpoint in page.rows])


@operation("create_webhook_endpoint", check=check_address)
def create_webhook_endpoint(call: Call) -> dict[str, Any]:
    """A new endpoint, with a signing secret of its own."""
    endpoint = call.services.webhooks.create(
        call.project_id, url=call.body["endpoint_url"], events=call.body["events"]
    )
    return webhook_endpoint_out(endpoint)


@operation("get_webhook_endpoint")
def get_webhook_endpoint(call: Call, endpoint_id: str) -> dict[str, Any]:
    """By its id."""
    return webhook_endpoint_out(call.services.webhooks.get(call.project_id, endpoint_id))


@operation("update_webhook_endpoint", check=check_address)
def update_webhook_endpoint(call: Call, endpoint_id: str) -> dict[str, Any]:
    """What was sent changes."""
    endpoint = call.services.webhooks.get(call.project_id, endpoint_id)
    changes = {"url" if name == "endpoint_url" else name: value for name, value in call.body.items()}
    return webhook_endpoint_out(call.services.webhooks.update(endpoint, changes))


@operation("delete_webhook_endpoint")
def delete_webhook_endpoint(call: Call, endpoint_id: str) -> None:
    """Nothing is sent there any more."""
    call.services.webhooks.delete(call.services.webhooks.get(call.project_id, endpoint_id))
