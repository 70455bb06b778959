import errno
import json
import os
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

from attempts import REFUSED, name_of, refused, row


def network():
    targets = json.loads(os.environ.get("TARGETS", "[]"))
    # Side by side, for what drops packets lets each of them wait.
    with ThreadPoolExecutor(len(targets) or 1) as pool:
        for target, result in zip(targets, pool.map(connect, targets)):
            expected = "reached" if target["reachable"] else "not reached"
            row("network", f"connect to {target['name']}", expected, result,
                result.startswith("not") != target["reachable"])
    for address in json.loads(os.environ.get("FOREIGN", "[]")):
        refused("network", f"bind to {address}",
                lambda it=address: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind((it, 5000)),
                REFUSED | {errno.EADDRNOTAVAIL})
    def spoof():
        talker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        talker.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT
    refused("network", "take any source address", spoof)
    def mark():
        talker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        talker.setsockopt(socket.SOL_SOCKET, 36, 1)  # SO_MARK
    refused("network", "mark packets", mark)
    own = socket.gethostbyname(socket.gethostname())
    around = own.rsplit(".", 1)[0]
    doors = [(f"{around}.{last}", port) for last in range(1, 255) for port in (22, 80, 5000)
             if f"{around}.{last}" != own]
    with ThreadPoolExecutor(128) as pool:
        open_ones = [door for door, is_open in zip(doors, pool.map(answers, doors)) if is_open]
    row("network", "find a door on the bridge", "none", str(open_ones or "none"), not open_ones)
    interfaces = [name for _, name in socket.if_nameindex()]
    row("network", "see interfaces", "lo, eth0", ", ".join(interfaces), set(interfaces) <= {"lo", "eth0"})
    has6 = os.path.exists("/proc/net/if_inet6") and [
        line for line in open("/proc/net/if_inet6") if not line.startswith("0" * 31 + "1")]
    row("network", "have an IPv6 address beyond loopback", "none", str(len(has6 or [])), not has6)


def connect(target):
    try:
        socket.create_connection((target["host"], target["port"]), timeout=2).close()
        return "reached"
    except ConnectionRefusedError:
        # Somebody answered, though only to say no: the packet got there.
        return "reached"
    except OSError as error:
        return f"not reached ({name_of(error.errno)})" if error.errno else "not reached"


def answers(door):
    """Whether anybody is there, even to refuse."""
    try:
        socket.create_connection(door, timeout=0.5).close()
    except ConnectionRefusedError:
        pass
    except OSError:
        return False
    return True


def names():
    questions = json.loads(os.environ["QUESTIONS"])
    # Of the four connections that a dyno may have to its resolver, one is free for what was lost.
    with ThreadPoolExecutor(3) as pool:
        for question, result in zip(questions, pool.map(answer_to, questions)):
            attempt = f"{question['what']}: {question['name']} by {question['by']}"
            row("names", attempt, question["expected"], result, question["expected"] in result)


def answer_to(question):
    """Of a name server, in words; a record of it is what must not be told."""
    labels = b"".join(bytes([len(it)]) + it.encode() for it in question["name"].split("."))
    asked = labels + b"\0" + struct.pack(">HH", question["type"], question["class"])
    packet = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + asked
    kind = socket.SOCK_DGRAM if question["by"] == "udp" else socket.SOCK_STREAM
    speaker = socket.socket(socket.AF_INET, kind)
    speaker.settimeout(2 if question["expected"] == "nobody" else 10)
    length = b"" if question["by"] == "udp" else struct.pack(">H", len(packet))
    try:
        speaker.connect((question["server"], 53))
        speaker.send(length + packet)
        answer = speaker.recv(4096)[len(length):]
    except OSError as error:
        return f"nobody answers ({name_of(error.errno) if error.errno else 'silence'})"
    records = sum(struct.unpack(">HHH", answer[6:12]))
    return f"{records} records" if records else f"none (code {answer[3] & 15})"
