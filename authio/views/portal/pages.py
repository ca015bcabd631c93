"""How a portal page is made: its template, the frame around it, and its line in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyramid.response import Response

from authio.services import Services
from authio.views.portal.forms import TOKEN_FIELD, form_token
from authio.views.portal.visits import Visit
from authio.views.templates import our_templates

STAGES = (
    ("entry", "Start", None),
    ("providers", "Provider", "portal.providers"),
    ("step", "Connect", "portal.connect"),
    ("review", "Check", "portal.review"),
    ("done", "Done", None),
)


CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""A page loads only what is ours, runs nothing that is written into it, and posts nowhere else."""


@dataclass(frozen=True)
class Frame:
    """What surrounds every page: whose product it is, whose set-up, and who is at it."""

    project: str = ""
    organization: str = ""
    it_admin: str = ""
    back_url: str = ""
    is_open: bool = False
    """Whether there is work to come back to."""
    manages: bool = False
    home: str = ""
    """The page of the connection that is managed, where there is one."""

    @classmethod
    def of(cls, request: Any, visit: Visit) -> Frame:
        """The frame of a page within a visit."""
        return cls(
            project=visit.project.name,
            organization=visit.organization.name,
            it_admin=visit.session.it_admin_email,
            back_url=visit.link.return_url or "",
            is_open=not visit.has_saved,
            manages=visit.manages,
            home=request.route_path("portal.connection") if visit.live is not None else "",
        )

    @property
    def initial(self) -> str:
        """The first letter of the project's name, where a logo would be."""
        return next((letter.upper() for letter in self.project if letter.isalnum()), "")


def page(
    request: Any,
    name: str,
    frame: Frame,
    *,
    title: str,
    link: Any | None = None,
    status: int = 200,
    stage: str = "",
    **values: Any,
) -> Response:
    """The page *name*, from the template of that name; *link* is what its forms are about.

    *stage* is the page whose stage of the way it belongs to, where that is another one.
    """
    templates = our_templates()
    html = templates[f"portal/{name}.pt"].render(
        request=request,
        frame=frame,
        page=name,
        title=title,
        stages=_stages(request, stage or name),
        token_field=TOKEN_FIELD,
        form_token=form_token(request, link) if link is not None else "",
        icon_path=request.static_path("authio:static/icon.svg"),
        style=request.static_path("authio:static/portal.css"),
        script=request.static_path("authio:static/portal.js"),
        layout=templates["layout.pt"],
        parts=templates["parts.pt"],
        answers=templates["portal/answers.pt"],
        **values,
    )
    response = Response(html, status=status, content_type="text/html", charset="utf-8")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def visit_page(
    request: Any, visit: Visit, name: str, *, title: str, status: int = 200, **values: Any
) -> Response:
    """A page within a visit."""
    return page(
        request, name, Frame.of(request, visit), title=title, link=visit.link, status=status, **values
    )


def note_viewed(services: Services, link: Any, name: str) -> None:
    """Write down that somebody was shown the page *name*."""
    services.audit.record(
        "portal.page_viewed",
        project_id=link.project_id,
        organization_id=link.organization_id,
        target=("setup_link", link.id),
        after={"page": name},
    )


def note_refused(services: Services, link: Any, code: str, *, page: str) -> None:
    """Write down that what somebody sent from *page* was answered with *code*."""
    services.audit.record(
        "portal.refused",
        project_id=link.project_id,
        organization_id=link.organization_id,
        target=("setup_link", link.id),
        after={"code": code, "page": page},
    )


def _stages(request: Any, name: str) -> list[dict[str, Any]]:
    """The five stages: which are behind, where we are, and where one can go back to."""
    names = [stage[0] for stage in STAGES]
    if name not in names:
        return []
    here = names.index(name)
    return [
        {
            "title": title,
            "number": number + 1,
            "state": "past" if number < here else "now" if number == here else "ahead",
            "href": request.route_path(route) if route and number < here and name != "done" else None,
        }
        for number, (_, title, route) in enumerate(STAGES)
    ]
