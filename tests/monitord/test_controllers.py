"""The folder of trusted controllers: whatever one entry does, the others stay trusted."""

import os
from pathlib import Path

import pytest

from doorctl.monitord.controllers import ControllersFolder, controller_path
from doorctl.seal.keys import ControllerFile, write_controller_file
from tests.monitord.board import Board
from tests.monitord.line import controller_file, new_identity


@pytest.fixture
def known(tmp_path: Path) -> ControllerFile:
    """The one that is trusted."""
    file = controller_file(Board(name="harbour-st"), new_identity(tmp_path, "courier"))
    folder = tmp_path / "controllers"
    folder.mkdir()
    write_controller_file(controller_path(folder, file.controller), file)
    return file


@pytest.fixture
def folder(tmp_path: Path, known: ControllerFile) -> ControllersFolder:
    folder = ControllersFolder(tmp_path / "controllers")
    assert folder.refresh() is True
    assert folder.trusted == {known.controller: known}
    return folder


def test_a_dangling_link_is_reported_once_and_takes_nobody_with_it(
    tmp_path: Path, known: ControllerFile, folder: ControllersFolder, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "controllers" / "backup.toml").symlink_to("/nowhere/gone.toml")
    assert [folder.refresh(), folder.refresh()] == [True, False]
    assert folder.trusted == {known.controller: known}
    assert ["backup.toml" in message for message in caplog.messages] == [True]


def test_a_file_removed_during_the_look_takes_nobody_with_it(
    tmp_path: Path, known: ControllerFile, folder: ControllersFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "controllers" / "gone.toml"
    gone.write_text("", encoding="ascii")
    scandir = os.scandir

    def late(path: Path) -> "os._ScandirIterator[str]":
        entries = scandir(path)
        gone.unlink()
        return entries

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", late)
        folder.refresh()
    assert folder.trusted == {known.controller: known}
    folder.refresh()
    assert folder.trusted == {known.controller: known}


def test_a_folder_that_does_not_answer_changes_nothing(
    known: ControllerFile,
    folder: ControllersFolder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_path: Path) -> None:
        raise OSError(24, "too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", broken)
        assert [folder.refresh(), folder.refresh()] == [False, False]
    assert folder.trusted == {known.controller: known}
    assert caplog.messages == ["trusted controllers stay as they are: [Errno 24] too many open files"]
    assert folder.refresh() is False


def test_a_removed_file_and_a_removed_folder_are_trust_withdrawn(
    tmp_path: Path, known: ControllerFile, folder: ControllersFolder
) -> None:
    controller_path(tmp_path / "controllers", known.controller).unlink()
    assert folder.refresh() is True
    assert folder.trusted == {}
    (tmp_path / "controllers").rmdir()
    assert folder.refresh() is False
    assert folder.trusted == {}
