import type { HarborPlan } from "../../plan/harbor.ts";
import { applyHarbor } from "./apply.ts";
import { describe } from "./client.ts";
import type { Answer, Call, Send } from "./client.ts";

/**
 * The calls that an empty Harbor would get, by the very steps of a real run: method, path and body of each. Ids that
 * Harbor would give are counted from 1.
 */
export async function dryRun(plan: HarborPlan): Promise<string> {
  const calls: Call[] = [];
  await applyHarbor(plan, {
    send: emptyHarbor(calls),
    say: () => undefined,
    keepSecret: async (create) => void (await create()),
  });
  const lines = calls.map((call) => `${describe(call)}\n${JSON.stringify(call.body, null, 2)}`);
  return [`# ${plan.url}: nothing was sent`, ...lines, ""].join("\n");
}

/** Answers like a Harbor that has nothing yet, remembers what it is told, and keeps the calls that would change it. */
function emptyHarbor(calls: Call[]): Send {
  const projects: { readonly name: string; readonly registry?: number }[] = [];
  const endpoints: { readonly id: number; readonly name: string }[] = [];
  const ok = (body: unknown, status = 200): Promise<Answer> => Promise.resolve({ status, body });
  const told = (call: Call): Promise<Answer> => {
    calls.push(call);
    const body = call.body as { project_name?: string; registry_id?: number; name?: string };
    const { project_name: project, registry_id: registry, name = "" } = body;
    if (project !== undefined)
      projects.push({ name: project, ...(registry === undefined ? {} : { registry }) });
    if (call.path === "/registries") endpoints.push({ id: endpoints.length + 1, name });
    return ok(call.path === "/robots" ? { name, secret: "not made" } : undefined, 201);
  };
  const asked = (path: string): Promise<Answer> => {
    if (path.startsWith("/registries")) return ok(endpoints);
    if (path.startsWith("/robots")) return ok([]);
    if (path === "/configurations") return ok({});
    if (!path.startsWith("/projects/")) return ok(undefined);
    const index = projects.findIndex(({ name }) => path.endsWith(`/${encodeURIComponent(name)}`));
    const registry = projects[index]?.registry ?? 0;
    return index < 0
      ? ok(undefined, 404)
      : ok({ project_id: index + 1, registry_id: registry, metadata: {} });
  };
  return (call) => (call.method === "GET" ? asked(call.path) : told(call));
}
