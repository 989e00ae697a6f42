"""What every test may count on, however the suite was started."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # started in the background by a shell, which its children would inherit: they must hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # started with nohup: the suite goes on, and its children, which get no handler of ours, hear a terminal that closes
    signal.signal(signal.SIGHUP, lambda *_: None)
