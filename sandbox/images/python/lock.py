"""Writes requirements/<set>.txt from requirements/<set>.in: the same versions, with the SHA-256 of its wheel. To be
run after a change of an .in file, with any Python whose pip is 22.3 or newer."""

import json
import pathlib
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).parent / "requirements"
# Debian 12 has glibc 2.36; a wheel says the oldest one that it runs on (PEP 600).
GLIBC = ["_2_35", "_2_34", "_2_31", "_2_28", "_2_27", "_2_26", "_2_24", "_2_17", "2014", "_2_12", "2010", "_2_5"]
# psutil 5.9, which KServe 0.20 asks for, has no wheel for aarch64.
MACHINES = ["x86_64"]


def wheels(file: pathlib.Path, machine: str) -> dict[str, str]:
    platforms = [word for glibc in GLIBC for word in ("--platform", f"manylinux{glibc}_{machine}")]
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "--isolated", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--no-deps", "--only-binary", ":all:", "--python-version", "3.11", *platforms]
        command += ["--target", folder, "--report", str(report), "--requirement", str(file)]
        subprocess.run(command, check=True)
        found = json.loads(report.read_text())["install"]
    return {named(**item["metadata"]): item["download_info"]["archive_info"]["hashes"]["sha256"] for item in found}


def named(name: str, version: str, **_rest) -> str:
    return f"{name.lower().replace('_', '-')}=={version}"


for source in sorted(FOLDER.glob("*.in")):
    hashes: dict[str, list[str]] = {}
    for machine in MACHINES:
        for name, digest in wheels(source, machine).items():
            known = hashes.setdefault(name, [])
            if digest not in known:
                known.append(digest)
    lines = [f"# Written by ../lock.py from {source.name}."]
    for name in sorted(hashes):
        lines.append(" \\\n".join([name, *(f"    --hash=sha256:{digest}" for digest in hashes[name])]))
    source.with_suffix(".txt").write_text("\n".join(lines) + "\n")
