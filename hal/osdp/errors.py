"""What a caller of hal.osdp did wrong; what a line or a reader does wrong is an event, never an exception."""

from hal.errors import HalError


class FrameRefusedError(HalError):
    """A frame was to be made that OSDP has no room for."""
