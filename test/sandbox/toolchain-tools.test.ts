import { access, chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cacheFolder, stateFolder } from "../../sandbox/paths.ts";
import { findOnPath } from "../../sandbox/toolchain/on-path.ts";
import { parseVersion, TOOL_NAMES, TOOLS } from "../../sandbox/toolchain/tools.ts";
import type { ToolName } from "../../sandbox/toolchain/tools.ts";

const MODULES = join(import.meta.dirname, "../../sandbox/toolchain/modules");

describe("version in a program's output", () => {
  const outputs: [string, string | undefined][] = [
    ["v3.229.0", "3.229.0"],
    ["v3.19.0+g3d8990f", "3.19.0"],
    ["etcd Version: 3.6.5\nGit SHA: 1234567\nGo Version: go1.24.7", "3.6.5"],
    ["Kubernetes v1.34.3", "1.34.3"],
    ["kwok version v0.7.0 go1.24.3 (linux/amd64)", "0.7.0"],
    ["v3.260.0-alpha.1", "3.260.0-alpha.1"],
    ["Kubernetes v0.0.0-master+$Format:%H$", "0.0.0-master"],
    ["command not found", undefined],
  ];
  it.each(outputs)("%j is %s", (output, version) => {
    expect(parseVersion(output)).toBe(version);
  });
});

describe("tools on PATH", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "toolchain-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const cases: [ToolName, string, boolean][] = [
    ["pulumi", "v3.229.0", true],
    ["pulumi", "v3.300.1", true],
    ["pulumi", "v3.228.9", false],
    ["pulumi", "v4.0.0", false],
    ["helm", "v3.19.4", true],
    ["helm", "v3.18.6", false],
    ["helm", "v4.0.0", false],
    ["etcd", "etcd Version: 3.6.0", true],
    ["etcd", "etcd Version: 3.5.21", false],
    ["kube-apiserver", "Kubernetes v1.34.3", true],
    ["kube-apiserver", "Kubernetes v1.34.4", false],
    ["kube-scheduler", "Kubernetes v1.33.3", false],
    ["kwok", "kwok version v0.7.0", true],
    ["kwokctl", "kwokctl version v0.6.1", false],
    // Programs of images are built for images, whatever lies on PATH.
    ["coredns", "CoreDNS-1.13.1", false],
  ];
  it.each(cases)("%s that says %j fits: %s", async (name, output, fits) => {
    await script(join(folder, name), `echo '${output}'`);
    const found = await findOnPath(name, folder);
    expect(found?.path).toBe(fits ? join(folder, name) : undefined);
  });

  it("takes Debian's name of the registry, and its own before that", async () => {
    await script(
      join(folder, "docker-registry"),
      "echo docker-registry github.com/docker/distribution 2.8.2+ds1",
    );
    expect((await findOnPath("registry", folder))?.path).toBe(join(folder, "docker-registry"));
    await script(
      join(folder, "registry"),
      "echo registry github.com/distribution/distribution/v3 v3.1.0",
    );
    expect((await findOnPath("registry", folder))?.version).toBe("3.1.0");
    await script(join(folder, "registry"), "echo registry 2.7.1");
    expect((await findOnPath("registry", folder))?.version).toBe("2.8.2");
  });

  it("passes over a program that fails", async () => {
    await script(join(folder, "helm"), "echo v3.19.0; exit 3");
    expect(await findOnPath("helm", folder)).toBeUndefined();
  });

  it("passes over a relative folder", async () => {
    expect(await findOnPath("helm", "relative:.")).toBeUndefined();
  });
});

describe("pinned modules", () => {
  // pause is ours alone: no module has a version for it.
  it.each(TOOL_NAMES.filter((name) => name !== "pause"))(
    "build %s from its pinned version, as a tool of the module",
    async (name) => {
      const spec = TOOLS[name];
      const goMod = await readFile(join(MODULES, spec.module, "go.mod"), "utf8");
      const required = goMod.matchAll(/^\s*(?:require )?(\S+) v(\d\S+)/gm);
      const source = spec.goModule ?? spec.goPackage;
      const modules = [...required].filter(([, path]) => `${source}/`.startsWith(`${path}/`));
      expect(modules.map(([, , version]) => version)).toEqual([spec.version]);
      const own = spec.goPackage.startsWith("./");
      if (own) await access(join(MODULES, spec.module, spec.goPackage, "main.go"));
      const listed = new RegExp(`^(?:tool|)\\s*${spec.goPackage}$`, "m").test(goMod);
      expect(listed).toBe(!own);
    },
  );
});

describe("folders", () => {
  it("prefer the product's own variables, then the XDG ones", () => {
    expect(cacheFolder({ KSERVE_PLATFORM_CACHE: "/a", XDG_CACHE_HOME: "/b" })).toBe("/a");
    expect(cacheFolder({ KSERVE_PLATFORM_CACHE: "", XDG_CACHE_HOME: "/b" })).toBe(
      join("/b", "kserve-platform"),
    );
    expect(cacheFolder({})).toMatch(/\.cache.kserve-platform$/);
    expect(stateFolder("x", { KSERVE_PLATFORM_STATE: "/s" })).toBe(join("/s", "x"));
    expect(stateFolder("x", {})).toMatch(/\.local.state.kserve-platform.x$/);
  });

  it.each(["", "..", "a/b", "A", "-a", "a-", "a".repeat(41)])("refuse the name %j", (name) => {
    expect(() => stateFolder(name, {})).toThrow("sandbox-name-invalid");
  });
});

async function script(file: string, body: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
}
