"""Runs inside a dyno and tries what no dyno may.

Each attempt is a row, one JSON object a line: what was tried, what must come of it, what
did. It is told about its surroundings by environment variables, as JSON:
TARGETS: [{"name", "host", "port", "reachable"}]; FILES: [host paths that must not be seen];
QUESTIONS: [{"what", "server", "by", "name", "type", "class", "expected"}], expected: records, none, or nobody.
"""

import signal
import sys

from bombs import bombs, fill_disk, hold_in_sockets, log_bomb, memory_bomb, spin
from countable import have_countable, take_countable
from files import files
from flows import ask_for_neighbours, flows, kept_flows
from neighbour import neighbour
from network import names, network
from processes import processes
from system_calls import system_calls

GROUPS = {
    "ask-for-neighbours": ask_for_neighbours,
    "bombs": bombs,
    "files": files,
    "fill-disk": fill_disk,
    "flows": flows,
    "have-countable": have_countable,
    "hold-in-sockets": hold_in_sockets,
    "kept-flows": kept_flows,
    "log-bomb": log_bomb,
    "memory-bomb": memory_bomb,
    "names": names,
    "neighbour": neighbour,
    "network": network,
    "none": lambda: None,
    "processes": processes,
    "spin": spin,
    "spin-much": lambda: spin(8),
    "system-calls": system_calls,
    "take-countable": take_countable,
    "wait": signal.pause,
}

for group in sys.argv[1:]:
    GROUPS[group]()
