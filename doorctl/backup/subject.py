"""Whose backup it is: labels of a board and of a monitor, the token key's offline copies, a board's new identity.

Opens nothing that is sealed, and knows of the token key only that it is the one that monitor.toml names.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from doorctl.backup.contents import CONTROLLER, IDENTITY, TLS, TOKEN, Contents
from doorctl.backup.copies import copies
from doorctl.backup.making import Label
from doorctl.backup.manifest import Manifest, MemberName, Role
from doorctl.config.reading import read_config
from doorctl.core.types import WallTime
from doorctl.errors import OperatorError
from doorctl.paths import Paths
from doorctl.seal.keys import (
    ControllerFile,
    create_controller_keys,
    create_tls,
    fingerprint,
    load_controller_keys,
    load_token_keys,
    read_controller_file,
    read_monitor_file,
    token_key_from,
    write_controller_file,
)

SEEN_FOR: Final = timedelta(days=90)
"""How long it is believed that a copy which was shown is still there."""
_LARGEST_KEY: Final = 65_536
_SHORT: Final = 16
"""Hex digits of a fingerprint that make an old token key's file name."""
_SAFE: Final = "it was made by `doorctl monitor init --token-key-copy`, and belongs into a safe"


def of_board(paths: Paths, *, doorctl: str, created: WallTime) -> tuple[Contents, Label]:
    """This board's files, and what a backup says of it; OperatorError where there is no board."""
    monitor_file = read_config(paths.config).monitor.file
    contents = Contents(paths, Role.BOARD, monitor_file=monitor_file)
    controller = read_controller_file(paths.controller_public)
    label = Label(
        doorctl=doorctl, name=controller.site, identity=controller.controller.hex(), simulated=controller.simulated,
        created=created, monitor_file=monitor_file,
    )  # fmt: skip
    return contents, label


def of_monitor(
    paths: Paths, copies: Sequence[Path], *, seen: Mapping[str, date], today: date, doorctl: str, created: WallTime
) -> tuple[Contents, Label, frozenset[MemberName]]:
    """This monitor's files, what a backup says of it, and the token keys, which stay out of it.

    `seen`: fingerprint of a token key → the day its offline copy was last looked at. OperatorError where that of one
    is neither shown now nor was not long ago. Only a simulated monitor's may have none: then they come along, being
    worth nothing.
    """
    public = read_monitor_file(paths.monitor_export)
    keys = [fingerprint(key.public_key().public_bytes_raw()).hex() for key in load_token_keys(paths.monitor_keys)]
    if keys[0] != public.keys.token_fingerprint.hex():
        raise OperatorError(
            f"{paths.monitor_keys / 'token.key'}: not the one that {paths.monitor_export} names",
            hint="put the right one back from its offline copy",
        )
    stay_out = bool(copies) or not public.simulated
    if stay_out:
        _beside(paths, copies, simulated=public.simulated)
        _shown(keys if copies else [key for key in keys if not _lately(seen.get(key), today)], copies)
    label = Label(
        doorctl=doorctl, name=public.addresses[0], identity=public.fingerprint, simulated=public.simulated,
        created=created, token_keys=tuple(keys) if stay_out else (),
    )  # fmt: skip
    contents = Contents(paths, Role.MONITOR)
    return contents, label, contents.token_keys() if stay_out else frozenset()


def token_keys(manifest: Manifest, copies: Sequence[Path]) -> dict[MemberName, bytes]:
    """The key files that a monitor's backup leaves out, from the copies that were shown."""
    shown = _shown(manifest.token_keys, copies)
    first, *old = manifest.token_keys or ("",)
    names = {first: TOKEN} | {key: MemberName(f"keys/token-{key[:_SHORT]}.key") for key in old}
    return {names[key]: content for key, content in shown.items()}


def same_keys(paths: Paths, manifest: Manifest) -> None:
    """For a backup without keys: OperatorError where this machine's are not those of the board that it is of."""
    hint = "run it with the board's credentials (docs/operations.md, Files), or make a new board: doorctl init"
    try:
        keys = load_controller_keys(paths)
    except OperatorError as error:
        raise OperatorError(f"the backup has no keys, and here are none: {error}", hint=hint) from error
    if keys.controller.hex() != manifest.identity:
        raise OperatorError("the backup has no keys, and those here are another board's", hint=hint)


def new_identity(contents: Contents, manifest: Manifest) -> dict[MemberName, bytes]:
    """Keys and certificate of a board that no monitor knows yet; everything but the look-up key."""
    with copies(contents.home) as folder:
        paths = Paths.under(folder)
        keys = create_controller_keys(paths, simulated=manifest.simulated)
        certificate = create_tls(paths.courier_keys / "tls.key", paths.courier_keys / "tls.crt", name=manifest.name)
        file = ControllerFile(
            controller=keys.controller, identity=keys.identity.public_key(), certificate_der=certificate,
            site=manifest.name, simulated=manifest.simulated,
        )  # fmt: skip
        write_controller_file(paths.controller_public, file)
        made = Contents(paths, Role.BOARD)
        return {name: made.place_of(name).path.read_bytes() for name in (IDENTITY, *TLS, CONTROLLER)}


def _lately(seen: date | None, today: date) -> bool:
    """So that a backup can be made every night, and the safe be opened now and then."""
    return seen is not None and today - seen < SEEN_FOR


def _beside(paths: Paths, copies: Sequence[Path], *, simulated: bool) -> None:
    for copy in copies:
        if not simulated and copy.resolve().is_relative_to(paths.monitor_var.resolve()):
            raise OperatorError(f"{copy}: a copy beside the key is no copy", hint=_SAFE)


def _shown(wanted: Sequence[str], copies: Sequence[Path]) -> dict[str, bytes]:
    """Fingerprint → file, of exactly the wanted keys."""
    shown: dict[str, bytes] = {}
    for copy in copies:
        content = _read(copy)
        key = fingerprint(token_key_from(copy, content).public_key().public_bytes_raw()).hex()
        if key not in wanted:
            raise OperatorError(f"{copy}: a token key, but not this monitor's", hint=_SAFE)
        shown[key] = content
    for key in wanted:
        if key not in shown:
            which = "the token key" if key == wanted[0] else f"the old token key {key[:_SHORT]}"
            raise OperatorError(
                f"--token-key-copy: {which} is in no backup, and its offline copy was not shown",
                hint=f"give the copy's place with --token-key-copy; {_SAFE}",
            )
    return shown


def _read(copy: Path) -> bytes:
    """Whatever its mode: most sticks know none."""
    try:
        with open(copy, "rb", opener=lambda path, flags: os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)) as file:
            return file.read(_LARGEST_KEY)
    except OSError as error:
        raise OperatorError(f"{copy}: cannot be read: {error.strerror}", hint="is the medium mounted?") from error
