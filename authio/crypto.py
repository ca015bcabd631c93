"""Secrets: made, digested, sealed at rest, and compared. No secret leaves this module in an error."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


def new_token(prefix: str) -> str:
    """*prefix* and 32 random bytes, URL-safe: 256 bits from the operating system."""
    return prefix + secrets.token_urlsafe(32)


def new_api_key() -> str:
    """``sk_``, 256 random bits, and six characters of checksum so that a typing slip is told apart."""
    body = secrets.token_hex(32)
    return f"sk_{body}{_checksum(body)}"


def is_api_key(text: str) -> bool:
    """Whether *text* is shaped like one of our keys, checksum included. Says nothing about validity."""
    body, check = text[3:-6], text[-6:]
    return (
        text.startswith("sk_")
        and len(body) == 64
        and hmac.compare_digest(check.encode(), _checksum(body).encode())
    )


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"[:6]


def new_signing_secret() -> str:
    """A webhook signing secret: ``whsec_`` and base64 of 32 bytes, as Standard Webhooks spells it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def digest(token: str) -> bytes:
    """SHA-256 of a token: what is stored, and what is looked up. The token has 256 bits of its own."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in time that does not depend on where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


class Unsealable(Exception):
    """A sealed value does not open here: unknown master key, other place, or changed bytes."""


@dataclass(frozen=True)
class Vault:
    """Seals secrets at rest with AES-256-GCM under master keys that live outside the database.

    ``keys`` maps key ids to 32 bytes each; the first one seals, all of them open. Where a value
    belongs (table, row id, column) is bound in as associated data, so that a ciphertext moved to
    another row does not open.
    """

    keys: dict[str, bytes] = field(repr=False)

    def seal(self, plain: bytes, *, place: tuple[str, str, str]) -> bytes:
        """Encrypt *plain* for *place* = (table, row id, column)."""
        key_id = next(iter(self.keys))
        nonce = os.urandom(_NONCE)
        label = key_id.encode()
        body = AESGCM(self.keys[key_id]).encrypt(nonce, plain, _associated(place))
        return bytes([len(label)]) + label + nonce + body

    def open(self, sealed: bytes, *, place: tuple[str, str, str]) -> bytes:
        """What was sealed for *place*; raises :class:`Unsealable`."""
        length = sealed[0] if sealed else 0
        key_id = sealed[1 : 1 + length].decode("ascii", "replace")
        key = self.keys.get(key_id)
        if key is None:
            raise Unsealable("no master key with that id")
        nonce, body = sealed[1 + length : 1 + length + _NONCE], sealed[1 + length + _NONCE :]
        try:
            return AESGCM(key).decrypt(nonce, body, _associated(place))
        except (InvalidTag, ValueError):
            raise Unsealable("the sealed bytes do not belong here") from None

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for *purpose*, made from the newest master key."""
        return hmac.digest(next(iter(self.keys.values())), f"authio:{purpose}".encode(), "sha256")


def _associated(place: tuple[str, str, str]) -> bytes:
    return "\0".join(place).encode()


def new_master_keys() -> str:
    """The text of a fresh master key setting, ``k1:<base64 of 32 bytes>``."""
    return "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()


def read_master_keys(text: str) -> dict[str, bytes]:
    """``id:base64 id:base64 …``, newest first; ValueError says what is wrong without repeating a key."""
    keys: dict[str, bytes] = {}
    for number, word in enumerate(text.split(), start=1):
        key_id, colon, encoded = word.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not colon or not key_id.isalnum() or not key_id.isascii() or len(key_id) > 32 or len(key) != 32:
            raise ValueError(f"master key number {number} is not 'id:' and base64 of 32 bytes")
        if key_id in keys:
            raise ValueError(f"two master keys have the id {key_id}")
        keys[key_id] = key
    if not keys:
        raise ValueError("there is no master key")
    return keys


def matches_any(candidate: str, accepted: Iterable[str]) -> bool:
    """Whether *candidate* equals one of *accepted*, without telling by its time which one."""
    found = False
    for one in accepted:
        found = same(candidate, one) or found
    return found
