"""Secrets at rest: sealed with one key that is kept elsewhere.

Fernet (AES-128-CBC and HMAC-SHA256) of the library cryptography. Source: github.com/fernet/spec.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connector.errors import Denied, Misconfigured

#: Fewer characters than that can be guessed.
_LEAST_KEY = 32


def new_key() -> str:
    """A fresh random key, as text."""
    return Fernet.generate_key().decode()


class Vault:
    """Seals and opens text."""

    def __init__(self, key: str, where: str) -> None:
        """`key`: any text of 32 characters or more; `where` it came from is told when it does not fit."""
        text = key.strip()
        if len(text) < _LEAST_KEY:
            raise Misconfigured("E-KEY-SHORT", where=where, least=_LEAST_KEY)
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"zixin at rest").derive(text.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))
        self._where = where

    def seal(self, text: str) -> str:
        """Unreadable without the key."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """What was sealed. Raises Denied: sealed with another key, or damaged."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except (InvalidToken, ValueError):
            raise Denied("E-KEY-OTHER", where=self._where) from None
