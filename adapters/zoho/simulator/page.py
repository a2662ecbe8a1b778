"""The simulated CRM as a rep sees it: the list of accounts, an account's page with the rating panel, two buttons.

The page shows what the CRM's record holds and nothing else. A button changes the record as a user would; whoever
subscribed to the module is told, as ever. Buttons work from this page alone: their form carries a token of its own,
and a call from another site is refused. The control's token is not in it.
"""

from __future__ import annotations

import hmac
import json
from datetime import timedelta
from decimal import Decimal
from html import escape
from importlib import resources
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.zoho.simulator.org import Org, number
from adapters.zoho.simulator.reply import org_of
from connector import money
from connector.assessment import OUTPUT_FIELDS
from connector.messages.flags import FLAGS

#: Days overdue that the second button makes of the biggest open invoice.
_OVERDUE_DAYS = 95
_SHOWN = 300
_BASE = "/crm/tab/Accounts"


def routes() -> list[Route]:
    """The pages' routes."""
    return [
        Route(_BASE, accounts, methods=["GET"]),
        Route(f"{_BASE}/{{account}}", account, methods=["GET"]),
        Route(f"{_BASE}/{{account}}/record.json", record, methods=["GET"]),
        Route(f"{_BASE}/{{account}}/{{deed}}", press, methods=["POST"]),
    ]


def _language(request: Request) -> str:
    return "zh-CN" if request.query_params.get("lang") == "zh-CN" else "en"


def _names(org: Org) -> dict[str, str]:
    """Written field → what this organisation calls it: fields are found by their labels, in either language."""
    by_label = {meta.label: meta.api_name for meta in org.modules["Accounts"].fields.values()}
    return {
        item.name: by_label.get(item.en) or by_label.get(item.zh) or item.en.replace(" ", "_") for item in OUTPUT_FIELDS
    }


async def accounts(request: Request) -> Response:
    """The list, those with the gravest rating first."""
    org, zh = org_of(request), _language(request) == "zh-CN"
    grades = ["D", "C", "CC", "CCC", "B", "BB", "BBB", "A", "AA", "AAA"]
    names = _names(org)
    rating, available = names["rating"], names["available"]
    rows = sorted(
        org.modules["Accounts"].records.values(),
        key=lambda row: (grades.index(row[rating]) if row.get(rating) in grades else 99, row["id"]),
    )
    language = f"?lang={_language(request)}"
    items = "".join(
        f"<tr><td>{escape(str(row.get(rating) or 'NR'))}</td>"
        f"<td><a href='{_BASE}/{row['id']}{language}'>{escape(str(row['Account_Number']))}</a></td>"
        f"<td>{escape(str(row['Account_Name']))}</td><td class=num>{_amount(row.get(available))}</td></tr>"
        for row in rows[:_SHOWN]
    )
    heads = ("等级", "编号", "客户", "可用额度") if zh else ("Rating", "Number", "Account", "Room left")
    cells = "".join(f"<th>{head}</th>" for head in heads)
    title = "客户" if zh else "Accounts"
    table = f"<table><thead><tr>{cells}</tr></thead><tbody>{items}</tbody></table>"
    return _html(title, f"<h1>{title}</h1>{table}", zh=zh)


async def account(request: Request) -> Response:
    """One account: its panel, its open invoices, the buttons, and what was spent."""
    org, language = org_of(request), _language(request)
    row = org.modules["Accounts"].records.get(request.path_params["account"])
    if row is None:
        return Response("no such account", 404)
    zh = language == "zh-CN"
    names = _names(org)
    options = {
        "language": language,
        "currency": org.currency,
        "places": money.exponent(org.currency),
        "names": names,
        "flags": {code: [words.en, words.zh] for code, words in FLAGS.items()},
    }
    panel = resources.files("adapters.zoho").joinpath("panel/panel.js").read_text(encoding="utf-8")
    deeds = {"pay": "客户付款" if zh else "customer pays", "overdue": "发票逾期" if zh else "an invoice falls overdue"}
    forms = "".join(
        f"<form method=post action='{_BASE}/{row['id']}/{deed}?lang={language}'>"
        f"<input type=hidden name=token value='{escape(_token(org))}'><button id='{deed}'>{words}</button></form>"
        for deed, words in deeds.items()
    )
    title = escape(f"{row['Account_Number']} {row['Account_Name']}")
    other = "en" if zh else "zh-CN"
    script = f"""
{panel}
const options = {_script(options)};
const panel = document.getElementById("panel");
async function look() {{
  const told = await (await fetch("{_BASE}/{row["id"]}/record.json")).json();
  zixin.render(panel, told.record, options);
  document.getElementById("spent").textContent = told.spent;
  document.getElementById("open").replaceChildren(...told.open.map((line) => {{
    const item = document.createElement("tr");
    for (const text of line) {{
      const cell = document.createElement("td");
      cell.textContent = text;
      item.append(cell);
    }}
    return item;
  }}));
}}
look(); setInterval(look, 1000);
"""
    heads = ("发票", "到期日", "未清") if zh else ("Invoice", "Due", "Open")
    cells = "".join(f"<th>{head}</th>" for head in heads)
    none = "没有未清发票：无可操作" if zh else "No invoice is open: nothing was done."
    said = f"<p role=status>{none}</p>" if "nothing" in request.query_params else ""
    back = f"<a href='{_BASE}?lang={language}'>{'客户' if zh else 'Accounts'}</a>"
    body = (
        f"<nav>{back} · <a href='?lang={other}'>{other}</a></nav>"
        f"<h1>{title}</h1>{said}<div class=cols>"
        "<section class=zx-panel id=panel aria-live=polite></section><section>"
        f"<div class=forms>{forms}</div><p>{'已用 API 额度' if zh else 'API credits spent'}: <b id=spent></b></p>"
        f"<table><thead><tr>{cells}</tr></thead><tbody id=open></tbody></table></section></div>"
        f"<script>{script}</script>"
    )
    return _html(title, body, zh=zh)


async def record(request: Request) -> Response:
    """What the page shows: the record, its open invoices, credits spent."""
    org = org_of(request)
    row = org.modules["Accounts"].records.get(request.path_params["account"])
    if row is None:
        return JSONResponse({"error": "no such account"}, 404)
    lines = [
        (str(claim["Invoice_Number"]), str(claim["Due_Date"] or "–"), f"{left:,f} {claim['Currency']}")
        for claim, left in _open(org, row["id"])
    ]
    body = msgspec.json.encode({"record": row, "open": lines[:20], "spent": org.spent})
    return Response(body, media_type="application/json")


async def press(request: Request) -> Response:
    """A button: the biggest open item is paid (the overdue ones first), or the biggest one falls overdue."""
    org, key, deed = org_of(request), request.path_params["account"], request.path_params["deed"]
    form = dict(parse_qsl((await request.body()).decode(errors="replace")))
    origin = request.headers.get("origin")
    own = f"{request.url.scheme}://{request.url.netloc}"
    if origin not in (None, own) or not hmac.compare_digest(form.get("token", ""), _token(org)):
        return Response("not from this page", 403)
    if key not in org.modules["Accounts"].records or deed not in ("pay", "overdue"):
        return Response("no such thing", 404)
    claims = _open(org, key)
    if claims:
        (_pay if deed == "pay" else _fall_overdue)(org, claims)
    nothing = "" if claims else "&nothing=1"
    return RedirectResponse(f"{_BASE}/{key}?lang={_language(request)}{nothing}", 303)


def _pay(org: Org, claims: list[tuple[dict[str, Any], Decimal]]) -> None:
    today = org.now().date().isoformat()
    late = [item for item in claims if str(item[0]["Due_Date"] or "") < today]
    claim, left = (late or claims)[0]
    org.create(
        "Customer_Payments",
        {
            "Name": f"PAY-{claim['Invoice_Number']}",
            "Account": claim["Account_Name"],
            "Currency": claim["Currency"],
            "Invoice": {"id": claim["id"], "name": claim["Subject"]},
            "Paid_On": today,
            "Kind": "receipt",
            "Amount": number(f"{left:f}"),
            "Instrument": "cash",
        },
    )


def _fall_overdue(org: Org, claims: list[tuple[dict[str, Any], Decimal]]) -> None:
    claim, _ = claims[0]
    due = (org.now().date() - timedelta(days=_OVERDUE_DAYS)).isoformat()
    issued = min(str(claim["Invoice_Date"]), due)
    org.change("Invoices", claim["id"], {"Due_Date": due, "Original_Due_Date": due, "Invoice_Date": issued})


def _open(org: Org, account_id: str) -> list[tuple[dict[str, Any], Decimal]]:
    """The account's invoices with what is open of them, the biggest first."""
    paid: dict[str, Decimal] = {}
    for module in ("Customer_Payments", "Credit_Notes"):
        for row in org.modules[module].records.values():
            if row.get("Invoice"):
                key = row["Invoice"]["id"]
                paid[key] = paid.get(key, Decimal(0)) + _decimal(row["Amount"])
    pairs = [
        (claim, _decimal(claim["Grand_Total"]) - paid.get(claim["id"], Decimal(0)))
        for claim in org.modules["Invoices"].records.values()
        if (claim["Account_Name"] or {}).get("id") == account_id and not claim.get("Voided_On")
    ]
    return sorted((item for item in pairs if item[1] > 0), key=lambda item: -item[1])


def _decimal(value: Any) -> Decimal:
    return Decimal(bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value))


def _amount(value: Any) -> str:
    return "–" if value is None else f"{_decimal(value):,f}"


def _token(org: Org) -> str:
    """The token of the pages' forms; nothing can be told from it of the control's."""
    return hmac.new(org.control_token.encode(), b"pages", "sha256").hexdigest()


def _script(value: Any) -> str:
    """JSON within a script: no text of it can end the element."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _html(title: str, body: str, *, zh: bool) -> HTMLResponse:
    style = resources.files("adapters.zoho").joinpath("panel/panel.css").read_text(encoding="utf-8")
    head = (
        f"<!doctype html><html lang='{'zh-CN' if zh else 'en'}'><head><meta charset=utf-8><title>{title}</title>"
        "<meta name=viewport content='width=device-width, initial-scale=1'><link rel=icon href='data:,'><style>"
        "body{font:15px/1.5 system-ui,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;margin:1.5rem auto;"
        "max-width:64rem;padding:0 1rem;color:#1f2328;background:#f6f8fa}"
        "table{border-collapse:collapse;background:#fff}"
        "td,th{text-align:left;padding:.3rem .75rem;border-bottom:1px solid #d0d7de}.num{text-align:right}"
        ".cols{display:flex;gap:2rem;flex-wrap:wrap}.forms{display:flex;gap:.75rem}"
        "button{font:inherit;padding:.4rem .8rem}"
        f"a{{color:#0550ae}}{style}</style></head><body><main>"
    )
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
    )
    headers = {"Content-Security-Policy": f"{policy}; form-action 'self'; frame-ancestors 'none'"}
    return HTMLResponse(f"{head}{body}</main></body></html>", headers=headers)
