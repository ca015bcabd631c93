"""Keys that outlive a restart, in a file for this user alone."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from authio.rehearse.credentials import Credentials, Unusable

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_what_was_kept_is_what_is_found(tmp_path: Path) -> None:
    path = tmp_path / "var" / "rehearsal.json"
    made = Credentials.kept(path, NOW)
    made.client_keys = [{"kty": "OKP", "kid": "ours"}]
    made.renew_certificate(NOW, lives=timedelta(days=5))
    made.rotate()
    found = Credentials.kept(path, NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.pem for one in found.saml] == [one.pem for one in made.saml]
    assert len(found.saml) == 2
    assert found.saml[0].certificate.not_valid_after_utc == NOW + timedelta(days=5)
    assert {name: [key.kid for key in held] for name, held in found.oidc.items()} == {
        name: [key.kid for key in held] for name, held in made.oidc.items()
    }
    assert found.oidc["ES256"][0].jwk() == made.oidc["ES256"][0].jwk()
    assert (found.client_secret, found.client_keys) == (made.client_secret, made.client_keys)
    assert [one.name for one in path.parent.iterdir()] == ["rehearsal.json"]


def test_two_rehearsals_have_nothing_in_common() -> None:
    one, other = Credentials.fresh(NOW), Credentials.fresh(NOW)
    assert one.client_secret != other.client_secret
    assert one.saml[0].pem != other.saml[0].pem


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"saml": [], "oidc": {}}'])
def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rehearsal.json"
    path.write_bytes(content)
    with pytest.raises(Unusable, match="Move it out of the way"):
        Credentials.kept(path, NOW)
    assert path.read_bytes() == content


def test_a_place_that_cannot_be_written_is_named() -> None:
    with pytest.raises(Unusable, match=r"/proc/nowhere/rehearsal\.json cannot be written"):
        Credentials.kept(Path("/proc/nowhere/rehearsal.json"), NOW)


def test_nothing_secret_is_shown() -> None:
    made = Credentials.fresh(NOW)
    assert made.client_secret not in repr(made)
    assert "PRIVATE KEY" not in repr(made)
