import ctypes
import os

from attempts import libc, row


def processes():
    """Of others: none can be seen, traced, read or sent a signal."""
    def may(act):
        own = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        return [pid for pid in range(1, 32768) if pid not in own and act(pid)]
    def attach(pid):
        return libc.ptrace(ctypes.c_long(16), ctypes.c_long(pid), None, None) == 0
    def signal_to(pid):
        return libc.kill(pid, 0) == 0
    def read_of(pid):
        here = (ctypes.c_long * 2)(ctypes.addressof(ctypes.create_string_buffer(8)), 8)
        return libc.process_vm_readv(pid, here, 1, here, 1, 0) >= 0
    for attempt, act in {"trace": attach, "send a signal to": signal_to, "read the memory of": read_of}.items():
        found = may(act)
        row("process", f"{attempt} a process of another`s", "none", str(found or "none"), not found)
