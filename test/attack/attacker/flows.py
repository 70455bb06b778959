import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from attempts import row, until_refused


def flows():
    there, most = os.environ['THERE'], int(os.environ['FLOWS'])
    speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    begun, by = until_refused(lambda n: speaker.sendto(b'x', (there, 10000 + n % 50000)), most)
    row('flows', f'begin {most}', f'{most}, here', f'{begun}, then {by}', begun == most)


def ask_for_neighbours():
    """Each that is asked for on a link takes a place in a table of the machine's."""
    own = socket.gethostbyname(socket.gethostname()).split(".")
    speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    speaker.setblocking(False)
    def ask(n):
        speaker.sendto(b"x", (f"{own[0]}.{own[1]}.{int(own[2]) ^ 1}.{1 + n % 250}", 9))
    asked, by = until_refused(ask, 250)
    row("neighbours", "ask for 250", "250, here", f"{asked}, then {by}", asked == 250)


def kept_flows():
    """Keeps a flow to each target going, and says which of them ended. Told on standard output at first: begun."""
    targets = json.loads(os.environ["TARGETS"])
    cut = [target for target in targets if not target["reachable"]]
    ended = set()

    def keep(target):
        flow = FLOWS[target["by"]](target)
        row("kept flow", target["name"], "begun", "begun", True)
        until = time.monotonic() + 15
        while time.monotonic() < until and (len(ended) < len(cut) or target not in cut):
            try:
                flow()
            except OSError as error:
                ended.add(target["name"])
                return f"ended ({error})"
            if target not in cut and len(ended) >= len(cut):
                break
            time.sleep(0.05)
        return "goes on"

    with ThreadPoolExecutor(len(targets)) as pool:
        for target, result in zip(targets, pool.map(keep, targets)):
            expected = "goes on" if target["reachable"] else "ended"
            row("kept flow", target["name"], expected, result, result.startswith(expected))


def echoed(target):
    """A connection, whose other end sends back what it gets."""
    talker = socket.create_connection((target["host"], target["port"]), timeout=5)
    talker.settimeout(2)
    def once():
        talker.sendall(b"x")
        if not talker.recv(1):
            raise OSError("closed")
    once()
    return once


def streamed(target):
    """Datagrams that come without being asked for, once the first was."""
    talker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    talker.connect((target["host"], target["port"]))
    talker.settimeout(2)
    talker.send(b"x")
    def once():
        talker.recv(1)
    once()
    return once


FLOWS = {"echo": echoed, "stream": streamed}
