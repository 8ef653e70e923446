"""The key of a redaction: whoever has it can tell which pseudonym stands for a name."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping

from kubepostmortem.errors import UsageError

VARIABLE = "KUBEPOSTMORTEM_REDACT_KEY"
SHORTEST = 16  # characters
SALT = b"kubepostmortem redaction 1"
SALT_BYTES = 16
COST = 1 << 15  # scrypt: 32 MiB and about 0.1 s for every guess of a key

Derived = bytes


def chosen(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the key that the user gives; None where there is none. Raises UsageError."""
    key = environment.get(VARIABLE) or None
    if key is not None and len(key) < SHORTEST:
        raise UsageError(f"{VARIABLE} has fewer than {SHORTEST} characters: it could be guessed")
    return key


def random_key() -> str:
    """Return a new key."""
    return secrets.token_urlsafe(24)


def derived(key: str) -> Derived:
    """Return the 32 bytes that pseudonyms are made with: the same ones in every database.

    It is slow on purpose. Whoever knows what one pseudonym stands for can try keys on it.
    """
    return hashlib.scrypt(
        key.encode("utf-8", errors="surrogateescape"),
        salt=SALT,
        n=COST,
        r=8,
        p=1,
        maxmem=2 * 128 * 8 * COST,
        dklen=32,
    )


def check_of(key: Derived, salt: bytes | None = None) -> str:
    """Return a text that recognises the key and does not tell it: salt and digest, hexadecimal."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    return f"{salt.hex()}:{hmac.digest(key, salt, 'sha256').hex()}"


def fits(key: Derived, check: str) -> bool:
    """Tell whether the check was made with this key."""
    salt = bytes.fromhex(check.partition(":")[0])
    return hmac.compare_digest(check_of(key, salt), check)
