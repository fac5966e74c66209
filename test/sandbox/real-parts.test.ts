/** The parts of a real node that need no node. */
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { startDetached } from "../../sandbox/cluster/processes.ts";
import { freePorts } from "../../sandbox/cluster/ports.ts";
import { archiveMark, imageName } from "../../sandbox/real/archive.ts";
import { missingAddresses } from "../../sandbox/real/balancer-addresses.ts";
import { hierarchies, usedHierarchies } from "../../sandbox/real/cgroups.ts";
import { nodeFiles } from "../../sandbox/real/files.ts";
import { logFile, pidFile, realLayout } from "../../sandbox/real/layout.ts";
import { packageNames } from "../../sandbox/real/packages.ts";
import { makePki } from "../../sandbox/real/pki.ts";
import { missingForReal, unavailable } from "../../sandbox/real/preconditions.ts";
import { allRun } from "../../sandbox/real/processes.ts";
import { parseRanges } from "../../sandbox/real/processors.ts";
import { relayParts } from "../../sandbox/real/relays.ts";
import { writeArchive } from "../support/real-node.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "real-parts-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const layoutOf = (name: string) => realLayout(name, { KSERVE_PLATFORM_STATE: folder });

describe("control groups", () => {
  const first =
    "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";

  it("are those of version 1 where there are any, and all are cleaned up", () => {
    const all = hierarchies(`tmpfs /run tmpfs rw 0 0\n${first}`);
    expect(all.map(({ mount }) => mount)).toEqual(["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/unified"]);
    expect(usedHierarchies(all)).toEqual([{ mount: "/sys/fs/cgroup/cpu", version: 1 }]);
  });

  it("are the unified ones where there are no others", () => {
    const all = hierarchies("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n");
    expect(usedHierarchies(all)).toEqual([{ mount: "/sys/fs/cgroup", version: 2 }]);
  });

  it("differ between sandboxes, and between state folders", () => {
    const other = realLayout("one", { KSERVE_PLATFORM_STATE: join(folder, "other") });
    const names = [layoutOf("one"), layoutOf("two"), other].map(({ cgroup }) => cgroup);
    expect(new Set(names).size).toBe(3);
  });
});

describe("certificates of a cluster", () => {
  it("are made once, name who they are for, and come from one authority", async () => {
    const layout = layoutOf("pki");
    await makePki(layout);
    const read = async (name: string) => readFile(join(layout.pki, name), "utf8");
    const ca = new X509Certificate(await read("ca.crt"));
    const kubelet = new X509Certificate(await read("kubelet.crt"));
    const server = new X509Certificate(await read("apiserver.crt"));
    expect(kubelet.subject).toBe("O=system:nodes\nCN=system:node:sandbox-node");
    expect(kubelet.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(kubelet.verify(ca.publicKey) && server.verify(ca.publicKey)).toBe(true);
    expect(server.checkIP("10.202.0.1")).toBe("10.202.0.1");
    expect(server.checkHost("kubernetes.default.svc")).toBe("kubernetes.default.svc");
    const again = await read("ca.crt");
    await makePki(layout);
    expect(await read("ca.crt")).toBe(again);
  });
});

describe("configuration", () => {
  const config = {
    layout: realLayout("it", { KSERVE_PLATFORM_STATE: '/a "quoted" folder' }),
    programs: { path: [], env: {}, plugins: "/cni", runc: "/runc" },
    pause: "docker.io/local/pause:1",
  };

  it("quotes what it is given", () => {
    const text = nodeFiles(config)["containerd.toml"] ?? "";
    expect(text).toContain('sandbox_image = "docker.io/local/pause:1"');
    expect(text).toContain('root = "/a \\"quoted\\" folder/it/real/containerd"');
  });

  it("leaves settings of the whole kernel alone", () => {
    const files = nodeFiles(config);
    expect(files["proxy.yaml"]).toMatch(/conntrack:\n {2}maxPerCore: 0\n {2}min: 0\n/);
    expect(files["tunables/vm.overcommit_memory"]).toBe("1\n");
  });
});

describe("load balancers", () => {
  const service = (name: string, spec: object, ip?: string) => ({
    metadata: { name },
    spec,
    status: ip === undefined ? {} : { loadBalancer: { ingress: [{ ip }] } },
  });
  const type = "LoadBalancer";

  it("give free addresses to those that want one of theirs", () => {
    const given = missingAddresses(
      [
        service("inside", { type: "ClusterIP" }),
        service("new", { type }),
        service("old", { type }, "10.201.1.1"),
        service("of-another", { type, loadBalancerClass: "example.com/other" }),
        service("newer", { type }),
      ],
      "10.201.1.",
    );
    expect(given.map(([{ metadata }, address]) => [metadata?.name, address])).toEqual([
      ["new", "10.201.1.2"],
      ["newer", "10.201.1.3"],
    ]);
  });

  it("give no more than there are", () => {
    const many = Array.from({ length: 300 }, (_, index) => service(`s${index}`, { type }));
    const given = missingAddresses(many, "10.201.1.");
    expect(new Set(given.map(([, address]) => address)).size).toBe(254);
  });
});

describe("what a machine says", () => {
  it("is read from lists of the kernel", () => {
    expect(parseRanges("0-2,8\n")).toEqual([0, 1, 2, 8]);
    expect(parseRanges("")).toEqual([]);
  });

  it("is read from apt without what every system has", () => {
    const output =
      "containerd\n  Depends: libc6\n  Depends: <virtual>\nlibc6\ngcc-12-base\nlibgmp10\nlibgmp10\n";
    expect(packageNames(output)).toEqual(["containerd", "libgmp10"]);
  });
});

describe("archives of images", () => {
  it("tell the full name, and are known again until they change", async () => {
    const file = join(folder, "image.tar");
    const program = join(folder, "program");
    await writeFile(program, "#!/bin/sh\n");
    const name = "registry.example/pause:3";
    await writeArchive(file, { name, files: { program }, entrypoint: ["/program"] });
    expect(await imageName(file)).toBe(name);
    const mark = await archiveMark(file);
    expect(await archiveMark(file)).toBe(mark);
    await writeFile(file, "something else");
    expect(await archiveMark(file)).not.toBe(mark);
    await expect(imageName(file)).rejects.toThrow(/\[sandbox-real-image\]/);
    await expect(imageName(join(folder, "absent.tar"))).rejects.toThrow(/absent\.tar/);
  });
});

describe("reports", () => {
  it("name everything that is missing at once", () => {
    const { message } = unavailable([
      { found: "no root", fix: "run the command as root" },
      { found: "no ip on PATH", fix: "install it" },
    ]);
    expect(message).toContain("2 missing:");
    expect(message).toContain("- no root: run the command as root");
    expect(message).toContain("- no ip on PATH: install it");
  });

  it.skipIf(process.platform !== "linux")(
    "say to somebody who is not root, without tools, what to do",
    async () => {
      vi.spyOn(process, "getuid").mockReturnValue(1000);
      vi.stubEnv("PATH", "");
      vi.stubEnv("KSERVE_PLATFORM_CACHE", join(folder, "no-cache"));
      const found = (await missingForReal()).map((each) => each.found);
      expect(found).toContain("no root");
      expect(found).toContain("no unshare on PATH");
      expect(found).toContain("no ip on PATH");
      expect(found.some((text) => text.startsWith("neither apt"))).toBe(true);
    },
  );

  it("hold the last words of a part that has ended", async () => {
    const layout = layoutOf("ended");
    const { promise, resolve } = Promise.withResolvers<unknown>();
    await startDetached({
      command: "/bin/sh",
      args: ["-c", "echo no such flag >&2; exit 1", layout.folder],
      cwd: folder,
      logFile: logFile(layout, "etcd"),
      pidFile: pidFile(layout, "etcd"),
    });
    setTimeout(resolve, 500);
    await promise;
    const wait = allRun({ layout, what: "API server", needs: ["etcd"] });
    await expect(wait).rejects.toThrow(/etcd has ended:\n {4}no such flag/);
  });
});

describe("relays", () => {
  let echo: Server;
  const children: ReturnType<typeof execFile>[] = [];

  beforeAll(async () => {
    // Answers only after the client has said everything: half of a connection must be able to end.
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      void socket.toArray().then((chunks: Buffer[]) => socket.end(Buffer.concat(chunks)));
    });
    await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    for (const child of children) child.kill();
    echo.close();
  });

  it("pass on both directions, each until its own end", async () => {
    const [port = 0] = await freePorts(1);
    const { port: target } = echo.address() as AddressInfo;
    const layout = { ...layoutOf("relays"), sockets: await mkdtemp(join(folder, "sockets-")) };
    const listen = `127.0.0.1:${port}`;
    const relay = {
      name: "test",
      direction: "inwards",
      listen,
      to: `127.0.0.1:${target}`,
    } as const;
    for (const part of relayParts(layout, relay)) {
      const child = execFile(part.command, [...part.args]);
      children.push(child);
      await new Promise((resolve) => child.stdout?.once("data", resolve));
    }
    const text = "x".repeat(300_000);
    const { connect } = await import("node:net");
    const socket = connect(port, "127.0.0.1");
    socket.end(text);
    const answer = Buffer.concat((await socket.toArray()) as Buffer[]).toString();
    expect(answer).toBe(text);
    // Nobody listens at the end any more: the connection is closed, the relay lives.
    await promisify(echo.close.bind(echo))();
    const refused = connect(port, "127.0.0.1");
    refused.on("error", () => undefined);
    await new Promise((resolve) => refused.once("close", resolve).resume());
    expect(children.map(({ exitCode }) => exitCode)).toEqual([null, null]);
  });
});
