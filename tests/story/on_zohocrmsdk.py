"""A script on zohocrmsdk8-0, Zoho's present Python SDK: token, pages, COQL, an upsert, a field. Prints what came back.

Arguments: the origin of the CRM, a folder; client id, client secret and refresh token by the environment.
"""

import os
import sys

from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.api.logger import Logger
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.coql import BodyWrapper as Query
from zohocrmsdk.src.com.zoho.crm.api.coql import CoqlOperations
from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.fields import BodyWrapper as FieldBody
from zohocrmsdk.src.com.zoho.crm.api.fields import CreateFieldParam, Fields, FieldsOperations
from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
from zohocrmsdk.src.com.zoho.crm.api.record import BodyWrapper, GetRecordsParam, Record, RecordOperations
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig

origin, place = sys.argv[1:3]
given = {name: os.environ[name.upper()] for name in ("client_id", "client_secret", "refresh_token")}
Initializer.initialize(
    DataCenter.Environment(origin, f"{origin}/oauth/v2/token", origin),
    OAuthToken(**given),
    store=FileStore(f"{place}/tokens.csv"),
    resource_path=place,
    sdk_config=SDKConfig(auto_refresh_fields=False, pick_list_validation=False),
    logger=Logger.get_instance(Logger.Levels.ERROR, f"{place}/log"),
)

records, seen, token = RecordOperations("Accounts"), 0, None
while True:
    asked = ParameterMap()
    asked.add(GetRecordsParam.fields, "Account_Name,Account_Number")
    asked.add(GetRecordsParam.per_page, 4)
    if token:
        asked.add(GetRecordsParam.page_token, token)
    page = records.get_records(asked, HeaderMap()).get_object()
    seen += len(page.get_data())
    token = page.get_info().get_next_page_token()
    if not page.get_info().get_more_records():
        break
print("pages", seen)  # noqa: T201

query = Query()
query.set_select_query("select Account_Name from Accounts where id > 0 order by id asc limit 3")
print("coql", len(CoqlOperations().get_records(query).get_object().get_data()))  # noqa: T201

record, body = Record(), BodyWrapper()
record.add_key_value("Account_Name", "made by the SDK")
record.add_key_value("Account_Number", "X-1")
body.set_data([record])
body.set_duplicate_check_fields(["Account_Number"])
print("upsert", records.upsert_records(body).get_object().get_data()[0].get_status().get_value())  # noqa: T201

field, fields, module = Fields(), FieldBody(), ParameterMap()
field.set_field_label("SDK made")
field.set_data_type("text")
field.set_length(50)
fields.set_fields([field])
module.add(CreateFieldParam.module, "Accounts")
made = FieldsOperations().create_field(fields, module)
print("field", made.get_object().get_fields()[0].get_status().get_value())  # noqa: T201
