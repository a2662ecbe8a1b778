"""Adapters by name."""

import pytest

from adapters import registry
from connector.errors import Misconfigured
from tests.contract.doubles import DOUBLES, READERS
from tests.simulated import Slots

#: What is read from this machine's own files: it has no wire, and nobody is asked who we are.
FILES = {"folder"}
#: What is only read, and the doubles of it.
READ_ONLY: dict[str, set[str]] = {"sql": {"sqlite", "postgresql"}, "lake": set()}


def test_every_adapter_has_a_name_and_says_what_it_needs() -> None:
    assert "zoho" in registry.available()
    for name in registry.available():
        assert any(need.secret for need in registry.setting_specs(name)) is (name not in FILES)


def test_the_contract_suite_has_a_double_of_every_adapter() -> None:
    assert set(registry.available()) - FILES - set(READ_ONLY) <= set(DOUBLES)
    assert set().union(*READ_ONLY.values()) <= set(READERS)


def test_a_name_that_no_adapter_has_is_told_with_those_that_exist() -> None:
    with pytest.raises(Misconfigured, match=r"no adapter for zohoo.*zoho"):
        registry.setting_specs("zohoo")


def test_settings_that_are_missing_or_unknown_are_named_without_their_values() -> None:
    values = {need.name: "canary" for need in registry.setting_specs("zoho")[1:]} | {"pasword": "canary"}
    with pytest.raises(Misconfigured, match="accounts_server is missing, pasword is unknown") as exception_info:
        registry.open_crm("zoho", values, Slots(), "main")
    assert "canary" not in str(exception_info.value)


def test_a_cap_that_is_no_number_is_refused() -> None:
    values = {need.name: "x" for need in registry.setting_specs("zoho")} | {"credits_a_day": "many"}
    with pytest.raises(Misconfigured, match="credits_a_day is not a whole number"):
        registry.open_crm("zoho", values, Slots(), "main")
