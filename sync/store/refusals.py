"""What the CRM refused of what is wanted: accounts, or fields of them; and texts that were cut to their field.

It stands in `desired` as JSON of `Refusal`; releases before 0.2 kept the CRM's words alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import and_, select, update

from connector.plan import AccountOutcome
from sync.store import tables
from sync.store.dialect import batches
from sync.store.session import Reading, Writing

#: Tells JSON of ours from words of a CRM that look like it.
_MARK = "zixin"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What became of an account. Fields by their canonical names."""

    #: The CRM's words; empty: it refused nothing.
    words: str
    #: Fields that it refused; empty: it refused the account as a whole, or nothing.
    fields: tuple[str, ...] = ()
    #: Those of them that do not take the value by the CRM's own description.
    described: tuple[str, ...] = ()
    #: Texts that were cut to what their field holds.
    cut: tuple[str, ...] = ()
    #: What the fields were like then, as `connector.refusal.likeness` has it; empty: not known.
    seen: str = ""

    @property
    def owed(self) -> frozenset[str]:
        """Fields that do not show what they should, and are worth a call as soon as they can."""
        return frozenset({*self.fields, *self.cut})


def standing(session: Reading) -> dict[str, Refusal]:
    """account_id → what the CRM refused or cut, of all that owe something."""
    table = tables.desired
    query = select(table.c.account_id, table.c.refusal).where(session.own(table), table.c.refusal.is_not(None))
    result = {row.account_id: read(row.refusal) for row in session.tx.execute(query)}
    return {account: each for account, each in result.items() if each is not None}


def open_(session: Reading) -> dict[str, Refusal]:
    """account_id → what the CRM refused of what it should show now."""
    return {account: refusal for account, refusal in standing(session).items() if refusal.words}


def by_field(session: Reading) -> dict[str, int]:
    """Canonical name of a field → accounts of which the CRM refused it."""
    return dict(Counter(name for each in open_(session).values() for name in each.fields))


def reopen(session: Writing, among: Sequence[str] | None = None) -> None:
    """What the CRM refused is planned again; `among`: of these accounts only."""
    table = tables.desired
    these = and_(session.own(table), table.c.refusal.is_not(None))
    for batch in [None] if among is None else batches(among):
        also = these if batch is None else and_(these, table.c.account_id.in_(batch))
        session.tx.execute(update(table).where(also).values(pending=True))


def of(outcome: AccountOutcome) -> str | None:
    """An outcome as `desired` keeps it; None: nothing was refused, and nothing cut."""
    refusal = Refusal(outcome.refusal or "", outcome.refused, outcome.described, outcome.cut, outcome.seen)
    if outcome.state == "taken" and not refusal.owed:
        return None
    return json.dumps({_MARK: 1, **asdict(refusal)}, ensure_ascii=False)


def carry_over(text: str | None, shows: Collection[str]) -> str | None:
    """What goes along into a new version of `desired`, which shows these fields: what is owed of them, no words."""
    refusal = read(text)
    if refusal is None or not (owed := refusal.owed & set(shows)):
        return None
    fields, described, cut = (tuple(name for name in names if name in owed) for names in _names(refusal))
    result = Refusal(refusal.words, fields, described, cut, refusal.seen)
    return json.dumps({_MARK: 1, **asdict(result)}, ensure_ascii=False)


def read(text: str | None) -> Refusal | None:
    """What `desired` keeps; None: nothing."""
    if text is None:
        return None
    document = _decode(text)
    if document is None:
        return Refusal(text)
    fields, described, cut = (tuple(document.get(key, ())) for key in ("fields", "described", "cut"))
    return Refusal(str(document["words"]), fields, described, cut, str(document.get("seen", "")))


def _names(found: Refusal) -> tuple[tuple[str, ...], ...]:
    return found.fields, found.described, found.cut


def _decode(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) and document.get(_MARK) == 1 and "words" in document else None
