"""Rows that services work on: an organization in a project, and a link into it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from authio.services import Services
from authio.services.setup_links import Wanted

Begin = Callable[..., AbstractContextManager[Services]]


@pytest.fixture
def acme(services: Begin, project: Any) -> Any:
    """An organization of ``project``."""
    with services() as s:
        return s.organizations.create(project.id, name="Acme")


@pytest.fixture
def mint(services: Begin, acme: Any) -> Callable[..., tuple[Any, str]]:
    """``mint(**wanted)`` makes a link for ``acme``: (row, token)."""

    def make(**wanted: Any) -> tuple[Any, str]:
        with services() as s:
            organization = s.organizations.hold(acme.project_id, acme.id)
            return s.setup_links.mint(
                organization, Wanted(**{"intents": ["sso"], "lifetime": timedelta(hours=24), **wanted})
            )

    return make
