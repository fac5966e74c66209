import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildTools } from "../../sandbox/toolchain/go-build.ts";
import {
  countModules,
  isGoNewEnough,
  parseGoLine,
  requiredGo,
} from "../../sandbox/toolchain/go-output.ts";
import { isStored, newWorkFolder, storedPath, toolStore } from "../../sandbox/toolchain/store.ts";
import type { ToolProgress } from "../../sandbox/toolchain/tools.ts";

describe("lines of the go command", () => {
  it("tell downloads, packages and the rest apart", () => {
    expect(parseGoLine("go: downloading github.com/a/b v1.2.3")).toEqual({
      kind: "downloading",
      module: "github.com/a/b",
      version: "v1.2.3",
    });
    expect(parseGoLine("k8s.io/client-go/pkg/version")).toEqual({
      kind: "package",
      path: "k8s.io/client-go/pkg/version",
    });
    for (const line of ["", "# k8s.io/x", "x.go:1:2: undefined: y", "\thave (int)", "go: error"]) {
      expect(parseGoLine(line).kind).toBe("other");
    }
  });

  it("give the number of modules in go.sum, without those pinned for their go.mod only", () => {
    expect(countModules("a v1 h1:x=\na v1/go.mod h1:y=\nb v2/go.mod h1:z=\n")).toBe(1);
  });

  it("give the release that go.mod asks for", () => {
    expect(requiredGo("module x\n\ngo 1.25.11\n")).toBe("1.25.11");
  });

  const releases: [string, string, boolean][] = [
    ["go1.26.8", "1.25.11", true],
    ["go1.25.11", "1.25.11", true],
    ["go1.25", "1.25.11", false],
    ["go1.24.9", "1.25.11", false],
    ["go2.0", "1.25.11", true],
    ["", "1.25.11", false],
  ];
  it.each(releases)("%s is enough for %s: %s", (found, required, enough) => {
    expect(isGoNewEnough(found, required)).toBe(enough);
  });
});

describe("a build", () => {
  let folder = "";
  let progress: ToolProgress[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "gobuild-"));
    progress = [];
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });
  const options = () => ({ path: folder, report: (step: ToolProgress) => progress.push(step) });

  it("stores every program under its own name and reports what it compiles", async () => {
    await fakeGo(folder, { build: 'printf x > "$out/server"; printf x > "$out/helm"' });
    const store = toolStore(join(folder, "cache"));
    await buildTools(store, ["etcd", "helm"], options());
    expect(await readFile(storedPath(store, "etcd"), "utf8")).toBe("x");
    expect(await isStored(store, "helm")).toBe(true);
    const modules = progress.filter(({ phase }) => phase === "download Go modules (core)");
    expect(modules.at(-1)).toMatchObject({ done: 1, detail: "example.org/m v1.0.0" });
    const compile = progress.filter(({ phase }) => phase === "compile etcd, helm");
    expect(compile.map(({ done, total }) => `${done}/${total}`)).toEqual(["0/3", "1/3", "3/3"]);
  });

  it("that fails in the middle stores nothing, and the next one goes on", async () => {
    const store = toolStore(join(folder, "cache"));
    const fails = 'printf x > "$out/server"; echo "x.go:1:2: broken" >&2; exit 1';
    await fakeGo(folder, { build: fails });
    await expect(buildTools(store, ["etcd"], options())).rejects.toThrow(/x\.go:1:2: broken/);
    expect(await isStored(store, "etcd")).toBe(false);
    await fakeGo(folder, { build: 'printf x > "$out/server"' });
    await buildTools(store, ["etcd"], options());
    expect(await isStored(store, "etcd")).toBe(true);
  });

  it("that is interrupted ends the compiler and stores nothing", async () => {
    const store = toolStore(join(folder, "cache"));
    await fakeGo(folder, { build: 'printf x > "$out/server"; exec sleep 20' });
    const abort = new AbortController();
    const report = (step: ToolProgress) => {
      if (step.done === 1 && step.phase.startsWith("compile")) abort.abort();
    };
    const build = buildTools(store, ["etcd"], { path: folder, report, signal: abort.signal });
    await expect(build).rejects.toThrow(/abort/i);
    expect(await isStored(store, "etcd")).toBe(false);
    expect(await readdir(store.toolsFolder).catch(() => [])).toEqual([]);
  });

  it("says what to install when there is no go", async () => {
    const build = buildTools(toolStore(folder), ["etcd"], options());
    await expect(build).rejects.toThrow(/sandbox-tools-missing[^]*install Go 1\.25\.11 or newer/);
  });

  it.each([
    ["go1.24.0", "local", true],
    ["go1.20", "auto", true],
    ["go1.24.0", "auto", false],
  ])("with %s and GOTOOLCHAIN=%s is refused: %s", async (version, toolchain, refused) => {
    await fakeGo(folder, { build: 'printf x > "$out/server"', version, toolchain });
    const store = toolStore(join(folder, "cache"));
    const outcome = await buildTools(store, ["etcd"], options()).then(
      () => "built",
      (error: unknown) => String(error),
    );
    expect(outcome.includes(version)).toBe(refused);
  });

  it("works on the disk of the cache, where a rename is atomic", async () => {
    const store = toolStore(join(folder, "cache"));
    const work = await newWorkFolder(store);
    expect(dirname(dirname(work))).toBe(dirname(store.toolsFolder));
  });
});

interface FakeGo {
  readonly build: string;
  readonly version?: string;
  readonly toolchain?: string;
}

/** A go command that answers `env`, `list` and `build` without compiling anything. */
async function fakeGo(folder: string, { build, version, toolchain }: FakeGo): Promise<void> {
  const text = `#!/bin/sh
case "$1" in
env) echo ${version ?? "go1.26.0"}; echo ${toolchain ?? "auto"} ;;
list) echo "go: downloading example.org/m v1.0.0" >&2; printf 'a\\nb\\nc\\n' ;;
build)
  while [ "$1" != "-o" ]; do shift; done
  out=$2
  echo example.org/m/a >&2
  ${build} ;;
esac
`;
  await writeFile(join(folder, "go"), text);
  await chmod(join(folder, "go"), 0o755);
}
