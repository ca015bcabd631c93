"""Settings: read once, all problems at once, dangerous ones only on loopback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from authio.crypto import new_master_keys
from authio.errors import StartupError
from authio.settings import Settings

GOOD = {
    "sqlalchemy.url": "sqlite:///x.sqlite",
    "huey.url": "sqlite:///q.sqlite",
    "authio.base_url": "https://sso.example.com",
    "authio.master_keys": new_master_keys(),
}
LOCAL = {**GOOD, "authio.base_url": "http://localhost:6543", "authio.plain_http_cookies": "true"}


def problems(ini: dict[str, str], environ: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(StartupError) as caught:
        Settings.load(ini, environ or {})
    return caught.value.problems


def test_the_environment_beats_the_ini_file() -> None:
    settings = Settings.load(GOOD, {"AUTHIO_BASE_URL": "https://login.example.com/"})

    assert settings.base_url == "https://login.example.com"


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = problems(
        {"authio.base_url": "http://sso.example.com", "authio.threads": "many", "authio.nonsense": "1"}
    )

    told = " ".join(found)
    for key in (
        "sqlalchemy.url",
        "huey.url",
        "authio.master_keys",
        "authio.base_url",
        "authio.threads",
        "authio.nonsense",
    ):
        assert key in told, key
    assert len(found) == 6


@pytest.mark.parametrize("key", ["authio.demo", "authio.plain_http_cookies"])
def test_SEC_14_development_switches_are_refused_off_loopback(key: str) -> None:
    assert any(key in problem for problem in problems({**GOOD, key: "true"}))
    assert Settings.load({**LOCAL, key: "true"}, {})


def test_plain_http_needs_the_switch_that_says_so() -> None:
    assert problems({**LOCAL, "authio.plain_http_cookies": "false"})


@pytest.mark.parametrize(
    "keys",
    [
        "",
        "k1",
        "k1:short",
        "k1:" + "A" * 43 + "=" + " " + "k1:" + "A" * 43 + "=",
        "k 1:" + "A" * 43 + "=",
        "file:/nowhere/keys",
    ],
)
def test_SEC_112_a_start_without_usable_master_keys_fails_and_does_not_repeat_them(keys: str) -> None:
    (problem,) = problems({**GOOD, "authio.master_keys": keys})

    assert "authio.master_keys" in problem
    assert "AAAA" not in problem


def test_master_keys_can_lie_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(new_master_keys() + "\n", encoding="ascii")

    assert set(Settings.load({**GOOD, "authio.master_keys": f"file:{path}"}, {}).master_keys) == {"k1"}


def test_what_is_logged_at_start_holds_no_secret() -> None:
    ini = {**GOOD, "sqlalchemy.url": "postgresql://u:pa55word@h/d", "huey.url": "redis://:pa55word@h/0"}

    settings = Settings.load(ini, {})

    told = repr(settings) + repr(settings.described())
    assert "pa55word" not in told
    assert GOOD["authio.master_keys"].partition(":")[2] not in told
    assert settings.described()["authio.base_url"] == "https://sso.example.com"


def test_a_schedule_is_delays_in_seconds_and_the_default_lasts_three_days() -> None:
    assert Settings.load(
        {**GOOD, "authio.webhook_retry_schedule": "5s 2m 1h"}, {}
    ).webhook_retry_schedule == (5, 120, 3600)
    default = Settings.load(GOOD, {}).webhook_retry_schedule
    assert len(default) == 12
    assert 2.9 < sum(default) / 86400 < 3.1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("authio.outbound_allow", "localhost"),
        ("authio.outbound_allow", "localhost:0"),
        ("authio.base_url", "https://sso.example.com/portal"),
        ("authio.base_url", "ftp://sso.example.com"),
        ("authio.listen", "6543"),
        ("authio.threads", "0"),
        ("authio.demo", "perhaps"),
        ("sqlalchemy.url", "mysql://x"),
        ("huey.url", "amqp://x"),
        ("authio.webhook_retry_schedule", "soon"),
        ("authio.webhook_ports", "443 https"),
        ("authio.webhook_ports", "70000"),
        ("authio.log_level", "LOUD"),
    ],
)
def test_a_value_that_cannot_be_read_stops_the_start(key: str, value: str) -> None:
    assert any(key in problem for problem in problems({**LOCAL, key: value}))


def test_both_ini_files_hold_only_settings_there_are(tmp_path: Path) -> None:
    known = {declared["key"] for _, declared in Settings.declared()}
    for name in ("development.ini", "production.ini"):
        text = Path(__file__).parents[2].joinpath(name).read_text(encoding="utf-8")
        used = set(re.findall(r"^((?:authio|sqlalchemy|huey)\.[a-z_.]+) *=", text, re.MULTILINE))
        assert used
        assert used <= known, name
