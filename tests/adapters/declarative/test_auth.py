"""Every way to prove who we are, and what becomes of a token that is refused."""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from connector.errors import Denied
from tests.adapters.declarative.systems import HOST, declared, names

ROW = {"data": [{"id": "1", "name": "one"}]}


@responses.activate
def test_keys_go_where_the_system_wants_them() -> None:
    responses.get(f"{HOST}/items", json=ROW)
    names(
        declared(
            auth="{kind: token, inject: [{name: X-Api-Key, value: '{key}'}, {in: query, name: k, value: '{key}'}]}"
        )
    )
    names(declared(auth="{kind: basic, user: '{key}', password: '{secret}'}"))

    first, second = (call.request for call in responses.calls)
    assert (first.headers["X-Api-Key"], first.params["k"]) == ("k-1", "k-1")  # type: ignore[attr-defined]
    assert second.headers["Authorization"] == f"Basic {base64.b64encode(b'k-1:s-1').decode()}"


@responses.activate
def test_a_call_is_signed_over_what_the_file_says() -> None:
    responses.get(f"{HOST}/items", json=ROW)
    sign = "{kind: hmac, key: '{secret}', sign: '{method} /{path}', encoding: hex, inject: [{name: X-Sig, value: '{key}:{signature}'}]}"
    names(declared(auth=sign))

    wanted = hmac.new(b"s-1", b"GET /items", hashlib.sha256).hexdigest()
    assert responses.calls[0].request.headers["X-Sig"] == f"k-1:{wanted}"


OAUTH = (
    "{kind: oauth2, request: {method: POST, path: /token, form: true, "
    "body: {grant_type: client_credentials, client_id: '{key}', client_secret: '{secret}'}}}"
)
LOGIN = (
    "{kind: login, token_at: $.data.t, extra: {corp: $.data.c}, request: {method: POST, path: /login, "
    "body: {user: '{key}'}}, inject: [{in: body, name: t, value: '{token}'}, {in: body, name: c, value: '{corp}'}]}"
)


@responses.activate
def test_a_token_is_asked_for_once_and_again_when_it_is_refused() -> None:
    issued: list[str] = []

    def token(request: Any) -> tuple[int, dict[str, str], str]:
        assert "client_secret=s-1" in request.body.decode()
        issued.append(f"t{len(issued)}")
        return 200, {}, json.dumps({"access_token": issued[-1], "expires_in": 7200})

    def items(request: Any) -> tuple[int, dict[str, str], str]:
        good = request.headers["Authorization"] == "Bearer t1"
        return (200, {}, json.dumps(ROW)) if good else (401, {}, "{}")

    responses.add_callback(responses.POST, f"{HOST}/token", callback=token)
    responses.add_callback(responses.GET, f"{HOST}/items", callback=items)
    crm = declared(auth=OAUTH)

    assert names(crm) == names(crm) == ["one"]
    assert issued == ["t0", "t1"]


@responses.activate
def test_a_login_s_token_and_what_came_with_it_go_into_the_body_and_a_code_renews_it() -> None:
    issued: list[str] = []

    def login(_: Any) -> tuple[int, dict[str, str], str]:
        issued.append(f"t{len(issued)}")
        return 200, {}, json.dumps({"data": {"t": issued[-1], "c": "corp9"}})

    def items(request: Any) -> tuple[int, dict[str, str], str]:
        payload = json.loads(request.body)
        assert payload["c"] == "corp9"
        return 200, {}, json.dumps({"code": 0, **ROW} if payload["t"] == "t1" else {"code": 20016})

    responses.add_callback(responses.POST, f"{HOST}/login", callback=login)
    responses.add_callback(responses.POST, f"{HOST}/items", callback=items)
    more = "answers: [{when: {body: $.code, in: ['20016']}, do: new_token}]"
    crm = declared(auth=LOGIN, read="{method: POST, path: /items, body: {size: '{size}'}}", more=more)

    assert names(crm) == ["one"]
    assert issued == ["t0", "t1"]


@pytest.mark.parametrize("answer", [(400, {"error": "invalid_client"}), (200, {"error": "no"}), (401, {})])
@responses.activate
def test_refused_credentials_are_denied_and_never_shown(answer: tuple[int, Any]) -> None:
    responses.post(f"{HOST}/token", status=answer[0], json=answer[1])

    with pytest.raises(Denied) as exception_info:
        names(declared(auth=OAUTH))
    assert "s-1" not in str(exception_info.value)


@responses.activate
def test_a_call_that_is_tried_again_is_signed_again_in_all_its_parts() -> None:
    responses.get(f"{HOST}/items", status=503)
    responses.get(f"{HOST}/items", json={"data": []})
    inject = "[{in: query, name: once, value: '{uuid}'}, {in: query, name: sig, value: '{signature}'}]"
    auth = f"{{kind: hmac, key: '{{secret}}', sign: '{{uuid}}', encoding: hex, inject: {inject}}}"

    names(declared(auth=auth))

    queries = [parse_qs(urlsplit(str(call.request.url)).query) for call in responses.calls]
    assert len({query["once"][0] for query in queries}) == 2
    for query in queries:
        assert query["sig"] == [hmac.new(b"s-1", query["once"][0].encode(), hashlib.sha256).hexdigest()]
