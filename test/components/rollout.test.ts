import { describe, expect, it } from "vitest";
import { untilRolledOut } from "../../components/rollout.ts";
import type { Answer } from "../../components/cluster-api.ts";

const RELEASE = { name: "cert-manager", namespace: "certificates" };
const DEPLOYMENTS =
  "/apis/apps/v1/namespaces/certificates/deployments?labelSelector=app.kubernetes.io%2Finstance%3Dcert-manager";

/** A Deployment of two replicas that is rolled out, but for what is given. */
function deployment(status: object = {}, generation = 3): object {
  const done = { observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
  return {
    metadata: { name: "webhook", generation },
    spec: { replicas: 2 },
    status: { ...done, ...status },
  };
}

/** Answers with one list of Deployments after another, the last one again and again. */
function cluster(
  lists: readonly (readonly object[])[],
  pods: readonly object[] = [],
): { readonly asked: string[]; get(path: string): Promise<Answer> } {
  const asked: string[] = [];
  return {
    asked,
    get: (path) => {
      asked.push(path);
      const items = path.startsWith("/api/v1/")
        ? pods
        : lists[Math.min(asked.length, lists.length) - 1];
      return Promise.resolve({ status: 200, body: { items } });
    },
  };
}

describe("untilRolledOut", () => {
  it("is done at once where all of it runs", async () => {
    const api = cluster([[deployment(), deployment()]]);
    await untilRolledOut(api, RELEASE);
    expect(api.asked).toEqual([DEPLOYMENTS]);
  });

  it.each([
    ["has no Deployment yet", []],
    ["is not seen by its controller", [deployment({}, 4)]],
    ["has said nothing yet", [{ ...deployment(), status: undefined }]],
    ["still runs a pod of before", [deployment({ replicas: 3 })]],
    ["has one replica of two updated", [deployment({ updatedReplicas: 1 })]],
    ["has one replica of two available", [deployment({ availableReplicas: 1 })]],
    ["is done in one part only", [deployment(), deployment({ availableReplicas: 0 })]],
  ])("waits while it %s", async (_name, list) => {
    const api = cluster([list, [deployment()]]);
    await untilRolledOut(api, RELEASE);
    expect(api.asked).toHaveLength(2);
  });

  it("reports what is missing, and why its pods wait", async () => {
    const waiting = { reason: "ImagePullBackOff", message: "Back-off pulling image x" };
    const pod = {
      metadata: { name: "webhook-1" },
      status: { containerStatuses: [{ state: { running: {} } }, { state: { waiting } }] },
    };
    const api = cluster([[deployment({ availableReplicas: 0 })]], [pod]);
    const report = untilRolledOut(api, RELEASE, 0);
    await expect(report).rejects.toThrow(
      /^\[release-not-rolled-out\] Helm release certificates\/cert-manager\n.*webhook \(2 of 2 updated, 0 available\); webhook-1: ImagePullBackOff Back-off pulling image x/,
    );
  });

  it("says at once that it may not look", async () => {
    const body = { message: 'deployments.apps is forbidden: User "x"' };
    const api = { get: () => Promise.resolve({ status: 403, body }) };
    await expect(untilRolledOut(api, RELEASE)).rejects.toThrow(
      /rollout-not-seen[^]*403 deployments\.apps is forbidden/,
    );
  });
});
