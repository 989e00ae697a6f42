"""Somebody's own doors in the simulator: the same configuration but for the wires and the monitor."""

from pathlib import Path

import msgspec
import pytest

from doorctl.cli.main import main
from doorctl.cli.sim_config import simulated
from doorctl.config.reading import read_config
from doorctl.config.types import Backend, Hal

EXAMPLES = sorted((Path(__file__).parents[2] / "etc").glob("*.toml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_every_example_is_the_same_site_on_made_up_wires(example: Path, tmp_path: Path) -> None:
    before = example.read_bytes()
    text, groups = simulated(example)
    (tmp_path / "doorctl.toml").write_text(text, encoding="utf-8")
    config, own = read_config(tmp_path / "doorctl.toml"), read_config(example)
    assert config == msgspec.structs.replace(
        own, hal=Hal(backend=Backend.MOCK, chip=None), monitor=msgspec.structs.replace(own.monitor, file="monitor.toml")
    )
    assert groups == [group.name for group in own.groups]
    assert example.read_bytes() == before


def test_a_mistake_is_named_before_anything_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "doorctl.toml"
    file.write_text(EXAMPLES[0].read_text(encoding="utf-8").replace("egress", "egres", 1), encoding="utf-8")
    assert main(["sim", "--config", str(file), "--keep", str(tmp_path / "site")]) == 1
    assert "egres" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_the_tour_has_doors_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", "--tour", "--config", str(EXAMPLES[0])]) == 1
    assert "the tour has doors of its own" in capsys.readouterr().err


def test_a_site_that_is_there_already_is_not_simulated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(tmp_path), "sim"]) == 1
    assert capsys.readouterr().err == (
        "doorctl: error: --home: sim makes a site of its own\n  hint: --keep DIR makes it there, and leaves it\n"
    )
