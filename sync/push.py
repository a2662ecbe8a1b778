"""Push: drains `desired` into the CRM, with values read at send time.

A batch is noted as in flight before its call; whatever is still in flight when a push starts (a crash, a lost answer)
is read back before it is written again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from connector.plan import AccountOutcome, Planned, PlanRow, plan
from connector.ports import Writes
from sync.crm_connection import CrmConnection, micros
from sync.locks import paused, push_lease
from sync.missing import read_back
from sync.rescore import Scored, commit_batch
from sync.sending import Sending
from sync.store import Store, outbox, refusals

#: Accounts a turn: values are read anew for each, so that nothing older is sent than need be.
_ACCOUNTS_A_TURN = 1_000
#: Outcomes stored in one transaction.
_OUTCOMES_A_TRANSACTION = 100
#: An account whose answer is lost this often waits for the next push.
_TURNS_WITHOUT_ANSWER = 3


@dataclass(slots=True)
class Pushed:
    """What a push did; counts are of accounts."""

    written: int = 0
    refused: int = 0
    #: The answer stayed unknown; read back before the next push writes it.
    unknown: int = 0
    #: Left for the next push by a quota or a lock.
    deferred: int = 0
    #: Fields that were sent.
    fields: int = 0
    #: Accounts whose answers prove nothing → fields that were sent: written, once reading back shows them.
    unproven: dict[str, int] = field(default_factory=dict)


def push(store: Store, link: CrmConnection) -> Pushed:
    """Writes what differs, until nothing does or what is left must wait. One pusher at a time: others wait for it.

    Into a system that is only read, nothing: what it would show stays with us.
    """
    if paused(store.lock_folder):
        with store.read(link.name) as session:
            return Pushed(deferred=len(outbox.plan_rows(session, None)))
    with push_lease(store.lock_folder):
        if isinstance(link.crm, Writes):
            return _push(store, link, link.crm)
    with store.read(link.name) as session:
        rows = outbox.plan_rows(session, None)
    with store.write(link.name) as session:
        outbox.settle(session, plan(_ours(link, rows)).settled, micros(link.now()))
    return Pushed()


def _push(store: Store, link: CrmConnection, crm: Writes) -> Pushed:
    done = Pushed()
    sending = Sending(link, crm)
    _read_back(store, link)
    for _ in range(_TURNS_WITHOUT_ANSWER):
        while _turn(store, link, sending, done):
            pass
        with store.read(link.name) as session:
            done.unknown = len(outbox.in_flight(session))
        if not done.unknown or done.deferred:
            break
        _read_back(store, link)
    return done


class _NotForReal(Exception):
    """Takes a rehearsal's transaction back."""


def dry_run(
    store: Store, link: CrmConnection, scored: Scored, mended: Sequence[str], *, language: str
) -> list[Planned]:
    """The changes that adopting these results and a push would make; nothing of it is stored or sent.

    `mended`: accounts of which the CRM takes now what it refused.
    """
    _read_back(store, link)
    changes: list[Planned] = []
    with suppress(_NotForReal), store.write(link.name) as session:
        for batch in scored.made.iter_slices():
            commit_batch(session, link, batch, scored, language)
        refusals.reopen(session, mended)
        changes += plan(_ours(link, outbox.plan_rows(session, None))).changes
        raise _NotForReal
    return changes


def _turn(store: Store, link: CrmConnection, sending: Sending, done: Pushed) -> bool:
    """One turn; False when there is nothing more to do now."""
    now = micros(link.now())
    with store.read(link.name) as session:
        rows = outbox.plan_rows(session, _ACCOUNTS_A_TURN)
    planned = plan(sending.takable(_ours(link, rows)))
    with store.write(link.name) as session:
        outbox.settle(session, planned.settled, now)
        outbox.record(session, sending.still_refused(planned.settled), now)
        outbox.mark_in_flight(session, planned.changes, now)
    for item in planned.settled:
        if item.account in done.unproven and item.shows is not None:
            done.written += 1
            done.fields += done.unproven.pop(item.account)
    deferred = done.deferred
    if planned.changes:
        _send(store, link, sending, planned.changes, done)
    return bool(rows) and done.deferred == deferred


def _ours(link: CrmConnection, rows: Sequence[PlanRow]) -> list[PlanRow]:
    """Without fields that were wanted when they were scored, and are no longer among those that the CRM has of ours."""
    fields = link.mapping.writes.fields
    return [replace(row, desired={name: row.desired[name] for name in row.desired if name in fields}) for row in rows]


def _send(store: Store, link: CrmConnection, sending: Sending, changes: Sequence[Planned], done: Pushed) -> None:
    batch: list[tuple[Planned, AccountOutcome]] = []
    try:
        for item, outcome in sending.sent(changes):
            batch.append((item, outcome))
            _count(done, item, outcome)
            if len(batch) >= _OUTCOMES_A_TRANSACTION:
                full, batch = batch, []
                _record(store, link, full)
    finally:
        # Whatever ends it: what was answered is known.
        _record(store, link, batch)


def _record(store: Store, link: CrmConnection, batch: Sequence[tuple[Planned, AccountOutcome]]) -> None:
    if batch:
        with store.write(link.name) as session:
            outbox.record(session, batch, micros(link.now()))


def _count(done: Pushed, item: Planned, outcome: AccountOutcome) -> None:
    if outcome.state == "taken":
        done.written += 1
        done.fields += len(item.values)
    elif outcome.state == "refused":
        done.refused += 1
    elif outcome.state == "deferred":
        done.deferred += 1
    else:
        done.unproven[item.account] = len(item.values)


def _read_back(store: Store, link: CrmConnection) -> None:
    """Reads every account whose last write has no answer, so that it may be planned again."""
    with store.read(link.name) as session:
        unknown = outbox.in_flight(session)
    if unknown:
        read_back(store, link, _account_source(link), unknown)
        with store.write(link.name) as session:
            outbox.clear_in_flight(session, unknown)


def _account_source(link: CrmConnection) -> str:
    return next(name for name, part in link.mapping.sources.items() if part.object == link.mapping.writes.object)
