"""doorctl init: make a board's keys, roster and first configuration, and pair it with its monitor.

What is there already is kept: init never overwrites a key, a roster or a configuration. A monitor.toml that differs
from the one here replaces it only after the person compared fingerprints.
"""

import argparse
import json
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
        "run `doorctl monitor trust controller.toml` there.",
        epilog="example: doorctl init --monitor monitor.toml",
    )
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
    for folder in (paths.etc, paths.var):
        folder.mkdir(parents=True, exist_ok=True)
    monitor = _pair(paths, args)
    made = make_board(paths, mock=args.mock)
    if args.json:
        print(json.dumps({"monitor": monitor, **made}))
        return 0
    print(f"this monitor:    {monitor}")
    print(f"this controller: {made['fingerprint']}  ({paths.controller_public})")
    print(f"next: edit {paths.config}, run `doorctl check`,")
    print(f"      carry {paths.controller_public} to the monitor and run `doorctl monitor trust` there")
    return 0


def make_board(paths: Paths, *, mock: bool) -> dict[str, str]:
    """Configuration, keys, certificate, roster and controller.toml, each only where it is missing."""
    from doorctl.cli.init_template import write_template
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

    if not paths.config.exists():
        write_template(paths.config, mock=mock)
    config = read_config(paths.config)
    has_keys = (paths.keys / "identity.key").exists()
    keys = load_controller_keys(paths) if has_keys else create_controller_keys(paths, simulated=mock)
    if keys.simulated is not mock and has_keys and mock:
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
                simulated=keys.simulated,
            ),
        )
    public = read_controller_file(paths.controller_public)
    return {"controller": keys.controller.hex(), "fingerprint": public.fingerprint}


def _pair(paths: Paths, args: argparse.Namespace) -> str:
    """Take the monitor's public half here; its fingerprint."""
    from doorctl.seal.keys import read_monitor_file, write_monitor_file

    if args.monitor is None:
        if not paths.monitor_public.exists():
            raise OperatorError(
                f"{paths.monitor_public}: this board knows no monitor",
                hint="run `doorctl monitor init` on the monitor, carry its monitor.toml here, give it with --monitor",
            )
        return read_monitor_file(paths.monitor_public).fingerprint
    offered = read_monitor_file(args.monitor)
    if paths.monitor_public.exists():
        present = read_monitor_file(paths.monitor_public)
        if present == offered:
            return present.fingerprint
        print(f"this board trusts:   {present.fingerprint}")
    print(f"{args.monitor} is of: {offered.fingerprint}")
    if not confirmed("is that what the monitor shows?", yes=args.yes):
        raise OperatorError("nothing was changed", hint="compare the fingerprints, then say yes or give --yes")
    paths.monitor_public.unlink(missing_ok=True)
    write_monitor_file(paths.monitor_public, offered)
    return offered.fingerprint
