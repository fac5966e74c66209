import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../api/error.ts";
import { runHelm, sourceOptions, withWorkspace } from "../helm.ts";
import { nameOfUrn } from "../kinds.ts";
import { at, textAt } from "../object.ts";
import { AwaitError } from "../await/await-error.ts";
import { InitError } from "../resource/init-error.ts";
import { differences, withoutIgnored } from "../resource/diff.ts";
import { uniqueName } from "../resource/naming.ts";
import { markSecrets } from "../resource/secrets.ts";
import { containsUnknown, isObject, isSecret, plainObject, secret, UNKNOWN } from "../value.ts";
import { changeArguments, chartOf, DEFAULT_TIMEOUT, releaseName, waitArguments } from "./inputs.ts";
import { findRelease, statusOf } from "./status.ts";
import type { Log } from "../engine.ts";
import type { CheckArgs } from "../resource/check.ts";
import type { CompareArgs, Comparison } from "../resource/compare.ts";
import type { CreateArgs } from "../resource/create.ts";
import type { Stored } from "../resource/stored.ts";
import type { DeleteArgs } from "../resource/delete.ts";
import type { ReadArgs, ReadResult } from "../resource/read.ts";
import type { UpdateArgs } from "../resource/update.ts";
import type { Session } from "../session.ts";
import type { Json, JsonObject } from "../value.ts";

const INPUTS = "__inputs";
const IDENTITY = ["name", "namespace"];

/** Completes a release's inputs: its name, namespace, time limit, and the version that its chart really has. */
export async function check(session: Session, args: CheckArgs): Promise<JsonObject> {
  const inputs: JsonObject = { ...args.news };
  delete inputs["resourceNames"];
  if (!given(inputs["name"]))
    inputs["name"] = at(args.olds, "name") ?? uniqueName(`${nameOfUrn(args.urn)}-`, args.seed);
  if (!given(inputs["namespace"])) inputs["namespace"] = session.defaultNamespace || "default";
  if (inputs["skipAwait"] !== true) inputs["timeout"] ??= DEFAULT_TIMEOUT;
  if (!containsUnknown(inputs))
    inputs["version"] = await chartVersion(session, plainObject(inputs));
  return inputs;
}

/** Compares inputs with the state, which holds the version that is installed. */
export function compare(args: CompareArgs): Comparison {
  const state = plainObject(args.state);
  const old = isObject(state[INPUTS]) ? state[INPUTS] : {};
  const news = plainObject(args.news);
  const keys = Object.keys({ ...old, ...news }).filter(
    (key) => !["checksum", "resourceNames"].includes(key),
  );
  const had = Object.fromEntries(
    keys.filter((key) => key in state).map((key) => [key, state[key] ?? null]),
  );
  const changes = withoutIgnored(differences(had, news), args.ignored);
  const replaces = [...changes.keys()].filter((path) => IDENTITY.includes(path));
  return { changes, replaces, deleteBeforeReplace: false };
}

/** Installs. A release that fails after helm recorded it goes into the state as failed. */
export async function create(session: Session, log: Log, args: CreateArgs): Promise<Stored> {
  const inputs = plainObject(args.properties);
  if (args.preview) return preview(args.properties);
  try {
    await change(session, "install", inputs);
  } catch (error) {
    throw await failure(session, log, { urn: args.urn, marked: args.properties, error });
  }
  return current(session, args.properties);
}

/** Upgrades, which also repairs a release that failed. */
export async function update(session: Session, log: Log, args: UpdateArgs): Promise<Stored> {
  if (args.preview) return preview(args.news);
  try {
    await change(session, "upgrade", plainObject(args.news));
  } catch (error) {
    throw await failure(session, log, { urn: args.urn, marked: args.news, error });
  }
  return current(session, args.news);
}

/** Reads what helm recorded; undefined when it knows no such release. */
export async function read(
  session: Session,
  _log: Log,
  args: ReadArgs,
): Promise<ReadResult | undefined> {
  const [namespace = "", name = ""] = args.id.split("/");
  const found = await findRelease(session, { namespace, name });
  if (found === undefined) return undefined;
  const kept = args.state[INPUTS];
  const old = isObject(kept) && isSecret(kept) ? kept["value"] : kept;
  const imported = { name, namespace, chart: textAt(found, "chart", "metadata", "name") };
  const inputs = isObject(old) ? old : imported;
  return { ...stored(inputs, found), id: args.id, inputs };
}

/** Uninstalls; what the chart marks to be kept stays. */
export async function remove(session: Session, _log: Log, args: DeleteArgs): Promise<void> {
  const state = plainObject(args.state);
  const { name, namespace } = releaseName(state);
  const command = ["uninstall", name, `--namespace=${namespace}`, ...waitArguments(state)];
  await helm(
    session,
    command.filter((argument) => argument !== "--wait-for-jobs"),
  );
}

async function change(
  session: Session,
  command: "install" | "upgrade",
  inputs: JsonObject,
): Promise<void> {
  await withWorkspace(session, async (workspace) => {
    const args = await changeArguments(command, workspace, inputs);
    await runHelm(session, workspace, { args });
  });
  session.objects.discovery.reset();
}

async function chartVersion(session: Session, inputs: JsonObject): Promise<string> {
  try {
    // Of an unpacked chart as helm would read it, without starting helm.
    const unpacked = await readFile(join(chartOf(inputs), "Chart.yaml"), "utf8").catch(
      () => undefined,
    );
    const text = unpacked ?? (await showChart(session, inputs));
    return /^version:\s*["']?([^"'\s]+)/m.exec(text)?.[1] ?? textAt(inputs, "version");
  } catch (error) {
    throw new Error(
      `chart: ${messageOf(error)}; check the chart name and repository configuration.`,
      { cause: error },
    );
  }
}

function showChart(session: Session, inputs: JsonObject): Promise<string> {
  return withWorkspace(session, async (workspace) => {
    const options = (await sourceOptions(workspace, inputs)).filter(
      (option) => option !== "--dependency-update",
    );
    return runHelm(session, workspace, { args: ["show", "chart", chartOf(inputs), ...options] });
  });
}

function helm(session: Session, args: readonly string[]): Promise<string> {
  return withWorkspace(session, (workspace) => runHelm(session, workspace, { args }));
}

async function current(session: Session, marked: JsonObject): Promise<Stored> {
  return stored(marked, await findRelease(session, releaseName(plainObject(marked))));
}

interface Failure {
  readonly urn: string;
  readonly marked: JsonObject;
  readonly error: unknown;
}

/** Only a release that helm knows can be in the state. */
async function failure(
  session: Session,
  log: Log,
  { urn, marked, error }: Failure,
): Promise<unknown> {
  const names = releaseName(plainObject(marked));
  const found = await findRelease(session, names).catch(() => undefined);
  if (found === undefined) return error;
  const id = `${names.namespace}/${names.name}`;
  const reason = messageOf(error);
  log.warning(
    urn,
    `Helm release "${names.name}" was created but has a failed status. Use the \`helm\` command to investigate the ` +
      `error, correct it, then retry. Reason: ${reason}`,
  );
  const message =
    `Helm release "${id}" was created, but failed to initialize completely. Use Helm CLI to investigate: ` +
    `failed to become available within allocated timeout. Error: Helm Release ${id}: ${reason}`;
  return new InitError(message, stored(marked, found), new AwaitError(reason, []));
}

/** The state: the inputs, what is installed, and the inputs again, which tell later what the program had said. */
function stored(marked: JsonObject, found: JsonObject | undefined): Stored {
  const { name, namespace } = releaseName(plainObject(marked));
  const live: JsonObject =
    found === undefined
      ? {}
      : { version: textAt(found, "chart", "metadata", "version"), status: statusOf(found) };
  const state: JsonObject = { ...marked, ...live };
  markSecrets(state, marked);
  return { id: `${namespace}/${name}`, state: { ...state, [INPUTS]: secret(marked) } };
}

/** Before a run nobody knows what helm will record. */
function preview(marked: JsonObject): Stored {
  return {
    id: "",
    state: { ...marked, status: UNKNOWN, resourceNames: UNKNOWN, [INPUTS]: secret(marked) },
  };
}

function given(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== "";
}
