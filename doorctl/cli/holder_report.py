"""The report of refused lines, as CSV, or as JSON where the file is named so: numbers, names and reasons, no secrets.

Never over a file that is there: a slip of the keyboard must not cost somebody a file, least of all as root.
"""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from doorctl.cli.holder_cell import cell
from doorctl.cli.holder_file import Refused
from doorctl.errors import OperatorError


@contextmanager
def new_report(path: Path) -> Iterator[Callable[[Sequence[Refused]], None]]:
    """Made before anything is changed, filled at the end; gone again where that end never comes."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise OperatorError(f"{path}: there is a file already", hint="name another one for the report") from error
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:

        def write(refused: Sequence[Refused]) -> None:
            if path.suffix == ".json":
                json.dump([asdict(line) for line in refused], file, ensure_ascii=False, indent=2)
                file.write("\n")
                return
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(("line", "who", "reason"))
            rows.writerows((line.line, cell(line.who), line.reason) for line in refused)

        try:
            yield write
        except BaseException:
            path.unlink(missing_ok=True)
            raise
