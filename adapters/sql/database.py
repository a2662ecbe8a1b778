"""A database by its SQLAlchemy URL: opened read only by its own settings, looked into, asked with bounds on time."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from typing import cast as known_as

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    MetaData,
    Select,
    Table,
    cast,
    create_engine,
    event,
    inspect,
    literal,
    text,
    type_coerce,
    types,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError
from sqlalchemy.pool import NullPool
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from adapters.sql.errors import problem_of
from adapters.sql.texts import like
from connector.errors import Misconfigured, Retry

#: Dialect → what its driver is installed as, and the address that names it.
_PACKAGES = {
    "postgresql": "'psycopg[binary]'", "mysql": "pymysql", "mariadb": "pymysql", "oracle": "oracledb",
    "mssql": "pyodbc", "snowflake": "snowflake-sqlalchemy", "bigquery": "sqlalchemy-bigquery",
    "redshift": "sqlalchemy-redshift", "clickhousedb": "clickhouse-connect", "duckdb": "duckdb-engine",
}  # fmt: skip
#: Drivers that are taken where an address names none.
_DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql", "oracle": "oracledb"}
#: What a session is told first, so that nothing of ours can write and times come in UTC. SQL Server knows no session
#: that only reads: there the user's rights say so.
_FIRST = {
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION time_zone = '+00:00'"),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION time_zone = '+00:00'"),
    "oracle": ("ALTER SESSION SET TIME_ZONE = '+00:00'",),
}
#: The same of PostgreSQL; a statement that writes is refused there.
_BOUNDS = (
    "SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = {timeout}; SET LOCAL lock_timeout = 10000;"
    " SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL extra_float_digits = 1"
)
_CLOCK = "SELECT CURRENT_TIMESTAMP"
_CLOCKS = {"mssql": "SELECT SYSUTCDATETIME()", "oracle": "SELECT SYSTIMESTAMP FROM DUAL"}
_CONNECT_S = 10
_TRIES = 5
#: Of a table: other tables' rows are read with it.
INHERITED = "inherited"
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_POINT = re.compile(r"-?[0-9]+\.[0-9]+")


T = TypeVar("T")


class Database:
    """Its connections are opened for one question each, and closed again."""

    def __init__(self, url: str, password: str, timeout_s: int) -> None:
        address = _address(url, password)
        #: As it is called in messages: never with a user or a password.
        self.host = address.host or Path(address.database or "").name or address.get_backend_name()
        self.name = Path(address.database or "").name
        self.dialect = address.get_backend_name()
        #: Where the file of SQLite lies.
        self.path = address.database or ""
        self._engine = _engine(address)
        #: Said at the head of each transaction, so that a pool between us and the server keeps none of it for others.
        self._bounds = _BOUNDS.format(timeout=timeout_s * 1000) if self.dialect == "postgresql" else ""

    @property
    def copies(self) -> bool:
        """Whether rows come by COPY."""
        return self._engine.dialect.name == "postgresql" and self._engine.dialect.driver == "psycopg"

    def ask(self, table: str, question: Callable[[Connection], T]) -> T:
        """One question about that table, on a connection of its own; a session that ends is begun anew some times.

        Raises Problem for whatever the driver raises.
        """
        again = Retrying(
            stop=stop_after_attempt(_TRIES), wait=wait_random_exponential(0.1, 5), retry=retry_if_exception(_may_pass),
            reraise=True,
        )  # fmt: skip
        answer: T = again(self._once, table, question)
        return answer

    def _once(self, table: str, question: Callable[[Connection], T]) -> T:
        drivers = self._engine.dialect.loaded_dbapi.Error
        try:
            with self._engine.connect() as connection:
                if self._bounds:
                    connection.exec_driver_sql(self._bounds)
                return question(connection)
        except DBAPIError as error:
            raise problem_of(error, self.host, table) from None
        except drivers as error:
            # COPY is the driver's own.
            wrapped = known_as("DBAPIError", DBAPIError.instance(None, None, error, drivers))
            raise problem_of(wrapped, self.host, table) from None

    def now(self) -> datetime | None:
        """Its clock (aware, UTC); None: it has none of its own. Raises Problem: it cannot be reached."""
        words = "SELECT count(*) FROM sqlite_master" if self.dialect == "sqlite" else _CLOCKS.get(self.dialect, _CLOCK)
        found = self.ask("its clock", lambda connection: connection.execute(text(words)).scalar_one())
        if not isinstance(found, datetime):
            return None
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)

    def raw(self, column: Column[Any]) -> ColumnElement[Any]:
        """The column as it is kept. SQLite keeps days and decimals as text or numbers, and SQLAlchemy's types of them
        would lose digits; an amount of PostgreSQL's money comes without its sign.
        """
        if self.dialect == "sqlite":
            return type_coerce(column, types.NullType())
        return cast(column, types.Numeric()) if type(column.type).__name__ == "MONEY" else column

    def literal(self, column: Column[Any], value: Any) -> ColumnElement[Any]:
        """A value as the column's own type, to compare it with; text is what `text_of` made of it."""
        if self.dialect == "sqlite":
            return literal(value, types.NullType())
        if self.dialect == "postgresql":
            # It writes and reads the same words of every type; of one that SQLAlchemy does not know it tells the type.
            unknown = isinstance(column.type, types.NullType)
            text_ = literal(value, types.NullType() if unknown else types.String())
            return text_ if unknown else cast(text_, column.type)
        known = like(column.type, value) if isinstance(value, str) else value
        if known is None:
            detail = "a value of it cannot be written back"
            raise Misconfigured(
                "E-TABLE-ORDER", host=self.host, table=str(column.table), columns=column.name, detail=detail
            )
        return literal(known, None if isinstance(column.type, types.NullType) else column.type)

    def among(self, column: Column[Any], words: Sequence[str]) -> ColumnElement[bool]:
        """Whether the column is one of these texts, as its own type: a database compares no number with a text.

        A text that no value of that type is, is in no row.
        """
        known = [each for each in words if "\0" not in each and each.encode("utf-8", "ignore").decode() == each]
        if self.dialect == "sqlite":
            return self.raw(column).in_([value for each in known for value in _kept(each)])
        if self.dialect == "postgresql" and not _is_plain(column.type):
            return cast(column, types.Text()).in_(known)
        return self.raw(column).in_([value for each in known if (value := like(column.type, each)) is not None])

    def written(self, query: Select[Any]) -> tuple[str, dict[str, Any]]:
        """A query in the database's own words, and its values."""
        compiled = query.compile(dialect=self._engine.dialect, compile_kwargs={"render_postcompile": True})
        return str(compiled), dict(compiled.params)

    def tables(self) -> list[str]:
        """Names of all tables and views that are no system's own, those of the default schema without it."""
        return self.ask("the catalogue", lambda connection: _names(inspect(connection), self.dialect))

    def table(self, name: str) -> Table:
        """A table or view as it is now, looked up without its schema first. Raises Misconfigured: there is none."""
        schema, _, bare = name.rpartition(".")

        def look(connection: Connection) -> Table | None:
            for each_schema, each in dict.fromkeys(((None, name), (schema or None, bare))):
                with suppress(NoSuchTableError):
                    found = Table(each, MetaData(), schema=each_schema, autoload_with=connection, resolve_fks=False)
                    found.info[INHERITED] = self.dialect == "postgresql" and _has_heirs(connection, found)
                    return found
            return None

        found = self.ask(name, look)
        if found is None:
            raise Misconfigured("E-CRM-OBJECT", host=self.host, name=name)
        return found


def _is_plain(type_: types.TypeEngine[Any]) -> bool:
    """Whether a text is written as a value of that type in one way; of others PostgreSQL's own text is compared."""
    plain = (types.Integer, types.Numeric, types.String, types.Uuid, types.Boolean)
    return isinstance(type_, plain) and not isinstance(type_, types.Enum | types.Float)


def _kept(words: str) -> list[Any]:
    """What SQLite may keep for that text: it has no types of columns, but of values."""
    values: list[Any] = [words]
    if _WHOLE.fullmatch(words) and -(2**63) <= int(words) < 2**63:
        values.append(int(words))
    elif _POINT.fullmatch(words):
        values.append(float(words))
    return values


def _has_heirs(connection: Connection, table: Table) -> bool:
    """Whether other tables' rows are read with it, which its key does not bind (inheritance; no partitions)."""
    words = """
        SELECT EXISTS (SELECT 1 FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
        JOIN pg_namespace n ON n.oid = p.relnamespace
        WHERE p.relkind = 'r' AND p.relname = :name AND n.nspname = coalesce(:schema, current_schema()))"""
    values = {"name": table.name, "schema": table.schema}
    return bool(connection.execute(text(words), values).scalar_one())


def _may_pass(error: BaseException) -> bool:
    # What was too slow once is so again.
    return isinstance(error, Retry) and error.code != "E-DB-SLOW"


def _names(look: Inspector, dialect: str) -> list[str]:
    names: list[str] = []
    for schema in (each for each in look.get_schema_names() if not _is_system(each)):
        before = "" if schema == look.default_schema_name or dialect == "sqlite" else f"{schema}."
        found = [*look.get_table_names(schema), *look.get_view_names(schema), *_materialised(look, schema)]
        names += [f"{before}{each}" if before else str(each) for each in dict.fromkeys(found)]
    return sorted(names)


def _address(url: str, password: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        # What was given may be a password at the wrong place: it is not repeated.
        raise Misconfigured("E-DB-URL", detail="it is not of the form dialect+driver://user@host/database") from None
    backend = address.get_backend_name()
    if "+" not in address.drivername and backend in _DRIVERS:
        address = address.set(drivername=f"{backend}+{_DRIVERS[backend]}")
    if address.password is not None or any("pass" in each or each == "pwd" for each in address.query):
        raise Misconfigured("E-DB-URL", detail="it holds a password, which belongs into the setting password")
    return address.set(password=password) if password else address


def _engine(address: URL) -> Engine:
    backend = address.get_backend_name()
    arguments: dict[str, Any] = {}
    if address.drivername == "postgresql+psycopg":
        arguments = {
            "connect_timeout": _CONNECT_S,
            "application_name": "zixin",
            "prepare_threshold": None,
            "client_encoding": "utf8",
        }
    try:
        if backend == "sqlite":
            return create_engine(
                "sqlite://", creator=lambda: _opened(address.database or ""), poolclass=NullPool, hide_parameters=True
            )
        engine = create_engine(address, hide_parameters=True, poolclass=NullPool, connect_args=arguments)
    except NoSuchModuleError:
        raise Misconfigured("E-DB-DRIVER", name=backend, package=_PACKAGES.get(backend, backend)) from None
    except ModuleNotFoundError as error:
        package = _PACKAGES.get(backend, str(error.name))
        raise Misconfigured("E-DB-DRIVER", name=address.drivername, package=package) from None
    for words in _FIRST.get(backend, ()):
        event.listen(engine, "connect", lambda connection, _record, words=words: _say(connection, words))
    return engine


def _opened(path: str) -> sqlite3.Connection:
    """A file of SQLite that is there, for reading only; text that is no UTF-8 comes as bytes."""
    place = Path(path).expanduser()
    if not place.is_file():
        raise Misconfigured("E-FILE", file=place.name, detail="there is no such file")
    connection = sqlite3.connect(f"{place.resolve().as_uri()}?mode=ro", uri=True, timeout=_CONNECT_S)
    connection.text_factory = _text
    connection.execute("PRAGMA query_only = ON")
    return connection


def _text(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _say(connection: Any, words: str) -> None:
    cursor = connection.cursor()
    cursor.execute(words)
    cursor.close()


def _is_system(schema: str) -> bool:
    """A schema of the database's own."""
    name = schema.lower()
    return name.startswith(("pg_", "db_")) or name in ("information_schema", "sys", "mysql", "performance_schema")


def _materialised(look: Inspector, schema: str) -> list[str]:
    try:
        return list(look.get_materialized_view_names(schema))
    except NotImplementedError:
        return []
