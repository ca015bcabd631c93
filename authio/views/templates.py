"""Where templates come from: each is compiled when it is first shown, once, and by one thread at a time."""

from __future__ import annotations

import threading
from functools import lru_cache
from importlib.resources import files

from chameleon import PageTemplateFile, PageTemplateLoader


class _Template(PageTemplateFile):
    """A template that no two threads compile at once, neither it nor any other one.

    Python counts the depth of the syntax tree it is making in one place for all threads, and gives up with
    "AST constructor recursion depth mismatch" when two of them are at it. The page would be an error.
    """

    _compiling = threading.RLock()

    def cook_check(self) -> bool:
        """Compile it if nobody has; True if this call did."""
        if self._cooked:
            return False
        with self._compiling:
            return bool(super().cook_check())


FORMATS = {"xml": _Template}
"""For the loaders of libraries that bring their own."""


@lru_cache(maxsize=1)
def our_templates() -> PageTemplateLoader:
    """Our templates by their path below ``templates/``, the same for the whole process."""
    return PageTemplateLoader(str(files("authio") / "templates"), formats=FORMATS, auto_reload=False)
