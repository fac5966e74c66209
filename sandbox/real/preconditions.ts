import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rmdir, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { cacheFolder, stateRoot } from "../paths.ts";
import { findExecutable } from "../toolchain/on-path.ts";
import { run } from "../toolchain/run.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import type { SandboxError } from "../toolchain/sandbox-error.ts";
import { enableControllers, UNIFIED_CONTROLLERS, usedHierarchies } from "./cgroups.ts";
import type { Hierarchy } from "./cgroups.ts";
import { haveNodePrograms } from "./packages.ts";

/** One thing without which no node runs on this machine. */
export interface Missing {
  readonly found: string;
  /** What to do about it. */
  readonly fix: string;
}

/**
 * Capabilities by their bit (linux@v6.12:include/uapi/linux/capability.h): those of a container (containerd@v1.6.20:
 * oci/spec.go), which can get only what we have, and those for namespaces and networks.
 */
const CAPABILITIES: Readonly<Record<string, number>> = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_FSETID: 4,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_MKNOD: 27,
  CAP_AUDIT_WRITE: 29,
  CAP_SETFCAP: 31,
};
/** Programs by the package that has them on Debian. */
const COMMANDS: Readonly<Record<string, string>> = {
  unshare: "util-linux",
  nsenter: "util-linux",
  mount: "mount",
  ip: "iproute2",
};
const APT = ["apt-get", "apt-cache", "dpkg"];
/** Controllers of version 1 that runc and the kubelet ask for. */
const CONTROLLERS = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids"];
/** Below 1 GiB the node takes no pods; images and logs need some more. */
const FREE_BYTES = 4 * 2 ** 30;

/** Tries what the node needs of the kernel, in namespaces that end with it; prints what does not work. */
const KERNEL_PROBE = `
ip link add probe0 type bridge || echo bridge
ip link add probe1 type veth peer name probe2 || echo veth
[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo br_netfilter
mount -t tmpfs probe /run || echo tmpfs
mkdir /run/lower /run/upper /run/work /run/merged
mount -t overlay -o lowerdir=/run/lower,upperdir=/run/upper,workdir=/run/work probe /run/merged || echo overlay
`;

/** Everything that keeps a real node from running on this machine; nothing when it can run. */
export async function missingForReal(): Promise<Missing[]> {
  if (process.platform !== "linux") {
    return [
      { found: `this is ${process.platform}`, fix: "use a Linux machine, virtual ones count" },
    ];
  }
  const found = await Promise.all([
    missingRights(),
    missingCommands(),
    missingPackages(),
    missingCgroups(),
    missingSpace(),
  ]);
  const first = found.flat();
  // The kernel shows what it can only to somebody who may try it, with the programs to try it.
  return first.length > 0 ? first : missingKernelParts();
}

/** The report for a machine on which something is missing. */
export function unavailable(missing: readonly Missing[]): SandboxError {
  const list = missing.map(({ found, fix }) => `\n    - ${found}: ${fix}`).join("");
  return sandboxError({
    code: "sandbox-real-unavailable",
    where: "real nodes on this machine",
    found: `${missing.length} missing:${list}`,
    allowed: "Linux with root, namespaces, control groups and what is named above",
    fix: "do what stands beside each, or run the sandbox without --real: its nodes are simulated",
  });
}

async function missingRights(): Promise<Missing[]> {
  if (process.getuid?.() !== 0) return [{ found: "no root", fix: "run the command as root" }];
  const status = await readFile("/proc/self/status", "utf8");
  const have = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  const lacking = Object.entries(CAPABILITIES).filter(([, bit]) => !((have >> BigInt(bit)) & 1n));
  if (lacking.length === 0) return [];
  const names = lacking.map(([name]) => name).join(", ");
  return [
    { found: `root without ${names}`, fix: "give this container those, such as by --privileged" },
  ];
}

async function missingCommands(): Promise<Missing[]> {
  const path = process.env["PATH"] ?? "";
  const looks = Object.entries(COMMANDS).map(async ([name, debian]) =>
    (await findExecutable(name, path)) === undefined
      ? [
          {
            found: `no ${name} on PATH`,
            fix: `install it, on Debian and Ubuntu: apt-get install ${debian}`,
          },
        ]
      : [],
  );
  return (await Promise.all(looks)).flat();
}

async function missingPackages(): Promise<Missing[]> {
  if (await haveNodePrograms(cacheFolder())) return [];
  const path = process.env["PATH"] ?? "";
  const files = await Promise.all(APT.map((name) => findExecutable(name, path)));
  if (!files.includes(undefined)) return [];
  return [
    {
      found: "neither apt nor an installed containerd with its network plugins",
      fix: "install containerd, runc, the CNI plugins, nftables and iptables",
    },
  ];
}

async function missingCgroups(): Promise<Missing[]> {
  const used = usedHierarchies();
  const [first] = used;
  if (first === undefined)
    return [{ found: "no control groups", fix: "mount them on /sys/fs/cgroup" }];
  const looks = await Promise.all(used.map(({ mount }) => writable(mount)));
  const closed = used.filter((_, index) => looks[index] !== true).map(({ mount }) => mount);
  if (closed.length > 0)
    return [{ found: `${closed.join(", ")} read-only`, fix: "mount control groups read-write" }];
  return first.version === 2 ? missingUnified(first.mount) : missingFirst(used);
}

/** A hierarchy of version 1 is mounted under the names of its controllers. */
function missingFirst(used: readonly Hierarchy[]): Missing[] {
  const have = new Set(used.flatMap(({ mount }) => basename(mount).split(",")));
  return lackingControllers(CONTROLLERS.filter((name) => !have.has(name)));
}

async function missingUnified(mount: string): Promise<Missing[]> {
  const text = await readFile(join(mount, "cgroup.controllers"), "utf8").catch(() => "");
  const have = text.trim().split(" ");
  const lacking = UNIFIED_CONTROLLERS.filter((name) => !have.includes(name));
  if (lacking.length > 0) return lackingControllers(lacking);
  return enableControllers(mount).then(
    () => [],
    () => [
      {
        found: `${mount} holds processes itself, so that groups below it get no controllers`,
        fix: `move them: mkdir -p ${mount}/init; xargs -rn1 < ${mount}/cgroup.procs > ${mount}/init/cgroup.procs`,
      },
    ],
  );
}

function lackingControllers(names: readonly string[]): Missing[] {
  if (names.length === 0) return [];
  return [
    { found: `no control groups for ${names.join(", ")}`, fix: "switch those controllers on" },
  ];
}

async function writable(mount: string): Promise<boolean> {
  const probe = join(mount, `kserve-platform-probe-${randomUUID()}`);
  try {
    await mkdir(probe);
    await rmdir(probe);
    return true;
  } catch {
    return false;
  }
}

async function missingSpace(): Promise<Missing[]> {
  let folder = stateRoot();
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= FREE_BYTES) return [];
  const free = (bavail * bsize) / 2 ** 30;
  return [
    {
      found: `${free.toFixed(1)} GiB free below ${folder}`,
      fix: `make room for ${FREE_BYTES / 2 ** 30} GiB, or set KSERVE_PLATFORM_STATE to a folder on another disk`,
    },
  ];
}

async function missingKernelParts(): Promise<Missing[]> {
  const args = ["--mount", "--net", "--propagation", "private", "/bin/sh", "-c", KERNEL_PROBE];
  const result = await run("unshare", args, {});
  if (result.code !== 0 && result.stdout === "") {
    const reason = result.errorTail.at(-1) ?? "";
    return [{ found: `no namespaces: ${reason}`, fix: "allow unshare, such as by --privileged" }];
  }
  return result.stdout
    .split("\n")
    .filter((name) => name !== "")
    .map((name) => ({ found: `no ${name} in the kernel`, fix: `load it: modprobe ${name}` }));
}
