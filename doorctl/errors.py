"""One tree of exceptions, grouped by who is at fault; every message names the thing, `hint` says what to do."""


class DoorctlError(Exception):
    """Base of everything doorctl raises on purpose."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    def told_by(self, program: str) -> str:
        """`doorctl: error: …` and the hint on a line of its own, for standard error."""
        line = f"{program}: error: {self}"
        return f"{line}\n  hint: {self.hint}" if self.hint else line


class OperatorError(DoorctlError):
    """The person at the keyboard asked for something that cannot be: wrong name, missing file, no right."""


class PeerError(DoorctlError):
    """The other end sent something that is not of the protocol, or is not who it should be."""


class MalformedError(PeerError):
    """Bytes from outside are not of the exact form; nothing of them was used."""


class UnverifiedError(PeerError):
    """The form is right and the signature, seal or pin is not."""


class StorageError(DoorctlError):
    """A file, database or disk of this machine failed, is damaged or is full."""


class InternalError(DoorctlError):
    """We broke a rule of our own; the process ends and systemd starts it again."""
