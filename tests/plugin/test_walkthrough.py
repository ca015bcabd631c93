"""Walkthroughs: what a file may say, and that everything else is refused with its place."""

from __future__ import annotations

from datetime import date

import pytest

from authio.plugin import Walkthrough, WalkthroughError
from authio.plugin.loader import Plugins
from authio.plugin.walkthrough import Picture, Shown, Span, read_line

STEP = '[[step]]\ntitle = "One"\ndo = ["Press **Next**."]\n'


def test_text_is_bold_links_and_nothing_else() -> None:
    assert read_line("Press **Next** or see [their help](https://help.example/a?b=c), <b>now</b>.") == (
        Span("text", "Press "),
        Span("bold", "Next"),
        Span("text", " or see "),
        Span("link", "their help", "https://help.example/a?b=c"),
        Span("text", ", <b>now</b>."),
    )


@pytest.mark.parametrize(
    "text", ["", "An **open bold", "[text](http://plain.example)", "[text](javascript:alert(1))", "****"]
)
def test_what_is_not_closed_or_leads_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(WalkthroughError):
        read_line(text)


def test_a_step_has_everything_the_page_needs(plugins: Plugins) -> None:
    connector = plugins.connector("acme-saml")
    assert connector is not None

    steps = connector.walkthrough.steps

    assert [step.title for step in steps] == [
        "Add an application",
        "Give Acme ID our addresses",
        "Send names",
        "Bring back the metadata",
    ]
    addresses = steps[1]
    assert addresses.shows == (Shown("acs_url", "Reply address"), Shown("entity_id", "Audience"))
    assert addresses.picture == Picture(
        "settings.svg", "The Settings tab with the fields Reply address and Audience"
    )
    assert addresses.mistakes[0][0] == Span("bold", "Audience")
    assert addresses.last_checked == date(2026, 11, 22)
    assert connector.walkthrough.asks == ("metadata_url", "metadata_file")
    assert connector.walkthrough.last_checked == date(2026, 11, 22)


def test_neighbours_with_a_layout_each_are_one_step(plugins: Plugins) -> None:
    connector = plugins.connector("acme-saml")
    assert connector is not None

    step = connector.walkthrough.steps[2]

    assert step.do == ()
    assert [layout.name for layout in step.layouts] == ["Console 2", "Console 1"]
    assert step.layouts[0].do == (
        (
            Span("text", "On "),
            Span("bold", "Attributes"),
            Span("text", ", press "),
            Span("bold", "Add defaults"),
            Span("text", "."),
        ),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has to hold [[step]] tables"),
        ("[[step]]\n", "step 1: title is missing"),
        ("[[step]]\ntitle = 'x'\n", "step 1: there is nothing to do"),
        (STEP + STEP.replace("do", "does"), "step 2: unknown does"),
        (STEP + "html = 'x'", "step 1: unknown html"),
        (STEP + "image = 'x.svg'", "step 1: image and alt come together"),
        (STEP + "last_checked = 'today'", "step 1: last_checked is a date"),
        (STEP + "last_checked = 2026-01-01T00:00:00", "step 1: last_checked is a date"),
        (STEP + "asks = 'metadata_url'", "step 1: asks is a list"),
        (STEP + "shows = ['acs_url']", "step 1: shows maps"),
        (STEP + "layout = 'New'", "step 1: layouts of 'One' need a sibling"),
        ((STEP + "layout = 'New'\n") * 2, "names that differ"),
        ("steps = 1\n" + STEP, "has to hold [[step]] tables and nothing else"),
        ("[[step]", "Expected"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(WalkthroughError) as failed:
        Walkthrough.parse(text, where="authio_acme: steps/saml.toml")

    assert str(failed.value).startswith("authio_acme: steps/saml.toml")
    assert says in str(failed.value)


def test_a_missing_file_is_named(plugins: Plugins) -> None:
    with pytest.raises(WalkthroughError, match=r"authio_acme: steps/scim\.toml is missing"):
        Walkthrough.load("authio_acme", "scim")


def test_assets_are_read_from_the_package_and_from_nowhere_else(plugins: Plugins) -> None:
    provider = plugins.provider("acme")
    assert provider is not None

    assert provider.asset("icon.svg").startswith(b"<svg")
    for path in (
        "../steps/saml.toml",
        "/etc/passwd",
        "",
        ".",
        "missing.svg",
        "a/../icon.svg",
        "..\\icon.svg",
        "steps",
        "a" * 5000 + ".svg",
        "\0.svg",
    ):
        with pytest.raises(KeyError):
            provider.asset(path)
