# SPDX-License-Identifier: GPL-2.0
"""CPU time of the host for an I/O, by peers that do as many I/Os a second."""

import contextlib
import statistics
import time

import backends
import peers
import show
import usage
import vt

ROUNDS, SECONDS = 5, 3
RATES = "1,125,250,500"		# I/Os a second
DEPTH = 8
PAIRS = (("scsi", "lio"), ("vdpa", "qsd"), ("vdpa", "vduse"))
NEARLY = 0.95			# of a rate is a rate reached


def add_options(add):
    add("--peers", default="scsi,lio,vdpa,qsd,vduse,nvme")
    add("--rates", default=RATES, help="1 is as good as idle")
    add("--backend", default="null", choices=backends.BACKENDS)
    add("--disk", metavar="PATH")
    add("--irqmode", type=int, default=1, help="of null_blk")
    add("--idle-us", type=int, default=50, help="of our poller")
    add("--spin", action="store_true", help="the client does not sleep")


def run_peer(peer, rate, options):
    load = ["--rate", rate, "--depth", DEPTH, "--seconds", options.seconds,
            *([] if options.spin else ["--calls"])]
    before = peer.counters()
    row = peer.run(load)
    after = peer.counters()
    seconds = row["ios"] / row["iops"]
    # Idle time is measured; what is not idle would be counted by ticks.
    busy = max(0.0, seconds - row["worker_idle"])
    kept = {"reached": row["iops"] / rate, "busy %": 100 * busy / seconds,
            "us/IO": 1e6 * busy / row["ios"], "p50 us": row["lat_ns"]["p50"] / 1e3,
            "p99 us": row["lat_ns"]["p99"] / 1e3}
    kept.update({f"{key.split()[-1]}/IO": (after[key] - before[key]) / row["ios"]
                 for key in ("target sleeps", "target polls") if key in before})
    return kept


def busy_alone(seconds):
    """Per cent of the server's CPU that the host itself takes, with no peer there."""
    with usage.CpuTimes() as cpus:
        time.sleep(seconds)
    return 100 * cpus.busy(f"cpu{peers.SERVER_CPU}") / cpus.seconds


def measure_all(names, rates, disk, options):
    """{(rate, name): [row of each round]}, [per cent that the host takes alone]"""
    progress = show.Progress(options.rounds * len(names))
    rows, alone = {}, []
    for number in range(options.rounds):
        alone.append(busy_alone(options.seconds))
        first = number % len(names)
        for name in names[first:] + names[:first]:
            peer = peers.PEERS[name](disk)
            try:
                peer.up()
                if isinstance(peer, peers.Ours):
                    vt.ctl("poller", "set", vt.pollers()[0]["id"], "--idle-us",
                           options.idle_us)
                for rate in rates:
                    rows.setdefault((rate, name), []).append(run_peer(peer, rate, options))
            finally:
                peer.down()
            progress.step(f"round {number + 1}, {name}: " + ", ".join(
                f"{rows[rate, name][-1]['us/IO']:.0f} us/IO at {rate}/s" for rate in rates))
    return rows, alone


def median(rows, key):
    return statistics.median(row[key] for row in rows) if key in rows[0] else None


def print_table(rows, names, rates):
    columns = ("busy %", "us/IO", "p50 us", "p99 us", "sleeps/IO", "polls/IO", "reached")
    lines = [["peer", "I/Os a second", *columns]]
    for rate in rates:
        for name in names:
            values = [median(rows[rate, name], key) for key in columns]
            lines.append([name, str(rate), *("-" if value is None else f"{value:.3g}"
                                             for value in values)])
    show.table(lines)


def lines_of(rows, names, rates):
    lines = []
    for rate in rates:
        for ours, peer in PAIRS:
            if ours not in names or peer not in names:
                continue
            a, b = rows[rate, ours], rows[rate, peer]
            if min(median(a, "reached"), median(b, "reached")) < NEARLY:
                lines.append(f"{ours}/{peer} at {rate}/s: not reached by both")
                continue
            ratio = statistics.median(
                x["us/IO"] / y["us/IO"] for x, y in zip(a, b) if y["us/IO"]) \
                if any(y["us/IO"] for y in b) else None
            if ratio is None or rate == 1:
                lines.append(f"as good as idle: CPU busy {median(a, 'busy %'):.2f} % by "
                             f"{ours}, {median(b, 'busy %'):.2f} % by {peer}")
            else:
                lines.append(f"host CPU for an I/O at {rate}/s, {ours}/{peer}: {ratio:.2f}"
                             f", {'' if ratio < 1 else 'NOT '}below 1")
    return lines


def run(options):
    names = [name for name in peers.PEERS if name in options.peers.split(",")]
    rates = [int(rate) for rate in options.rates.split(",")]
    with contextlib.ExitStack() as undo:
        disk, what = backends.BACKENDS[options.backend](undo, options)
        undo.callback(lambda: vt.loaded("vhost_target") and peers.remove("vhost_target"))
        rows, alone = measure_all(names, rates, disk, options)
    waits = "spins" if options.spin else "sleeps until interrupted"
    notes = [f"4k randread, started evenly, at most {DEPTH} under way, on {what}; medians of "
             f"{options.rounds} rounds of {options.seconds:g} s by turns. The client, on CPU "
             f"{peers.CLIENT_CPU}, {waits}; poller (idle_us={options.idle_us}), worker, daemon "
             f"with all they cause on CPU {peers.SERVER_CPU}: what counts is the time that CPU is not idle. "
             f"That is {statistics.median(alone):.1f} % of all when there is none of them."]
    print("\n" + "\n".join(notes))
    print_table(rows, names, rates)
    return {"title": "CPU time of the host for an I/O, at equal rates, "
            f"idle_us={options.idle_us}", "notes": notes,
            "lines": lines_of(rows, names, rates), "charts": ["us/IO", "busy %"],
            "rows": [{"group": f"{rate}/s", "name": name, "figures": {
                key: [row[key] for row in rows[rate, name]]
                for key in rows[rate, name][0] if key != "us/IO" or rate > 1}}
                for rate in rates for name in names]}
