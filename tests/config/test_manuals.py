"""The manuals: groff has no complaint, and nothing that exists is missing from them."""

import re
from pathlib import Path

import pytest

from doorctl.cli.status import lines
from tests.cli.test_control import STATUS
from tests.config.making import VALID, mistakes

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {path.name: path for path in sorted(DOCS.joinpath("man").iterdir())}
OPERATIONS = DOCS.joinpath("operations.md").read_text(encoding="utf-8")


def plain(name: str) -> str:
    """A page without its fonts and escapes."""
    text = PAGES[name].read_text(encoding="utf-8").replace("\\-", "-")
    return re.sub(r"\\f[BIR]|\\\(dq|^\.(B|BI|BR|I|IR|RB|RI|SS|TP|EX|EE) ?", "", text, flags=re.MULTILINE)


TABLES = {
    "": "", "site": "[site]", "monitor": "[monitor]", "codes": "[codes]", "lockout": "[lockout]", "log": "[log]",
    "hal": "[hal]", "door.front": "[door.front]",
}  # fmt: skip


def keys_of(header: str) -> list[str]:
    """The keys that a table knows, from the words of its own mistake."""
    line = "zzz = 1\n"
    text = VALID.replace(f"{header}\n", f"{header}\n{line}") if f"{header}\n" in VALID else f"{VALID}{header}\n{line}"
    found = [mistake.expected for mistake in mistakes(text if header else line + VALID) if mistake.key.endswith("zzz")]
    return found[0].removeprefix("only ").split(", ")


@pytest.mark.parametrize("header", TABLES.values(), ids=lambda header: header or "top")
def test_every_key_of_the_configuration_is_in_the_manual(header: str) -> None:
    page = plain("doorctl.toml.5")
    keys = keys_of(header)
    assert keys
    assert [key for key in keys if not re.search(rf"(^|[\s\[,.]){re.escape(key)}\b", page, re.MULTILINE)] == []


@pytest.mark.parametrize("inside", ['strike  = { pin = "GPIO17"', 'reader  = { wiegand = ["GPIO14", "GPIO15"]'])
def test_every_key_of_an_inner_table_is_in_the_manual(inside: str) -> None:
    (mistake,) = mistakes(VALID.replace(inside, f"{inside}, zzz = 1"))
    page = plain("doorctl.toml.5")
    keys = mistake.expected.removeprefix("only ").split(", ")
    assert len(keys) > 4
    assert [key for key in keys if not re.search(rf"(^|[\s,]){key}\b", page, re.MULTILINE)] == []


def test_every_line_of_status_is_explained() -> None:
    full = STATUS | {
        "simulated": True, "colocated": True, "lockdown": True, "time_trusted": False,
        "spool": STATUS["spool"] | {
            "pending": 2, "waiting_for_disk": 1, "oldest": 1_782_907_200, "refused_by_monitor": {"UNKNOWN_KEY": 1},
            "forged_receipts": 3,
        },
        "control": {"refused": 4},
        "faults": ["storage: the disk does not answer"],
    }  # fmt: skip
    table = OPERATIONS.partition("## What `status` says")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    patterns = [
        re.escape(line).replace("…", ".*").replace(r"\ N\ ", r" \d+ ").replace(r"N\ ", r"\d+ ")
        .replace("NAME", r"\S+").replace("STATE", ".+").replace("PATH", ".+").replace("records", "records?")
        .replace("receipts", "receipts?").replace("holders", "holders?").replace("requests", "requests?")
        .replace(r"generation\ N", r"generation\ \d+")
        for line in explained
    ]  # fmt: skip
    unexplained = [line for line in lines(full) if not any(re.match(pattern, line.strip()) for pattern in patterns)]
    assert unexplained == []


@pytest.mark.parametrize(
    "fault", ["storage", "journal", "roster", "clock", "courier", "reader", "strike", "indicator", "tamper"]
)
def test_every_fault_is_explained(fault: str) -> None:
    assert f"**`FAULT {fault}" in OPERATIONS


def test_links_of_the_documents_lead_somewhere() -> None:
    for document in [*DOCS.glob("*.md"), *DOCS.glob("decisions/*.md")]:
        for target in re.findall(r"\]\(([^)#]+?\.md)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), (document.name, target)
