from zixin.services.report import AGES, ages


def test_every_open_amount_is_in_one_bucket_by_its_age() -> None:
    owed = [(0, 1), (1, 10), (30, 100), (31, 1_000), (90, 10_000), (91, 100_000), (4_000, 1_000_000)]

    pairs = ages(owed, "en")

    assert [amount for _, amount in pairs] == [1, 110, 1_000, 10_000, 1_100_000]
    assert [label for label, _ in ages(owed, "zh")] == [words[3] for words in AGES]
