"""An index of runs, in SQLite beside them, so that a thousand of them are listed at once.

The directories are what counts: the index is brought up to date whenever it is opened, reads
again only the runs whose files changed, and can be deleted at any time. A file of its name that
we did not make stays as it is.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from rig.errors import RunError
from rig.sweep.index_row import COLUMNS, Row, as_text, code_version, facts_of, stamp_of


FILE = "index.sqlite"
IN_MEMORY = Path(":memory:")
APPLICATION_ID = 0x72696769
"""``rigi``: marks a database as an index of ours, in its first bytes."""
UNMARKED_VERSION = 1
"""What an index of ours had for a version before it was marked."""
HEADER = b"SQLite format 3\0"
ID_AT = slice(68, 72)
"""Where the application's id is in a database's first bytes (sqlite.org/fileformat.html)."""
PATIENCE_S = 5.0
"""So long another process may hold the index before it is done without."""


@contextmanager
def open_index(root: Path) -> Iterator[sqlite3.Connection]:
    """The index of the runs under a directory, brought up to date.

    Where it can't be kept (no right to write, no room, another process holds it), it is made in
    memory.

    Raises:
        RunError: There is no such directory, or a file of the index's name is something else.
    """
    if not root.is_dir():
        raise RunError(f"{root} is no directory: name one that runs lie under")
    with closing(up_to_date(root)) as connection:
        yield connection


def up_to_date(root: Path) -> sqlite3.Connection:
    """The index beside the runs, or one in memory if that can't be used now."""
    if os.access(root, os.W_OK):
        # Such an error says nothing against the file, so that it is left alone.
        with suppress(sqlite3.OperationalError, OSError):
            return kept(root / FILE, root)
    return updated(IN_MEMORY, root)


def kept(path: Path, root: Path) -> sqlite3.Connection:
    """The index in a file, made anew if it is ours and damaged."""
    try:
        return updated(path, root)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        if not is_marked(path):
            raise not_ours(path) from error
    path.unlink()
    return updated(path, root)


def updated(path: Path, root: Path) -> sqlite3.Connection:
    """A connection to the index, with its table brought up to date.

    Raises:
        RunError: The file is someone else's database.
    """
    connection = sqlite3.connect(path, timeout=PATIENCE_S)
    try:
        connection.row_factory = sqlite3.Row
        if not is_ours(connection):
            raise not_ours(path)
        make_table(connection)
        update(connection, root)
    except BaseException:
        connection.close()
        raise
    return connection


def is_marked(path: Path) -> bool:
    """Whether the first bytes of a damaged database say that it is ours."""
    with path.open("rb") as file:
        first = file.read(ID_AT.stop)
    return first.startswith(HEADER) and first[ID_AT] == APPLICATION_ID.to_bytes(4, "big")


def is_ours(connection: sqlite3.Connection) -> bool:
    """Whether a database is an index of ours, or holds nothing yet."""
    found = pragma(connection, "application_id")
    if found != 0:
        return found == APPLICATION_ID
    (num_tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    is_unmarked = pragma(connection, "user_version") == UNMARKED_VERSION
    return num_tables == 0 or (is_unmarked and "stamp" in columns_of(connection))


def not_ours(path: Path) -> RunError:
    """What to say of a file that is in the index's place."""
    return RunError(
        f"{path} is no index of runs that rig made, and the index goes there: move it elsewhere"
    )


def make_table(connection: sqlite3.Connection) -> None:
    """A table without rows, unless this code's table is there.

    Raises:
        sqlite3.DatabaseError: The database is damaged.
    """
    if is_current(connection):
        return
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if not is_current(connection):  # another process may have made it meanwhile
            connection.execute("DROP TABLE IF EXISTS runs")
            connection.execute(f"CREATE TABLE runs ({columns})")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {code_version()}")


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether the table is as this code makes it, and all of it can be read."""
    (health,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if health != "ok":
        raise sqlite3.DatabaseError(health)
    is_same_code = pragma(connection, "user_version") == code_version()
    return is_same_code and columns_of(connection) == list(COLUMNS)


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """A number that SQLite keeps beside the tables."""
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def columns_of(connection: sqlite3.Connection) -> list[str]:
    """The names of the table's columns; none if there is no table."""
    return [name for _, name, *_ in connection.execute("PRAGMA table_info(runs)")]


def update(connection: sqlite3.Connection, root: Path) -> None:
    """Reads the runs that are new or changed, and drops those that are gone."""
    known = dict(connection.execute("SELECT directory, stamp FROM runs").fetchall())
    found = {as_text(str(path.relative_to(root))): path for path in run_directories(root)}
    gone = [(name,) for name in known.keys() - found.keys()]
    changed = [
        row_of(path, name, stamp)
        for name, path in found.items()
        if known.get(name) != (stamp := stamp_of(path))
    ]
    places = ", ".join(f":{name}" for name in COLUMNS)
    with connection:
        connection.executemany("DELETE FROM runs WHERE directory = ?", gone)
        connection.executemany(f"INSERT OR REPLACE INTO runs VALUES ({places})", changed)


def run_directories(root: Path) -> Iterator[Path]:
    """Every run at or under a directory."""
    for place, folders, files in os.walk(root):
        if "config.json" in files:
            folders.clear()
            yield Path(place)


def row_of(directory: Path, name: str, stamp: str) -> Row:
    """A run's row; one that can't be read has only its state.

    It has no stamp, so that it is read again each time: other code, or rights, may do better.
    """
    try:
        return {"directory": name, "stamp": stamp} | facts_of(directory)
    except (RunError, OSError, ValueError):  # ValueError: a setting that nothing can be made of
        return dict.fromkeys(COLUMNS, None) | {"directory": name, "state": "damaged"}
