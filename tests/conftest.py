"""What every test may count on, however the suite was started."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # started in the background by a shell, which its children would inherit: they must hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
