"""The manuals: groff has no complaint, and nothing that exists is missing from them."""

import argparse
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorctl.cli.main import build_parser
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


def test_the_five_pages_are_there() -> None:
    assert list(PAGES) == ["courierd.8", "doorctl.1", "doorctl.toml.5", "doord.8", "monitord.8"]


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed here")
@pytest.mark.parametrize("name", PAGES)
def test_groff_has_nothing_to_say(name: str) -> None:
    command = ["groff", "-ww", "-man", "-Tutf8", "-z", str(PAGES[name])]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", PAGES)
def test_each_page_has_its_parts(name: str) -> None:
    text = PAGES[name].read_text(encoding="utf-8")
    title, section = name.rsplit(".", 1)
    assert text.startswith(f".TH {title.upper()} {section} ")
    assert f"\n.SH NAME\n{title} \\- " in text
    assert {"SYNOPSIS", "DESCRIPTION", "SEE ALSO"} <= set(re.findall(r"^\.SH (.+)$", text, re.MULTILINE))


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


OPTIONS = {
    (parser.prog, option)
    for parser in parsers(build_parser())
    for action in parser._actions
    if action.help is not argparse.SUPPRESS
    for option in action.option_strings
    if option.startswith("--") and option not in ("--help", "--sabotage", "--port", "--keep")
}


@pytest.mark.parametrize(("prog", "option"), sorted(OPTIONS))
def test_every_option_is_in_a_manual(prog: str, option: str) -> None:
    pages = plain("doorctl.1") + (plain("monitord.8") if "monitor" in prog else "")
    written = {"--limit": "-n"}.get(option, option) if "monitor" in prog else option
    if "monitor" in prog and option == "--follow":
        written = "-f"
    assert written in pages


@pytest.mark.parametrize("prog", [parser.prog for parser in parsers(build_parser())])
def test_every_command_is_in_a_manual(prog: str) -> None:
    words = prog.split()[1:]
    assert all(word in plain("doorctl.1") + plain("monitord.8") for word in words)


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
