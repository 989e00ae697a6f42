"""Nothing stops the process while a strike is released by hand; what wanted to is heard afterwards."""

import os
import signal
import subprocess
import sys

WHILE_RELEASED = """
import sys
from doorctl.cli.wire_test_pulse import not_stopped
with not_stopped():
    print("released", flush=True)
    sys.stdin.readline()
    print("secured", flush=True)
print("went on", flush=True)
"""


def test_ctrl_z_waits_until_the_strike_is_secured() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WHILE_RELEASED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        process_group=0,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "released\n"
        for number in (signal.SIGTTOU, signal.SIGTSTP):
            process.send_signal(number)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "secured\n"
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), "stopped, as it was asked to, once nothing is released"
        while process.poll() is None:  # stopped twice: by the terminal, by the key
            process.send_signal(signal.SIGCONT)
        assert process.stdout.readline() == "went on\n"
        assert process.returncode == 0
