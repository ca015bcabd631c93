"""Templates are compiled one at a time, by whichever loader they are found."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from chameleon import PageTemplateFile, PageTemplateLoader

from authio.views.portal import fields
from authio.views.templates import FORMATS, our_templates


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many compilations were under way whenever one more began; each takes its time."""
    seen: list[int] = []
    under_way = threading.Semaphore(0)
    compile_it = PageTemplateFile.cook

    def cook(template: PageTemplateFile, body: str) -> Any:
        under_way.release()
        seen.append(under_way._value)
        time.sleep(0.02)
        try:
            return compile_it(template, body)
        finally:
            under_way.acquire()

    monkeypatch.setattr(PageTemplateFile, "cook", cook)
    return seen


def test_no_two_templates_are_compiled_at_once(tmp_path: Path, at_once: list[int]) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.pt").write_text(f"<p>{name} ${{1 + 1}}</p>")
    loader = PageTemplateLoader(str(tmp_path), formats=FORMATS, auto_reload=False)

    with ThreadPoolExecutor(8) as threads:
        pages = list(threads.map(lambda name: loader[f"{name}.pt"].render(), "abcdabcd"))

    assert pages == [f"<p>{name} 2</p>" for name in "abcdabcd"]
    assert at_once == [1] * 4, "each once, and never beside another"


@pytest.mark.parametrize("loader", [our_templates(), fields._renderer().loader], ids=["pages", "fields"])
def test_our_loaders_compile_that_way(loader: PageTemplateLoader) -> None:
    assert loader.formats is FORMATS
