"""The rating panel packed as Zoho's archive, for Setup > Developer Hub > Widgets.

Source: zoho-extension-toolkit 1.0.24, `zet pack` and `zet validate` of a CRM project: a zip of the folder `app` with
widget.html; at most 250 files of 5 MB, names of letters, digits, dot, dash and underscore. The SDK comes from Zoho's
own host, as it requires. The page reads fields of the CRM and nothing else, so it needs no key and no connection.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from importlib import resources

from connector import money
from connector.messages.flags import FLAGS

_FILES = ("widget.html", "widget.js", "panel.js", "panel.css")
#: The same content is the same archive.
_STAMP = (2026, 1, 1, 0, 0, 0)


def archive(fields: Mapping[str, str], language: str, currency: str) -> bytes:
    """The archive of one connection. `fields`: written field → Zoho's name; `currency`: that the amounts are in."""
    options = {
        "language": language,
        "currency": currency,
        "places": money.exponent(currency),
        "names": dict(fields),
        "flags": {code: [words.en, words.zh] for code, words in FLAGS.items()},
    }
    # In a script element of its own, read as a script: no text of a customer's is in it.
    config = f"const ZIXIN = {json.dumps(options, ensure_ascii=False, sort_keys=True)};\n"
    parts = {
        name: resources.files("adapters.zoho").joinpath(f"panel/{name}").read_text(encoding="utf-8") for name in _FILES
    }
    parts["config.js"] = config
    for name, words in (("en", "Credit standing"), ("zh_CN", "客户资信")):
        parts[f"translations/{name}.json"] = json.dumps({"title": words}, ensure_ascii=False)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zip_file:
        for name, text in sorted(parts.items()):
            zip_file.writestr(zipfile.ZipInfo(f"app/{name}", _STAMP), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()
