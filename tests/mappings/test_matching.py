"""The matcher, judged on schemas that nobody here wrote, with the answers of an admin (schemas/answers.tsv)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.zoho.simulator.fill import fill
from adapters.zoho.simulator.org import Org
from connector.ports import Described, Field
from connector.schema import TABLES
from mappings.check import check
from mappings.load import Mapping, packaged
from mappings.matching import Proposal, fits, shape, suggest
from tests.connector.scoring.books import books, invoice

HERE = Path(__file__).parent / "schemas"
SCHEMAS = ("erpnext", "odoo", "salesforce", "tryton", "xero")


def lines(name: str) -> Iterator[list[str]]:
    for line in (HERE / f"{name}.tsv").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.split("\t")


def schema(name: str) -> dict[str, tuple[Described, dict[str, str]]]:
    """Object → its fields, and their Chinese labels."""
    fields: dict[str, list[Field]] = {}
    chinese: dict[str, dict[str, str]] = {}
    for object_, field, type_, label, zh, options in lines(name):
        result = Field(field, label, type_, writable=True, options=tuple(each for each in options.split(";") if each))
        fields.setdefault(object_, []).append(result)
        chinese.setdefault(object_, {})[field] = zh
    return {key: (Described(key, tuple(result)), chinese[key]) for key, result in fields.items()}


def answers(name: str) -> dict[tuple[str, str], dict[str, list[str]]]:
    """(table, object) → column → what an admin would choose, the best first; `-`: nothing."""
    result: dict[tuple[str, str], dict[str, list[str]]] = {}
    for schema_, table, object_, column, wanted in lines("answers"):
        if schema_ == name:
            result.setdefault((table, object_), {})[column] = wanted.split("|")
    return result


def proposed(name: str) -> Iterator[tuple[list[str], Proposal, Described]]:
    """Each column that is judged: the answers, and what was proposed."""
    objects, wanted = schema(name), answers(name)
    places = dict(wanted.keys())
    for (table, object_), columns in wanted.items():
        described, chinese = objects[object_]
        proposals = suggest(table, described, chinese, objects=places)
        by_column = {each.column: each for each in proposals}
        for column, fields in columns.items():
            yield fields, by_column.get(column, Proposal(table, column, ())), described


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_best_field_comes_first(name: str) -> None:
    judged = first = three = none = silent = 0
    for fields, proposal, _ in proposed(name):
        candidates = [each.field for each in proposal.candidates]
        if fields[0] == "-":
            none += 1
            silent += not candidates
            continue
        judged += 1
        first += (candidates or ["-"])[0] in fields
        three += bool({*candidates, *(() if candidates else ("-",))} & set(fields))
    assert judged >= 15
    assert first / judged >= 0.9
    assert three / judged >= 0.98
    assert silent / none >= 0.9


def test_by_chinese_labels_alone() -> None:
    """As in a CRM whose custom fields are called field_07__c."""
    first = judged = 0
    for (table, object_), columns in answers("tryton").items():
        described, chinese = schema("tryton")[object_]
        hidden = {f"field_{n:02}__c": field for n, field in enumerate(described.fields) if chinese[field.name]}
        results = tuple(
            replace(field, name=name, label=chinese[field.name], options=()) for name, field in hidden.items()
        )
        by_column = {each.column: each for each in suggest(table, Described(object_, results))}
        for column, fields in columns.items():
            there = {field.name for field in hidden.values()} & set(fields)
            if there:
                judged += 1
                best = by_column[column].candidates[:1]
                first += bool(best) and hidden[best[0].field].name in fields
    assert judged >= 12
    assert first / judged >= 0.9


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_proposal_is_one_that_the_check_refuses(name: str) -> None:
    objects = schema(name)
    for _, proposal, described in proposed(name):
        for candidate in proposal.candidates:
            document = {
                "version": 1,
                "crm": name,
                "sources": {
                    "one": {
                        "object": described.object,
                        "yields": [
                            {
                                "table": proposal.table,
                                "columns": {
                                    proposal.column: {"from": candidate.field, "values": {"x": "x"}, "otherwise": "x"}
                                    if _choice(proposal)
                                    else candidate.field
                                },
                            }
                        ],
                    }
                },
                "writes": {"object": "elsewhere", "fields": {}},
            }
            mapping = Mapping.model_validate(document)
            found = check(mapping, {described.object: objects[described.object][0]}, {})
            # One column alone is no whole allocation.
            assert [each for each in found if each.what != "missing"] == []


def _choice(proposal: Proposal) -> bool:
    return any(column.name == proposal.column and column.options for column in TABLES[proposal.table].columns)


def test_values_speak() -> None:
    described = Described(
        "Deal",
        (
            Field("code_a", "Code A", "text", writable=True),
            Field("note", "Currency", "text", writable=True),
            Field("tax_number", "Tax number", "text", writable=True),
            Field("day", "Due date", "text", writable=True),
        ),
    )
    samples = {"note": ["see below", "none"], "tax_number": ["91310000MA1K35XR6T"], "day": ["next week"]}
    by_column = {each.column: each for each in suggest("receivables", described, samples=samples)}
    # A text that is called currency and holds sentences is none; a day that cannot be read is none.
    assert by_column["currency"].candidates == ()
    assert by_column["due"].candidates == ()
    again = {each.column: each for each in suggest("receivables", described, samples={"day": ["2026-03-01"]})}
    assert again["due"].candidates[0].field == "day"
    taxed = {each.column: each for each in suggest("accounts", described, samples=samples)}
    assert taxed["tax_id"].candidates[0].score > 0.9


def test_a_type_that_nobody_knows_is_text() -> None:
    assert shape("Wobble") == "text"
    due = next(column for column in TABLES["receivables"].columns if column.name == "due")
    assert fits(due, Field("x", "x", "Wobble", writable=True))
    assert not fits(due, Field("x", "x", "Currency", writable=True))


def test_for_the_simulated_zoho_it_proposes_what_the_shipped_mapping_says() -> None:
    mapping, org = packaged("zoho"), Org()
    fill(org, books([invoice("I1", 100, "2025-01-01", "2025-01-31", "A1")], []))
    places = {item.table: part.object for part in mapping.sources.values() for item in part.yields[:1]}
    compared = 0
    for source in ("accounts", "invoices", "payments"):
        part = mapping.sources[source]
        metas = org.modules[part.object].fields.values()
        fields = tuple(Field(each.api_name, each.label, each.type, True, each.options, each.target) for each in metas)
        rules = part.yields[0].columns
        for proposal in suggest(part.yields[0].table, Described(part.object, fields), objects=places):
            rule = rules.get(proposal.column)
            if rule is not None and rule.field:
                compared += 1
                assert [each.field for each in proposal.candidates[:1]] == [rule.field], proposal.column
    assert compared >= 20
