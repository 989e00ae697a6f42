"""doorctl init: make a board's keys, roster and first configuration, and pair it with its monitor.

What is there already is kept: init never overwrites a key, a roster or a configuration; a site that was renamed gets
its new name into controller.toml, which no fingerprint covers. A monitor.toml that differs from the one here replaces
it only after the person compared fingerprints.
"""

import argparse
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from doorctl.cli.terminal import confirmed
from doorctl.errors import OperatorError
from doorctl.paths import Paths

_STRETCH_NS: Final = 100_000_000
"""How long one code is to take; design.md, Look-up."""


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "init",
        help="make a board's keys and roster, pair it with a monitor",
        description="Make this board's keys, roster and first configuration, and pair it with its monitor. "
        "Compare both fingerprints with what the monitor shows; then carry controller.toml to the monitor and "
        "run `doorctl monitor trust controller.toml` there. What is there already is kept, so it can be run again.",
        epilog="example: doorctl init --monitor monitor.toml\n"
        "wizard:  doorctl init --wizard\n"
        "laptop:  doorctl --home site init --mock --monitor FILE",
    )
    parser.add_argument(
        "--wizard", action="store_true",
        help="write the first configuration by asking; then, with --monitor, go on as without it",
    )  # fmt: skip
    parser.add_argument(
        "--monitor", type=Path, metavar="FILE", help="the monitor.toml that `doorctl monitor init` made"
    )
    parser.add_argument(
        "--mock", action="store_true", help="a simulated board: mock hardware, keys no real monitor takes"
    )
    parser.add_argument("--yes", action="store_true", help="the fingerprints were compared already")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make what is missing, in an order that can be repeated after any failure."""
    paths = Paths.chosen(args.home)
    if args.wizard:
        _by_asking(paths, mock=args.mock)
        if args.monitor is None:
            return _written(paths, mock=args.mock, as_json=args.json)
    if args.mock and _simulated(paths, mock=True):  # else real keys are there, which make_board says
        _made_up(paths)
    for folder in (paths.etc, paths.var):
        folder.mkdir(parents=True, exist_ok=True)
    edit = "run" if paths.config.exists() else f"edit {paths.config}, run"
    monitor = _pair(_configured(paths, mock=args.mock), args, simulated=_simulated(paths, mock=args.mock))
    made = make_board(paths, mock=args.mock)
    if args.json:
        print(json.dumps({"monitor": monitor, **made}))
        return 0
    print(f"this monitor:    {monitor}")
    print(f"this controller: {made['fingerprint']}  ({paths.controller_public})")
    print(f"                 status and the monitor call this board {made['controller'][:8]}")
    print(f"next: {edit} `doorctl check`,")
    print(f"      carry {paths.controller_public} to the monitor, run `doorctl monitor trust` there, and compare both")
    return 0


def _by_asking(paths: Paths, *, mock: bool) -> None:
    from doorctl.cli.init_wizard import ask_and_write

    ask_and_write(paths.config, mock=mock)


def _written(paths: Paths, *, mock: bool, as_json: bool) -> int:
    """What the wizard came to, in the words of `doorctl check`."""
    from doorctl.cli.check import summary
    from doorctl.config.reading import read_config

    found = summary(read_config(paths.config))
    if as_json:
        print(json.dumps({"written": str(paths.config), "summary": found}))
        return 0
    print(f"{paths.config}: {found}: no mistakes")
    command = "doorctl init --mock" if mock else "doorctl init"
    print(f"next: `{command} --monitor FILE` makes keys and roster and pairs this board with its monitor")
    return 0


def make_board(paths: Paths, *, mock: bool) -> dict[str, str]:
    """Configuration, keys, certificate, roster and controller.toml, each only where it is missing."""
    from doorctl.config.reading import read_config
    from doorctl.roster.enrolment import RosterWriter
    from doorctl.roster.factors import calibrate
    from doorctl.seal.certificates import certificate_from_pem
    from doorctl.seal.keys import (
        ControllerFile,
        create_controller_keys,
        create_tls,
        load_controller_keys,
        read_controller_file,
        write_controller_file,
    )

    _configured(paths, mock=mock)
    config = read_config(paths.config)
    has_keys = (paths.keys / "identity.key").exists()
    keys = load_controller_keys(paths) if has_keys else create_controller_keys(paths, simulated=mock)
    if mock and not keys.simulated:
        raise OperatorError(
            f"{paths.keys}: real keys are there", hint="make a mock board in a folder of its own: --home"
        )
    certificate_path = paths.courier_keys / "tls.crt"
    if certificate_path.exists():
        certificate = certificate_from_pem(certificate_path.read_text(encoding="ascii"))
    else:
        certificate = create_tls(paths.courier_keys / "tls.key", certificate_path, name=config.site.id)
    if not paths.roster.exists():
        RosterWriter.create(
            paths.roster,
            today=datetime.now(tz=UTC).date(),
            stretch=calibrate(_STRETCH_NS),
            code_length=config.codes.length,
            codes_per_holder=config.codes.per_holder,
        ).close()
    if not paths.controller_public.exists():
        write_controller_file(
            paths.controller_public,
            ControllerFile(
                controller=keys.controller,
                identity=keys.identity.public_key(),
                certificate_der=certificate,
                site=config.site.id,
                timezone=config.site.timezone,
                simulated=keys.simulated,
            ),
        )
    public = read_controller_file(paths.controller_public)
    named = replace(public, site=config.site.id, timezone=config.site.timezone)
    if named != public:
        # a name and a zone, which no fingerprint covers: whoever the file says that the board is, it stays
        public = named
        write_controller_file(paths.controller_public, public)
    return {"controller": keys.controller.hex(), "fingerprint": public.fingerprint}


def _configured(paths: Paths, *, mock: bool) -> Path:
    """Write the first configuration where there is none; where the monitor's file belongs, as it says."""
    from doorctl.cli.init_template import write_template
    from doorctl.config.reading import read_config

    if not paths.config.exists():
        write_template(paths.config, mock=mock)
    return paths.etc / read_config(paths.config).monitor.file


def _made_up(paths: Paths) -> None:
    """OperatorError where the configuration is there and of metal: doord refuses it with a simulated board's keys."""
    from doorctl.config.reading import read_config
    from doorctl.config.types import Backend

    if paths.config.exists() and (backend := read_config(paths.config).hal.backend) is not Backend.MOCK:
        raise OperatorError(
            f'{paths.config}: hal.backend: expected "mock" for a board of `init --mock`, found "{backend.value}"',
            hint='write backend = "mock" under [hal]; or, for a board of metal, leave out --mock',
        )


def _simulated(paths: Paths, *, mock: bool) -> bool:
    """Whether this board is, or is about to become, a simulated one."""
    from doorctl.seal.keys import read_controller_file

    return read_controller_file(paths.controller_public).simulated if paths.controller_public.exists() else mock


def _pair(path: Path, args: argparse.Namespace, *, simulated: bool) -> str:
    """Take the monitor's public half to `path`; its fingerprint."""
    from doorctl.seal.keys import read_monitor_file, write_monitor_file

    if args.monitor is None:
        if not path.exists():
            raise OperatorError(
                f"{path}: this board knows no monitor",
                hint="run `doorctl monitor init` on the monitor, carry its monitor.toml here, give it with --monitor",
            )
        return read_monitor_file(path).fingerprint
    offered = read_monitor_file(args.monitor)
    if offered.simulated is not simulated:
        kind = "simulated and this board is not" if offered.simulated else "real and this board is simulated"
        raise OperatorError(
            f"{args.monitor}: this monitor is {kind}",
            hint="a board of `init --mock` pairs with a monitor of `monitor init --simulated`, and with no other",
        )
    another = False
    if path.exists():
        present = read_monitor_file(path)
        if present == offered:
            return present.fingerprint
        print(f"this board trusts: {present.fingerprint}", file=sys.stderr)
        if present.keys.token_fingerprint != offered.keys.token_fingerprint:
            print("its token key is another: afterwards everybody needs new codes", file=sys.stderr)
        another = present.keys.record_fingerprint != offered.keys.record_fingerprint
    print(f"{args.monitor} is of: {offered.fingerprint}", file=sys.stderr)
    if not confirmed("is that what the monitor shows?", yes=args.yes):
        raise OperatorError("nothing was paired", hint="compare the fingerprints, then answer y or give --yes")
    if another:
        _renew_journal(args)  # first: repeated after a failure, a pairing that was written does nothing more
    write_monitor_file(path, offered)
    return offered.fingerprint


def _renew_journal(args: argparse.Namespace) -> None:
    """Another monitor reads none of the old one's records; it is told of all people anew."""
    from doorctl.backup.renewing import renew_journal

    aside = renew_journal(Paths.chosen(args.home))
    if aside is not None:
        print(f"records for the old monitor were put aside: journal.db.before-{aside}", file=sys.stderr)
