import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isLauncher, launcherScript } from "../../sandbox/plugins/launcher.ts";
import { findInstalled } from "../../sandbox/plugins/plugin-folder.ts";
import { selectPlugins } from "../../sandbox/plugins/select.ts";
import type { Tool } from "../../sandbox/toolchain/index.ts";
import type { Plugin, PluginName, SelectOptions } from "../../sandbox/plugins/select.ts";

const LANGUAGE = "pulumi-language-nodejs";
const KUBERNETES = "pulumi-resource-kubernetes";
const CERT_MANAGER = "pulumi-resource-kubernetes-cert-manager";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "plugins-"));
  await executable(join(root, "bin", "pulumi"));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

async function executable(path: string, text = "#!/bin/sh\n"): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

function built(): Tool {
  const path = join(root, "built", KUBERNETES);
  return { name: KUBERNETES, version: "4.0.0-built", path, origin: "go-build" };
}

function optionsWith(change: Partial<SelectOptions> = {}): SelectOptions {
  return {
    stateDir: join(root, "state"),
    pulumi: join(root, "bin", "pulumi"),
    pulumiHome: join(root, "state", "pulumi"),
    env: { PATH: join(root, "path"), HOME: join(root, "home") },
    install: false,
    builtProvider: {
      isThere: () => Promise.resolve(false),
      get: () => Promise.resolve(built()),
    },
    ...change,
  };
}

function byName(plugins: readonly Plugin[], name: PluginName): Plugin {
  const plugin = plugins.find((item) => item.name === name);
  if (plugin === undefined) throw new Error(`${name} is missing`);
  return plugin;
}

describe("selectPlugins", () => {
  it("takes the provider built from its module and stand-ins, one folder each, when nothing is installed", async () => {
    const { plugins, pathPrepend } = await selectPlugins(optionsWith());
    expect(plugins.map((plugin) => [plugin.name, plugin.kind])).toEqual([
      [LANGUAGE, "stand-in"],
      [KUBERNETES, "built"],
      [CERT_MANAGER, "stand-in"],
    ]);
    expect(pathPrepend).toEqual(plugins.map((plugin) => dirname(plugin.path)));
    const path = join(root, "state", "plugins", CERT_MANAGER, CERT_MANAGER);
    expect(byName(plugins, CERT_MANAGER)).toMatchObject({ path, version: "0.2.0-standin" });
    expect((await stat(path)).mode & 0o777).toBe(0o755);
  });

  it("leaves PATH alone for an official plugin that is on it", async () => {
    const path = await executable(join(root, "path", KUBERNETES));
    const { plugins, pathPrepend } = await selectPlugins(optionsWith());
    expect(byName(plugins, KUBERNETES)).toMatchObject({ kind: "official", path });
    expect(pathPrepend.map((folder) => folder.split("/").at(-1))).toEqual([LANGUAGE, CERT_MANAGER]);
  });

  it("does not take a launcher on PATH for an official plugin", async () => {
    const first = await selectPlugins(optionsWith());
    const env = { PATH: first.pathPrepend.join(":"), HOME: join(root, "home") };
    const second = await selectPlugins(optionsWith({ env, stateDir: join(root, "other") }));
    expect(second.plugins.map(({ kind }) => kind)).toEqual(["stand-in", "built", "stand-in"]);
  });

  it("uses the language host beside pulumi, through links too", async () => {
    const path = await executable(join(root, "bin", LANGUAGE));
    const { plugins, pathPrepend } = await selectPlugins(optionsWith());
    expect(byName(plugins, LANGUAGE)).toMatchObject({ kind: "official", path });
    expect(pathPrepend).not.toContain(join(root, "bin"));
  });

  it("prepends the folder of a resource plugin beside pulumi, where the engine does not look", async () => {
    await executable(join(root, "bin", KUBERNETES));
    const { pathPrepend } = await selectPlugins(optionsWith());
    expect(pathPrepend).toContain(join(root, "bin"));
  });

  it("finds a plugin in the run's own PULUMI_HOME", async () => {
    const folder = join(root, "state", "pulumi", "plugins", "resource-kubernetes-v4.34.2");
    const path = await executable(join(folder, KUBERNETES));
    const { plugins, pathPrepend } = await selectPlugins(optionsWith());
    expect(byName(plugins, KUBERNETES)).toMatchObject({
      kind: "official",
      path,
      version: "4.34.2",
    });
    expect(pathPrepend).not.toContain(folder);
  });

  it.each(["HOME", "PULUMI_HOME"])("prepends a plugin of the user's %s", async (variable) => {
    const home = join(root, "user");
    const pulumi = variable === "HOME" ? join(home, ".pulumi") : home;
    const folder = join(pulumi, "plugins", "resource-kubernetes-cert-manager-v0.2.0");
    await executable(join(folder, CERT_MANAGER));
    const env = { PATH: "", HOME: join(root, "home"), [variable]: home };
    const { plugins, pathPrepend } = await selectPlugins(optionsWith({ env }));
    expect(byName(plugins, CERT_MANAGER).kind).toBe("official");
    expect(pathPrepend).toContain(folder);
  });

  it("takes what a download brought", async () => {
    const script = `#!/bin/sh
folder="$PULUMI_HOME/plugins/resource-$4-v$5"
mkdir -p "$folder"
printf '#!/bin/sh\\n' > "$folder/pulumi-resource-$4"
chmod +x "$folder/pulumi-resource-$4"
`;
    await executable(join(root, "bin", "pulumi"), script);
    const env = { PATH: process.env["PATH"], HOME: join(root, "home") };
    const { plugins } = await selectPlugins(optionsWith({ install: true, env }));
    expect(byName(plugins, KUBERNETES)).toMatchObject({ kind: "official", version: "4.34.2" });
    expect(byName(plugins, CERT_MANAGER)).toMatchObject({ kind: "official", version: "0.2.0" });
  });

  it("builds the provider and falls back to stand-ins when a download fails", async () => {
    await executable(join(root, "bin", "pulumi"), "#!/bin/sh\nexit 1\n");
    const { plugins } = await selectPlugins(optionsWith({ install: true }));
    expect(plugins.map(({ kind }) => kind)).toEqual(["stand-in", "built", "stand-in"]);
  });

  it("waits for no download of a provider that is built already", async () => {
    const script = '#!/bin/sh\necho "$4" >> "$(dirname "$0")/asked"\nexit 1\n';
    await executable(join(root, "bin", "pulumi"), script);
    const builtProvider = {
      isThere: () => Promise.resolve(true),
      get: () => Promise.resolve(built()),
    };
    const env = { PATH: process.env["PATH"], HOME: join(root, "home") };
    await selectPlugins(optionsWith({ install: true, builtProvider, env }));
    const asked = await readFile(join(root, "bin", "asked"), "utf8");
    expect(asked.trim()).toBe("kubernetes-cert-manager");
  });
});

describe("findInstalled", () => {
  const install = (name: string) => executable(join(root, "plugins", name, KUBERNETES));
  const find = () => findInstalled(join(root, "plugins"), "kubernetes", "4.34.2");

  it("prefers the wanted version, then the newest of the same major version", async () => {
    await install("resource-kubernetes-v4.34.10");
    await install("resource-kubernetes-v4.35.0");
    await install("resource-kubernetes-v5.0.0");
    expect((await find())?.version).toBe("4.35.0");
    await install("resource-kubernetes-v4.34.2");
    expect((await find())?.version).toBe("4.34.2");
  });

  it("passes over older, unfinished and other plugins", async () => {
    await install("resource-kubernetes-v4.30.0");
    await install("resource-kubernetes-v4.34.2");
    await writeFile(join(root, "plugins", "resource-kubernetes-v4.34.2.partial"), "");
    await install("resource-kubernetes-cert-manager-v4.34.2");
    expect(await find()).toBeUndefined();
  });
});

describe("launchers", () => {
  it("pass arguments on and survive blanks and quotes in paths", async () => {
    const entry = join(root, "it's here", "entry.sh");
    await executable(entry, 'printf "%s|" "$@"\n');
    const path = await executable(join(root, "launcher"), launcherScript("/bin/sh", entry, ["-e"]));
    const { stdout } = await promisify(execFile)(path, ["127.0.0.1:1", "a b"]);
    expect(stdout).toBe("127.0.0.1:1|a b|");
    expect(await isLauncher(path)).toBe(true);
  });

  it("are not mistaken for plugins, nor for files that are not there", async () => {
    expect(await isLauncher(join(root, "bin", "pulumi"))).toBe(false);
    expect(await isLauncher(join(root, "nothing"))).toBe(false);
  });
});
