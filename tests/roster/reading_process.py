"""A doord-like process for tests: answers questions about a roster line by line, with the rights it is given.

python -m tests.roster.reading_process ROSTER [UID GID]
"""

import os
import sqlite3
import sys
from pathlib import Path

from doorctl.errors import DoorctlError
from doorctl.roster.factors import Lookup
from doorctl.roster.lookup import RosterReader


def answer(reader: RosterReader, path: Path, question: list[str]) -> str:
    match question:
        case ["find", lookup]:
            row = reader.find(Lookup(bytes.fromhex(lookup)))
            return "nobody" if row is None else row.match.holder
        case ["state"]:
            state = reader.state()
            return f"{state.generation} {state.digest.hex()}"
        case ["close"]:
            reader.close()
            return "closed"
        case ["write"]:
            connection = sqlite3.connect(path)
            try:
                connection.execute("DELETE FROM rows")
            except sqlite3.OperationalError as error:
                return str(error)
            finally:
                connection.close()
            return "written"
        case _:
            return "?"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    path = Path(sys.argv[1])
    if len(sys.argv) > 2:
        os.setgroups([])
        os.setgid(int(sys.argv[3]))
        os.setuid(int(sys.argv[2]))
    with RosterReader.open(path) as reader:
        say("ready")
        for line in sys.stdin:
            try:
                say(answer(reader, path, line.split()))
            except DoorctlError as error:
                say(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
