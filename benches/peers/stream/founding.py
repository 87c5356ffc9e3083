"""The founding design's vital-sign path with the durability it lacked: each event is parsed, judged and committed (SQLite, WAL, synchronous=FULL)
before the next is taken; an alert is a commit of its own. Only Python's library. Usage: EVENTS.ndjson FOLDER [BATCH]

BATCH above 1 is the tuned form: that many events share one commit. Prints one JSON object: events, alerts, seconds, and the time from taking an
event to its durable alert (p50, p99, in ms)."""
import json
import sqlite3
import sys
import time
import uuid
from pathlib import Path


def alerts_of(event):
    data = event["data"]
    rate, systolic, spo2 = data.get("heart_rate"), data.get("bp_systolic"), data.get("spo2")
    if rate is not None and (rate > 120 or rate < 50):
        yield "heart rate", "critical", f"Abnormal heart rate: {rate}"
    if systolic is not None and systolic > 180:
        yield "systolic", "critical", f"Hypertensive crisis: {systolic}"
    if spo2 is not None and spo2 < 90:
        yield "SpO2", "high", f"Low oxygen saturation: {spo2}"


def percentile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))] if values else None


path, folder = sys.argv[1], Path(sys.argv[2])
batch_size = int(sys.argv[3]) if len(sys.argv) > 3 else 1
connection = sqlite3.connect(folder / f"founding-{batch_size}.db", isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA synchronous = FULL")
connection.execute("CREATE TABLE event (id TEXT PRIMARY KEY, patient TEXT, at TEXT, body TEXT)")
connection.execute("CREATE TABLE alert (id TEXT PRIMARY KEY, patient TEXT, severity TEXT, message TEXT, event TEXT)")
lines = Path(path).read_text().splitlines()
latencies = []
n_alerts = 0
started = time.perf_counter()
for first in range(0, len(lines), batch_size):
    taken = time.perf_counter()
    pending = []
    connection.execute("BEGIN")
    for line in lines[first:first + batch_size]:
        event = json.loads(line)
        connection.execute("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?)", (event["id"], event["patient"], event["at"], line))
        pending += [(event, alert) for alert in alerts_of(event)]
    if batch_size == 1:
        connection.execute("COMMIT")
        if pending:
            connection.execute("BEGIN")
    for event, (what, severity, message) in pending:
        connection.execute("INSERT INTO alert VALUES (?, ?, ?, ?, ?)", (str(uuid.uuid4()), event["patient"], severity, message, event["id"]))
    if connection.in_transaction:
        connection.execute("COMMIT")
    n_alerts += len(pending)
    latencies += [time.perf_counter() - taken] * len(pending)
seconds = time.perf_counter() - started
latencies.sort()
print(json.dumps({
    "events": len(lines),
    "alerts": n_alerts,
    "secs": seconds,
    "p50_ms": latencies and percentile(latencies, 0.5) * 1000,
    "p99_ms": latencies and percentile(latencies, 0.99) * 1000,
}))
