"""How a connection to a system that a connector file describes is opened."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from adapters.declarative.connector import Connector, load
from adapters.declarative.crm import open_declared
from adapters.declarative.models import CAP
from adapters.registry import SettingSpec
from connector.errors import Misconfigured
from connector.ports import Reads, Shared

#: Setting of `rest`: a connector file of one's own, by its path.
_FILE = "connector"


def connector_of(crm: str, settings: Mapping[str, str]) -> Connector:
    """The connector file of that name, of ours or of the path in the settings. Raises Misconfigured."""
    path = settings.get(_FILE, "")
    if crm == "rest" and path:
        try:
            return load(Path(path).read_text(encoding="utf-8"), path)
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured("E-FILE", file=path, detail=type(error).__name__) from None
    name = f"{crm}.yaml"
    file = resources.files("adapters").joinpath("declarative", "connectors", name)
    return load(file.read_text(encoding="utf-8"), f"adapters/declarative/connectors/{name}")


def setting_specs(crm: str, settings: Mapping[str, str]) -> tuple[SettingSpec, ...]:
    """What the connector file declares, and for `rest` where the file is."""
    message = "path of a connector file; empty: your service speaks docs/rest-api.yaml"
    told_zh = "连接器文件的路径；为空表示服务符合 docs/rest-api.yaml"
    file = (SettingSpec(_FILE, default="", ask=True, en=message, zh=told_zh),) if crm == "rest" else ()
    return (*file, *declared_settings(connector_of(crm, settings)))


def declared_settings(connector: Connector) -> tuple[SettingSpec, ...]:
    """The settings that a connector file declares."""
    return tuple(
        SettingSpec(
            name, item.secret, item.default, item.number, name == CAP, en=item.help, zh=item.help_zh or item.help
        )
        for name, item in connector.settings.items()
    )


def open_crm(crm: str, settings: Mapping[str, str], shared: Shared, name: str) -> Reads:
    """A connection of that name."""
    return open_declared(connector_of(crm, settings), settings, shared, name=name)
