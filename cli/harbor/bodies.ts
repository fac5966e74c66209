import type { HarborPlan, HarborProject } from "../../plan/harbor.ts";

/** Harbor's adapters for upstream registries (goharbor/harbor@main:src/pkg/reg/model/registry.go). */
const ADAPTERS: Readonly<Record<string, { readonly type: string; readonly url: string }>> = {
  "docker.io": { type: "docker-hub", url: "https://hub.docker.com" },
  "ghcr.io": { type: "github-ghcr", url: "https://ghcr.io" },
  "quay.io": { type: "quay", url: "https://quay.io" },
  "gcr.io": { type: "google-gcr", url: "https://gcr.io" },
};

/** Name of the endpoint under which Harbor knows an upstream registry; names take no colon. */
export function endpointName(upstreamHost: string): string {
  return `kserve-${upstreamHost.replace(":", "-")}`;
}

/** Body of `POST /registries`. */
export function endpointBody(upstreamHost: string): object {
  const adapter = ADAPTERS[upstreamHost] ?? {
    type: "docker-registry",
    url: `https://${upstreamHost}`,
  };
  return { name: endpointName(upstreamHost), ...adapter, insecure: false };
}

/** Body of `POST /projects`; `registry_id` makes a proxy-cache project. `-1` is no quota. */
export function projectBody(plan: HarborPlan, project: HarborProject, endpoint?: number): object {
  return {
    project_name: project.name,
    metadata: { public: String(plan.public) },
    storage_limit: -1,
    ...(endpoint === undefined ? {} : { registry_id: endpoint }),
  };
}

/**
 * Body of `POST /retentions`: one rule that retains everything, artifacts without a tag included. Knative's images and
 * every other digest-only copy have no tag, and the rules that Harbor's pages offer first retain by tag alone
 * (goharbor/harbor@main:src/lib/selector/selectors/doublestar/selector.go).
 */
export function retentionBody(projectId: number): object {
  return {
    algorithm: "or",
    scope: { level: "project", ref: projectId },
    trigger: { kind: "Schedule", settings: { cron: "" }, references: {} },
    rules: [
      {
        disabled: false,
        action: "retain",
        template: "always",
        params: {},
        tag_selectors: [
          {
            kind: "doublestar",
            decoration: "matches",
            pattern: "**",
            extras: JSON.stringify({ untagged: true }),
          },
        ],
        scope_selectors: {
          repository: [{ kind: "doublestar", decoration: "repoMatches", pattern: "**" }],
        },
      },
    ],
  };
}

/** Permissions of the robot account: pull, from the projects of the stack. */
export function permissions(names: readonly string[]): readonly RobotPermission[] {
  return names.map((namespace) => ({
    kind: "project",
    namespace,
    access: [{ resource: "repository", action: "pull" }],
  }));
}

/** What a robot may do in one project. */
export interface RobotPermission {
  readonly kind: string;
  readonly namespace: string;
  readonly access: readonly { readonly resource: string; readonly action: string }[];
}

/** Body of `POST /robots`. */
export function robotBody(plan: HarborPlan): object {
  return {
    name: plan.robot.name,
    description: "pulls images of KServe and of what it stands on",
    level: "system",
    disable: false,
    duration: plan.robot.days,
    permissions: permissions(plan.projects.map(({ name }) => name)),
  };
}
