"""Fields that an earlier release made grow to what this one writes; what the CRM cannot change is told as a step."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.zoho.simulator.org import FieldMeta
from connector.assessment import FLAGS, OUTPUT_FIELDS, RATINGS
from connector.errors import Misconfigured
from connector.ports import Field, Growth
from tests.zixin.calls import document, run, served
from tests.zixin.crms import BOOKS, EVERY, Crm
from tests.zixin.earlier import NEW_FLAG, OTHER_LABEL, SHORTER, earlier_release
from zixin import compose
from zixin.config import connections
from zixin.services import crm_fields, field_growth

#: CRM → what of a field it lets us change, and so what is left to a person.
CAN = {
    "zoho": {"options", "label"},
    "salesforce": {"options", "label", "length"},
    "erpnext": {"options", "label"},
    "espocrm": {"options"},
    "rest": {"options", "label", "length"},
}


@pytest.fixture(params=["zoho"])
def crm(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crm]:
    """Attached in Chinese, its fields made by an earlier release."""
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    with served(request.param, BOOKS, tmp_path) as up:
        assert run("connect", request.param, "--settings", str(up.file), "--lang", "zh-CN") == 0
        with earlier_release():
            assert run("fields", "apply") == 0
        yield Crm(request.param, up.made)


def described(crm: Crm) -> dict[str, Field]:
    """Canonical name → the field as the CRM tells it."""
    config = connections.read("default")[crm.name]
    with compose.open_workspace("default") as house:
        there = {field.name: field for field in house.link.crm.describe(house.link.mapping.writes.object).fields}
    return {key: there[name] for key, name in config.fields.items()}


@pytest.mark.parametrize("crm", EVERY, indirect=True)
def test_what_is_ours_grows_and_nothing_is_lost(crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    before = described(crm)
    lists_flags = bool(before["flags"].options)
    assert NEW_FLAG not in before["flags"].options
    _added_by_an_admin(crm, before["hold"].name)
    assert run("fields", "plan", "--detailed-exitcode") in (0, 3)
    rows = document(capsys, "fields", "plan")["fields"]
    done = {(row["name"], row["action"]) for row in rows}
    tells_labels = before["flags"].label != before["flags"].name
    tells_length = before["reasons"].length is not None
    assert (("flags", "grow") in done) == (lists_flags or tells_labels)
    assert (("reasons", "grow") in done) == (tells_length and "length" in CAN[crm.name])
    assert (("reasons", "hand") in done) == (tells_length and "length" not in CAN[crm.name])
    assert run("fields", "apply") == 0
    after = described(crm)
    assert {key: field.name for key, field in after.items()} == {key: field.name for key, field in before.items()}
    if lists_flags:
        # New ones go behind those that were there.
        assert after["flags"].options[: len(before["flags"].options)] == before["flags"].options
        assert set(after["flags"].options) == {*FLAGS, *before["flags"].options}
    if tells_labels:
        assert (before["flags"].label, after["flags"].label) == (OTHER_LABEL, "信用预警")
    if tells_length:
        assert (before["reasons"].length, after["reasons"].length) == (
            SHORTER,
            2000 if "length" in CAN[crm.name] else SHORTER,
        )
    assert "an admin's" in after["hold"].options
    assert [option for option in after["rating"].options if option] == list(RATINGS)
    # A second time there is nothing to do but what is left to a person.
    assert run("fields", "plan", "--detailed-exitcode") == 0
    left = {row["action"] for row in document(capsys, "fields", "plan")["fields"]}
    assert left == ({"keep", "hand"} if tells_length and "length" not in CAN[crm.name] else {"keep"})


def _added_by_an_admin(crm: Crm, name: str) -> None:
    """An option of the hold field that zixin knows nothing of."""
    meta = crm.fields()[name]
    if crm.name == "erpnext":
        meta["options"] += "\nan admin's"
        crm.state.fields["Customer"][name]["options"] += "\nan admin's"
    elif isinstance(meta, dict):
        meta["options"] = [*meta["options"], "an admin's"]
    else:
        meta.options = (*meta.options, "an admin's")


def test_a_field_that_somebody_else_made_is_never_changed(crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    """Its options are a step for a person; how he calls it is his own."""
    meta = next(field for field in crm.fields().values() if field.label == OTHER_LABEL)
    connections.change("default", crm.name, install="0badcafe", field_ids={})
    capsys.readouterr()
    assert run("fields", "plan", "--lang", "zh-CN") == 0
    message = capsys.readouterr().out
    assert f"请在 CRM 的字段“{OTHER_LABEL}”中：添加选项 {NEW_FLAG}" in message
    assert run("fields", "apply", "--adopt") == 0
    assert (meta.label, NEW_FLAG in meta.options) == (OTHER_LABEL, False)


def test_a_field_is_found_by_its_name_when_an_admin_has_changed_its_label(crm: Crm) -> None:
    name = connections.read("default")[crm.name].fields["limit"]
    meta = crm.fields()[name]
    meta.label = "Limit of ours"
    count = len(crm.fields())
    with compose.open_workspace("default") as house:
        drifts = crm_fields.find_drift("default", house.link)
    assert [(drift.field, drift.ours) for drift in drifts if drift.field == name] == [(name, True)]
    assert run("fields", "apply") == 0
    assert (meta.label, len(crm.fields())) == ("信用额度", count)


@pytest.mark.parametrize("crm", ["rest"], indirect=True)
def test_where_the_crm_refuses_to_change_a_field_it_is_a_step_for_a_person(
    crm: Crm, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a service that was built against our interface before fields grew."""

    def refused(_: object, growths: Sequence[Growth]) -> dict[str, Misconfigured]:
        return {each.item.name: Misconfigured("E-CRM-ANSWER", host="h", detail="HTTP 405") for each in growths}

    monkeypatch.setattr("adapters.declarative.writing.Writer.grow", refused)
    capsys.readouterr()
    assert run("fields", "apply", "--lang", "zh-CN") == 0
    message = capsys.readouterr().out
    assert f"添加选项 {NEW_FLAG}" in message
    assert "HTTP 405" in message


def _lacks(**given: Any) -> Growth:
    item = next(item for item in OUTPUT_FIELDS if item.name == "flags")
    return field_growth.growth(item, Field("f", "Credit Flags", "multiselectpicklist", writable=True, **given))


def test_what_a_field_lacks_is_worded() -> None:
    assert field_growth.words(_lacks(options=FLAGS[1:])) == (f"add the options {FLAGS[0]}", f"添加选项 {FLAGS[0]}")
    assert not _lacks(options=FLAGS)
    # A field of text that is to hold flags lists none, and takes any.
    assert not _lacks()


def test_a_label_that_another_field_has_keeps_no_option_out(crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    """Zoho refuses a label twice, with everything else of that change."""
    meta = next(field for field in crm.fields().values() if field.label == OTHER_LABEL)
    crm.fields()["theirs"] = FieldMeta("theirs", "信用预警")
    capsys.readouterr()
    assert run("fields", "apply") == 0
    assert "DUPLICATE_DATA when changing" in capsys.readouterr().out
    assert (meta.label, NEW_FLAG in meta.options) == (OTHER_LABEL, True)


@pytest.mark.parametrize("crm", ["rest"], indirect=True)
def test_one_field_that_cannot_change_keeps_no_other_from_it(crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    name = connections.read("default")[crm.name].fields["flags"]
    crm.state.rules[name] = ["locked by an admin"]
    capsys.readouterr()
    assert run("fields", "apply") == 0
    message = capsys.readouterr().out
    assert f"add the options {NEW_FLAG}" in message
    assert "HTTP 409" in message
    assert described(crm)["reasons"].length == 2000


@pytest.mark.parametrize("crm", ["rest"], indirect=True)
def test_a_field_made_in_the_place_of_ours_is_not_ours(crm: Crm, capsys: pytest.CaptureFixture[str]) -> None:
    name = connections.read("default")[crm.name].fields["flags"]
    crm.fields()[name].update(description="somebody's", label="Theirs", options=["go", "stop"])
    assert run("fields", "apply") == 0
    assert (crm.fields()[name]["label"], crm.fields()[name]["options"]) == ("Theirs", ["go", "stop"])


@pytest.mark.parametrize("crm", ["rest"], indirect=True)
def test_a_field_that_is_made_anew_is_filled_by_the_next_run(crm: Crm) -> None:
    assert run("fields", "apply") == run("sync") == 0
    name = connections.read("default")[crm.name].fields["hold"]
    before = {key: row.pop(name) for key, row in crm.accounts().items()}
    del crm.fields()[name]
    assert run("fields", "apply") == run("sync") == 0
    assert {key: row.get(name) for key, row in crm.accounts().items()} == before
