"""What proves who we are: kept tokens are shared, sealed, and renewed once for all threads and processes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.common.http import HttpResponse
from adapters.common.tokens import SharedToken
from adapters.declarative import select
from adapters.declarative.models import Auth, Call, Inject
from adapters.declarative.wire import NEW_TOKEN, Prepared, Wire
from connector.errors import Denied, Misconfigured
from connector.ports import Shared


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Proof:
    """Proves every call of one connection."""

    auth: Auth
    wire: Wire
    shared: Shared
    name: str
    clock: Callable[[], datetime] = field(default=_now)

    def ask(
        self,
        call: Call,
        given: Mapping[str, Any],
        *,
        idempotent: bool = True,
        url: str | None = None,
        refused: tuple[int | str, ...] = (),
    ) -> HttpResponse:
        """The answer to a call, proven; a token that is refused is renewed once. `url`, `refused`: as `Wire.send`."""

        def sent(token: Callable[[], Mapping[str, str]]) -> HttpResponse:
            stored = token()
            values = {**given, **stored}
            return self.wire.send(
                call, values, lambda made: self._prove(made, stored), idempotent=idempotent, url=url, refused=refused
            )

        if self.auth.kind not in ("oauth2", "login"):
            return sent(dict)
        return SharedToken(self.shared, self.name, self._renewed, self.clock).proven(sent, NEW_TOKEN)

    def _prove(self, made: Prepared, kept: Mapping[str, str]) -> tuple[Inject, ...]:
        values = self.wire.given(**kept)
        if self.auth.kind == "basic":
            user, password = (str(select.fill(text, values)) for text in (self.auth.user, self.auth.password))
            coded = base64.b64encode(f"{user}:{password}".encode()).decode()
            return (Inject.model_validate({"name": "Authorization", "value": f"Basic {coded}"}),)
        if self.auth.kind == "hmac":
            values["signature"] = self._signature(made, values)
        if self.auth.kind == "oauth2" and not self.auth.inject:
            return (Inject.model_validate({"name": "Authorization", "value": f"Bearer {kept['token']}"}),)
        filled = [(each.where, each.name, str(select.fill(each.value, values))) for each in self.auth.inject]
        return tuple(Inject.model_validate({"in": where, "name": name, "value": text}) for where, name, text in filled)

    def _signature(self, made: Prepared, given: Mapping[str, Any]) -> str:
        path = made.url.removeprefix(self.wire.base).lstrip("/")
        body = (made.payload() or b"").decode()
        message = str(select.fill(self.auth.sign, {**given, "method": made.method, "path": path, "body": body}))
        key = str(select.fill(self.auth.key, given))
        digest = hmac.new(key.encode(), message.encode(), getattr(hashlib, self.auth.algorithm))
        return digest.hexdigest() if self.auth.encoding == "hex" else base64.b64encode(digest.digest()).decode()

    def _renewed(self, _kept: Mapping[str, str]) -> tuple[dict[str, str], timedelta]:
        wire = self.wire
        if self.auth.request is None:
            raise Misconfigured("E-CONNECTOR-BY", host=wire.host, object="auth.request")
        try:
            answer = wire.send(self.auth.request, wire.given(), lambda _: ())
        except Denied:
            raise Denied("E-CRM-REVOKED", host=wire.host, detail="login") from None
        except Misconfigured as problem:
            raise Denied("E-CRM-REVOKED", host=wire.host, detail=str(problem.facts.get("detail", ""))) from None
        payload = wire.document(answer)
        token = select.first(self.auth.token_at, payload)
        if not isinstance(token, str) or not token:
            raise Denied("E-CRM-REVOKED", host=wire.host, detail="no token in the answer")
        extra = {name: str(select.first(path, payload) or "") for name, path in self.auth.extra.items()}
        seconds = select.first(self.auth.expires_in, payload)
        try:
            lives = float(str(seconds)) if seconds is not None else float(self.auth.lives_s)
        except ValueError:
            lives = float(self.auth.lives_s)
        return {"token": token, **extra}, timedelta(seconds=max(lives, 0.0))
