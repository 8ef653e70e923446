"""Processor, memory, connections and etcd: what API Priority and Fairness does not limit."""

from __future__ import annotations

from collections.abc import Callable

from kubepostmortem.questions.administrators.overloads import (
    Health,
    Overload,
    Reading,
    Status,
    not_testable,
)
from kubepostmortem.questions.words import number, percent, span

LITTLE = 0.5  # cores: less is no strain, whatever it was before
BUSY = 0.85  # of its cores: a Go process with garbage to collect does not get further
FULL = 0.9  # of a limit on files or on the size of etcd
GIB = 2**30
HANDSHAKES_PER_S = 0.1  # failures that a quiet cluster stays below
SLOW_DISK_S = 0.025  # mean fsync; etcd asks for 10 ms at the 99th percentile


def processor(health: Health) -> Overload:
    """Processor time of the busiest API server, against its cores where these are known."""
    what, metric = "CPU of the API server", "process_cpu_seconds_total"
    used, busy = health.read(metric, "gained_per_s"), health.read(metric, "gained_per_s_p90")
    if used is None or busy is None:
        return not_testable(what, metric)
    cores = health.read("go_sched_gomaxprocs_threads", "most")
    goroutines = health.read("go_goroutines", "most")
    numbers = _numbers("cores_used", used) | {
        "cores_used_p90": busy.now,
        "cores": cores.now if cores else None,
        "goroutines_most": goroutines.now if goroutines else None,
    }
    says = f"It used {number(used.now)} cores{_before(used)}"
    if cores is None:
        return Overload(what, _grown(used), f"{says}; how many it had is not known.", numbers)
    status: Status = "overloaded" if busy.now >= BUSY * cores.now else _grown(used)
    says += f", in busy moments {number(busy.now)} of {number(cores.now)}."
    return Overload(what, status, says, numbers)


def memory(health: Health) -> Overload:
    """Memory of the largest API server, and restarts, which running out of it ends in."""
    what, metric = "memory of the API server", "process_resident_memory_bytes"
    used = health.read(metric, "most")
    restarts = _restarts(health)
    if used is None and restarts is None:
        return not_testable(what, metric)
    numbers: dict[str, float | int | None] = {"restarts": restarts}
    if used is not None:
        numbers |= _numbers("bytes_most", used)
    says = [_memory_says(used)] if used else []
    if restarts:
        says.append("an API server restarted, which APF cannot prevent")
        return Overload(what, "overloaded", _sentence(says), numbers)
    says.append("whether one restarted is not known" if restarts is None else "none restarted")
    status: Status = "strained" if used is not None and used.grew(1.5) else "not seen"
    return Overload(what, status, _sentence(says), numbers)


def handshakes(health: Health) -> Overload:
    """TLS handshakes that failed: attempts of which no audit log tells."""
    what, metric = "TLS handshakes", "apiserver_tls_handshake_errors_total"
    rate = health.read(metric, "gained_per_s")
    if rate is None:
        return not_testable(what, metric)
    many = rate.now > HANDSHAKES_PER_S and rate.now > 2 * (rate.before or 0)
    says = f"{number(rate.now)} handshakes failed per second{_before(rate)}."
    if not rate.now:
        says = "No handshake failed."
    return Overload(what, "overloaded" if many else "not seen", says, _numbers("per_s", rate))


def connections(health: Health) -> Overload:
    """Scrapes that got no answer, and open files: requests that never came are in no log."""
    what = "connections, load balancer"
    up, failed = health.read("up", "samples"), _failed_scrapes(health)
    files, most = health.read("process_open_fds", "most"), health.read("process_max_fds", "least")
    if up is None and files is None:
        return not_testable(what, "up")
    numbers: dict[str, float | int | None] = {"scrapes_failed": failed}
    says = []
    if failed is not None:
        part = percent(failed) if failed else "none"
        says.append(f"{part} of the scrapes of the worst API server failed")
    if files is not None:
        numbers |= _numbers("open_files_most", files)
        says.append(f"it had up to {number(files.now)} open files{_before(files)}")
    full = files is not None and most is not None and files.now >= FULL * most.now
    status: Status = "overloaded" if full or (failed or 0) >= 0.1 else "not seen"
    if status == "not seen" and failed:
        status = "strained"
    says.append("what a load balancer refused is not in the evidence")
    return Overload(what, status, _sentence(says), numbers)


def etcd(health: Health) -> Overload:
    """Time of etcd's answers as the API server sees it, its disk, its leader and its size."""
    what = "etcd"
    took, disk = (
        health.per("etcd_request_duration_seconds"),
        health.per("etcd_disk_wal_fsync_duration_seconds", "etcd"),
    )
    leader = health.read("etcd_server_has_leader", "zeros", "etcd")
    size, quota = (
        health.read("etcd_mvcc_db_total_size_in_bytes", "most", "etcd"),
        health.read("etcd_server_quota_backend_bytes", "least", "etcd"),
    )
    if took is None and disk is None and leader is None:
        return not_testable(what, "etcd_request_duration_seconds")
    numbers: dict[str, float | int | None] = {}
    says = []
    if took is not None:
        numbers |= _numbers("request_s", took)
        says.append(f"a request to etcd took {span(took.now)} on average{_before(took, span)}")
    if disk is not None:
        numbers |= _numbers("fsync_s", disk)
        says.append(f"a write to its disk {span(disk.now)}{_before(disk, span)}")
    if size is not None:
        numbers["bytes_most"] = size.now
    slow = took is not None and took.grew(3) and took.now >= 0.1
    sick = disk is not None and disk.now >= SLOW_DISK_S and disk.grew(2)
    if leader is not None and leader.now:
        says.append("a member had no leader")
    full = size is not None and quota is not None and size.now >= FULL * quota.now
    if full:
        says.append("its database came near its quota")
    if sick or full or (leader is not None and leader.now):
        return Overload(what, "overloaded", _sentence(says), numbers)
    if slow and disk is not None:
        says.append("so most of that time passes in the API server, not on etcd's disk")
    return Overload(what, "strained" if slow else "not seen", _sentence(says), numbers)


def _restarts(health: Health) -> int | None:
    """Count API servers whose start time changed or whose processor time fell; None: unknown."""
    started = [
        row["most"] > row["least"]
        for row in health.rows
        if _in_overload(row, "process_start_time_seconds")
    ]
    fell = [
        row["falls"] > 0 for row in health.rows if _in_overload(row, "process_cpu_seconds_total")
    ]
    known = started or fell
    return sum(known) if known else None


def _failed_scrapes(health: Health) -> float | None:
    """Part of the scrapes of the worst API server that failed; None: unknown."""
    parts = [row["zeros"] / row["samples"] for row in health.rows if _in_overload(row, "up")]
    return max(parts, default=None)


def _in_overload(row: dict[str, object], metric: str) -> bool:
    place = (row["metric"], row["process"], row["time_window"])
    return place == (metric, "API server", "overload")


def _memory_says(used: Reading) -> str:
    return f"it used up to {number(used.now / GIB)} GiB" + _before(
        used, lambda value: f"{number(value / GIB)} GiB"
    )


def _grown(used: Reading) -> Status:
    return "strained" if used.grew(2) and used.now >= LITTLE else "not seen"


def _before(reading: Reading, written: Callable[[float], str] = number) -> str:
    if reading.before is None:
        return ""
    return f" ({written(reading.before)} in the baseline)"


def _numbers(name: str, reading: Reading) -> dict[str, float | int | None]:
    return {f"{name}_baseline": reading.before, f"{name}_overload": reading.now}


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
