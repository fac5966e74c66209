import { setTimeout as sleep } from "node:timers/promises";
import {
  isAlreadyExists,
  isNamespaceMissing,
  isNotFound,
  messageOf,
  NoMatchError,
  ApiError,
} from "../api/error.ts";
import { refOf } from "../api/objects.ts";
import { awaitReady } from "../await/ready.ts";
import { typeInfo, typeOfUrn } from "../kinds.ts";
import { idOf, isAnnotationTrue, isCrd, textAt, toKubernetes } from "../object.ts";
import { containsUnknown } from "../value.ts";
import { explainConflict } from "./conflict.ts";
import { InitError } from "./init-error.ts";
import { fieldManagerOf, writeCheckpoint } from "./state.ts";
import type { Log } from "../engine.ts";
import type { Session } from "../session.ts";
import type { JsonObject } from "../value.ts";
import type { Stored } from "./stored.ts";

/** Annotation that lets a server-side apply take over fields of others. */
export const PATCH_FORCE = "pulumi.com/patchForce";

/** What the engine asks to create. */
export interface CreateArgs {
  readonly urn: string;
  readonly properties: JsonObject;
  readonly preview: boolean;
  /** Seconds; 0 when the program says nothing. */
  readonly timeout: number;
}

/** Waits before the second to sixth attempt, in milliseconds (provider/pkg/retry). */
const RETRY_WAITS = [1, 2, 4, 8, 16].map((seconds) => seconds * 1000);
const CREATE_MANAGER = "pulumi-kubernetes";

/** Creates an object and waits until it is ready; in a preview asks the server what would be created. */
export async function create(session: Session, log: Log, args: CreateArgs): Promise<Stored> {
  const inputs = toKubernetes(args.properties);
  if (args.preview) return previewCreate(session, args, inputs);
  const fieldManager = fieldManagerOf({}, inputs);
  const created = await createWithRetries(session, log, { ...args, inputs, fieldManager });
  if (isCrd(inputs)) session.objects.discovery.reset();
  const store = (live: JsonObject): Stored => ({
    id: idOf(live),
    state: writeCheckpoint({
      inputs,
      live,
      marked: args.properties,
      initialApiVersion: textAt(inputs, "apiVersion"),
      fieldManager,
    }),
  });
  try {
    return store(await awaitReady(session, log, { ...args, inputs, live: created }));
  } catch (error) {
    const live = (await session.objects.find(refOf(created)).catch(() => undefined)) ?? created;
    throw new InitError(
      `resource "${args.urn}" was successfully created, but the Kubernetes API server ` +
        `reported that it failed to fully initialize or become live: ${messageOf(error)}`,
      store(live),
      error,
    );
  }
}

interface Attempt extends CreateArgs {
  readonly inputs: JsonObject;
  readonly fieldManager: string;
}

async function previewCreate(
  session: Session,
  args: CreateArgs,
  inputs: JsonObject,
): Promise<Stored> {
  const asIs = { id: "", state: args.properties };
  const info = typeInfo(typeOfUrn(args.urn), textAt(inputs, "kind"));
  if (info.patch || containsUnknown(inputs)) return asIs;
  if (
    !(await session.objects.discovery.exists(textAt(inputs, "apiVersion"), textAt(inputs, "kind")))
  )
    return asIs;
  const fieldManager = fieldManagerOf({}, inputs);
  try {
    const { status: _status, ...live } = await place(session, { ...args, inputs, fieldManager });
    const initialApiVersion = textAt(inputs, "apiVersion");
    return {
      id: "",
      state: writeCheckpoint({
        inputs,
        live,
        marked: args.properties,
        initialApiVersion,
        fieldManager,
      }),
    };
  } catch (error) {
    if (isAlreadyExists(error) || isNamespaceMissing(error)) return asIs;
    if (error instanceof ApiError && error.status === 403) return asIs;
    throw notCreated(args.urn, error);
  }
}

async function createWithRetries(
  session: Session,
  log: Log,
  attempt: Attempt,
): Promise<JsonObject> {
  for (let count = 0; ; count += 1) {
    try {
      return await place(session, attempt);
    } catch (error) {
      const wait = RETRY_WAITS[count];
      if (wait === undefined || !(isNotFound(error) || error instanceof NoMatchError)) {
        throw notCreated(attempt.urn, error);
      }
      log.status(attempt.urn, `Retry #${count}; creation failed: ${messageOf(error)}`);
      await sleep(wait, undefined, { signal: session.cancelled });
    }
  }
}

/** One attempt: a plain create, or an apply where existing objects are welcome. */
async function place(session: Session, attempt: Attempt): Promise<JsonObject> {
  const { inputs, preview: dryRun, fieldManager } = attempt;
  const info = typeInfo(typeOfUrn(attempt.urn), textAt(inputs, "kind"));
  if (!session.upsert && !info.patch) {
    return session.objects.create(inputs, { fieldManager: CREATE_MANAGER, dryRun });
  }
  const force = isAnnotationTrue(inputs, PATCH_FORCE) || session.patchForce || dryRun;
  try {
    return await session.objects.apply(inputs, { fieldManager, dryRun, force });
  } catch (error) {
    throw explainConflict(error, fieldManager);
  }
}

const EXISTS_ADVICE = `

The resource already exists in the cluster. To go on, one of:

  - the resource was renamed in the program: give it an alias, or deleteBeforeReplace
  - only some fields are to be managed: use a Patch resource (such as NamespacePatch)
  - Pulumi is to own it: use \`pulumi import\`
  - existing objects are welcome: set upsertExistingObjects on the provider`;

function notCreated(urn: string, error: unknown): Error {
  if (error instanceof NoMatchError) {
    return new Error(
      `creation of resource "${urn}" failed because the Kubernetes API server reported that the apiVersion for this ` +
        `resource does not exist. Verify that any required CRDs have been created: ${error.message}`,
    );
  }
  const advice = isAlreadyExists(error) ? EXISTS_ADVICE : "";
  return new Error(
    `resource "${urn}" was not successfully created by the Kubernetes API server: ${messageOf(error)}${advice}`,
  );
}
