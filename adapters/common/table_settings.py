"""Settings of systems whose tables do not say of themselves how they are to be read."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.common.declared import Declarations, declarations, is_zone
from adapters.registry import SettingSpec
from connector.errors import Misconfigured

#: Currency, zone, declarations.
SPECS = (
    SettingSpec("currency", en="home currency of its amounts (ISO 4217)", zh="金额的本位币（ISO 4217）"),
    SettingSpec(
        "zone",
        default="",
        ask=True,
        en="time zone of times that bear none, such as Asia/Shanghai; empty: their days are taken as they stand",
        zh="无时区的时间所属时区，例如 Asia/Shanghai；为空则按原样取其日期",
    ),
    SettingSpec(
        "declared",
        default="",
        ask=True,
        en="path of a YAML file that declares id, modified and deleted columns; empty: told by keys and names",
        zh="声明 id、modified、deleted 列的 YAML 文件路径；为空则按主键和列名判断",
    ),
)


def declared_in(name: str, settings: Mapping[str, str]) -> Declarations:
    """What the settings declare; a zone in the file goes before the one beside it. Raises Misconfigured."""
    declared = declarations(settings["declared"])
    zone = settings["zone"]
    if not is_zone(zone):
        raise Misconfigured(
            "E-SETTINGS", name=name, detail=f"zone {zone!r} is no IANA time zone, such as Asia/Shanghai"
        )
    return declared if declared.zone else declared.model_copy(update={"zone": zone})
