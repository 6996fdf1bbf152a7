#!/bin/sh
# Expected of ovirt-imageio: its extents tell a client what it need not read. A raw file with holes, served by a file: ticket on a filesystem that knows its holes
# (SEEK_HOLE), has them told as zero extents, as they are where the same file is served by a nbd: ticket with qemu-nbd behind it.
# Seen with ovirt-imageio 2.5.1: of a file: ticket the whole image is one extent of data, holes or not, also where the ticket says that it is sparse. A client that
# trusts the extents reads every zero of it; who wants the map has to put qemu-nbd between, which costs a process, or look for zeros in what has come.
set -eu
folder=$(mktemp -d)
daemon=
trap 'test -z "$daemon" || kill "$daemon" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ovirt-imageio==2.5.1 > pip.log 2>&1 || { cat pip.log; exit 2; }
mkdir -p conf.d run
cat > conf.d/daemon.conf <<INI
[daemon]
systemd_enable = false
drop_privileges = false
run_dir = $folder/run
[tls]
enable = false
[remote]
host = 127.0.0.1
port = 0
[local]
enable = false
[control]
transport = unix
socket = $folder/run/sock
[handlers]
keys = stderr
[logger_root]
level = INFO
handlers = stderr
INI
venv/bin/ovirt-imageio -c "$folder" 2> daemon.log &
daemon=$!
cat > finding.py <<'PY'
import http.client, json, os, re, socket, time

MIB = 1 << 20
size = 64 * MIB
with open("disk.raw", "wb") as disk:
    disk.write(os.urandom(MIB))
    disk.truncate(size)
with open("disk.raw", "rb") as disk:
    hole = os.lseek(disk.fileno(), 0, os.SEEK_HOLE)
if hole == size:
    raise SystemExit("the temporary folder's filesystem does not know holes: nothing can be shown here")
for _ in range(300):
    log = open("daemon.log").read()
    if "Ready for requests" in log:
        break
    time.sleep(0.1)
port = int(re.search(r"remote\.service listening on \('127\.0\.0\.1', (\d+)\)", log).group(1))

control = http.client.HTTPConnection("localhost")
control.sock = socket.socket(socket.AF_UNIX)
control.sock.connect("run/sock")
ticket = {"uuid": "disk", "size": size, "url": f"file://{os.getcwd()}/disk.raw", "timeout": 60, "ops": ["read"], "sparse": True}
control.request("PUT", "/tickets/disk", json.dumps(ticket))
assert control.getresponse().status == 200

client = http.client.HTTPConnection("127.0.0.1", port)
client.request("GET", "/images/disk/extents")
extents = json.loads(client.getresponse().read())
print("the first hole begins at", hole, "and the extents are", extents)
assert extents == [{"start": 0, "length": size, "zero": False, "hole": False}], extents
PY
venv/bin/python finding.py
