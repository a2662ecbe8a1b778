"""A script on zcrmsdk as its users have them, on zixin's token: fields, a page of records, an upsert. Prints what came back.

Arguments: the origin of the CRM; a file to wait for before the first call, or nothing.
"""

import os
import sys
import time
from pathlib import Path

from zixin.sdk import token_store

store = token_store()  # Before zcrmsdk: it stands in for a module that zcrmsdk forgets to declare.

from zcrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken, TokenType  # noqa: E402
from zcrmsdk.src.com.zoho.api.logger import Logger  # noqa: E402
from zcrmsdk.src.com.zoho.crm.api import ParameterMap  # noqa: E402
from zcrmsdk.src.com.zoho.crm.api.dc import DataCenter  # noqa: E402
from zcrmsdk.src.com.zoho.crm.api.initializer import Initializer  # noqa: E402
from zcrmsdk.src.com.zoho.crm.api.record import BodyWrapper, GetRecordsParam, Record, RecordOperations  # noqa: E402
from zcrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig  # noqa: E402
from zcrmsdk.src.com.zoho.crm.api.user_signature import UserSignature  # noqa: E402

origin, gate = sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None
place = f"{os.environ['ZIXIN_HOME']}/sdk{os.getpid()}"
Path(place).mkdir()
Initializer.initialize(
    UserSignature("rep@zixin.example"),
    DataCenter.Environment(origin, f"{origin}/oauth/v2/token", origin),
    OAuthToken("unused", "unused", "unused", TokenType.REFRESH),
    store=store,
    resource_path=place,
    sdk_config=SDKConfig(auto_refresh_fields=False, pick_list_validation=False),
    logger=Logger.get_instance(Logger.Levels.ERROR, f"{place}/log"),
)
while gate is not None and not gate.exists():
    time.sleep(0.01)

operations, asked = RecordOperations(), ParameterMap()
asked.add(GetRecordsParam.per_page, 5)
answer = operations.get_records("Accounts", asked)
first = answer.get_object().get_data()[0]
print(answer.get_status_code(), len(answer.get_object().get_data()), first.get_key_value("Account_Name"))  # noqa: T201

record, body = Record(), BodyWrapper()
record.add_key_value("Account_Name", first.get_key_value("Account_Name"))
record.add_key_value("Account_Number", first.get_key_value("Account_Number"))
record.add_key_value("Tax_ID", "T-9")
body.set_data([record])
body.set_duplicate_check_fields(["Account_Number"])
done = operations.upsert_records("Accounts", body)
print(done.get_status_code(), done.get_object().get_data()[0].get_status().get_value())  # noqa: T201
