#!/bin/sh
# Expected of ovirt-imageio, the HTTP server of oVirt's disks: RFC 9110 section 14.1.2 has a server clamp a range whose last position lies behind the end to
# what there is. So a client that reads a disk in equal blocks need not know its size: the last block comes shorter, with 206.
# Seen with ovirt-imageio 2.5.1: such a range is not clamped but refused, with 416 and Content-Range: bytes */SIZE, as if all of it lay behind the end. Only
# `bytes=A-` reads what is left. It holds for every disk whose size is no multiple of the block.
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

size = 100_000
with open("disk.raw", "wb") as disk:
    disk.write(os.urandom(size))
for _ in range(300):
    log = open("daemon.log").read()
    if "Ready for requests" in log:
        break
    time.sleep(0.1)
port = int(re.search(r"remote\.service listening on \('127\.0\.0\.1', (\d+)\)", log).group(1))

control = http.client.HTTPConnection("localhost")
control.sock = socket.socket(socket.AF_UNIX)
control.sock.connect("run/sock")
ticket = {"uuid": "disk", "size": size, "url": f"file://{os.getcwd()}/disk.raw", "timeout": 60, "ops": ["read"]}
control.request("PUT", "/tickets/disk", json.dumps(ticket))
assert control.getresponse().status == 200

def read(wanted):
    client = http.client.HTTPConnection("127.0.0.1", port)
    client.request("GET", "/images/disk", headers={"Range": wanted})
    answer = client.getresponse()
    seen = answer.status, answer.getheader("content-range"), len(answer.read()) if answer.status == 206 else None
    print(wanted, seen)
    return seen

assert read("bytes=65536-99999") == (206, "bytes 65536-99999/100000", 34464)
assert read("bytes=65536-") == (206, "bytes 65536-99999/100000", 34464)
assert read("bytes=65536-131071") == (416, "bytes */100000", None)
PY
venv/bin/python finding.py
