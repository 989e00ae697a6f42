#!/bin/sh
# Stands in for apt: `apt install ./doorctl_*.deb` puts there what the package would, from this tree's wheel instead.
# It refuses whatever it does not know. The package itself and the real apt: tests/board/test_install.py.
set -eu
[ "$#" = 2 ] && [ "$1" = install ] || { echo "apt: not known here: $*" >&2; exit 1; }
case $2 in ./doorctl_*.deb) ;; *) echo "apt: not known here: $2" >&2; exit 1 ;; esac
[ -f "$2" ] || { echo "apt: $2: no such file" >&2; exit 1; }
python3 -m venv /opt/doorctl
/opt/doorctl/bin/pip install 'doorctl[board]'
ln -s /opt/doorctl/bin/doorctl /usr/local/bin/doorctl
cd /opt/doorctl/share/doorctl
install -D -m 644 -t /etc/systemd/system systemd/doorctl.service systemd/doorctl-courier.service
install -D -m 644 -t /etc/sysusers.d systemd/sysusers.d/doorctl.conf
install -D -m 644 -t /etc/tmpfiles.d systemd/tmpfiles.d/doorctl.conf
install -D -m 644 -t /usr/share/doc/doorctl/examples etc/*.toml
systemd-sysusers doorctl.conf
systemd-tmpfiles --create doorctl.conf
