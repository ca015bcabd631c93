"""`make verify`: the generated parts of docs/ equal what the code says. `make generate` writes them.

A page is either generated whole, or has generated parts between ``<!-- generated: NAME -->`` and
``<!-- end of NAME -->``; everything else on it is written by hand and left alone.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def settings_page() -> str:
    """docs/settings.md: every setting, from its declaration."""
    from authio.settings import Settings

    rows = []
    for _, declared in Settings.declared():
        default = declared["default"]
        shown = "(required)" if default is None else "(empty)" if default == "" else f"`{default}`"
        rows.append(f"| `{declared['key']}` | `{declared['environment']}` | {shown} | {declared['help']} |")
    return "\n".join(
        [
            "# Settings",
            "",
            "Keys of the `[app:main]` section of the ini file. The environment beats the ini file. A key",
            "that is not known stops the start, and so does a value that cannot be read; everything that is",
            "wrong is told at once. Generated from `authio/settings.py` by `make generate`.",
            "",
            "| ini key | environment | default | what it does |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def openapi() -> str:
    """docs/openapi.json: the API, from its table of operations."""
    from authio.wire.openapi import text

    return text()


def error_table() -> str:
    """Every code that a caller can be answered with, by status."""
    from authio.errors import CODES

    rows = sorted((code.status, name, code.message) for name, code in CODES.items())
    return "\n".join(
        [
            "| status | code | message |",
            "| --- | --- | --- |",
            *(f"| {status} | `{name}` | {message} |" for status, name, message in rows),
        ]
    )


def mistake_table() -> str:
    """Every mistake that the rehearsal's provider makes, and what it is to be refused with."""
    from authio.rehearse.switches import OIDC, SAML

    rows = [
        f"| `{choice.mistake}` | {protocol} | {switch.title}: {choice.label} | {_codes(choice.refused)} |"
        for protocol, table in (("SAML", SAML), ("OpenID Connect", OIDC))
        for switch in table.values()
        for choice in switch.choices
        if choice.mistake
    ]
    head = ["| mistake | protocol | the switch | refused with |", "| --- | --- | --- | --- |"]
    return "\n".join(["", *head, *rows, ""])


def _codes(codes: tuple[str, ...]) -> str:
    return ", ".join(f"`{code}`" for code in codes) or "a page of the provider's own"


PAGES: dict[str, Callable[[], str]] = {
    "docs/openapi.json": openapi,
    "docs/settings.md": settings_page,
}
"""Pages generated whole, by their path."""

SECTIONS: dict[tuple[str, str], Callable[[], str]] = {
    ("docs/api.md", "errors"): error_table,
    ("docs/rehearsal.md", "mistakes"): mistake_table,
}
"""Generated parts of pages, by path and name."""


def wanted() -> tuple[dict[str, str], list[str]]:
    """What every page with a generated part ought to hold, and what stands in the way of some."""
    pages = {path: make() for path, make in PAGES.items()}
    problems = []
    for (path, name), make in SECTIONS.items():
        file = ROOT / path
        text = pages.get(path) or (file.read_text(encoding="utf-8") if file.exists() else "")
        begin, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
        whole = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
        if not whole.search(text):
            problems.append(f"{path} lacks the lines '{begin}' and '{end}'")
            continue
        before, after = whole.split(text, maxsplit=1)
        pages[path] = f"{before}{begin}\n{make()}\n{end}{after}"
    return pages, problems


def main(arguments: list[str]) -> int:
    """Compare, or with ``--write`` write; 1 when a committed page is not what the code says."""
    pages, problems = wanted()
    stale = []
    for path, text in pages.items():
        file = ROOT / path
        now = file.read_text(encoding="utf-8") if file.exists() else ""
        if now == text:
            continue
        if arguments == ["--write"]:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
        else:
            stale.append(path)
            lines = difflib.unified_diff(
                now.splitlines(),
                text.splitlines(),
                f"{path} as committed",
                f"{path} as generated",
                lineterm="",
            )
            print("\n".join(list(lines)[:30]))
    if stale:
        problems.append(f"{', '.join(stale)} differ from the code; `make generate` writes them")
    for problem in problems:
        print(f"make verify: {problem}.", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
