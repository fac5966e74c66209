import { z } from "zod";
import type { HarborPlan, HarborProject } from "../../plan/harbor.ts";
import {
  endpointBody,
  endpointName,
  permissions,
  projectBody,
  retentionBody,
  robotBody,
} from "./bodies.ts";
import { describe, expectStatus, HarborError } from "./client.ts";
import type { Answer, Call, Send } from "./client.ts";

/** Harbor's largest page. */
const PAGE_SIZE = 100;

const ids = z.object({ id: z.int() });
const endpoints = z.array(ids.extend({ name: z.string() }));
const projectAnswer = z.object({
  project_id: z.int(),
  registry_id: z.int().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});
const permission = z.looseObject({
  kind: z.string(),
  namespace: z.string(),
  access: z.array(z.looseObject({ resource: z.string(), action: z.string() })),
});
const robot = z.looseObject({
  id: z.int(),
  name: z.string(),
  permissions: z.array(permission).nullish(),
});
const createdRobot = z.object({ name: z.string(), secret: z.string().min(1) });
const configuration = z.object({
  robot_name_prefix: z.object({ value: z.string() }).optional(),
});
const schedule = z.object({ job_parameters: z.string().optional() }).nullish();

/** What a run needs besides the plan. */
export interface Surroundings {
  readonly send: Send;
  /** Tells what was done, one line each. */
  readonly say: (line: string) => void;
  /** Keeps the secret of a new robot account, which Harbor shows this once; throws, before anything is made, when it cannot. */
  readonly keepSecret: (create: () => Promise<string>) => Promise<void>;
}

/**
 * Brings Harbor to what the stack needs. Every step asks first and changes only what is missing, so a run that was
 * interrupted is simply repeated. Nothing is ever deleted; a project with a retention of its own keeps it.
 */
export async function applyHarbor(plan: HarborPlan, around: Surroundings): Promise<void> {
  for (const project of plan.projects) await applyProject(plan, project, around);
  await applyRobot(plan, around);
  await checkGarbageCollection(around);
}

async function applyProject(
  plan: HarborPlan,
  project: HarborProject,
  around: Surroundings,
): Promise<void> {
  const path = `/projects/${encodeURIComponent(project.name)}`;
  const found = await get(around.send, path, 404);
  if (found.status === 200) around.say(`project ${project.name}: is there`);
  else {
    const endpoint =
      project.proxyOf === undefined ? undefined : await endpointId(project.proxyOf, around);
    // Somebody may have made it since; then it is looked at like any other.
    const call = post("/projects", projectBody(plan, project, endpoint));
    expectStatus(call, await around.send(call), 201, 409);
    around.say(`project ${project.name}: created`);
  }
  const state = read(projectAnswer, path, await get(around.send, path));
  refuseOtherKind(project, state.registry_id ?? 0);
  // Harbor gives proxy-cache projects a retention of their own; what it drops is fetched again.
  if (project.proxyOf === undefined) await applyRetention(project, state, around);
}

function refuseOtherKind(project: HarborProject, registryId: number): void {
  const isProxy = registryId !== 0;
  if (isProxy === (project.proxyOf !== undefined)) return;
  throw new HarborError(
    `project ${project.name} is ${isProxy ? "a proxy-cache project, which takes no push" : "no proxy-cache project"}; ` +
      "choose another name in kserve:registry.projects, or another kserve:registry.layout",
  );
}

async function applyRetention(
  project: HarborProject,
  state: z.infer<typeof projectAnswer>,
  { send, say }: Surroundings,
): Promise<void> {
  const retention = state.metadata?.["retention_id"] ?? "";
  if (retention !== "") {
    say(`project ${project.name}: keeps its own retention; it must retain untagged artifacts`);
    return;
  }
  const call = post("/retentions", retentionBody(state.project_id));
  expectStatus(call, await send(call), 201);
  say(`project ${project.name}: retention that keeps everything, untagged artifacts included`);
}

async function endpointId(upstreamHost: string, { send, say }: Surroundings): Promise<number> {
  const name = endpointName(upstreamHost);
  const path = `/registries?${new URLSearchParams({ q: `name=${name}` }).toString()}`;
  const find = async (): Promise<number | undefined> =>
    read(endpoints, path, await get(send, path)).find((item) => item.name === name)?.id;
  const known = await find();
  if (known !== undefined) return known;
  const call = post("/registries", endpointBody(upstreamHost));
  expectStatus(call, await send(call), 201, 409);
  say(`endpoint ${name}: created`);
  const made = await find();
  if (made === undefined)
    throw new HarborError(`endpoint ${name} was made, and Harbor does not list it`);
  return made;
}

async function applyRobot(plan: HarborPlan, around: Surroundings): Promise<void> {
  const name = `${await robotPrefix(around.send)}${plan.robot.name}`;
  const existing = await findRobot(name, around.send);
  if (existing !== undefined) return extendRobot(existing, plan, around);
  await around.keepSecret(async () => {
    const call = post("/robots", robotBody(plan));
    const answer = expectStatus(call, await around.send(call), 201);
    return read(createdRobot, call.path, answer).secret;
  });
  around.say(`robot ${name}: created`);
}

async function robotPrefix(send: Send): Promise<string> {
  const path = "/configurations";
  return read(configuration, path, await get(send, path)).robot_name_prefix?.value ?? "robot$";
}

async function findRobot(
  name: string,
  send: Send,
  page = 1,
): Promise<z.infer<typeof robot> | undefined> {
  const path = `/robots?page=${String(page)}&page_size=${String(PAGE_SIZE)}`;
  const list = read(z.array(robot), path, await get(send, path));
  const found = list.find((item) => item.name === name);
  return found !== undefined || list.length < PAGE_SIZE ? found : findRobot(name, send, page + 1);
}

/** Adds what is missing; what somebody else allowed the robot stays. */
async function extendRobot(
  existing: z.infer<typeof robot>,
  plan: HarborPlan,
  { send, say }: Surroundings,
): Promise<void> {
  const held = existing.permissions ?? [];
  const canPull = (namespace: string): boolean =>
    held.some(
      (item) =>
        (item.namespace === namespace || item.namespace === "*") &&
        item.access.some(({ resource, action }) => resource === "repository" && action === "pull"),
    );
  const missing = plan.projects.map(({ name }) => name).filter((name) => !canPull(name));
  if (missing.length === 0) {
    say(`robot ${existing.name}: is there`);
    return;
  }
  const wanted = { ...existing, permissions: [...held, ...permissions(missing)] };
  const call: Call = { method: "PUT", path: `/robots/${String(existing.id)}`, body: wanted };
  expectStatus(call, await send(call), 200);
  say(`robot ${existing.name}: may now pull from ${missing.join(", ")} too`);
}

/** A schedule that deletes untagged artifacts would take the digest-only images with it; it is the owner's to change. */
async function checkGarbageCollection({ send, say }: Surroundings): Promise<void> {
  const path = "/system/gc/schedule";
  const parameters = read(schedule, path, await get(send, path))?.job_parameters;
  const deletes = parameters !== undefined && /"delete_untagged"\s*:\s*true/.test(parameters);
  if (deletes)
    throw new HarborError(
      "garbage collection deletes untagged artifacts, and with them every image that is pulled by digest; " +
        "switch that off (Administration > Clean Up > Garbage Collection)",
    );
  say("garbage collection: leaves untagged artifacts alone");
}

async function get(send: Send, path: string, ...also: readonly number[]): Promise<Answer> {
  const call: Call = { method: "GET", path };
  return expectStatus(call, await send(call), 200, ...also);
}

function post(path: string, body: object): Call {
  return { method: "POST", path, body };
}

function read<T>(schema: z.ZodType<T>, path: string, answer: Answer): T {
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  const call = describe({ method: "GET", path });
  throw new HarborError(`${call}: an answer of another form; is kserve:harbor.url Harbor's?`);
}
