"""One reader's protocol, seen from the CP: what do I send now, is this the answer, what then. Pure; no time, no line.

Theory of operation. A session begins with sequence 0, which resets both ends, and walks through the phases: identify
(or greet first), ask, challenge, prove, and then it is online. Each exchange has one request; it is sent again byte
for byte until its answer comes (the line decides when), and only the answer moves anything. In a secure session only an
authentic answer is one: a frame in clear or with a wrong MAC is counted and otherwise was never there, but for two that
any reader may send after a power cut: BUSY (the same frame again later) and NAK (the same frame again; said twice, a
new handshake, which the line allows once a second). A wrong key, a default key, a refusal to be secured leave the
reader offline; there is no weaker way. A new key is installed over a session that the default key (install mode only)
or the old key has opened, and counts when a handshake with it has worked: whoever orders it must have stored it before.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from hal.osdp import commands
from hal.osdp.commands import Capability, Command, Identity, Refusal, Reply
from hal.osdp.frame import Frame, SecurityBlock
from hal.osdp.happenings import Gone, Happening, KeyInstalled, Misuse, Misused, Offline, Online, Refused
from hal.osdp.judgement import Judged, Verdict, heard
from hal.osdp.orders import Orders
from hal.osdp.secure_channel import (
    CRYPTOGRAM_SIZE,
    DEFAULT_KEY,
    NONCE_SIZE,
    Block,
    Channel,
    SessionKeys,
    cp_cryptogram,
    initial_mac,
    pd_cryptogram,
    session_keys,
)

_CLIENT_SIZE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSettings:
    """One reader of a line."""

    address: int
    key: bytes | None = field(default=None, repr=False)
    """SCBK, 16 bytes; None: none was ever installed."""
    new_key: bytes | None = field(default=None, repr=False)
    """Stored, and perhaps in the reader already."""
    install: bool = False
    """The default key may open a session, for nothing but to bring in `new_key`."""
    expected: Identity | None = None
    """Only this reader may be installed; None: whichever answers."""
    allow_plain: bool = False


class Phase(Enum):
    """Where a session is."""

    GREETING = "greeting"
    IDENTIFYING = "identifying"
    ASKING = "asking"
    CHALLENGING = "challenging"
    PROVING = "proving"
    INSTALLING = "installing"
    ONLINE = "online"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Handshake:
    """Between challenge and proof."""

    default: bool
    fresh: bool
    """Tried with the new key."""
    scbk: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    keys: SessionKeys = field(repr=False)
    proof: bytes = field(default=b"", repr=False)


class Session:
    """One reader's session after session."""

    def __init__(self, settings: ReaderSettings, nonce: Callable[[int], bytes]) -> None:
        """`nonce` gives so many unpredictable bytes, as os.urandom does."""
        self.settings = settings
        self._nonce = nonce
        self._orders = Orders()
        self._attempt = 0
        """Which of the keys that may open a session is tried."""
        self._installed = False
        """It has said that it took the new key, and has not proved it: not asked to at the line's pace twice."""
        self._told_online: bool | None = None
        """None: nothing was told yet."""
        self._greets = False
        """Begin with a poll: some readers want one before they identify themselves. Others answer it with a card."""
        self._proven = False
        """What it said of itself was of a reader that had the key, and the last attempt to go on from there worked."""
        self._identity: Identity | None = None
        self._capabilities: tuple[Capability, ...] = ()
        self._doubted = False
        """What it can do, as somebody said in clear, leaves out security: to be asked again in the session."""
        self.phase = Phase.ASKING
        self.restart()

    def restart(self) -> None:
        """The next request has sequence 0."""
        match self.phase:  # as it was tried last, nothing came of it
            case Phase.GREETING | Phase.IDENTIFYING:
                self._greets = not self._greets
            case Phase.CHALLENGING:
                self._proven = False
        self.phase = self._first_phase()
        self._sequence = 0
        self._request: Frame | None = None
        self._refused_in_clear = False
        """This request was, once: by a reader that was without power, or by somebody else in its place."""
        self._orders.take_back()
        self._handshake: _Handshake | None = None
        self._channel: Channel | None = None
        self._after_request: Channel | None = None

    def _first_phase(self) -> Phase:
        """A reader that has proved its key needs not say again what it is: many are back sooner after an outage."""
        if self._proven and self.settings.key is not None and not self.settings.install:
            return Phase.CHALLENGING
        return Phase.GREETING if self._greets else Phase.IDENTIFYING

    @property
    def online(self) -> bool:
        """Whether Online was told, and Offline not since."""
        return self._told_online is True

    @property
    def told_offline(self) -> bool:
        """Whether Offline was told, and Online not since."""
        return self._told_online is False

    @property
    def secure(self) -> bool:
        """Whether frames are authentic now."""
        return self._channel is not None

    @property
    def has_orders(self) -> bool:
        """Whether more than a poll is to be sent."""
        return bool(self._orders) and self.phase is Phase.ONLINE

    def order(self, command: Command, data: bytes) -> None:
        """To be carried out when the reader is online; a newer one of the same kind and place takes its place."""
        self._orders.add(command, data)

    def request(self) -> Frame:
        """What is to be sent: the same frame until it was answered."""
        if self._request is None:
            command, data, block = self._wanted()
            bare = Frame(
                address=self.settings.address, reply=False, sequence=self._sequence, code=command, data=data,
                security=block,
            )  # fmt: skip
            if self._channel is None:
                self._request = bare
            else:
                self._request, self._after_request = self._channel.seal(bare)
        return self._request

    def hear(self, untrusted: Frame) -> Judged:
        """Judge a frame of this reader's address; only ANSWER has moved the session."""
        request = self._request
        if request is None:
            return _misused(Misuse.UNASKED)
        if untrusted.code == Reply.BUSY and untrusted.security is None:
            return Judged(verdict=Verdict.BUSY)
        if untrusted.sequence != request.sequence and not self._knows_no_session(untrusted):
            return Judged(verdict=Verdict.NOT_IT)
        if self._after_request is not None:
            return self._hear_secured(untrusted, self._after_request)
        return self._hear_clear(untrusted)

    def gone(self, why: Gone) -> tuple[Happening, ...]:
        """The line gave the reader up: told once."""
        self.restart()
        told, self._told_online = self._told_online, False
        return () if told is False else (Offline(why=why),)

    # What is sent

    def _wanted(self) -> tuple[Command, bytes, SecurityBlock | None]:  # noqa: PLR0911  one a phase
        match self.phase:
            case Phase.GREETING:
                return Command.POLL, b"", None
            case Phase.IDENTIFYING:
                return Command.ID, b"\0", None
            case Phase.ASKING:
                return Command.CAPABILITIES, b"\0", None
            case Phase.CHALLENGING:
                handshake = self._handshake = self._new_handshake()
                return Command.CHALLENGE, handshake.nonce, _block(Block.CHALLENGE, handshake)
            case Phase.PROVING:
                assert self._handshake is not None
                return Command.CRYPTOGRAM, self._handshake.proof, _block(Block.SERVER_CRYPTOGRAM, self._handshake)
            case Phase.INSTALLING:
                assert self.settings.new_key is not None
                return Command.KEYSET, commands.keyset(self.settings.new_key), None
            case Phase.ONLINE:
                return (*(self._orders.take() or (Command.POLL, b"")), None)

    def _new_handshake(self) -> _Handshake:
        keys = self._keys()
        scbk = keys[self._attempt % len(keys)]
        nonce = self._nonce(NONCE_SIZE)
        fresh = scbk == self.settings.new_key
        return _Handshake(
            default=scbk == DEFAULT_KEY, fresh=fresh, scbk=scbk, nonce=nonce, keys=session_keys(scbk, nonce)
        )  # fmt: skip

    def _keys(self) -> tuple[bytes, ...]:
        """In the order they are tried. The new one may be in the reader already; the default one is for installing."""
        settings = self.settings
        default = DEFAULT_KEY if settings.install and settings.new_key is not None else None
        return tuple(key for key in (settings.new_key, settings.key, default) if key is not None)

    def _knows_no_session(self, untrusted: Frame) -> bool:
        """A refusal in clear, by a reader that was without power: some number it as they count, from 0 again."""
        return self.secure and untrusted.code == Reply.NAK and untrusted.security is None

    # What is heard in clear: nothing of it is believed beyond this handshake

    def _hear_clear(self, untrusted: Frame) -> Judged:
        if untrusted.security is not None and self.phase not in {Phase.CHALLENGING, Phase.PROVING}:
            return Judged(verdict=Verdict.NOT_IT)
        hear = {
            Phase.IDENTIFYING: self._hear_identity,
            Phase.ASKING: self._hear_capabilities,
            Phase.CHALLENGING: self._hear_challenge,
            Phase.PROVING: self._hear_proof,
            Phase.ONLINE: self._hear_online,
        }.get(self.phase)
        return hear(untrusted) if hear else self._answered(Phase.IDENTIFYING)

    def _hear_identity(self, untrusted: Frame) -> Judged:
        identity = commands.parse_identity(untrusted.data) if untrusted.code == Reply.IDENTITY else None
        if identity is None:
            return Judged(verdict=Verdict.HOPELESS if untrusted.code == Reply.NAK else Verdict.NOT_IT)
        self._identity = identity
        if self.settings.install and self.settings.expected not in {None, identity}:
            return Judged(verdict=Verdict.HOPELESS, happenings=(Misused(how=Misuse.STRANGER),))
        return self._answered(Phase.ASKING)

    def _hear_capabilities(self, untrusted: Frame) -> Judged:
        """What a reader says here in clear is shown, and never decides whether it must be secured."""
        if untrusted.code not in {Reply.CAPABILITIES, Reply.NAK}:
            return Judged(verdict=Verdict.NOT_IT)
        told = commands.parse_capabilities(untrusted.data) if untrusted.code == Reply.CAPABILITIES else None
        self._capabilities = told or ()
        self._doubted = bool(self._keys()) and not commands.can_be_secured(self._capabilities)
        if not self._keys() and self.settings.allow_plain:
            return self._online()
        if not self._keys():
            return Judged(verdict=Verdict.HOPELESS, happenings=(Misused(how=Misuse.DOWNGRADE),))
        return self._answered(Phase.CHALLENGING)

    def _hear_challenge(self, untrusted: Frame) -> Judged:
        handshake = self._handshake
        assert handshake is not None
        if untrusted.code == Reply.NAK:
            return self._failed(Misuse.DOWNGRADE)
        if untrusted.code != Reply.CHALLENGE or untrusted.security is None or len(untrusted.data) != _CHALLENGE_SIZE:
            return Judged(verdict=Verdict.NOT_IT)
        if untrusted.security != _block(Block.CRYPTOGRAM, handshake):
            return self._failed(Misuse.DOWNGRADE)
        theirs = untrusted.data[_CLIENT_SIZE : _CLIENT_SIZE + NONCE_SIZE]
        cryptogram = untrusted.data[-CRYPTOGRAM_SIZE:]
        if not hmac.compare_digest(cryptogram, pd_cryptogram(handshake.keys, handshake.nonce, theirs)):
            return self._failed(Misuse.WRONG_KEY)
        proof = cp_cryptogram(handshake.keys, handshake.nonce, theirs)
        self._handshake = replace(handshake, proof=proof)
        return self._answered(Phase.PROVING)

    def _hear_proof(self, untrusted: Frame) -> Judged:
        handshake = self._handshake
        assert handshake is not None
        if untrusted.code == Reply.NAK:
            return self._failed(Misuse.DOWNGRADE)
        accepted = SecurityBlock(type=Block.INITIAL_MAC.value, data=b"\1")
        if untrusted.code != Reply.INITIAL_MAC or untrusted.security != accepted:
            return Judged(verdict=Verdict.NOT_IT)
        expected = initial_mac(handshake.keys, handshake.proof)
        if not hmac.compare_digest(untrusted.data, expected):
            return self._failed(Misuse.FORGED_PROOF)
        self._channel = Channel(keys=handshake.keys, reply_mac=expected)
        return self._secured(handshake)

    def _secured(self, handshake: _Handshake) -> Judged:
        """A session is open; over the default key, or with a new key to bring in, it is there for that alone."""
        self._attempt = 0
        new_key = self.settings.new_key
        if new_key is None:
            return self._online()
        if not handshake.fresh:
            return self._answered(Phase.INSTALLING)
        self.settings = replace(self.settings, key=new_key, new_key=None, install=False)
        return Judged(
            verdict=Verdict.ANSWER, happenings=(KeyInstalled(key=new_key), *self._online().happenings)
        )  # fmt: skip

    def _failed(self, how: Misuse) -> Judged:
        """The next key is tried at once where there is one; nothing else ever is."""
        self._attempt += 1
        if self._attempt % len(self._keys()):
            return Judged(verdict=Verdict.NEXT_KEY)
        return Judged(verdict=Verdict.HOPELESS, happenings=(Misused(how=how),))

    # What is heard in a session

    def _hear_secured(self, untrusted: Frame, channel: Channel) -> Judged:
        opened = channel.open(untrusted)
        if opened is None:
            return self._hear_unauthentic(untrusted)
        frame, self._channel = opened
        if self.phase is Phase.INSTALLING:
            return self._hear_keyset(frame)
        return self._hear_online(frame)

    def _hear_unauthentic(self, untrusted: Frame) -> Judged:
        if untrusted.security is not None:
            return _misused(Misuse.BAD_MAC)
        if self.phase is Phase.INSTALLING and untrusted.code == Reply.ACK:
            return self._tried_key(Verdict.RESTART)  # as some readers say it; only a handshake with the key will count
        if untrusted.code == Reply.NAK:
            believed, self._refused_in_clear = self._refused_in_clear, True
            return Judged(verdict=Verdict.RESTART if believed else Verdict.AGAIN)
        return _misused(Misuse.PLAINTEXT)

    def _hear_keyset(self, frame: Frame) -> Judged:
        if frame.code != Reply.ACK:
            return Judged(verdict=Verdict.HOPELESS, happenings=(_refused(Command.KEYSET, frame),))
        again, self._installed = self._installed, True
        return self._tried_key(Verdict.RESTART if again else Verdict.NEXT_KEY)

    def _tried_key(self, verdict: Verdict) -> Judged:
        self._attempt = 0
        return Judged(verdict=verdict)

    def _hear_online(self, frame: Frame) -> Judged:
        """Authentic, or of a reader that may be plain."""
        ordered = self._orders.done()
        happenings: tuple[Happening, ...]
        if frame.code == Reply.NAK:
            code = commands.parse_nak(frame.data)
            if code is not None and code.code == Refusal.SEQUENCE:
                return Judged(verdict=Verdict.RESTART)
            happenings = (_refused(ordered[0] if ordered else Command.POLL, frame),)
        else:
            happenings = self._hear_again(frame) if self._doubted else heard(frame)
        return self._answered(Phase.ONLINE, *happenings)

    def _hear_again(self, frame: Frame) -> tuple[Happening, ...]:
        """A reader that can be secured after all did not say that it cannot: somebody between us did."""
        if frame.code != Reply.CAPABILITIES:
            return heard(frame)
        self._doubted = False
        self._capabilities = commands.parse_capabilities(frame.data) or ()
        return (Misused(how=Misuse.DOWNGRADE),) if commands.can_be_secured(self._capabilities) else ()

    def _online(self) -> Judged:
        assert self._identity is not None
        if self._doubted:
            self.order(Command.CAPABILITIES, b"\0")
        self._told_online, self._proven, self._installed = True, self.secure, False
        online = Online(secure=self.secure, identity=self._identity, capabilities=self._capabilities)
        return self._answered(Phase.ONLINE, online)

    def _answered(self, phase: Phase, *happenings: Happening) -> Judged:
        self.phase = phase
        self._request = self._after_request = None
        self._refused_in_clear = False
        self._sequence = self._sequence % 3 + 1
        return Judged(verdict=Verdict.ANSWER, happenings=happenings)


_CHALLENGE_SIZE: Final = _CLIENT_SIZE + NONCE_SIZE + CRYPTOGRAM_SIZE


def _refused(command: Command, frame: Frame) -> Refused:
    return Refused(command=command, code=frame.data[0] if frame.data else 0)


def _block(block: Block, handshake: _Handshake) -> SecurityBlock:
    return SecurityBlock(type=block.value, data=bytes((0 if handshake.default else 1,)))


def _misused(how: Misuse) -> Judged:
    return Judged(verdict=Verdict.NOT_IT, happenings=(Misused(how=how),))
