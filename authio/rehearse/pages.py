"""The rehearsal provider's pages: the portal's style sheet, a strict policy, one script of one line."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from chameleon import PageTemplateLoader

from authio.rehearse.web import Answer

CONTINUE: Final = b"document.querySelector('form[data-form=response]').submit();\n"
"""Goes on by itself where there are scripts; everywhere else there is a button."""

# A form leads to the service provider, which sends the browser on to the product; the policy of the page with
# the form holds for each of these addresses.
_ANYWHERE: Final = "'self' https: http://localhost:* http://127.0.0.1:*"
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action {form_action}"
)


class Pages:
    """The pages of one provider, which speaks *protocol* at *url*."""

    def __init__(self, *, protocol: str, url: str) -> None:
        folder = Path(str(files("authio") / "templates" / "rehearse"))
        self._load = PageTemplateLoader(str(folder), default_extension=".pt")
        self._frame = {
            "protocol": protocol,
            "url": url,
            "layout": self._load["layout"],
            "parts": self._load["parts"],
        }

    def show(
        self, page: str, *, title: str, status: int = 200, leads_away: bool = False, **values: Any
    ) -> Answer:
        """The page of that template. One that ``leads_away`` may send its form to others."""
        text = self._load[page](**self._frame, page=page, title=title, **values)
        policy = _POLICY.format(form_action=_ANYWHERE if leads_away else "'self'")
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        # A macro has no place for what stands before its element.
        return Answer(f"<!DOCTYPE html>\n{text.lstrip()}".encode(), status, headers=headers)


def style_sheet() -> Answer:
    """The portal's."""
    return Answer((files("authio") / "static" / "portal.css").read_bytes(), content_type="text/css")
