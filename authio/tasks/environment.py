"""What a task runs in: services over a transaction of its own, and the way out to other servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from authio.clock import Clock
from authio.outbound import Outbound
from authio.services import Services
from authio.settings import Settings
from authio.tasks.lines import Lines

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Begin(Protocol):
    """Opens a transaction in which the system itself acts; it is committed when the block ends."""

    def __call__(self, *, write: bool = True) -> AbstractContextManager[Services]: ...


@dataclass(frozen=True)
class Environment:
    """Lives as long as the process; tasks share nothing else."""

    begin: Begin
    outbound: Outbound
    clock: Clock
    settings: Settings
    lines: Lines = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", Lines(self.settings.worker_threads))
