"""Findings: what inspection noticed, each with a stable code, a level and the field it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Level(StrEnum):
    """``ERROR`` stops Save; ``WARNING`` is shown and recorded."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing inspection noticed.

    ``message`` is what the IT admin reads: what to change, and on which screen of their console.
    ``found`` is the offending value (shown as text, never as markup), where it helps.
    """

    level: Level
    code: str
    message: str
    field: str = ""
    found: str = ""

    @classmethod
    def error(cls, code: str, message: str, *, field: str = "", found: str = "") -> Finding:
        """A finding that stops Save."""
        return cls(Level.ERROR, code, message, field, found)

    @classmethod
    def warning(cls, code: str, message: str, *, field: str = "", found: str = "") -> Finding:
        """A finding that is shown and recorded, and stops nothing."""
        return cls(Level.WARNING, code, message, field, found)

    @property
    def is_error(self) -> bool:
        """Whether it stops Save."""
        return self.level is Level.ERROR

    def at(self, field: str) -> Finding:
        """The same finding about *field*, unless it already names one."""
        return self if self.field else replace(self, field=field)

    def to_json(self) -> dict[str, str]:
        """The finding as the portal, the API and ``authio inspect`` show it."""
        shown = {"level": str(self.level), "code": self.code, "field": self.field, "message": self.message}
        return shown | {"found": self.found} if self.found else shown


class Refused(Exception):
    """These answers, this document or this address cannot be used; ``findings`` say why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(", ".join(finding.code for finding in self.findings))

    def at(self, field: str) -> Refused:
        """The same refusal, about *field* wherever a finding does not name its own."""
        return Refused([finding.at(field) for finding in self.findings])
