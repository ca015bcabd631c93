"""The page about writing a provider shows the made-up one as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from authio import plugin
from authio.plugin import SP_VALUES
from authio.plugin.walkthrough import _STEP_KEYS
from tests.plugin.conftest import ACME

PAGE = (Path(__file__).parents[2] / "docs" / "writing-a-provider.md").read_text("utf-8")
SHOWN = re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("path", "text"), SHOWN, ids=[path for path, _ in SHOWN])
def test_what_is_shown_is_what_is_tested(path: str, text: str) -> None:
    assert text == (ACME / path).read_text("utf-8").rstrip()


def test_all_of_the_provider_is_shown() -> None:
    assert {path for path, _ in SHOWN} == {
        "setup.py",
        "authio_acme/__init__.py",
        "authio_acme/saml.py",
        "authio_acme/oidc.py",
        "authio_acme/steps/saml.toml",
        "tests/test_contract.py",
    }


def test_every_key_of_a_step_and_every_value_of_ours_is_explained() -> None:
    table = PAGE[PAGE.index("| key | means |") : PAGE.index("Pictures and icons")]

    assert set(re.findall(r"`(\w+)`", table)) >= _STEP_KEYS | set(SP_VALUES)


def test_the_door_keeps_what_it_promises() -> None:
    assert sorted(plugin.__all__) == sorted(set(plugin.__all__))
    assert [name for name in plugin.__all__ if not hasattr(plugin, name)] == []
