"""Two dozen customers of a quarter, a third of whom owe the last month."""

from datetime import date
from typing import Any

from connector.schema import day_number
from tests.connector.scoring.books import books, invoice, table

TODAY = day_number(date(2025, 6, 30))


def ledger() -> dict[str, Any]:
    claims, paid = [], []
    for n in range(24):
        account = f"A{n:02d}"
        for month in (3, 4, 5):
            key, amount = f"{account}-{month}", 1_000_00 + n
            claims.append(invoice(key, amount, f"2025-{month:02d}-01", f"2025-{month:02d}-20", account))
            if month < 5 or n % 3:
                paid.append((f"P{key}", key, f"2025-{month:02d}-{20 + n % 9:02d}", amount))
    limit = {"limit_id": "L", "account_id": "A01", "amount": 5_000_00, "currency": "USD"}
    return books(claims, paid, "A00", limits=table("limits", limit))
