import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyHarbor } from "../../cli/harbor/apply.ts";
import { harborClient } from "../../cli/harbor/client.ts";
import { planHarbor } from "../../plan/harbor.ts";
import type { HarborPlan } from "../../plan/harbor.ts";
import { ADMIN, FakeHarbor } from "../support/fake-harbor.ts";
import { planOf } from "../support/settings.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const PROJECTS = ["docker.io", "gcr.io", "ghcr.io", "nvcr.io", "quay.io"];
let harbor: FakeHarbor;
let url: string;

function wanted(
  registry: Record<string, unknown> = {},
  raw: Record<string, unknown> = {},
): HarborPlan {
  const plan = planHarbor(
    planOf({ registry: { host: "h.test", ...registry }, harbor: { url }, ...raw }),
  );
  if ("code" in plan) throw new Error(plan.code);
  return plan;
}

/** One run against the fake: what it said and the secret that it kept. */
async function run(plan = wanted(), login = ADMIN): Promise<{ said: string[]; secret?: string }> {
  const said: string[] = [];
  let secret: string | undefined;
  await applyHarbor(plan, {
    send: harborClient({ ...plan, ...login }),
    say: (line) => said.push(line),
    keepSecret: async (create) => {
      secret = await create();
    },
  });
  return { said, ...(secret === undefined ? {} : { secret }) };
}

beforeEach(async () => {
  harbor = new FakeHarbor();
  url = await harbor.start();
});
afterEach(() => {
  harbor.stop();
});

describe("what a stack needs of Harbor", () => {
  const names = (...args: Parameters<typeof wanted>): string[] =>
    wanted(...args).projects.map(({ name }) => name);

  it("is one project per upstream host, or the one that the stack names", () => {
    expect(names()).toEqual(PROJECTS);
    expect(names({ layout: "single-project", project: "kserve" })).toEqual(["kserve"]);
    expect(names({ projects: { "docker.io": "hub" } })).toContain("hub");
  });

  it("follows exceptions in the same registry, and charts that are pushed there", () => {
    const images = { "kserve/agent": "h.test/own/agent", "kserve/router": "elsewhere.test/a/b" };
    expect(names({ images })).toEqual([...PROJECTS, "own"].sort());
    const charts = { source: "oci", url: "oci://h.test/charts/kserve", manifests: "/m" };
    expect(names({}, { charts })).toEqual(["charts", ...PROJECTS]);
    expect(names({}, { charts: { ...charts, url: "oci://other.test/charts" } })).toEqual(PROJECTS);
  });

  it("is nothing unless the stack asks for it", () => {
    const off = planHarbor(planOf({ registry: { host: "h.test" } }));
    expect(off).toMatchObject({ code: "harbor-off", where: "kserve:harbor" });
    expect(planHarbor(planOf({ harbor: {} }))).toMatchObject({ where: "kserve:registry" });
  });

  it("is reached at the registry's own address by default", () => {
    const at = (registry: object): unknown =>
      planHarbor(planOf({ registry: { host: "h.test:5000", ...registry }, harbor: {} }));
    expect(at({})).toMatchObject({ url: "https://h.test:5000" });
    expect(at({ plainHttp: true })).toMatchObject({ url: "http://h.test:5000" });
  });
});

describe("applyHarbor", () => {
  it("makes projects that are private, a robot that only pulls, and keeps its secret", async () => {
    const { secret } = await run();
    expect(secret).toBe("robot-secret-1");
    expect(harbor.projects.map(({ name, metadata }) => [name, metadata["public"]])).toEqual(
      PROJECTS.map((name) => [name, "false"]),
    );
    expect(harbor.robots).toMatchObject([
      {
        name: "bot+kserve-pull",
        level: "system",
        duration: -1,
        permissions: PROJECTS.map((namespace) => ({
          kind: "project",
          namespace,
          access: [{ resource: "repository", action: "pull" }],
        })),
      },
    ]);
  });

  it("retains everything in every project, above all what has no tag", async () => {
    await run();
    expect(harbor.retentions).toHaveLength(PROJECTS.length);
    for (const retention of harbor.retentions) {
      const rules = retention["rules"] as { tag_selectors: { extras: string }[] }[];
      expect(rules).toMatchObject([{ action: "retain", template: "always", disabled: false }]);
      expect(JSON.parse(rules[0]?.tag_selectors[0]?.extras ?? "")).toEqual({ untagged: true });
    }
  });

  it("changes nothing when it is run again", async () => {
    await run();
    harbor.changes.length = 0;
    const { said, secret } = await run();
    expect(harbor.changes).toEqual([]);
    expect(secret).toBeUndefined();
    expect(said).toContain("robot bot+kserve-pull: is there");
  });

  it.each([0, 1, 2, 5, 9, 10])(
    "ends where call %i fails, and the next run does the rest",
    async (after) => {
      Object.assign(harbor, { failures: 1, failAfter: after });
      await expect(run()).rejects.toThrow(/(POST|PUT) \/api\/v2\.0\/\w+: Harbor answered 500/);
      await run();
      expect(harbor.projects).toHaveLength(PROJECTS.length);
      expect(harbor.retentions).toHaveLength(PROJECTS.length);
      expect(harbor.robots).toHaveLength(1);
      const twice = harbor.changes.filter((call) => call === "POST /projects");
      expect(twice).toHaveLength(PROJECTS.length);
    },
  );

  it("leaves a retention of somebody else alone", async () => {
    await run();
    const [first] = harbor.projects;
    if (first !== undefined) first.metadata["retention_id"] = "77";
    const before = harbor.retentions.length;
    await run();
    expect(first?.metadata["retention_id"]).toBe("77");
    expect(harbor.retentions).toHaveLength(before);
  });

  it("adds new projects to a robot, and takes nothing from it", async () => {
    await run();
    const own = { kind: "project", namespace: "mine", access: [{ resource: "a", action: "b" }] };
    const [robot] = harbor.robots as unknown as { permissions: unknown[] }[];
    robot?.permissions.push(own);
    await run(wanted({ projects: { "docker.io": "hub" } }));
    const [after] = harbor.robots as unknown as { permissions: { namespace: string }[] }[];
    expect(after?.permissions.map(({ namespace }) => namespace)).toEqual([
      ...PROJECTS,
      "mine",
      "hub",
    ]);
    expect(after?.permissions).toContainEqual(own);
  });

  it("makes proxy-cache projects, one upstream each, without a retention of ours", async () => {
    const proxies = wanted({ layout: "proxy-cache", projects: { "docker.io": "hub" } });
    await run(proxies);
    expect(harbor.endpoints.map(({ name, type, url: to }) => [name, type, to])).toContainEqual([
      "kserve-docker.io",
      "docker-hub",
      "https://hub.docker.com",
    ]);
    const hub = harbor.projects.find(({ name }) => name === "hub");
    const endpoint = harbor.endpoints.find(({ name }) => name === "kserve-docker.io");
    expect(hub?.registry_id).toBe(endpoint?.id);
    expect(harbor.retentions).toEqual([]);
    harbor.changes.length = 0;
    await run(proxies);
    expect(harbor.changes).toEqual([]);
  });

  it("refuses projects of the other kind", async () => {
    await run();
    await expect(run(wanted({ layout: "proxy-cache" }))).rejects.toThrow(
      /project docker\.io is no proxy-cache project.*kserve:registry/,
    );
  });

  it("tells of a garbage collection that would delete what has no tag", async () => {
    harbor.deletesUntagged = true;
    await expect(run()).rejects.toThrow(/deletes untagged artifacts/);
  });

  it("names the call for a wrong password, and not the password", async () => {
    const wrong = { ...ADMIN, password: "wrong-pass-1" };
    const failure = run(wanted(), wrong);
    await expect(failure).rejects.toThrow(
      /GET \/api\/v2\.0\/projects\/docker\.io: Harbor answered 401/,
    );
    await expect(failure).rejects.not.toThrow("wrong-pass-1");
  });

  it("names the host that does not answer", async () => {
    harbor.stop();
    await expect(run()).rejects.toThrow(/GET .*127\.0\.0\.1:\d+: ECONNREFUSED/);
  });
});

describe("platform harbor", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "harbor-"));
    file = join(folder, "Pulumi.test.yaml");
    const lines = ["  kserve:mode: Serverless", "  kserve:registry: { host: h.test }"];
    await writeFile(file, `config:\n${lines.join("\n")}\n  kserve:harbor: { url: "${url}" }\n`);
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  interface Result {
    readonly code: number;
    readonly out: string;
    readonly err: string;
  }
  function platform(args: readonly string[], login: Record<string, string> = {}): Promise<Result> {
    const { promise, resolve } = Promise.withResolvers<Result>();
    const command = [join(ROOT, "cli", "platform.js"), "harbor", file, ...args];
    const env = { ...process.env, HARBOR_USERNAME: "", HARBOR_PASSWORD: "", ...login };
    execFile(process.execPath, command, { cwd: ROOT, env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
    return promise;
  }
  const login = { HARBOR_USERNAME: ADMIN.username, HARBOR_PASSWORD: ADMIN.password };

  it("prints with --dry-run the calls that it makes otherwise, and sends none", async () => {
    const dry = await platform(["--dry-run"]);
    expect(dry.code).toBe(0);
    expect(harbor.changes).toEqual([]);
    const printed = dry.out.matchAll(/^(POST|PUT) \/api\/v2\.0(\S+)$/gm);
    await run();
    expect([...printed].map(([, method = "", path = ""]) => `${method} ${path}`)).toEqual(
      harbor.changes,
    );
  });

  it("keeps the robot's secret in a file of its owner's, and shows it nowhere", async () => {
    const secret = join(folder, "secret");
    const { code, out, err } = await platform(["--robot-secret-file", secret], login);
    expect([code, err]).toEqual([0, ""]);
    expect(await readFile(secret, "utf8")).toBe("robot-secret-1");
    expect((await stat(secret)).mode & 0o777).toBe(0o600);
    expect(out).not.toContain("robot-secret-1");
    expect(out).toContain("kserve:registry.pullSecret.password");
  });

  it("makes no robot whose secret it could not keep", async () => {
    const without = await platform([], login);
    expect([without.code, without.err]).toEqual([
      1,
      expect.stringContaining("--robot-secret-file"),
    ]);
    const taken = join(folder, "taken");
    await writeFile(taken, "mine");
    const refused = await platform(["--robot-secret-file", taken], login);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("EEXIST")]);
    expect(await readFile(taken, "utf8")).toBe("mine");
    expect(harbor.robots).toEqual([]);
  });

  it("leaves no empty file behind when Harbor refuses the robot", async () => {
    const secret = join(folder, "secret");
    Object.assign(harbor, { failures: 1, failAfter: PROJECTS.length * 2 });
    const { code } = await platform(["--robot-secret-file", secret], login);
    expect(code).toBe(1);
    await expect(stat(secret)).rejects.toThrow("ENOENT");
  });

  it("asks for credentials before it sends anything", async () => {
    const { code, err } = await platform([]);
    expect([code, err]).toEqual([2, expect.stringContaining("HARBOR_PASSWORD")]);
  });
});
