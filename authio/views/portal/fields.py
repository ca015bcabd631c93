"""A connector's schema as a form: drawn by deform with our templates, read back field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import colander
import deform

from authio.plugin import Connector, Finding
from authio.protocols.reasons import noticed
from authio.views.portal.forms import Posted
from authio.views.templates import FORMATS

FORGET = "forget"
"""The tick that drops a file brought before."""
_AGAIN = "Enter this again: what you gave before was meant for the address you had then."
_LEADS_NOWHERE = frozenset({"client_id"})


@dataclass(frozen=True)
class Drawn:
    """One field as the page shows it; ``html`` is the input alone, drawn by deform."""

    name: str
    id: str
    title: str
    description: str
    html: str
    findings: tuple[Finding, ...]
    is_optional: bool
    is_set: bool
    """Whether an answer is kept that the input does not show: a secret, or a file."""
    is_file: bool

    @property
    def has_error(self) -> bool:
        return any(finding.is_error for finding in self.findings)


@dataclass(frozen=True)
class Way:
    """Fields that belong together. The preferred way is open, the others unfold."""

    label: str
    fields: tuple[Drawn, ...]
    is_open: bool


def read_answers(
    connector: Connector, posted: Posted, kept: Mapping[str, str]
) -> tuple[dict[str, str | bytes], list[Finding]]:
    """The answers in *posted*, completed by those *kept* that no input shows back; and what is malformed."""
    answers: dict[str, str | bytes] = {}
    findings: list[Finding] = []
    for field in _form(connector):
        if field.name in posted.flawed:
            findings.append(noticed("bad_value", field=field.name))
            continue
        sent = posted.files.get(field.name) or posted.fields.get(field.name) or colander.null
        try:
            value = field.schema.deserialize(field.widget.deserialize(field, sent))
        except colander.Invalid as invalid:
            findings.append(Finding.error("bad_value", "; ".join(invalid.messages()), field=field.name))
            continue
        if value not in (None, "", b"", colander.null):
            answers[field.name] = value if isinstance(value, str | bytes) else str(value)
    for name in sorted(connector.secrets & kept.keys() - answers.keys()):
        if _leads_elsewhere(connector, answers, kept):
            findings.append(Finding.error("answer_missing", _AGAIN, field=name))
        else:
            answers[name] = kept[name]
    # A file brought before counts on, unless it is unticked or something else would do in its place.
    for name in _uploads(connector) & kept.keys() - answers.keys():
        if posted.fields.get(FORGET) != name and connector.missing(answers):
            answers[name] = kept[name]
    return answers, findings


def _leads_elsewhere(
    connector: Connector, answers: Mapping[str, str | bytes], kept: Mapping[str, str]
) -> bool:
    """Whether what a kept secret would be sent to has changed since it was given.

    Several people may hold a link. None of them gets another's secret by giving an address of their own.
    """
    leading = {*connector.field_names} - connector.secrets - _uploads(connector) - _LEADS_NOWHERE
    return any(answers.get(name) != kept.get(name) for name in leading)


def draw(connector: Connector, kept: Mapping[str, str], findings: Sequence[Finding]) -> list[Way]:
    """The form's fields, way by way, with what was answered and found. The first error gets the focus."""
    ways: list[Way] = []
    form = {field.name: field for field in _form(connector)}
    needed = {name for way in connector.ways for name in way}
    first_error = next((name for name in form if any(f.is_error and f.field == name for f in findings)), None)
    for names, joint, is_preferred in _grouped(connector, list(form)):
        fields = tuple(
            _drawn(
                form[name],
                connector,
                kept.get(name, ""),
                tuple(finding for finding in findings if finding.field == name),
                is_optional=name not in needed,
                focus=name == first_error,
            )
            for name in names
        )
        used = any(field.findings or field.is_set or kept.get(field.name) for field in fields)
        ways.append(Way("" if is_preferred else _label(fields, joint), fields, is_preferred or used))
    return ways


def _grouped(connector: Connector, names: Sequence[str]) -> Iterable[tuple[list[str], str, bool]]:
    """Field names by way: the preferred one with what is optional beside it, then what the others add.

    With each the word between its names (all of a way are needed, of several ways one suffices), and
    whether it is the preferred one.

    Neighbouring ways of a single field each stand together: they are one thing in several forms.
    """
    shown = [*connector.ways[0]]
    asked = {name for way in connector.ways for name in way}
    shown += [name for name in names if name not in asked]
    yield [name for name in names if name in shown], "and", True
    single: list[str] = []
    for way in connector.ways[1:]:
        added = [name for name in names if name in way and name not in shown]
        shown += added
        if len(way) == 1:
            single += added
            continue
        if single:
            yield single, "or", False
            single = []
        if added:
            yield added, "and", False
    if single:
        yield single, "or", False


def _drawn(
    field: Any,
    connector: Connector,
    answer: str,
    findings: tuple[Finding, ...],
    *,
    is_optional: bool,
    focus: bool,
) -> Drawn:
    is_file = field.name in _uploads(connector)
    hidden = is_file or field.name in connector.secrets
    has_error = any(finding.is_error for finding in findings)
    described = [f"{field.oid}-help"] if field.description else []
    described += [f"{field.oid}-finding-{number}" for number, _ in enumerate(findings)]
    html = field.serialize(
        "" if hidden else answer,
        described=" ".join(described) or None,
        invalid="true" if has_error else None,
        focus="autofocus" if focus else None,
    )
    return Drawn(
        name=field.name,
        id=field.oid,
        title=field.title,
        description=field.description or "",
        html=html,
        findings=findings,
        is_optional=is_optional,
        is_set=hidden and bool(answer),
        is_file=is_file,
    )


def _label(fields: Sequence[Drawn], joint: str) -> str:
    *others, last = [field.title for field in fields]
    return f"{', '.join(others)} {joint} {last}" if others else last


def _form(connector: Connector) -> deform.Form:
    form = deform.Form(connector.schema(), renderer=_renderer(), focus="off")
    for field in form:
        field.oid = f"field-{field.name}"
    return form


def _uploads(connector: Connector) -> frozenset[str]:
    # Whatever draws itself with the upload template is a file to us, a stranger's widget included.
    return frozenset(
        node.name for node in connector.schema().children if getattr(node.widget, "template", "") == "upload"
    )


@lru_cache(maxsize=1)
def _renderer() -> Any:
    """Deform's renderer over our own templates, which hold no script and no style."""
    renderer = deform.ZPTRendererFactory((str(files("authio") / "templates" / "fields"),), auto_reload=False)
    renderer.loader.formats = FORMATS
    return renderer
