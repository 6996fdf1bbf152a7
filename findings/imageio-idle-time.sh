#!/bin/sh
# Expected of ovirt-imageio: a client that cannot read for a while has its ticket extended (PATCH /tickets/ID, as an engine does), and so counts as active again.
# Seen with ovirt-imageio 2.5.1: extending moves `expires` and leaves `idle_time`, by which it is told how long nobody has used the ticket, to grow on. A request
# for the image itself sets that to 0, even OPTIONS, which carries no data. So a transfer that is extended in time may still look abandoned to who goes by idle_time.
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
answer = control.getresponse()
answer.read()
assert answer.status == 200

def ticket_state():
    control.request("GET", "/tickets/disk")
    return json.loads(control.getresponse().read())

while ticket_state()["idle_time"] < 2:
    time.sleep(0.2)
before = ticket_state()
control.request("PATCH", "/tickets/disk", json.dumps({"timeout": 300}))
answer = control.getresponse()
answer.read()
assert answer.status == 200
extended = ticket_state()
print("extended by", extended["expires"] - before["expires"], "s; idle for", before["idle_time"], "s, then", extended["idle_time"], "s")
assert extended["expires"] - before["expires"] >= 200
assert extended["idle_time"] >= 2

client = http.client.HTTPConnection("127.0.0.1", port)
client.request("OPTIONS", "/images/disk")
client.getresponse().read()
used = ticket_state()
print("after OPTIONS on the image: idle for", used["idle_time"], "s")
assert used["idle_time"] == 0
PY
venv/bin/python finding.py
