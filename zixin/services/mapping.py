"""A connection's own mapping: proposed from what the CRM has, checked against it, shown on one record."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from connector import money
from connector.errors import Misconfigured, Problem
from connector.ports import Catalogues, Described, Diagnostics, Glances, Page, Reads, Source
from connector.schema import TABLES, day_of
from mappings import check as checks
from mappings import left_out, samples
from mappings.check import Finding
from mappings.left_out import Unread
from mappings.load import Mapping as Mapping_
from mappings.load import load, packaged, packaged_text
from mappings.matching import Proposal, suggest
from mappings.objects import Place as Place
from mappings.objects import places
from sync.crm_connection import CrmConnection, instant
from sync.token_cache import private_text
from zixin.compose import Attached, remembered_all
from zixin.config import connections, settings
from zixin.services.crm_fields import MARK

#: Canonical table → columns without which a row is rejected.
_REQUIRED = {
    name: {column.name for column in table.columns if column.null is None and column.default is None}
    for name, table in TABLES.items()
}
#: Records that samples are taken of.
_SAMPLES = 50
#: Most fields that are sampled: what one call of the strictest CRM takes.
_MOST_FIELDS = 49
#: Pages of a list that are looked at until one yields what counts: an order may put returns or archives first.
_MOST_PAGES = 4
#: Tables of a database that are looked at.
_MOST_OBJECTS = 500
#: Names of columns that tell kinds of rows apart, and how many kinds there may be.
_TELLS = re.compile(
    r"(?i)type|state|status|kind|direction|draft|posted|void|cancel|storn|aktiv|active|_art$|kennz|shkzg|doc_?class|"
    "类型|状态|方向|作废|审核|红蓝|标志"
)
_KINDS = 8


@dataclass(frozen=True, slots=True)
class Suggested:
    """A proposal beside what the mapping says now."""

    source: str
    object: str
    proposal: Proposal
    #: The field that the mapping reads for this column; empty: none.
    now: str
    #: What the mapping reads is there, or is no field.
    stands: bool
    #: The mapping has a rule for it, or no row is complete without it; else it is left out on purpose.
    used: bool
    #: Field → values of some records.
    samples: Mapping[str, Sequence[str]]


def described(crm: Reads, objects: Iterable[str]) -> dict[str, Described | None]:
    """Object → its fields; None: the CRM has no such object. Raises what keeps us from looking."""
    result: dict[str, Described | None] = {}
    for name in dict.fromkeys(objects):
        try:
            result[name] = crm.describe(name)
        except Problem as problem:
            if problem.code not in ("E-CRM-OBJECT", "E-CRM-ANSWER"):
                raise
            result[name] = None
    return result


def _there(link: CrmConnection) -> tuple[dict[str, Described | None], list[Finding]]:
    """Object of the mapping → its fields, wherever it lies; and what lies in a feed that cannot be read."""
    mapping = link.mapping
    result = described(link.crm, [p.object for n, p in mapping.sources.items() if not mapping.feed_of(n)])
    if mapping.writes.object not in result:
        result |= described(link.crm, [mapping.writes.object])
    findings: list[Finding] = []
    for name, part in mapping.sources.items():
        if not mapping.feed_of(name) or part.object in result:
            continue
        bare = mapping.bare_object(name)
        try:
            found = described(link.reads(name), [bare])[bare]
        except Problem as problem:
            en, zh = f"not read: {problem.text('en')}", f"无法读取：{problem.text('zh-CN')}"
            findings.append(Finding(name, "unread", part.object, en, zh))
            continue
        result[part.object] = None if found is None else replace(found, object=part.object)
    return result, findings


def suggested(workspace: Attached, objects: Mapping[str, str]) -> tuple[list[Suggested], list[Described]]:
    """For every column of every table that the mapping yields; and the objects that were looked at for it.

    `objects`: source → another object of the CRM.
    """
    crm, mapping = workspace.link.crm, _own(_with_objects(_begun(workspace), objects))
    there = described(crm, (part.object for part in mapping.sources.values()))
    if missing := [name for name in objects.values() if there[name] is None]:
        raise Misconfigured("E-CRM-OBJECT", host=workspace.link.name, name=", ".join(missing))
    places = {item.table: part.object for part in mapping.sources.values() for item in part.yields[:1]}
    known = {table: there[object_] for table, object_ in places.items()}
    # A table is called by names like id all over a database.
    keys = {table: each.key[0] for table, each in known.items() if each and len(each.key) == 1 and each.key != ("id",)}
    suggesteds: list[Suggested] = []
    for source, part in mapping.sources.items():
        result = there[part.object]
        if result is None or not result.fields:
            continue
        seen = _samples(crm, part.object, result)
        names = {field.name for field in result.fields}
        for item in part.yields:
            for proposal in suggest(
                item.table,
                result,
                samples=seen,
                objects=places,
                rules=item.columns,
                ours=_ours(mapping, result),
                keys=keys if isinstance(crm, Catalogues) else None,
            ):
                rule = item.columns.get(proposal.column)
                now = (rule.field or "") if rule else ""
                stands = rule is not None and (not now or now in names or now == "id")
                used = rule is not None or proposal.column in _REQUIRED[item.table]
                suggesteds.append(Suggested(source, part.object, proposal, now, stands, used, seen))
    return suggesteds, [each for each in there.values() if each is not None]


def proposed_places(workspace: Attached) -> tuple[dict[str, list[Place]], int, int]:
    """Canonical table → tables that may hold it, in a system whose tables are called as a company likes.

    Those that the mapping reads already are left out. Also how many there are, and how many of them were looked at.
    """
    crm, mapping = workspace.link.crm, workspace.link.mapping
    if not isinstance(crm, Catalogues):
        return {}, 0, 0
    taken, names = {part.object for part in mapping.sources.values()}, crm.objects()
    some = [name for name in names if name not in taken][:_MOST_OBJECTS]
    found = [each for each in described(crm, some).values() if each is not None]
    return places(found), len(names), len(some)


def _begun(workspace: Attached) -> Mapping_:
    """The mapping, with the sources that the shipped one has beside it: a table may be named for them later."""
    mapping = workspace.link.mapping
    if not isinstance(workspace.link.crm, Catalogues):
        return mapping
    return mapping.model_copy(update={"sources": {**packaged(mapping.crm).sources, **mapping.sources}})


def _ours(mapping: Mapping_, there: Described) -> set[str]:
    """Fields of an object that zixin writes, or made: by the mapping, or by our mark in the tooltip."""
    written = set(mapping.writes.fields.values()) if there.object == mapping.writes.object else set()
    return written | {field.name for field in there.fields if field.tip and MARK.search(field.tip)}


@dataclass(frozen=True, slots=True)
class Checked:
    """What of a mapping does not stand in the CRM."""

    findings: Sequence[Finding]
    #: Source → records that were read and cast.
    records: Mapping[str, int]
    #: Fields of the objects that no source reads, and canonical tables that nothing brings.
    unread: Sequence[Unread]
    unbrought: Sequence[str]


def check_mapping(profile: str, workspace: Attached, most: int) -> Checked:
    """Holds the mapping against the CRM's fields, and casts up to *most* real records of each source."""
    link = workspace.link
    there, away = _there(link)
    wrong = {each.source for each in away}
    readable = link.mapping.model_copy(
        update={"sources": {name: part for name, part in link.mapping.sources.items() if name not in wrong}}
    )
    findings = [*away, *checks.check(readable, there, remembered_all(profile, link.name, link.mapping))]
    wrong |= {each.source for each in findings if each.what == "object"}
    # What is not there is told already, and not once more as what no record fills.
    absent = {(each.source, each.field) for each in findings if each.what in ("missing", "renamed")}
    records: dict[str, int] = {}
    for name, part in link.mapping.sources.items() if most else ():
        if name in wrong or there[part.object] is None:
            continue
        try:
            page = _records(link, name, most)
            seen = samples.look(link.mapping, page, link.organisation_of(name), link.time_zone)
            if not link.mapping.feed_of(name):
                seen += samples.strangers(link.mapping, page, lambda source, ids: _found(link, source, ids))
        except Problem as problem:
            told = problem.code == "E-TABLE-COLUMN" and any(source == name for source, _ in absent)
            en, zh = f"not read: {problem.text('en')}", f"无法读取：{problem.text('zh-CN')}"
            findings += [] if told else [Finding(name, "unread", part.object, en, zh, severe=not part.optional)]
            continue
        findings += [each for each in seen if (name, each.field) not in absent]
        records[name] = page.frame["id"].n_unique()
    findings += _unlooked(link, there, records)
    # What cannot be read may be there.
    absent_ = {name for name, part in link.mapping.sources.items() if there.get(part.object, part) is None}
    fields = {name: [field.name for field in each.fields] for name, each in there.items() if each is not None}
    return Checked(
        findings, records, left_out.of_objects(link.mapping, fields), left_out.unbrought(link.mapping, absent_)
    )


def _unlooked(
    link: CrmConnection, there: Mapping[str, Described | None], records: Mapping[str, int]
) -> Iterator[Finding]:
    """Columns that say what kind of row it is and that no rule looks at: drafts and cancelled ones are rows, too.

    Only of systems whose tables are what a company makes of them; a shipped mapping of a CRM knows its kinds.
    """
    for name in records:
        crm, part = link.reads(name), link.mapping.sources[name]
        found = there.get(part.object)
        if not isinstance(crm, Catalogues) or found is None:
            continue
        read = {*part.fields(), "id", "modified_at"}
        telling = [field.name for field in found.fields if field.name not in read and _TELLS.search(field.name)]
        for field, values in _samples(crm, link.mapping.bare_object(name), found, telling[:_MOST_FIELDS]).items():
            words = sorted(set(values))
            if 1 < len(words) <= _KINDS:
                shown = " · ".join(words)
                en = (
                    f"{field} holds {shown}, and no rule looks at it: where some of these rows do not count, add `when`"
                )
                zh = f"{field} 的取值为 {shown}，而没有规则使用它：若其中有不应计入的行，请添加 when"
                yield Finding(name, "values", field, en, zh, severe=False)


def _found(link: CrmConnection, source: str, records: Sequence[str]) -> set[str] | None:
    """Those of a source's records that the CRM shows by their ids; None: it cannot be asked so."""
    try:
        return {key for page in link.fetch(source, records) for key in page.frame["id"]}
    except Problem:
        return None


def _records(link: CrmConnection, name: str, most: int) -> Page:
    """Some records of a source, for as little as that costs: of a list in some order those that yield what counts."""
    crm, source = link.reads(name), link.mapping.source(name)
    if isinstance(crm, Catalogues):
        # Raises what keeps its records from being told apart.
        crm.keyed(source.object)
    if isinstance(crm, Diagnostics):
        frame, *others = _parts(crm, source, most)
        for other in others:
            frame = frame.join(other.drop("modified_at"), on="id")
        return Page(name, frame, (), "", complete=False)
    pages: list[Page] = []
    for page in _pages(crm, source):
        pages.append(page)
        frame = pl.concat([each.frame for each in pages])
        home = link.organisation_of(name)
        enough = frame.height >= most and samples.tells(link.mapping, name, frame, home, link.time_zone)
        if enough or len(pages) == _MOST_PAGES:
            break
    misfits = tuple(item for page in pages for item in page.misfits)
    return Page(name, pl.concat([each.frame for each in pages]), (), "", complete=False, misfits=misfits)


def write(
    profile: str,
    workspace: Attached,
    made: Sequence[Suggested],
    objects: Mapping[str, str],
    seen: Sequence[Described] = (),
    *,
    everything: bool = False,
) -> tuple[Path, list[str]]:
    """The connection's own mapping file, a full copy that says what it is based on; the columns that were changed.

    `seen`: the objects that were looked at. Only what does not stand is changed: a column whose field is there is an
    admin's or the shipped choice, and one that the mapping leaves out stays out unless `everything` is wanted. Raises
    Misconfigured, and writes nothing: the outcome would be no mapping.
    """
    from ruamel.yaml import YAML

    name = workspace.link.name
    path = settings.profile_folder(profile) / f"{name}.yaml"
    text, based = _base(profile, name, path)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    tree = yaml.load(text)
    whole_of = isinstance(workspace.link.crm, Catalogues)
    if whole_of:
        shipped = yaml.load(packaged_text(str(tree["crm"]))[0])
        tree["sources"] |= {name: part for name, part in shipped["sources"].items() if name not in tree["sources"]}
    for source, object_ in objects.items():
        tree["sources"][source]["object"] = object_
    changed: list[str] = []
    if whole_of:
        objects_of = {item["table"]: part["object"] for part in tree["sources"].values() for item in part["yields"]}
        tree["writes"]["object"] = objects_of["accounts"]
        changed += _only_there(tree["sources"], made, {each.object: {f.name for f in each.fields} for each in seen})
    for each in made:
        best = each.proposal.candidates[:1]
        if each.stands or not best or not (each.used or everything):
            continue
        for item in tree["sources"][each.source]["yields"]:
            if item["table"] == each.proposal.table:
                _set(item["columns"], each.proposal.column, best[0].field)
                _move(item, each.now, best[0].field)
                changed.append(f"{each.source}: {each.proposal.table}.{each.proposal.column} = {best[0].field}")
    out = io.StringIO()
    yaml.dump(tree, out)
    whole = out.getvalue() if path.exists() else f"# Based on {based}, zixin {version('zixin')}.\n{out.getvalue()}"
    load(whole, str(path))
    private_text(path, whole)
    return path, changed


@dataclass(frozen=True, slots=True)
class RecordShown:
    """One record on its way."""

    source: str
    object: str
    #: The CRM's field → text, as it was read.
    record: Mapping[str, str | None]
    #: Canonical table → its rows.
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    #: What does not fit: column, value, reason.
    rejected: Sequence[Mapping[str, Any]]
    #: What the CRM shows of our fields.
    shows: Sequence[Mapping[str, Any]]


def show_record(workspace: Attached, record: str, source: str) -> RecordShown:
    """The record as the CRM has it, and what the mapping makes of it. Raises Misconfigured: the CRM shows none."""
    from mappings.apply import apply

    link = workspace.link
    result = link.mapping.source(source)
    pages = list(link.fetch(source, [record]))
    frames = [page.frame for page in pages if page.frame.height]
    if not frames:
        raise Misconfigured("E-NO-RECORD", record=record, object=result.object)
    applied = apply(link.mapping, source, frames[0], link.organisation_of(source), link.time_zone)
    return RecordShown(
        source,
        result.object,
        frames[0].row(0, named=True),
        {table: frame.to_dicts() for table, frame in applied.tables.items() if frame.height},
        applied.rejects.to_dicts(),
        applied.observed.to_dicts() if applied.observed is not None else [],
    )


def as_people_write(table: str, row: Mapping[str, Any], name: str) -> Any:
    """A canonical value: an amount in its currency, a day, an instant."""
    value = row[name]
    column = next((each for each in TABLES[table].columns if each.name == name), None)
    match column.kind if column else "instant" if name == "source_modified_at" else "":
        case "money":
            currency = row.get(column.of) if column else None
            return money.format_money(value, str(currency)) if currency else value
        case "day":
            return day_of(value).isoformat()
        case "instant":
            return instant(value).isoformat(timespec="seconds")
        case "rate":
            return f"{Decimal(value).scaleb(-money.RATE_SCALE).normalize():f}"
        case _:
            return value


def _own(mapping: Mapping_) -> Mapping_:
    """Without what lies in feeds: those have mappings of their own."""
    sources = {name: part for name, part in mapping.sources.items() if not mapping.feed_of(name)}
    return mapping.model_copy(update={"sources": sources})


def _with_objects(mapping: Mapping_, objects: Mapping[str, str]) -> Mapping_:
    if unknown := [name for name in objects if name not in mapping.sources]:
        raise Misconfigured("E-MAP-SOURCE", name=", ".join(unknown), known=", ".join(mapping.sources))
    sources = {
        name: part.model_copy(update={"object": objects.get(name, part.object)})
        for name, part in mapping.sources.items()
    }
    return mapping.model_copy(update={"sources": sources})


def _samples(crm: Reads, object_: str, found: Described, only: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Field → values of some records, as cheaply as the CRM gives them; none where it does not."""
    names = tuple(field.name for field in found.fields if field.name not in ("id", "Id", "modified_at"))
    names = names if only is None else tuple(only)
    if not names:
        return {}
    source = Source("sample", object_, names)
    try:
        frames = _parts(crm, source, _SAMPLES) if isinstance(crm, Diagnostics) else [next(_pages(crm, source)).frame]
    except (Problem, StopIteration):
        return {}
    return {name: _values(frame[name]) for frame in frames for name in names if name in frame.columns}


def _parts(crm: Diagnostics, source: Source, most: int) -> list[pl.DataFrame]:
    """Some records, a few of their fields at a time: what one call of the strictest CRM takes."""
    starts = range(0, max(1, len(source.fields)), _MOST_FIELDS)
    return [crm.sample(source.object, source.fields[at : at + _MOST_FIELDS], most) for at in starts]


def _pages(crm: Reads, source: Source) -> Iterator[Page]:
    return iter(crm.glance(source) if isinstance(crm, Glances) else crm.read(source, None))


def _values(column: pl.Series) -> list[str]:
    return [str(value) for value in column.drop_nulls().to_list() if str(value).strip()]


def _only_there(sources: Any, made: Sequence[Suggested], objects: Mapping[str, set[str]]) -> list[str]:
    """Of tables that a company calls as it likes, a mapping says what there is, and no more: what changed for that.

    A source without a table goes, one with it is no longer optional; a column that nothing holds goes, and the key of
    a row is its id.
    """
    there = {name: objects[part["object"]] for name, part in sources.items() if part["object"] in objects}
    for name in [each for each in sources if each not in there]:
        del sources[name]
    changed: list[str] = []
    for name, fields in there.items():
        sources[name].pop("optional", None)
        for item in sources[name]["yields"]:
            table, columns = item["table"], item["columns"]
            key = TABLES[table].key
            if len(key) == 1 and columns.get(key[0]) not in fields:
                columns[key[0]] = "id"
            known = {each.proposal.column for each in made if each.source == name and each.proposal.candidates}
            for column in [each for each, field in columns.items() if isinstance(field, str) and field not in fields]:
                if columns[column] == "id" or column in known:
                    continue
                del columns[column]
                # The connection says in what its amounts are.
                home = column == "currency" and column in _REQUIRED[table]
                columns |= {column: {"const": "$home"}} if home else {}
                changed.append(f"{name}: {table}.{column} {'= $home' if home else '–'}")
    return changed


def _move(item: Any, old: str, new: str) -> None:
    """What else of a yield hangs on the old field hangs on the new one: conditions, rules on whether it is filled."""
    whens = item.get("when") or []
    for test in [whens] if isinstance(whens, dict) else whens:
        if old and test.get("field") == old:
            test["field"] = new
    for rule in item["columns"].values():
        if old and isinstance(rule, dict) and rule.get("present") == old:
            rule["present"] = new


def _set(columns: Any, column: str, field: str) -> None:
    """Another field for a column; what else its rule says stays."""
    now = columns.get(column)
    if isinstance(now, dict) and "from" in now:
        now["from"] = field
    else:
        columns[column] = field


def _base(profile: str, name: str, path: Path) -> tuple[str, str]:
    if path.exists():
        return path.read_text(encoding="utf-8"), path.name
    config = connections.read(profile)[name]
    return packaged_text(config.mapping or config.crm)
