"""What is Salesforce's alone: grants, its fields, its refusals, locks, formulas, merges, and its calls to us."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from adapters.common.http import HttpResponse
from adapters.salesforce import errors, hook, wire
from connector.assessment import OUTPUT_FIELDS
from connector.errors import Denied, Exhausted, Misconfigured, RateLimited, Retry, Untrusted
from connector.ports import Change
from tests.adapters.salesforce.double import SalesforceDouble, salesforce
from tests.connector.scoring.books import books, invoice

BOOKS = books([invoice(f"I{n}", 100_00 + n, "2025-01-01", "2025-01-31", f"A{n % 4}") for n in range(20)])


@pytest.fixture
def org() -> Iterator[SalesforceDouble]:
    with salesforce(BOOKS) as salesforce_double:
        yield salesforce_double


def test_a_key_of_the_app_s_certificate_opens_it_too(org: SalesforceDouble) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    org.org.public_key = public

    assert org.crm(grant="jwt", private_key=pem, username=org.org.username).organisation().currency == "USD"
    for wrong in ({"username": "somebody"}, {"username": org.org.username, "private_key": "no key"}):
        with pytest.raises(Misconfigured):
            org.crm(grant="jwt", **{"private_key": pem, **wrong}).organisation()


def test_a_refresh_token_opens_it_and_a_wrong_grant_does_not(org: SalesforceDouble) -> None:
    assert org.crm(grant="refresh_token", refresh_token=org.org.refresh_token).organisation().name == "Simulated Ltd"
    with pytest.raises(Denied):
        org.crm(grant="refresh_token", refresh_token="x").organisation()
    with pytest.raises(Misconfigured, match="grant is one of"):
        org.crm(grant="password")


def test_an_org_with_one_currency_is_told_which(org: SalesforceDouble) -> None:
    del org.org.tables["CurrencyType"]
    with pytest.raises(Misconfigured, match="currency is missing"):
        org.crm().organisation()
    assert org.crm(currency="CNY").organisation().currency == "CNY"


def test_a_new_field_is_seen_only_after_it_is_granted(org: SalesforceDouble) -> None:
    crm = org.crm()
    assert {step.action for step in crm.plan(OUTPUT_FIELDS)} == {"create"}
    named = dict(crm.apply(OUTPUT_FIELDS))

    assert named["rating"] == "Credit_Rating__c"
    granted = org.org.tables["FieldPermissions"].records.values()
    assert {row["Field"] for row in granted} == {f"Account.{name}" for name in named.values()}
    org.org.tables["Account"].fields["Credit_Score__c"].type = "string"
    crm.reading.forget()
    mended = next(step for step in crm.plan(OUTPUT_FIELDS) if step.action == "mend")
    assert (mended.field, mended.detail) == ("Credit_Score__c", "string, not double")


@pytest.mark.parametrize("bulk", [False, True])
def test_the_second_of_three_is_refused_and_only_it_is_sent_again(bulk: bool) -> None:
    """ForceCLI/force #439, WaveLink #97, simple-salesforce PR 736, #765."""
    with salesforce(BOOKS, bulk=bulk) as org:
        crm = org.crm()
        named = dict(crm.apply(OUTPUT_FIELDS))
        ids = list(org.org.tables["Account"].records)[:3]
        org.rule(ids[1], 'first, "line"', "second,\nthird")
        texts = ["a\r\nb", 'q"uo,te', "#N/A is text"]
        changes = [
            Change(record, {named["reasons"]: text, named["limit"]: None})
            for record, text in zip(ids, texts, strict=True)
        ]

        done = list(crm.write(changes))

        assert [each.state for each in done] == ["taken", "refused", "taken"]
        assert 'first, "line"; second' in str(done[1].refusal)
        org.rule(ids[1])
        assert [each.state for each in crm.write(changes[1:2])] == ["taken"]
        assert [org.shown(record)[named["reasons"]] for record in ids] == texts


def test_a_row_that_somebody_holds_is_tried_again_alone_and_then_left_for_later(org: SalesforceDouble) -> None:
    crm = org.crm()
    named = dict(crm.apply(OUTPUT_FIELDS))
    ids = list(org.org.tables["Account"].records)
    org.org.locks = {ids[0]: 2, ids[1]: 99}

    done = list(crm.write([Change(record, {named["limit"]: "5.00"}) for record in ids]))

    assert [each.state for each in done] == ["taken", "deferred", "taken", "taken", "taken"]


def test_a_formula_moves_no_stamp_so_its_object_is_read_whole_once_a_day(org: SalesforceDouble) -> None:
    crm, source = org.crm(), org.mapping.source("invoices")
    org.org.tables["Invoice__c"].fields["Total__c"].calculated = True
    org.advance(3600)
    crm.organisation()
    cursor = list(crm.read(source, None))[-1].cursor
    org.advance(3600)
    # The last rows come once more.
    cursor = list(crm.read(source, cursor))[-1].cursor
    record = next(iter(org.org.tables["Invoice__c"].records))
    org.org.tables["Invoice__c"].records[record]["Total__c"] = 7
    org.advance(3600)
    crm.organisation()
    early = list(crm.read(source, cursor))
    org.advance(90_000)
    crm.organisation()

    late = [row for page in crm.read(source, early[-1].cursor) for row in page.frame["Total__c"]]

    assert sum(page.frame.height for page in early) == 0
    assert (len(late), "7" in late) == (20, True)


def test_a_merge_is_told_from_a_delete(org: SalesforceDouble) -> None:
    crm, source = org.crm(), org.mapping.source("accounts")
    cursor = list(crm.read(source, None))[-1].cursor
    ids = list(org.org.tables["Account"].records)
    org.advance(3600)
    crm.organisation()
    org.org.delete("Account", ids[0], merged_into=ids[1])
    org.org.delete("Account", ids[2])

    gone = [each for page in crm.read(source, cursor) for each in page.gone]

    assert {(each.record, each.why) for each in gone} == {(ids[0], "merged_into"), (ids[2], "deleted")}


def test_the_day_s_calls_end_with_exhausted(org: SalesforceDouble) -> None:
    crm = org.crm()
    crm.organisation()
    org.org.calls_a_day = sum(org.org.calls.values())
    with pytest.raises(Exhausted):
        crm.organisation()


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests Limit exceeded."}], RateLimited),
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}], Exhausted),
        (403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "x"}], Denied),
        (401, "<html>proxy</html>", Denied),
        (420, "", Retry),
        (400, [{"errorCode": "QUERY_TIMEOUT", "message": "x"}], Misconfigured),
        (404, [{"errorCode": "NOT_FOUND", "message": "x"}], Misconfigured),
        (503, "<html>", Retry),
        (429, "", RateLimited),
    ],
)
def test_an_error_means_what_the_caller_must_do(status: int, body: Any, problem: type[Exception]) -> None:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()

    assert type(errors.error_for("host", HttpResponse(status, raw, {}))) is problem
    assert errors.error_for("host", HttpResponse(204, b"", {})) is None
    assert isinstance(errors.token_error_for("host", HttpResponse(400, b"[]", {})), Denied)
    assert isinstance(errors.token_error_for("host", HttpResponse(502, b"", {})), Retry)


def test_both_apis_give_one_lexical_form() -> None:
    types = {"T": "datetime", "B": "boolean", "N": "double", "SystemModstamp": "datetime", "Id": "id"}
    rows = wire.Rows(("Id", "SystemModstamp", "T", "B", "N", "P.Name"), types)
    body = (
        b'{"done": true, "totalSize": 1, "records": [{"attributes": {}, "Id": "1", "SystemModstamp": "2026-11-23T10:20:30.000+0000", '
        b'"T": "2026-11-23T10:20:30.000+0000", "B": true, "N": 1.10, "P": {"Name": "x"}}]}'
    )
    records, link, _ = rows.page(body)
    table = rows.table(records)
    rest = wire.frame(table, ["T", "B", "N", "gone"])
    bulk, _ = wire.csv_frame(
        b'"Id","SystemModstamp","T","B","N"\n"1","2026-11-23T10:20:30.000Z","2026-11-23T10:20:30.000Z","true","1.10"\n',
        ["T", "B", "N", "gone"],
        types,
    )

    assert (
        rest.rows()
        == bulk.rows()
        == [("1", "2026-11-23T10:20:30.000+00:00", "2026-11-23T10:20:30.000+00:00", "true", "1.10", None)]
    )
    assert (link, table["P.Name"].to_list()) == ("", ["x"])
    assert wire.csv_frame(b"", ["T"], types)[0].height == rows.table([]).height == 0
    assert wire.quoted("O'Neil\\") == "'O\\'Neil\\\\'"
    with pytest.raises(Retry):
        rows.page(b"<html>")


SECRET = "s-1"
ORG = "00D000000000001AAA"


def outbound(organisation: str = ORG, record: str = "a00000000000001AAA", extra: str = "") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>{extra}
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>
<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>{organisation}</OrganizationId>
<ActionId>04k000000000001AAA</ActionId><SessionId/><Notification><Id>04l000000000001AAA</Id>
<sObject xsi:type="sf:Payment__c" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>{record}</sf:Id></sObject>
</Notification></notifications></soapenv:Body></soapenv:Envelope>""".encode()


def test_an_outbound_message_is_acknowledged_and_names_its_record() -> None:
    heard = hook.verify({hook.TOKEN: SECRET}, outbound(), [SECRET], ORG)

    event = heard.events[0]
    assert (event.event_id, event.object, event.records) == (
        "04l000000000001AAA",
        "Payment__c",
        ("a00000000000001AAA",),
    )
    assert (heard.signed, b"<Ack>true</Ack>" in heard.reply, heard.media_type) == (False, True, "text/xml")


def test_a_flow_s_callout_is_signed_over_its_body() -> None:
    body = json.dumps([{"object": "Payment__c", "id": "a00000000000001AAA", "event": "e7"}]).encode()
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    heard = hook.verify({hook.SIGNATURE: mac}, body, ["older", SECRET], ORG)

    assert (heard.signed, heard.events[0].event_id) == (True, "e7")
    assert hook.verify({hook.TOKEN: SECRET}, body, [SECRET], ORG).signed is False
    with pytest.raises(Untrusted):
        hook.verify({hook.SIGNATURE: mac}, body + b" ", [SECRET], ORG)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, outbound()),
        ({hook.TOKEN: "x"}, outbound()),
        ({hook.TOKEN: SECRET}, outbound(organisation="00D000000000009AAA")),
        ({hook.TOKEN: SECRET}, outbound(record="'; DROP--")),
        ({hook.TOKEN: SECRET}, outbound(extra='<!DOCTYPE x [<!ENTITY a "aaaa">]>')),
        ({hook.TOKEN: SECRET}, b"<broken"),
        ({hook.TOKEN: SECRET}, outbound().replace(b"xsi:type", b"xsi:kind")),
        ({hook.TOKEN: SECRET}, b'{"object": "x"}'),
        ({hook.TOKEN: SECRET}, b'{"object": "x", "id": "../etc"}'),
        ({hook.TOKEN: SECRET}, b"[1]"),
    ],
)
def test_a_forged_or_garbled_call_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Untrusted):
        hook.verify(headers, body, [SECRET], ORG)
