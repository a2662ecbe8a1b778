"""zixin's token for scripts on zcrmsdk, Zoho's old Python SDK: one token and one refresh.

Zoho gives ten access tokens for a refresh token in ten minutes and keeps fifteen alive: two programs that refresh on
their own kill each other's. zcrmsdk 3.1.0 asks its store before every call and refreshes by itself what has less than
five seconds left; this store never hands out a token with less than a minute left, and refreshes it under zixin's lock.

zcrmsdk imports mysql.connector without declaring it (GPL, for a store that is not used here): where that is not
installed, an empty stand-in of it is put in its place. Import this module before zcrmsdk.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

from adapters.common.http import Http, RetryPolicy, host_of
from adapters.zoho import auth
from adapters.zoho.auth import Credentials, Tokens
from connector.errors import Misconfigured
from connector.ports import Shared

_MYSQL = ("mysql", "mysql.connector")

if importlib.util.find_spec("mysql") is None:
    for _name in _MYSQL:
        sys.modules.setdefault(_name, ModuleType(_name))
    sys.modules["mysql"].connector = sys.modules["mysql.connector"]  # type: ignore[attr-defined]
    sys.modules["mysql.connector"].Error = Exception  # type: ignore[attr-defined]

try:
    from zcrmsdk.src.com.zoho.api.authenticator.store.token_store import TokenStore as _Base
except ImportError:
    _Base = object


class TokenStore(_Base):  # type: ignore[misc,unused-ignore]
    """A `TokenStore` of zcrmsdk over the token that zixin's own processes use."""

    def __init__(
        self, credentials: Credentials, shared: Shared, name: str = "zoho", patience: RetryPolicy | None = None
    ) -> None:
        """Raises Misconfigured: zcrmsdk is not installed (the extra `zcrmsdk`)."""
        if _Base is object:
            raise Misconfigured("E-NO-SDK")
        host = host_of(credentials.accounts_server)
        http = Http(
            {credentials.accounts_server}, lambda answer: auth.error_for(host, answer), 1, patience or RetryPolicy()
        )
        self._tokens = Tokens(credentials, shared, http, name)
        self._shared, self._name = shared, name
        self._refresh_token = credentials.refresh_token

    def get_token(self, user: Any, token: Any) -> Any:
        """The token that is good for a minute at least; refreshed under the lock where it is not."""
        token.access_token = self._tokens.current()
        with self._shared.token(self._name) as slot:
            kept = slot.get()
        # The SDK counts in milliseconds since 1970, as text.
        token.expires_in = str(int(kept[1].timestamp() * 1000)) if kept else "0"
        token.refresh_token = self._refresh_token
        token.user_mail = user.email
        token.id = self._name
        return token

    def save_token(self, user: Any, token: Any) -> None:
        """Nothing: a token that somebody refreshed elsewhere is not taken over, ours is asked for again."""

    def delete_token(self, token: Any) -> None:
        """Nothing: other processes use it."""

    def get_tokens(self) -> list[Any]:
        """None: the SDK's own list is of other users."""
        return []

    def delete_tokens(self) -> None:
        """Nothing: other processes use it."""
