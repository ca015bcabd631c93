"""Secrets: made with enough randomness, sealed to their place, compared without telling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authio import crypto
from authio.crypto import Unsealable, Vault

PLACE = ("connections", "conn_1", "settings")


def vault(text: str | None = None) -> Vault:
    return Vault(crypto.read_master_keys(text or crypto.new_master_keys()))


@given(st.binary(max_size=2000))
def test_what_was_sealed_opens_again(plain: bytes) -> None:
    one = vault()

    assert one.open(one.seal(plain, place=PLACE), place=PLACE) == plain


@pytest.mark.parametrize(
    "place",
    [
        ("webhook_endpoints", "conn_1", "settings"),
        ("connections", "conn_2", "settings"),
        ("connections", "conn_1", "answers"),
    ],
)
def test_SEC_112_a_ciphertext_does_not_open_in_another_place(place: tuple[str, str, str]) -> None:
    one = vault()
    sealed = one.seal(b"secret", place=PLACE)

    with pytest.raises(Unsealable):
        one.open(sealed, place=place)


@given(st.data())
def test_SEC_112_changed_bytes_do_not_open(data: st.DataObject) -> None:
    one = vault()
    sealed = bytearray(one.seal(b"a secret of some length", place=PLACE))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))

    with pytest.raises(Unsealable):
        one.open(bytes(sealed), place=PLACE)


@pytest.mark.parametrize("sealed", [b"", b"\0", b"\x02k1", b"\xff" * 40])
def test_what_is_no_ciphertext_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Unsealable):
        vault().open(sealed, place=PLACE)


def test_after_a_rotation_old_values_open_and_new_ones_are_sealed_with_the_new_key() -> None:
    old_key = crypto.new_master_keys()
    sealed = vault(old_key).seal(b"secret", place=PLACE)
    new_key = crypto.new_master_keys().replace("k1:", "k2:")
    rotated = vault(f"{new_key} {old_key}")

    assert rotated.open(sealed, place=PLACE) == b"secret"
    fresh = rotated.seal(b"secret", place=PLACE)
    assert vault(new_key).open(fresh, place=PLACE) == b"secret"
    with pytest.raises(Unsealable):
        vault(old_key).open(fresh, place=PLACE)


def test_the_same_plain_text_is_never_sealed_to_the_same_bytes() -> None:
    one = vault()

    assert len({one.seal(b"x", place=PLACE) for _ in range(100)}) == 100


def test_a_vault_does_not_show_its_keys() -> None:
    text = crypto.new_master_keys()

    assert repr(crypto.read_master_keys(text)["k1"])[2:10] not in repr(vault(text))


def test_SEC_01_tokens_have_256_bits_and_the_prefix_they_are_known_by() -> None:
    tokens = {crypto.new_token("apl_") for _ in range(1000)}

    assert len(tokens) == 1000
    assert all(token.startswith("apl_") and len(token) == 4 + 43 for token in tokens)


def test_SEC_111_an_api_key_carries_a_checksum() -> None:
    key = crypto.new_api_key()

    assert crypto.is_api_key(key)
    slip = key[:-8] + ("0" if key[-8] != "0" else "1") + key[-7:]
    assert not crypto.is_api_key(slip)
    for other in ("", "sk_", key[:-1], key + "0", key.replace("sk_", "pk_"), "sk_" + "é" * 70):
        assert not crypto.is_api_key(other)
