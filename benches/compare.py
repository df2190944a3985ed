"""Runs equirisk and its peers in turn, case by case, and prints the ratios as Markdown: compare.py DATA [CASE...]

Every run is a process of its own on one thread; the least CPU time of all rounds counts. ROUNDS=5 for other than 3.
"""

import json
import os
import pathlib
import subprocess
import sys

ROUNDS = int(os.environ.get("ROUNDS", 3))
TOLERANCE = 1e-8
SIZES = [5, 10, 20, 50, 100, 200, 500]
BOOTSTRAPS = {"iid": "single rows", "20": "mean block 20", "75": "mean block 75"}
TITLES = {f"W1/{n}": f"W1, n = {n}" for n in SIZES}
TITLES |= {f"W2/{which}": f"W2, {title}" for which, title in BOOTSTRAPS.items()}
TITLES |= {f"W3/{k}": f"W3, C(30,{k})" for k in [4, 5]}
SCALED = ["W1/10", "W1/50", "W2/iid", "W2/20"]

# numpy asks for huge pages for its arrays; with this, glibc does the same for everybody's.
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}

HERE = pathlib.Path(__file__).parent
ONE_THREAD = {name: "1" for name in ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"]}


def executable():
    """Our bench, built."""
    build = ["cargo", "bench", "--bench", "peers", "--no-run", "--message-format", "json"]
    messages = subprocess.run(build, cwd=HERE.parent, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    artifacts = [json.loads(message) for message in messages]
    [path] = [a["executable"] for a in artifacts if a.get("executable") and a["target"]["name"] == "peers"]
    return path


def run(command, data, case):
    """The lines that a peer prints for a case: none where it has no such case."""
    environment = os.environ | ONE_THREAD | HUGE_PAGES | {"NUMBA_CACHE_DIR": str(data / "numba")}
    out = subprocess.run([*command, str(data), case], env=environment, stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def least(lines, key):
    """By name of the peer, the line of least time."""
    best = {}
    for line in lines:
        name = line["peer"]
        if name not in best or line[key] < best[name][key]:
            best[name] = line
    return best


def figure(line):
    if line is None:
        return ""
    if line["case"].startswith("W1"):
        each = 1e6 * line["cpu_s"] / line["problems"]
        return f"{each:.3g} us"
    return f"{1e3 * line['cpu_s']:.3g} ms"


def ratio(theirs, ours):
    return f"{theirs['cpu_s'] / ours['cpu_s']:.2f}" if theirs and ours else ""


def error(line):
    if line is None:
        return "-"
    text = f"{line['rc_error']:.1e}"
    return text if line["rc_error"] <= TOLERANCE else f"**{text}**"


def compare(peers, data, cases):
    print(
        "| case | numba | riskparityportfolio | equirisk | numba / equirisk | riskparityportfolio / equirisk "
        "| equirisk, validated | largest rc_error of each |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for case in cases:
        best = least([line for _ in range(ROUNDS) for peer in peers for line in run(peer, data, case)], "cpu_s")
        # The baseline is the better of its two.
        numba = min((line for name, line in best.items() if name.startswith("numba")), key=lambda line: line["cpu_s"])
        named, ours, validated = (best.get(name) for name in ["riskparityportfolio", "equirisk", "equirisk, validated"])
        columns = [figure(numba), figure(named), figure(ours), ratio(numba, ours), ratio(named, ours), figure(validated)]
        print(f"| {TITLES[case]} | {' | '.join(columns)} | {', '.join(map(error, [numba, named, ours]))} |", flush=True)


def scale(ours, data, cases):
    # What threads cost in CPU time shows on a busy machine too; what they save in wall time does not.
    print("\n| case | wall time, one thread / two | CPU time, two threads / one |\n|---|---|---|")
    for case in cases:
        found = {1: [], 2: []}
        for _ in range(ROUNDS):
            for threads, lines in found.items():
                lines += run([*ours, "--threads", str(threads)], data, case)
        wall, cpu = ([least(found[threads], key)["equirisk"][key] for threads in found] for key in ["wall_s", "cpu_s"])
        print(f"| {TITLES[case]} | {wall[0] / wall[1]:.2f} | {cpu[1] / cpu[0]:.2f} |", flush=True)


def load():
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def main():
    data = pathlib.Path(sys.argv[1])
    cases = sys.argv[2:] or list(TITLES)
    ours = [executable()]
    theirs = [[sys.executable, str(HERE / script)] for script in ["baseline.py", "rpp.py"]]
    print(f"{load()} at the start\n")
    compare([theirs[0], ours, theirs[1]], data, cases)
    if scaled := [case for case in SCALED if case in cases]:
        scale(ours, data, scaled)
    print(f"\n{load()} at the end")


main()
