# What a machine of the documents is: run by tests/docs/machine.py in namespaces of its own, as their first process.
# $1 is an empty folder for everything that changes, $2 the source tree, $3 a Python with its library.
set -eu
changes=$1 tree=$2 python=$3
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root LC_ALL=C.UTF-8 TERM=xterm
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$changes"

over() {
    mkdir -p "$changes/upper$1" "$changes/work$1"
    mount -t overlay overlay -o "lowerdir=$1,upperdir=$changes/upper$1,workdir=$changes/work$1" "$1"
}

over "$tree"
if [ -z "$ROOTLESS" ]; then
    for folder in /etc /var /opt /usr/local /usr/share/doc /root /home /media /srv /mnt; do
        [ -d "$folder" ] && over "$folder"
    done
else
    # in a user's own namespace root's files are nobody's, and no overlay can change them: copies and empty folders can be
    mkdir "$changes/local" "$changes/etc"
    cp -r /etc/. "$changes/etc" 2>"$changes/unreadable" || true
    mount --bind "$changes/etc" /etc
    mount --bind /usr/local "$changes/local"
    mount -t tmpfs -o mode=0755 tmpfs /usr/local
    cp -rs "$changes/local/." /usr/local 2>>"$changes/unreadable" || true
    for folder in /var /opt /root /media /srv /mnt; do
        case $python in "$folder"/*) continue ;; esac
        mount -t tmpfs -o mode=0755 tmpfs "$folder"
    done
    mkdir -p /var/lib /var/backups /var/tmp
fi
mount -t tmpfs -o mode=0755 tmpfs /run

# the documents' names are this machine's loopback
echo '127.0.0.1 localhost monitor.example.net monitor.example' >/etc/hosts
# one stick that people carry from machine to machine, another that goes into the safe
mkdir -p /media/stick /media/safe
mount --bind "$STICK" /media/stick
# hands at the wires of its pins
touch /run/hands
mount --bind "$HANDS" /run/hands
# one of the documents' people, as the distribution makes them
getent passwd ana >/dev/null || useradd --no-create-home --shell /bin/bash ana

# the daemons' users must be able to run it, wherever it lives
folder=$python
while [ "$folder" != / ]; do
    [ -d "$folder" ] && chmod go+x "$folder" 2>/dev/null || true
    folder=$(dirname "$folder")
done
# `python3 -m venv FOLDER`, without the ten seconds that it takes to put the same pip there again
cat >/usr/local/sbin/python3 <<END
#!/bin/sh
[ "\$1 \$2" = "-m venv" ] && [ \$# = 3 ] || exec $python "\$@"
$python -m venv --without-pip "\$3" || exit
printf '#!/bin/sh\nexec $PIP_OF -m pip --python %s "\$@"\n' "\$(realpath "\$3")/bin/python" >"\$3/bin/pip"
chmod 755 "\$3/bin/pip"
END
chmod 755 /usr/local/sbin/python3
cp -r "$tree/tests/docs/stand_ins" /usr/local/lib/stand-ins
chmod 755 /usr/local/lib/stand-ins/systemd.py /usr/local/lib/stand-ins/apt.sh
ln -s /usr/local/lib/stand-ins/apt.sh /usr/local/sbin/apt
for program in systemctl systemd-run udevadm sudo sudoedit; do
    ln -sf /usr/local/lib/stand-ins/systemd.py /usr/local/sbin/$program
done
export STAND_INS_PYTHONPATH=/usr/local/lib/stand-ins/python

# the source tree is as `make` left it: a newer pyproject.toml would have it install everything again
if [ -e "$tree/.venv/.installed" ]; then touch "$tree/.venv/.installed" || true; fi

set +eu
trap : INT  # Ctrl-C is for the command
[ "$NAME" = laptop ] && cd "$tree" || cd
while IFS= read -r file <&"$COMMANDS_FD"; do
    . "$file"
    echo $? >&"$STATUS_FD"
done
