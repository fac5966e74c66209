import { describe, expect, it } from "vitest";
import { untilDrained } from "../../components/draining.ts";
import { fakeApi } from "../support/fake-api.ts";
import { runProgram } from "../support/program.ts";

const PODS = "/api/v1/namespaces/knative-serving/pods";
const ending = { metadata: { name: "activator", deletionTimestamp: "2026-01-01T00:00:00Z" } };
const living = { metadata: { name: "somebody's" } };

describe("the deletion of a namespace", () => {
  it("waits for its pods first", async () => {
    const recording = await runProgram();
    expect(recording.get("namespace-knative-serving").hooks.delete).toEqual(["drain"]);
  });
});

describe("untilDrained", () => {
  const patience = { within: 10_000, poll: 1 };

  it("waits while a pod is ending, and not for one that stays", async () => {
    const answers = [[ending, living], [ending], [living]];
    const api = fakeApi({ [PODS]: () => ({ items: answers.shift() ?? [ending] }) });
    await untilDrained(api, "knative-serving", patience);
    expect(api.calls).toEqual([`GET ${PODS}`, `GET ${PODS}`, `GET ${PODS}`]);
  });

  it("gives up on a pod that does not end", async () => {
    const api = fakeApi({ [PODS]: { items: [ending] } });
    await untilDrained(api, "knative-serving", { within: 20, poll: 1 });
    expect(api.calls.length).toBeGreaterThan(1);
  });

  it("asks once where nobody may look, or nothing is there", async () => {
    const api = fakeApi({});
    await untilDrained(api, "knative-serving", patience);
    expect(api.calls).toEqual([`GET ${PODS}`]);
  });
});
