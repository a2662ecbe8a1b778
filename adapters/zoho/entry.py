"""How a connection to Zoho CRM is opened, and what an admin does at Zoho's first.

Source: zoho.com/accounts/protocol/oauth (multi-dc, self client); v8 scopes, token-validity.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from adapters.registry import SettingSpec, SetupStep
from adapters.zoho import auth
from adapters.zoho.auth import Credentials
from adapters.zoho.crm import Zoho
from adapters.zoho.stores import imported
from adapters.zoho.widget import archive as widget
from connector.ports import Reads, Shared

#: Short name → (accounts server, API). What is not here is given as addresses.
CENTRES = {
    "us": ("https://accounts.zoho.com", "https://www.zohoapis.com"),
    "eu": ("https://accounts.zoho.eu", "https://www.zohoapis.eu"),
    "in": ("https://accounts.zoho.in", "https://www.zohoapis.in"),
    "au": ("https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
    "jp": ("https://accounts.zoho.jp", "https://www.zohoapis.jp"),
    "cn": ("https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
    "sa": ("https://accounts.zoho.sa", "https://www.zohoapis.sa"),
    "ca": ("https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
    "uk": ("https://accounts.zoho.uk", "https://www.zohoapis.uk"),
}
_PREFIXES = {"production": "www", "sandbox": "sandbox", "developer": "developer"}

#: What is asked for, and no more: ratings are written into accounts only.
SCOPES = (
    "ZohoCRM.modules.accounts.ALL",
    "ZohoCRM.modules.invoices.READ",
    "ZohoCRM.modules.salesorders.READ",
    "ZohoCRM.modules.custom.READ",
    "ZohoCRM.settings.fields.ALL",
    "ZohoCRM.settings.modules.READ",
    "ZohoCRM.settings.layouts.ALL",
    "ZohoCRM.settings.profiles.READ",
    "ZohoCRM.settings.currencies.READ",
    "ZohoCRM.users.READ",
    "ZohoCRM.org.READ",
    "ZohoCRM.coql.READ",
    "ZohoCRM.bulk.READ",
    "ZohoCRM.notifications.ALL",
)

__all__ = ["imported", "open_crm", "resolve_settings", "setting_specs", "setup_steps", "widget"]


def setting_specs(crm: str, settings: Mapping[str, str]) -> tuple[SettingSpec, ...]:  # noqa: ARG001
    """What a connection must be given: a refresh token, or a grant code that `resolve_settings` exchanges for one."""
    server = settings.get("accounts_server", "")
    code = settings.get("grant_code", "")
    known = server in CENTRES or bool(code)
    return (
        SettingSpec(
            "accounts_server",
            en=f"your data centre ({', '.join(CENTRES)}), or the address of its accounts server",
            zh=f"数据中心（{'、'.join(CENTRES)}），或其 accounts 服务器的地址",
        ),
        SettingSpec(
            "environment",
            default="production",
            en="production, sandbox or developer; only where api_domain is empty",
            zh="production、sandbox 或 developer；仅在 api_domain 为空时使用",
        ),
        SettingSpec(
            "api_domain",
            default="" if known else None,
            en="address of the API; empty: as the data centre or Zoho's answer says",
            zh="API 地址；为空时按数据中心或 Zoho 的答复",
        ),
        SettingSpec(
            "client_id", secret=True, en="of the self client in the API console", zh="API 控制台中 Self Client 的 ID"
        ),
        SettingSpec("client_secret", secret=True, en="of the same client", zh="同一客户端的密钥"),
        SettingSpec(
            "grant_code",
            secret=True,
            default="",
            ask=not settings.get("refresh_token"),
            en="the code that was just made; it lives 3 minutes (empty: you have a refresh token)",
            zh="刚生成的授权码，3 分钟内有效（已有 refresh token 则留空）",
        ),
        SettingSpec(
            "refresh_token",
            secret=True,
            default="" if code else None,
            en="instead of a grant code, if you have one",
            zh="如已有，可代替授权码",
        ),
        SettingSpec(
            "credits_a_day",
            cap=True,
            default="",
            number=True,
            en="the most API credits that zixin may use in 24 hours; empty: as many as Zoho gives",
            zh="zixin 在 24 小时内最多使用的 API 积分；为空表示不限",
        ),
    )


def setup_steps(crm: str) -> tuple[SetupStep, ...]:  # noqa: ARG001
    """A self client: no address of ours has to be reachable for it."""
    return (
        SetupStep(
            "Sign in as a user of its own that sees all accounts, and open the API console of your data centre.",
            "使用一个能看到全部客户的专用用户登录，打开所在数据中心的 API 控制台。",
            "https://api-console.zoho.com (.eu .in .com.au .jp .com.cn .sa .uk; api-console.zohocloud.ca)",
        ),
        SetupStep(
            "Add Client > Self Client > Create. Client Secret shows client_id and client_secret.",
            "Add Client > Self Client > Create。在 Client Secret 页可看到 client_id 和 client_secret。",
        ),
        SetupStep(
            "Generate Code: paste this as Scope, choose 10 minutes, any description; choose the CRM and Production or "
            "the sandbox.",
            "Generate Code：将下列内容粘贴到 Scope，选择 10 分钟，描述任填；选择 CRM 以及生产环境或沙箱。",
            ",".join(SCOPES),
        ),
        SetupStep(
            "Copy the code and give it below at once: it can be used one time only.",
            "复制授权码并立即在下面输入：只能使用一次。",
        ),
    )


def resolve_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Addresses of a data centre's short name; a grant code becomes a refresh token, and the API's address is told."""
    values = dict(settings)
    short = values.get("accounts_server", "")
    server, api = CENTRES.get(short, (short, ""))
    place = _PREFIXES.get(values.pop("environment", "") or "production", "www")
    values["accounts_server"] = server
    if api and not values.get("api_domain"):
        values["api_domain"] = api.replace("://www.", f"://{place}.")
    if code := values.pop("grant_code", ""):
        token, message = auth.exchanged(server, values.get("client_id", ""), values.get("client_secret", ""), code)
        values["refresh_token"] = token
        # Only an address of Zoho's, or of the accounts server itself: whoever is there gets the tokens.
        if message and not settings.get("api_domain") and _zohos(message, server):
            values["api_domain"] = message
    return {name: value for name, value in values.items() if value}


def _zohos(told: str, server: str) -> bool:
    host = urlsplit(told).hostname or ""
    ours = (urlsplit(server).scheme, urlsplit(server).netloc) == (urlsplit(told).scheme, urlsplit(told).netloc)
    return ours or (told.startswith("https://") and host.rpartition(".zohoapis.")[0] in _PREFIXES.values())


def open_crm(crm: str, settings: Mapping[str, str], shared: Shared, name: str) -> Reads:  # noqa: ARG001
    """A connection of that name."""
    values = resolve_settings({**settings, "grant_code": ""})
    return Zoho(Credentials(**values), shared, name=name)
