/**
 * Charts and manifests out of Go modules. The modules that the programs of real pods are built from carry their
 * project's charts beside the code: where no chart host can be reached they are the real thing, and what they ask of the
 * API server (roles, webhooks, definitions, configuration) is what the programs need. What a project's release job fills
 * in is filled in here: the version, and for Envoy Gateway the two names in its values.
 */
import { chmod, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../toolchain/run.ts";
import { goEnvironment } from "../toolchain/go-build.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import { MODULES_FOLDER } from "../toolchain/tools.ts";
import type { ModuleName } from "../toolchain/tools.ts";
import type { Release } from "./model.ts";
import { chartFolder } from "./write.ts";

/** Where the charts of a product are. */
interface Carrier {
  /** Module whose version is the release's. */
  readonly module: string;
  /** Folder of the toolchain whose go.mod pins it. */
  readonly pinnedBy: ModuleName;
  /** Folder of a chart inside the module; absent where the module carries no charts. */
  readonly chart?: (name: string) => string;
  /** Folder whose files, one after another, are the release's file of manifests. */
  readonly manifest?: string;
  /** Fills in what a release of the project fills in. */
  readonly finish?: (folder: string, version: string) => Promise<void>;
}

const CARRIERS: Readonly<Partial<Record<Release["product"], Carrier>>> = {
  kserve: {
    module: "github.com/kserve/kserve",
    pinnedBy: "core",
    chart: (name) => join("charts", name),
  },
  "cert-manager": {
    module: "github.com/cert-manager/cert-manager",
    pinnedBy: "pods",
    chart: () => "deploy/charts/cert-manager",
  },
  "envoy-gateway": {
    module: "github.com/envoyproxy/gateway",
    pinnedBy: "pods",
    chart: (name) => join("charts", name),
    finish: fillGatewayValues,
  },
  "gateway-api": {
    module: "sigs.k8s.io/gateway-api",
    pinnedBy: "core",
    manifest: "config/crd/standard",
  },
};

/** Products whose charts can come out of a Go module, for the version that the toolchain pins. */
export const CARRIED = Object.keys(CARRIERS) as readonly Release["product"][];

/**
 * Writes the charts and files of a release as {@link chartFolder} names them, from the module that carries them. Answers
 * with their paths; with nothing where no module carries this version. Throws when the module cannot be downloaded.
 */
export async function writeModuleCharts(dir: string, release: Release): Promise<string[]> {
  const carrier = CARRIERS[release.product];
  if (carrier === undefined || (await pinnedVersion(carrier)) !== release.version) return [];
  const source = await moduleFolder(carrier);
  const charts = release.charts.map((chart) => ({ chart, target: join(dir, chartFolder(chart)) }));
  for (const { chart, target } of charts) {
    await replaceFolder(target, async (fresh) => {
      await cp(join(source, carrier.chart?.(chart.name) ?? ""), fresh, { recursive: true });
      await makeWritable(fresh);
      await stampVersion(fresh, chart.version);
      await carrier.finish?.(fresh, release.version);
    });
  }
  const files: string[] = [];
  for (const { file } of carrier.manifest === undefined ? [] : release.manifests) {
    await writeFile(join(dir, file), await joined(join(source, carrier.manifest ?? "")));
    files.push(join(dir, file));
  }
  return [...charts.map(({ target }) => target), ...files];
}

async function pinnedVersion({ module, pinnedBy }: Carrier): Promise<string | undefined> {
  const goMod = await readFile(join(MODULES_FOLDER, pinnedBy, "go.mod"), "utf8");
  return new RegExp(`^\\s*(?:require )?${module} v(\\S+)`, "m").exec(goMod)?.[1];
}

/** Where the module is on this machine; go downloads what is missing and holds it against go.sum. */
async function moduleFolder({ module, pinnedBy }: Carrier): Promise<string> {
  const cwd = join(MODULES_FOLDER, pinnedBy);
  const result = await run("go", ["mod", "download", "-json", module], {
    cwd,
    env: goEnvironment(),
  });
  const { Dir: folder, Error: error } = JSON.parse(result.stdout || "{}") as {
    Dir?: string;
    Error?: string;
  };
  if (folder !== undefined && result.code === 0) return folder;
  throw sandboxError({
    code: "sandbox-charts-download",
    where: module,
    found: error ?? result.errorTail.join("\n    "),
    allowed: "the module at the version that go.mod pins",
    fix: "check that GOPROXY names a Go module proxy that this machine can reach, or give charts with --charts",
  });
}

/** Builds a folder beside its target and puts it there by one rename: a reader never sees half of it. */
async function replaceFolder(
  target: string,
  fill: (fresh: string) => Promise<void>,
): Promise<void> {
  const fresh = `${target}.${String(process.pid)}.part`;
  await mkdir(dirname(target), { recursive: true });
  await rm(fresh, { recursive: true, force: true });
  await fill(fresh);
  await rm(target, { recursive: true, force: true });
  await rename(fresh, target);
}

/** Go keeps modules read-only; a copy has to be writable to be finished, and removed. */
async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makeWritable(path);
    else await chmod(path, 0o644);
  }
}

async function stampVersion(folder: string, version: string): Promise<void> {
  const file = join(folder, "Chart.yaml");
  const text = await readFile(file, "utf8");
  const stamped = text
    .replace(/^version:.*$/m, `version: ${version}`)
    .replace(/^appVersion:.*$/m, `appVersion: ${version}`);
  await writeFile(file, stamped);
}

/** (envoyproxy/gateway@v1.8.3:tools/make/helm.mk fills the template when it packs a release) */
async function fillGatewayValues(folder: string, version: string): Promise<void> {
  const template = await readFile(join(folder, "values.tmpl.yaml"), "utf8");
  const values = template
    .replace("${GatewayImage}", `docker.io/envoyproxy/gateway:v${version}`)
    .replace("${GatewayImagePullPolicy}", "IfNotPresent");
  await writeFile(join(folder, "values.yaml"), values);
}

async function joined(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml")).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  return texts.map((text) => `---\n${text.trim()}\n`).join("");
}
