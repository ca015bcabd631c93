"""Generated pages are compared with the code, and a page that went stale is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import generated


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(generated, "ROOT", tmp_path)
    monkeypatch.setattr(generated, "PAGES", {"docs/a.md": lambda: "A\n"})
    monkeypatch.setattr(generated, "SECTIONS", {("docs/b.md", "part"): lambda: r"text with \1 in it"})
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "b.md").write_text(
        "By hand.\n<!-- generated: part -->\nold\n<!-- end of part -->\nBy hand, too.\n"
    )
    return tmp_path / "docs"


def test_what_is_written_is_what_is_verified(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generated.main([]) == 1
    assert "docs/a.md, docs/b.md differ" in capsys.readouterr().err
    assert generated.main(["--write"]) == 0
    assert generated.main([]) == 0
    assert (elsewhere / "a.md").read_text() == "A\n"


def test_what_is_written_by_hand_is_left_alone(elsewhere: Path) -> None:
    generated.main(["--write"])
    text = (elsewhere / "b.md").read_text()
    assert text.startswith("By hand.\n")
    assert text.endswith("By hand, too.\n")
    assert r"text with \1 in it" in text


def test_a_page_that_lost_its_markers_is_noticed(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "b.md").write_text("By hand.\n")
    assert generated.main([]) == 1
    assert "docs/b.md lacks" in capsys.readouterr().err


def test_every_setting_and_every_error_code_is_documented() -> None:
    from authio.errors import CODES
    from authio.settings import Settings

    settings = generated.settings_page()
    for _, declared in Settings.declared():
        assert f"`{declared['key']}`" in settings
        assert f"`{declared['environment']}`" in settings
    assert all(f"`{code}`" in generated.error_table() for code in CODES)
