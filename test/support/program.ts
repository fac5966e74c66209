import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { vi } from "vitest";
import { settle, startRecording } from "./pulumi-mocks.ts";
import type { Recording } from "./pulumi-mocks.ts";

/** What `index.ts` exports: the stack's outputs. */
export interface StackOutputs {
  readonly versions: Readonly<Record<string, string>>;
  readonly mode: string;
  readonly namespace: string;
  readonly layers: readonly string[];
}

/** Choices that lead to the older sets of versions/sets.json, over the smallest configuration. */
export const KSERVE_16 = { kserve: { version: "0.16.0" } };
export const KSERVE_15 = { kserve: { version: "0.15.2" }, kubernetes: { version: "1.32" } };

const PROGRAM = join(import.meta.dirname, "..", "..", "index.ts");
let runs = 0;

/** One run of the program: what it registered and what it exported. */
export type Run = Recording & { readonly outputs: StackOutputs };

const done = new Map<string, Promise<Run>>();

/**
 * Runs the real program, `index.ts`, on a stack with the given keys (without their namespace) over the smallest valid
 * configuration. `secretKeys` are the top-level keys that hold a Pulumi secret somewhere. The same stack is run once
 * in a file: a recording is only read.
 */
export function runProgram(
  raw: Readonly<Record<string, unknown>> = {},
  secretKeys: readonly string[] = [],
): Promise<Run> {
  const key = JSON.stringify([raw, secretKeys]);
  const run = done.get(key) ?? runOnce(raw, secretKeys);
  done.set(key, run);
  return run;
}

async function runOnce(
  raw: Readonly<Record<string, unknown>>,
  secretKeys: readonly string[],
): Promise<Run> {
  setStackConfig({ mode: "Serverless", kubernetes: { version: "1.34" }, ...raw }, secretKeys);
  const recording = await startRecording();
  vi.stubGlobal("fetch", vi.fn(publishedFile));
  // A query makes a module of its own: the program starts again, its parts are loaded once.
  const address = `${PROGRAM}?run=${String(runs++)}`;
  const outputs = (await import(/* @vite-ignore */ address)) as StackOutputs;
  await settle();
  return Object.assign(recording, { outputs });
}

/** A CRD in place of what the internet would answer with: no component test leaves the machine. */
export const PUBLISHED = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gateways.gateway.networking.k8s.io
spec: {}
`;

function publishedFile(): Promise<Response> {
  return Promise.resolve(new Response(PUBLISHED));
}

/** Configuration of the running stack as the engine hands it over: plain strings, structures as JSON. */
export function setStackConfig(
  raw: Readonly<Record<string, unknown>>,
  secretKeys: readonly string[] = [],
): void {
  const entries = Object.entries(raw).map(([key, value]) => [
    `kserve:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(entries) as Record<string, string>,
    secretKeys.map((key) => `kserve:${key}`),
  );
}
