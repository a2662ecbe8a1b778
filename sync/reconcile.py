"""After a full read: rows and money, the CRM's beside the store's. It is the first thing that an auditor asks for."""

from __future__ import annotations

from typing import Any

from connector import money
from sync.crm_connection import CrmConnection
from sync.store import Store, ledger, rejects
from sync.taking import Pulled


def reconcile(store: Store, link: CrmConnection, pulled: Pulled) -> list[dict[str, Any]]:
    """One object a source, table and currency that was read from the start, by name.

    source, table, currency (empty: a table without amounts), crm_rows, store_rows, crm_amount and store_amount (decimal
    text), rejected (rows of the source that did not fit), agrees.
    """
    if not pulled.whole:
        return []
    with store.read(link.name) as session:
        rejected: dict[str, int] = {}
        for row in rejects.every(session):
            rejected[str(row["source"])] = rejected.get(str(row["source"]), 0) + 1
        stored = {
            (source, table): ledger.stored_sums(session, source, table)
            for source, table in {(source, table) for source, table, _ in pulled.whole}
        }
    keys = {*pulled.whole, *((*place, currency) for place, sums in stored.items() for currency in sums)}
    rows = []
    for source, table, currency in sorted(keys):
        crm_rows, crm_amount = pulled.whole.get((source, table, currency), (0, 0))
        store_rows, store_amount = stored[source, table].get(currency, (0, 0))
        if crm_rows or store_rows:
            rows.append(
                {
                    "source": source,
                    "table": table,
                    "currency": currency,
                    "crm_rows": crm_rows,
                    "store_rows": store_rows,
                    "crm_amount": _text(crm_amount, currency),
                    "store_amount": _text(store_amount, currency),
                    "rejected": rejected.get(source, 0),
                    "agrees": (crm_rows, crm_amount) == (store_rows, store_amount),
                }
            )
    return rows


def _text(minor: int, currency: str) -> str:
    return f"{money.from_minor(minor, currency):f}" if currency else ""
