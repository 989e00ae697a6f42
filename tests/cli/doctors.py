"""What the tests of doctor share: running it as a script would, and finding what it named."""

import json
from typing import Any

import pytest

from doorctl.cli.main import main
from tests.cli.board import Board

Findings = list[dict[str, Any]]


def doctor(board: Board, capsys: pytest.CaptureFixture[str], *arguments: str) -> Findings:
    """Its findings; its exit code says whether one of them is wrong, and that is looked at each time."""
    capsys.readouterr()
    code = main(["--home", str(board.home), "doctor", "--json", *arguments])
    told = json.loads(capsys.readouterr().out)
    findings: Findings = told["findings"]
    for verdict in ("ok", "warning", "wrong", "unseen"):
        assert told[verdict] == sum(finding["verdict"] == verdict for finding in findings)
    assert code == (1 if told["wrong"] else 0)
    return findings


def of(findings: Findings, verdict: str, check: str | None = None) -> dict[str, str]:
    """Words and hints of those findings."""
    return {
        finding["words"]: finding["hint"]
        for finding in findings
        if finding["verdict"] == verdict and check in (None, finding["check"])
    }


def new(findings: Findings, before: Findings) -> list[tuple[str, str, str, str]]:
    """(check, verdict, words, hint) of what is wrong now, or worth a look, and was not before."""
    known = {(finding["check"], finding["words"]) for finding in before}
    return [
        (finding["check"], finding["verdict"], finding["words"], finding["hint"])
        for finding in findings
        if finding["verdict"] in ("wrong", "warning") and (finding["check"], finding["words"]) not in known
    ]
