"""At least 95 of 100 duplicates are proposed, and 95 of 100 proposals are duplicates; on names made before."""

import pytest

from connector.similar_names import LEAST, compare, proposals, read
from tests.connector.names.made import made


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_most_duplicates_are_found_and_most_proposals_are_right(seed: int) -> None:
    given = made(seed, 3_000)
    found = {(each.one, each.other) for each in proposals(given.names)}
    same = {tuple(sorted(pair)) for pair in given.same}
    hits = len(found & same)
    assert hits >= 0.95 * len(same), sorted((given.names[a], given.names[b]) for a, b in same - found)[:40]
    assert hits >= 0.95 * len(found), sorted((given.names[a], given.names[b]) for a, b in found - same)[:40]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller Maschinenbau GmbH", "MUELLER MASCHINENBAU"),
        ("Müller Maschinenbau GmbH", "Muller Maschinenbau Gesellschaft mit beschränkter Haftung"),
        ("Siemens Aktiengesellschaft", "Siemens AG"),
        ("PT Maju Jaya", "Maju Jaya PT"),
        ("3M Company", "3 M Company"),
        ("1&1 AG", "1 & 1 Aktiengesellschaft"),
        ("Nordwind Logistik (USD)", "Nordwind Logistik"),
        ("Nordwind Logistik - EUR", "Nordwind Logistik"),
        ("Nordwind Logistik DO NOT USE", "Nordwind Logistik"),
        ("Kowalski Sp. z o.o.", "Kowalski Spółka z ograniczoną odpowiedzialnością"),
        ("Windpark II GmbH", "Windpark 2 GmbH"),
        ("苏州宏盛科技有限公司", "江苏省苏州市宏盛科技有限公司"),
        ("诸暨市宏盛科技有限公司", "宏盛科技有限公司"),
        ("上海宏盛科技有限公司", "上海宏盛科技有限公"),
        ("上海宏盛科技有限公司（停用）", "上海宏盛科技有限公司"),
        ("上海宏盛科技有限责任公司", "上海宏盛科技股份有限公司"),
    ],
)
def test_these_are_proposed(one: str, other: str) -> None:
    found = compare(read(one), read(other))
    assert found is not None
    assert found[0] >= LEAST


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Blue Steel Ltd", "Blu Steel Ltd"),
        ("Manuel Trading", "Manul Trading"),
        ("Filiale0001 Supermarkt", "Filiale0002 Supermarkt"),
        ("Windpark12 GmbH", "Windpark13 GmbH"),
        ("Nordwind GmbH", "Nordwind AG"),
        ("Nordwind (UK) Ltd", "Nordwind Ltd"),
        ("中国中车集团有限公司", "中国中车股份有限公司"),
        ("江苏无锡华东电子有限公司", "江苏华东电子有限公司"),
        ("中国南京电子有限公司", "中国电子有限公司"),
        ("上海宏盛科技有限公司", "北京宏盛科技有限公司"),
        ("宏盛科技（上海）有限公司", "宏盛科技有限公司"),
        ("上海宏盛科技有限公司", "上海宏盛科技有限公司北京分公司"),
        ("上海宏盛科技有限公司", "上海宏胜科技有限公司"),
    ],
)
def test_these_are_not(one: str, other: str) -> None:
    found = compare(read(one), read(other))
    assert found is None or found[0] < LEAST
