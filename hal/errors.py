"""What can go wrong with hardware; nothing above `hal` sees a library's own exception."""


class HalError(Exception):
    """Base of everything `hal` raises on purpose."""


class ConfigurationError(HalError):
    """The operator named a pin, format or device that cannot be (unknown, taken twice, not an input)."""


class DeviceGoneError(HalError):
    """The chip or port does not open, or vanished while in use."""


class NotHeardYetError(HalError):
    """A device on a line has said nothing since the start: no fault, unless it goes on."""


class MockCommandError(HalError):
    """The mock's driver sent something that is not a command of its protocol."""
