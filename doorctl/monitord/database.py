"""Opens one of the monitor's SQLite files through SQLAlchemy Core: WAL, every commit on disk, explicit transactions.

This file knows no table, and never retries: a database that fails ends its process, and the supervisor starts it again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from doorctl.errors import StorageError

_BUSY_TIMEOUT_MS = 10_000
"""Each file has one writing process; only its own threads and a checkpoint ever wait for each other."""


def open_for_writing(path: Path, schema: MetaData, version: int) -> Engine:
    """The one writer's engine; creates the file 0600 and its tables; refuses a file of another version."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)
    engine = _engine(f"file:{path}?mode=rw", synchronous="FULL", read_only=False)
    with storage_errors(path), _given_back(engine), engine.begin() as connection:
        found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if found not in (0, version):
            raise StorageError(f"{path}: version {found}, this doorctl has {version}")
        schema.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA user_version = {version:d}")
    return engine


def open_for_reading(path: Path, version: int) -> Engine:
    """A reader's engine on a file that another process writes; SQLite itself refuses every write."""
    engine = _engine(f"file:{path}?mode=rw", synchronous="FULL", read_only=True)
    with storage_errors(path), _given_back(engine), engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if found != version:
            raise StorageError(f"{path}: version {found}, this doorctl has {version}")
    return engine


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Whatever SQLAlchemy or SQLite raise inside is a StorageError that names the file."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StorageError(f"{path}: {error.__cause__ or error}") from error


@contextmanager
def _given_back(engine: Engine) -> Iterator[None]:
    """No connection is left open where a file is refused."""
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def _engine(uri: str, *, synchronous: str, read_only: bool) -> Engine:
    """One connection for good: a pool would only hide which thread waits for which."""
    engine = create_engine(
        f"sqlite+pysqlite:///{uri}&uri=true",
        poolclass=NullPool if read_only else StaticPool,
        connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        # The driver must not begin transactions by itself: a reader that becomes a writer midway can fail at COMMIT.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA secure_delete = ON")
        if read_only:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
