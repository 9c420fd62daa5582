"""The statements of `SQLAlchemyStore`: one for every operation, and all values passed in, the time too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVarTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

from fastsession.stores.sqlalchemy_tables import OWNER_INDEX, sessions_table

Columns = TypeVarTuple("Columns")

# Records of one page at most, and bytes of data after which it ends: each is a few milliseconds.
PAGE = 200
PAGE_SIZE = 1_000_000
# Records that one statement ends.
ENDED = 500


@dataclass(frozen=True, slots=True)
class SessionStatements:
    """Parameters: key, data, version, expires_at, owner, now, old, note, note_until, after, last, keep, after `p_`."""

    read: Executable
    create: Executable
    replace: Executable
    # In one statement where that can be, otherwise what the steps of a transaction are.
    supersede: Executable | None
    put_note: Executable
    touch: Executable
    delete: Executable
    page: Executable
    page_end: Executable
    end_rest: Executable
    end_page: Executable


@cache
def session_statements(dialect: str) -> SessionStatements:
    """The statements for this database."""
    table = sessions_table(MetaData())
    columns = table.c
    name, number = String(), BigInteger()
    key, owner = bindparam("p_key", None, name), bindparam("p_owner", None, name)
    data = bindparam("p_data", None, LargeBinary())
    expires_at, now = bindparam("p_expires_at", None, number), bindparam("p_now", None, number)
    is_live = and_(columns.key == key, columns.expires_at > now)
    is_version = columns.version == bindparam("p_version", None, number)
    values = {"data": data, "expires_at": expires_at, "owner": owner}
    new = {"key": key, "version": literal(1, number), **values}
    noted = (
        update(table)
        .values(
            data=bindparam("p_note", None, LargeBinary()),
            version=columns.version + 1,
            expires_at=bindparam("p_note_until", None, number),
            owner=None,
        )
        .where(columns.key == bindparam("p_old", None, name), is_version, columns.expires_at > now)
    )
    owned = and_(columns.owner == owner, columns.key > bindparam("p_after", None, name))
    ended = delete(table).where(owned, columns.key.not_in(bindparam("p_keep", None, name, expanding=True)))
    return SessionStatements(
        read=select(columns.data, columns.version).where(columns.key == key, columns.expires_at > now),
        create=_upsert(table, new, dialect),
        replace=update(table)
        .values(version=columns.version + 1, **values)
        .where(is_live, is_version, _relaxed_unless_owner_changes(table, owner) if dialect == "postgresql" else true()),
        put_note=noted,
        supersede=_superseding(table, noted, new) if dialect == "postgresql" else None,
        touch=update(table)
        .values(expires_at=expires_at)
        .where(is_live, _relaxed().is_not(None) if dialect == "postgresql" else true()),
        delete=delete(table).where(is_live),
        page=_page(table, owned, now),
        page_end=_by_owner(select(columns.key), table).where(owned).order_by(columns.key).offset(ENDED - 1).limit(1),
        end_rest=ended,
        end_page=ended.where(columns.key <= bindparam("p_last", None, name)),
    )


def _by_owner(selecting: Select[*Columns], table: Table) -> Select[*Columns]:
    """MySQL and MariaDB use only the index's first column otherwise, and read all of an owner's rows for each page."""
    for dialect in ("mysql", "mariadb"):
        selecting = selecting.with_hint(table, f"FORCE INDEX ({OWNER_INDEX})", dialect)
    return selecting


def _superseding(table: Table, noted: Update, values: Mapping[str, Any]) -> Executable:
    """A record is created if the old one could be replaced by a note: both or neither."""
    old = noted.returning(table.c.key).cte("noted")
    return insert(table).from_select([*values], select(*values.values()).select_from(old)).returning(table.c.key)


def _upsert(table: Table, new: Mapping[str, Any], dialect: str) -> Executable:
    """A new record, also in the place of another with its key."""
    if dialect in ("mysql", "mariadb"):
        return mysql.insert(table).values(new).on_duplicate_key_update(dict(new))
    if dialect == "sqlite":
        return sqlite.insert(table).values(new).on_conflict_do_update(index_elements=[table.c.key], set_=new)
    return postgresql.insert(table).values(new).on_conflict_do_update(index_elements=[table.c.key], set_=new)


def _page(table: Table, owned: ColumnElement[bool], now: ColumnElement[int]) -> Executable:
    """Records in the order of their keys, until there are enough of them or they are large enough."""
    columns = table.c
    live = (
        _by_owner(select(columns.key, columns.data, columns.version), table)
        .where(owned, columns.expires_at > now)
        .order_by(columns.key)
        .limit(PAGE)
        .subquery()
    )
    size = func.length(live.c.data)
    before = (func.sum(size).over(order_by=live.c.key, rows=(None, 0)) - size).label("before")
    measured = select(live.c.key, live.c.data, live.c.version, before).subquery()
    return (
        select(measured.c.key, measured.c.data, measured.c.version)
        .where(measured.c.before < PAGE_SIZE)
        .order_by(measured.c.key)
    )


def _relaxed() -> ColumnElement[str]:
    """Lets PostgreSQL answer before the statement is on the disk: a crash may undo the last half second of such.

    Never one that is followed by a login, a logout or a denial that was confirmed.
    """
    return func.set_config("synchronous_commit", "off", True)  # noqa: FBT003  (for this transaction only)


def _relaxed_unless_owner_changes(table: Table, owner: ColumnElement[str]) -> ColumnElement[bool]:
    """The same for a write of the session's own data: somebody may sign in, or out, without a new id."""
    setting = "synchronous_commit"
    same = table.c.owner.is_not_distinct_from(owner)
    level = case((same, "off"), else_=func.current_setting(setting))
    return func.set_config(setting, level, True).is_not(None)  # noqa: FBT003  (for this transaction only)
