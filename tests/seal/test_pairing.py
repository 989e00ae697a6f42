import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.errors import OperatorError, StorageError
from doorctl.seal.keys import (
    ControllerFile,
    MonitorFile,
    create_tls,
    read_controller_file,
    read_monitor_file,
    write_controller_file,
    write_monitor_file,
)
from doorctl.seal.public import controller_id
from doorctl.seal.toml_table import is_address
from tests.seal.sample import IDENTITY, OTHER_MONITOR, PUBLIC, STRANGER


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("tls")
    return create_tls(folder / "private" / "tls.key", folder / "tls.crt", name="monitor")


@pytest.fixture
def monitor(certificate: bytes) -> MonitorFile:
    return MonitorFile(
        addresses=("monitor.example.net:7443", "[2001:db8::1]:7443"),
        certificate_der=certificate,
        keys=PUBLIC,
        simulated=False,
    )


@pytest.fixture
def controller(certificate: bytes) -> ControllerFile:
    return ControllerFile(
        controller=controller_id(IDENTITY.public_key(), simulated=True),
        identity=IDENTITY.public_key(),
        certificate_der=certificate,
        site="harbour-st",
        timezone="Europe/Lisbon",
        simulated=True,
    )


def test_a_monitors_file_comes_back_whole(tmp_path: Path, monitor: MonitorFile) -> None:
    write_monitor_file(tmp_path / "monitor.toml", monitor)
    assert read_monitor_file(tmp_path / "monitor.toml") == monitor


def test_a_controllers_file_comes_back_whole(tmp_path: Path, controller: ControllerFile) -> None:
    write_controller_file(tmp_path / "new" / "controller.toml", controller)
    assert read_controller_file(tmp_path / "new" / "controller.toml") == controller


def test_writing_again_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path, monitor: MonitorFile) -> None:
    path = tmp_path / "monitor.toml"
    write_monitor_file(path, monitor)
    write_monitor_file(path, replace(monitor, addresses=("10.0.0.1:7443",)))
    assert read_monitor_file(path).addresses == ("10.0.0.1:7443",)
    assert [entry.name for entry in tmp_path.iterdir()] == ["monitor.toml"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path, monitor: MonitorFile) -> None:
    (tmp_path / "monitor.toml").mkdir()
    with pytest.raises(StorageError, match=r"monitor\.toml: cannot be written"):
        write_monitor_file(tmp_path / "monitor.toml", monitor)
    assert [entry.name for entry in tmp_path.iterdir()] == ["monitor.toml"]


def test_people_can_compare_the_fingerprint(monitor: MonitorFile, controller: ControllerFile) -> None:
    for shown in (monitor.fingerprint, controller.fingerprint):
        groups = shown.split(" ")
        assert [len(group) for group in groups] == [4] * 8
        assert bytes.fromhex(shown)


def test_the_monitors_fingerprint_covers_all_but_the_addresses(monitor: MonitorFile) -> None:
    other = OTHER_MONITOR.public
    changed = [
        replace(monitor, simulated=True),
        replace(monitor, certificate_der=monitor.certificate_der + b"x"),
        replace(monitor, keys=replace(PUBLIC, token=other.token)),
        replace(monitor, keys=replace(PUBLIC, record=other.record)),
        replace(monitor, keys=replace(PUBLIC, record=replace(PUBLIC.record, x25519=other.record.x25519))),
        replace(monitor, keys=replace(PUBLIC, receipt=other.receipt)),
    ]
    assert len({file.fingerprint for file in (monitor, *changed)}) == 7
    assert replace(monitor, addresses=("a:1",)).fingerprint == monitor.fingerprint


def test_the_controllers_fingerprint_covers_its_keys(controller: ControllerFile) -> None:
    changed = [
        replace(controller, simulated=False),
        replace(controller, certificate_der=controller.certificate_der + b"x"),
        replace(controller, identity=STRANGER.public_key()),
        replace(controller, controller=controller_id(STRANGER.public_key(), simulated=True)),
    ]
    assert len({file.fingerprint for file in (controller, *changed)}) == 5


Damage = Callable[[str], str]


def line(start: str, new: str) -> Damage:
    """Replace the one line that begins so."""

    def damage(text: str) -> str:
        lines = text.splitlines(keepends=True)
        [place] = [i for i, found in enumerate(lines) if found.startswith(start)]
        return "".join([*lines[:place], new + "\n" if new else "", *lines[place + 1 :]])

    return damage


MONITOR_DAMAGE: list[tuple[str, Damage, str]] = [
    ("no TOML", lambda text: text[:-300], "not TOML"),
    ("no version", line("version", ""), "version: expected a whole number, found none"),
    ("another version", line("version", "version = 2"), "version: expected 1, found 2"),
    ("a boolean for a number", line("version", "version = true"), "version: expected a whole number"),
    ("a number for a boolean", line("simulated", "simulated = 1"), "simulated: expected true or false"),
    ("simulated flipped", line("simulated", "simulated = true"), "fingerprint: expected"),
    ("a fingerprint of other keys", line("fingerprint", 'fingerprint = "7f3a 91c0"'), "fingerprint: expected"),
    ("no addresses", line("addresses", "addresses = []"), "addresses: expected one or two host:port, found 0"),
    ("an address without a port", line("addresses", 'addresses = ["monitor"]'), 'expected host:port, found "monitor"'),
    ("addresses of no text", line("addresses", "addresses = [7443]"), "addresses: expected a list of texts"),
    ("addresses of no list", line("addresses", 'addresses = "a:1"'), "addresses: expected a list of texts"),
    ("an unknown key", lambda text: "colour = 1\n" + text, "colour: expected no such key"),
    ("an unknown key among keys", lambda text: text + "colour = 1\n", "keys.colour: expected no such key"),
    ("a short token key", line("token", 'token = "AAAA"'), "keys.token: expected an X25519 public key"),
    ("a token key of low order", line("token", f'token = "{"A" * 43}="'), "low order"),
    ("no base64", line("token", 'token = "!"'), "keys.token: .*not base64"),
    ("a short receipt key", line("receipt", 'receipt = "AAAA"'), "keys.receipt: expected an Ed25519"),
    ("another receipt key", line("receipt", f'receipt = "{"A" * 43}="'), "fingerprint: expected"),
    (
        "a cut certificate",
        lambda text: text.replace("-----END CERTIFICATE-----", ""),
        "certificate: expected one P-256",
    ),
    ("no word on simulated", line("simulated", ""), "simulated: expected true or false, found none"),
]


@pytest.mark.parametrize(
    ("damage", "expected"), [case[1:] for case in MONITOR_DAMAGE], ids=[c[0] for c in MONITOR_DAMAGE]
)
def test_a_damaged_monitors_file_is_refused(
    tmp_path: Path, monitor: MonitorFile, damage: Damage, expected: str
) -> None:
    path = tmp_path / "monitor.toml"
    write_monitor_file(path, monitor)
    path.write_text(damage(path.read_text()))
    with pytest.raises(OperatorError, match=expected) as caught:
        read_monitor_file(path)
    assert "monitor.toml" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("cut", [1, 100, 1624])
def test_a_record_key_of_another_length_is_refused(tmp_path: Path, monitor: MonitorFile, cut: int) -> None:
    path = tmp_path / "monitor.toml"
    write_monitor_file(path, monitor)
    text = path.read_text()
    start = text.index('record = """\n') + len('record = """\n')
    path.write_text(text[:start] + text[start + cut :])
    with pytest.raises(OperatorError, match=r"keys\.record: expected an ML-KEM-768"):
        read_monitor_file(path)


CONTROLLER_DAMAGE: list[tuple[str, Damage, str]] = [
    (
        "another id",
        line("controller", f'controller = "{"0" * 32}"'),
        "controller: expected .* which follows from identity",
    ),
    ("an id of no hex", line("controller", 'controller = "front door"'), "controller: expected lower-case hex"),
    ("an id in capitals", line("controller", f'controller = "{"AB" * 16}"'), "controller: expected lower-case hex"),
    ("no site", line("site", ""), "site: expected a text, found none"),
    ("an empty site", line("site", 'site = ""'), "site: expected a printable name"),
    ("a site with an escape", line("site", r'site = "a\u001b[2J"'), "site: expected a printable name"),
    ("a site that is too long", line("site", f'site = "{"x" * 65}"'), "site: expected a printable name"),
    ("a zone of no name", line("timezone", 'timezone = "Europe/<b>"'), "timezone: expected a zone such as"),
    ("a zone outside the database", line("timezone", 'timezone = "../passwd"'), "timezone: expected a zone such as"),
    ("a zone that is a file", line("timezone", 'timezone = "/etc/passwd"'), "timezone: expected a zone such as"),
    ("a zone that is too long", line("timezone", f'timezone = "{"x" * 65}"'), "timezone: expected a zone such as"),
    ("a claim to be real", line("simulated", "simulated = false"), "controller: expected"),
    ("another identity", line("identity", f'identity = "{"A" * 43}="'), "controller: expected"),
    ("a fingerprint of another board", line("fingerprint", 'fingerprint = ""'), "fingerprint: expected"),
]


@pytest.mark.parametrize(
    ("damage", "expected"), [case[1:] for case in CONTROLLER_DAMAGE], ids=[c[0] for c in CONTROLLER_DAMAGE]
)  # fmt: skip
def test_a_damaged_controllers_file_is_refused(
    tmp_path: Path, controller: ControllerFile, damage: Damage, expected: str
) -> None:
    path = tmp_path / "controller.toml"
    write_controller_file(path, controller)
    path.write_text(damage(path.read_text()))
    with pytest.raises(OperatorError, match=expected):
        read_controller_file(path)


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", bytes(65_537), b"a = " + b"[" * 60_000, b"a." * 30_000 + b"b = 1", b"version = " + b"9" * 5_000],
    ids=["no UTF-8", "too long", "nested", "dotted", "a number without end"],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "monitor.toml").write_bytes(content)
    with pytest.raises(OperatorError, match=r"monitor\.toml"):
        read_monitor_file(tmp_path / "monitor.toml")


def test_a_strangers_file_cannot_write_on_the_terminal(tmp_path: Path, monitor: MonitorFile) -> None:
    path = tmp_path / "monitor.toml"
    write_monitor_file(path, monitor)
    good = path.read_text()
    for damaged in (
        line("addresses", r'addresses = ["\u001b[2J:1"]')(good),
        line("fingerprint", r'fingerprint = "\u001b]0;x\u0007"')(good),
        r'"\u001b[2J" = 1' + "\n" + good,
        line("fingerprint", f'fingerprint = "{"x" * 50_000}"')(good),
    ):
        path.write_text(damaged)
        with pytest.raises(OperatorError) as caught:
            read_monitor_file(path)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 400


PAIRING_TEXT = st.lists(
    st.sampled_from(["version", "fingerprint", "addresses", "simulated", "certificate", "keys", "token", "site"])
    | st.sampled_from(
        [" = ", "\n", "[", "]", "{", "}", '"', '"""', ".", "1", "true", '"a:1"', "2026-01-01", "inf", "#"]
    )
    | st.text(max_size=3)
).map("".join)


@given(text=PAIRING_TEXT)
@settings(max_examples=150, deadline=None)
def test_reading_is_total(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "pairing.toml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    for read in (read_monitor_file, read_controller_file):
        with pytest.raises(OperatorError):
            read(path)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"monitor\.toml: cannot be read") as caught:
        read_monitor_file(tmp_path / "monitor.toml")
    assert caught.value.hint == "copy the file again from the monitor, where `doorctl monitor init` wrote it"


def test_what_could_not_be_read_is_not_written(
    tmp_path: Path, monitor: MonitorFile, controller: ControllerFile
) -> None:
    for addresses in ((), ("a:1", "b:1", "c:1"), ('a":1',)):
        with pytest.raises(OperatorError, match="addresses"):
            write_monitor_file(tmp_path / "monitor.toml", replace(monitor, addresses=addresses))
    for site in ("", 'a"b', "a\nb", "x" * 65):
        with pytest.raises(OperatorError, match="site"):
            write_controller_file(tmp_path / "controller.toml", replace(controller, site=site))
    assert list(tmp_path.iterdir()) == []


def test_addresses() -> None:
    good = ["a:1", "monitor.example.net:65535", "10.0.0.1:443", "[::1]:443", "[fe80::1%eth0]:443"]
    bad = ["", ":1", "a", "a:", "a:0", "a:65536", "a:-1", "a:1x", "::1:443", "a b:1", "a:١", "a/b:1"]
    bad += [f"{'a' * 254}:1", f"a:{'9' * 5000}"]
    assert [text for text in good if not is_address(text)] == []
    assert [text for text in bad if is_address(text)] == []
