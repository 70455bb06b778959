import ctypes
import os
import resource
import signal

from attempts import done, libc, machine, row, until_refused


def take_countable():
    """All it gets, and keeps it: of the first two what its own memory and open files allow, and not what the machine's tables do."""
    # gVisor counts for itself, and slowly.
    most = 10_000 if machine() == "gVisor" else 200_000
    wanted = {"watches": most, "inotify instances": resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500}
    for what, more in countable().items():
        had, by = until_refused(more, wanted.get(what, most))
        row("countable", what, f"all {wanted[what]}" if what in wanted else "at most 1024",
            f"{had}, then {by}", had == wanted[what] if what in wanted else had <= 1024)


def have_countable():
    for what, more in countable().items():
        _, by = until_refused(more, 1)
        row("countable", f"one more of {what}", "had", "had" if by == "nothing" else by, by == "nothing")


def countable():
    """What the kernel counts for whoever made the user namespace, too, who is root for all dynos: how to have one more."""
    # Many, for of one file the kernel looks at all that is watched before it adds to that.
    files = [os.path.join(at, name) for at, _, names in os.walk("/usr") for name in names if os.path.isfile(os.path.join(at, name))][:5000]
    instances = [libc.inotify_init1(0)]
    def instance(_):
        instances.append(done(libc.inotify_init1(0)))
    def watch(n):
        if n // len(files) >= len(instances):
            instances.append(done(libc.inotify_init1(0)))
        done(libc.inotify_add_watch(instances[n // len(files)], files[n % len(files)].encode(), 2))
    def timer(_):
        done(libc.timer_create(1, None, ctypes.byref(ctypes.c_void_p())))
    def queued(_):
        done(libc.sigqueue(os.getpid(), signal.SIGRTMIN, None))
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
    return {"watches": watch, "inotify instances": instance, "timers": timer, "queued signals": queued}
