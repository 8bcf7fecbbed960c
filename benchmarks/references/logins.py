"""What the references read: logins of NDJSON, flat. A label decides only whose logins join the history: that of the
account's owner. That favours the references, since Vigil isn't told."""
import argparse
import json
import re
import sys
from datetime import datetime


class Login:
    """One login with the values the references compare; None where the event has none."""

    __slots__ = ("id", "user", "time", "succeeds", "is_own", "ip", "prefix", "asn", "country", "region", "city", "agent",
                 "browser", "os", "device", "device_id", "rtt")

    def __init__(self, event):
        geo, device = event.get("geo") or {}, event.get("device") or {}
        self.id = event["id"]
        self.user = (event.get("tenant"), event["user"])
        self.time = seconds(event["time"])
        self.succeeds = event.get("outcome") == "success"
        self.is_own = self.succeeds and event["label"]["kind"] == "legitimate"
        self.ip = event.get("ip")
        self.prefix = network(self.ip)
        self.asn, self.country = event.get("asn"), geo.get("country")
        self.region, self.city = geo.get("region"), geo.get("city")
        self.agent, self.device = device.get("user_agent"), device.get("type")
        self.browser, self.os, self.device_id = device.get("browser"), device.get("os"), device.get("id")
        self.rtt = event.get("rtt_ms")


def seconds(time):
    """Epoch seconds of RFC 3339 or epoch milliseconds."""
    if isinstance(time, (int, float)):
        return time / 1000
    return datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", time)).timestamp()


def network(ip):
    """IPv4 /24, IPv6 /48."""
    if not ip:
        return None
    return ".".join(ip.split(".")[:3]) if "." in ip else ":".join(ip.split(":")[:3])


def read(path):
    """Every login of the file, in its order."""
    with sys.stdin if path == "-" else open(path) as lines:
        for line in lines:
            # Most lines of a stream of actions need no parsing.
            if '"login"' in line:
                event = json.loads(line)
                if event.get("type", "login") == "login":
                    yield Login(event)


def options(doc, *more):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", nargs="?", default="-", help="labelled NDJSON; - for standard input")
    parser.add_argument("--output", default="-", help="NDJSON of scores; - for standard output")
    for name, settings in more:
        parser.add_argument(name, **settings)
    return parser.parse_args()


def write(path, scores):
    """`scores` yields (event id, number)."""
    with sys.stdout if path == "-" else open(path, "w") as out:
        for event, score in scores:
            out.write('{"id":%s,"score":%.5f}\n' % (json.dumps(event), score))
