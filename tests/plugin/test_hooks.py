"""The page about hooks is held to the code: the same hooks, the same arguments, examples that load."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from authio.plugin import hookspecs
from authio.plugin.testing import plugins_of

PAGE = (Path(__file__).parents[2] / "docs" / "plugin-hooks.md").read_text("utf-8")
HOOKS = {
    name: hook
    for name, hook in inspect.getmembers(hookspecs, inspect.isfunction)
    if name.startswith("authio_")
}


def test_there_are_three() -> None:
    assert set(HOOKS) == {"authio_providers", "authio_inspect", "authio_configure"}


def test_the_page_has_every_hook_with_its_exact_arguments() -> None:
    headings = re.findall(r"^## `(.+)`$", PAGE, re.MULTILINE)

    assert sorted(headings) == sorted(
        f"{name}({', '.join(inspect.signature(hook).parameters)})" for name, hook in HOOKS.items()
    )


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_each_docstring_says_when_where_and_what_a_failure_does(name: str) -> None:
    text = " ".join((HOOKS[name].__doc__ or "").split())

    assert "Called once" in text or "Called on every" in text
    assert "process" in text
    assert "exception" in text
    assert "@hookimpl" in text
    assert f"def {name}(" in text


@pytest.mark.parametrize("arguments", [*HOOKS["authio_inspect"].__annotations__][:-1])
def test_the_page_explains_each_argument(arguments: str) -> None:
    section = PAGE[PAGE.index("## `authio_inspect") : PAGE.index("## `authio_configure")]

    assert f"| `{arguments}` |" in section


def test_the_examples_are_hooks_that_fit(acme: ModuleType) -> None:
    examples = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
    offered: list[str] = []

    for number, source in enumerate(examples):
        module = ModuleType(f"example_{number}")
        vars(module)["PROVIDER"] = acme.PROVIDER
        exec(compile(source, "plugin-hooks.md", "exec"), vars(module))
        plugins_of(module)
        offered += [name for name in HOOKS if hasattr(module, name)]

    assert sorted(offered) == sorted(HOOKS)
