"""A release with a second edition of the default policy: a grade from other points, one more gate, a lower peak."""

from pathlib import Path

import pytest

from connector import editions
from connector.editions import PRESETS, Edition, preset_text


def second_edition(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Edition, Edition]:
    """From now on the default policy has two editions: the first that was ever shipped, and a made-up second."""
    first = editions.editions("default")[0].text
    (folder / "earlier").mkdir()
    (folder / "earlier" / "default-1.yaml").write_text(first, encoding="utf-8")
    for name in PRESETS:
        (folder / f"{name}.yaml").write_text(preset_text(name), encoding="utf-8")
    second = first.replace("edition: default/1", "edition: default/2").replace("peak: 1.5", "peak: 1.25")
    second = second.replace("  BBB: {from: 66,", "  BBB: {from: 67,").replace(
        "\ngates:\n",
        "\ngates:\n  twice:\n    when: {feature: utilisation, gt: 2}\n    cap: B\n    en: twice the limit\n    zh: 两倍额度\n",
    )
    (folder / "default.yaml").write_text(second, encoding="utf-8")
    monkeypatch.setattr(editions, "PLACE", folder)
    one, two = editions.editions("default")
    return one, two
