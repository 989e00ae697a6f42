"""A short name for what a configuration says, so that a running daemon and the file on the disk can be compared.

Comments, order of keys and layout do not count: who rewords a comment has to restart nothing.
"""

import hashlib

import msgspec

from doorctl.config.types import Config


def config_digest(config: Config) -> str:
    """16 hexadecimal digits; two configurations that mean the same have the same."""
    return hashlib.sha256(msgspec.json.encode(config)).hexdigest()[:16]
