"""What a read does not show: gone for good, only moved, or out of sight until a person has looked."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from connector.errors import Denied, Misconfigured
from connector.policy import Checks
from connector.ports import Gone, Page
from sync.crm_connection import CrmConnection, micros
from sync.store import Store, facts, holes, ledger, links, sight
from sync.store.sight import LostSource
from sync.taking import RECORDS_A_TRANSACTION, Pulled, fetch, take_in

#: The connector file does not say how a record is asked for by its id.
_NO_WAY = "E-CONNECTOR-BY"


def absent(store: Store, link: CrmConnection, name: str, pulled: Pulled) -> None:
    """An optional source that the CRM no longer knows: what it brought is out of sight until a person accepts."""
    with store.read(link.name) as session:
        stored, before = ledger.records_stored(session, name), sight.of_source(session, name)
        is_accepted = before is not None and before.accepted is not None
        accepted = sight.missing(session, name) & stored if is_accepted else set()
    if accepted:
        _give_up(store, link, name, accepted, pulled)
    left, now = sorted(stored - accepted), micros(link.now())
    with store.write(link.name) as session:
        if left:
            sight.note(session, LostSource(name, len(left), 0, len(left), now, now), left)
        elif before is not None:
            sight.clear(session, name)


def doubted(store: Store, link: CrmConnection, name: str, missing: Sequence[str], checks: Checks) -> bool:
    """Whether so many records are missing that nobody believes it; then they are out of sight."""
    if len(missing) <= checks.missing_least:
        return False
    with store.read(link.name) as session:
        stored = len(ledger.records_stored(session, name))
        lost = sight.out_of_sight(session, name)
    every = lost | set(missing)
    if len(every) <= max(checks.missing_least, int(checks.lost_share * stored)):
        return False
    with store.write(link.name) as session:
        # Never looked at whole: the next read does.
        sight.note(session, LostSource(name, stored, stored - len(every), len(every), micros(link.now()), 0), every)
    return True


def close_missing(
    store: Store,
    link: CrmConnection,
    name: str,
    seen: set[str],
    checks: Checks,
    pulled: Pulled,
    *,
    known_before: int | None = None,
) -> None:
    """Stored records that a full read did not show are read by id: gone for good, or only moved.

    Too many at once, by the policy's `checks`, are believed by nobody but a person: those that he accepted are gone,
    whatever answers by id. Nor are those believed that we may not ask for. `known_before`: only of rows that were known
    by then.
    """
    with store.read(link.name) as session:
        stored, before = ledger.records_stored(session, name, known_before), sight.of_source(session, name)
    missing = sorted(stored - seen)
    few = max(checks.missing_least, int(checks.lost_share * len(stored)))
    if before is not None and before.accepted is not None:
        with store.read(link.name) as session:
            given_up = sight.missing(session, name) & set(missing)
        _give_up(store, link, name, given_up, pulled)
        stored, missing = stored - given_up, sorted(set(missing) - given_up)
    # Of a source that shows nothing at all, no few are believed either.
    lost = len(missing) > (few if seen else 1)
    if missing and not lost:
        lost = not asked(store, link, name, missing, pulled)
    now = micros(link.now())
    with store.write(link.name) as session:
        if lost:
            sight.note(session, LostSource(name, len(stored), len(stored & seen), len(missing), now, now), missing)
        elif before is not None:
            sight.clear(session, name)


def asked(
    store: Store, link: CrmConnection, name: str, missing: Sequence[str], pulled: Pulled, *, closes: bool = True
) -> bool:
    """Reads these by id; False: the system does not let us. `closes`: where it cannot be asked so, they are gone."""
    try:
        shown = fetch_if_possible(store, link, name, missing, pulled)
    except Denied as problem:
        if problem.code != "E-CRM-PERMISSION":
            raise
        return False
    if closes:
        with store.read(link.name) as session:
            kept = sight.out_of_sight(session, name)
            stored = ledger.ever_seen(session, name, set(missing) - (shown or set()) - kept, past=False)
        # Of what cannot be asked for by its id the list is all that tells.
        _close(store, link, name, sorted(stored), pulled)
    return True


def fetch_if_possible(
    store: Store, link: CrmConnection, name: str, records: Sequence[str], pulled: Pulled
) -> set[str] | None:
    """As `fetch`; None: the system cannot be asked by id."""
    try:
        return fetch(store, link, name, records, pulled)
    except Misconfigured as problem:
        if problem.code != _NO_WAY:
            raise
        return None


def read_back(store: Store, link: CrmConnection, name: str, records: Sequence[str]) -> None:
    """Reads what the CRM shows of these now: by their ids, or where it cannot be asked so, among all."""
    try:
        fetch(store, link, name, records, Pulled(), force=True)
    except Misconfigured as problem:
        if problem.code != _NO_WAY:
            raise
        for page in link.read(name, None):
            take_in(store, link, page, micros(link.now()), None, Pulled(), force=True)


def _give_up(store: Store, link: CrmConnection, name: str, records: Collection[str], pulled: Pulled) -> None:
    """A person took these for gone: so they are, and nobody misses them."""
    with store.write(link.name) as session:
        holes.expect_less(session, name, records)
    _close(store, link, name, sorted(records), pulled)


def _close(store: Store, link: CrmConnection, name: str, records: Sequence[str], pulled: Pulled) -> None:
    """These are gone, whatever answers by their ids."""
    if name not in link.mapping.sources:
        with store.write(link.name) as session:
            now = micros(link.now())
            touched = facts.remove(session, name, records, now)
            pulled.touched |= touched | links.relink(session, touched, now)
        return
    for start in range(0, len(records), RECORDS_A_TRANSACTION):
        gone = tuple(Gone(record, "deleted") for record in records[start : start + RECORDS_A_TRANSACTION])
        take_in(store, link, _empty(link, name, gone), micros(link.now()), None, pulled)


def _empty(link: CrmConnection, name: str, gone: tuple[Gone, ...]) -> Page:
    columns = ["id", "modified_at", *link.mapping.source(name).fields]
    return Page(name, pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), gone, "", complete=True)
