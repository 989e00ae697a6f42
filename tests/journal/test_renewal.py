"""A journal that goes on for another identity: what people read stays, what only the old monitor could read goes."""

from collections.abc import Mapping
from pathlib import Path

from doorctl.journal.journal import Journal
from doorctl.journal.reader import JournalReader
from doorctl.journal.renewal import renew
from doorctl.journal.rows import Plain, SpoolStatus
from tests.journal.making import entry, epoch, receipt, sealed

LOCKOUTS: Mapping[bytes, Plain] = {b"front": {"wrong": 4}}


def test_the_log_stays_and_every_record_goes(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path) as journal:
        journal.append([entry(epoch(1), sequence) for sequence in range(1, 6)])
        journal.done([receipt(epoch(1), 1), receipt(epoch(1), 2)])
        journal.save_lockouts(LOCKOUTS)
        journal.set_sent_generation(9)
    log = JournalReader(path).log(100)
    assert len(log) == 5
    renew(path)
    assert JournalReader(path).log(100) == log
    with Journal.open(path) as journal:
        assert journal.recovered is None
        assert journal.status() == SpoolStatus(
            pending=0, oldest=None, head=None, receipted=None, last_wall=log[-1].row.wall, sent_generation=0
        )
        assert journal.load_lockouts() == LOCKOUTS
        journal.append([entry(epoch(2), 1)])
        assert journal.status().pending == 1


def test_nothing_of_the_old_records_is_left_in_the_file(tmp_path: Path) -> None:
    """It would be carved out of a damaged one, and sent."""
    path = tmp_path / "journal.db"
    with Journal.open(path) as journal:
        journal.append([entry(epoch(1), sequence) for sequence in range(1, 50)])
    assert sealed(epoch(1), 7) in path.read_bytes()
    renew(path)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == ["journal.db"]
    assert not any(sealed(epoch(1), sequence)[:100] in path.read_bytes() for sequence in range(1, 50))
