import empty from "google-protobuf/google/protobuf/empty_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { ANSWER, REQUEST } from "./definition.ts";
import { compare } from "./resource/compare.ts";
import { checkInputs } from "./resource/check.ts";
import { create } from "./resource/create.ts";
import { read } from "./resource/read.ts";
import { remove } from "./resource/delete.ts";
import { update } from "./resource/update.ts";
import { isRelease } from "./release/inputs.ts";
import * as release from "./release/release.ts";
import { alone, structOf } from "./wire/message.ts";
import type {
  CheckRequest,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  ReadRequest,
  UpdateRequest,
} from "@pulumi/pulumi/proto/provider_pb.js";
import type { Log } from "./engine.ts";
import type { Comparison } from "./resource/compare.ts";
import type { Change } from "./resource/diff.ts";
import type { Session } from "./session.ts";
import type { Parts } from "./wire/message.ts";

const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;

/** Completes inputs. */
export async function checked(session: Session, request: Parts<CheckRequest>) {
  const args = {
    urn: request.message.getUrn(),
    olds: structOf(request, REQUEST.check.olds),
    news: structOf(request, REQUEST.check.news),
    seed: request.message.getRandomseed_asU8(),
    ...proposedName(request.message),
  };
  const inputs = isRelease(args.urn)
    ? await release.check(session, args)
    : await checkInputs(session, args);
  const structs = new Map([[ANSWER.check.inputs, inputs]]);
  return { message: new messages.CheckResponse(), structs };
}

function proposedName(request: CheckRequest): { proposedName?: string | false } {
  const options = request.getAutonaming();
  if (options === undefined) return {};
  const { DISABLE } = messages.CheckRequest.AutonamingOptions.Mode;
  if (options.getMode() === DISABLE) return { proposedName: false };
  return options.getProposedName() === "" ? {} : { proposedName: options.getProposedName() };
}

/** Compares inputs with the state. */
export async function diffed(session: Session, request: Parts<DiffRequest>) {
  const args = {
    urn: request.message.getUrn(),
    state: structOf(request, REQUEST.diff.olds),
    news: structOf(request, REQUEST.diff.news),
    ignored: request.message.getIgnorechangesList(),
  };
  const found = isRelease(args.urn) ? release.compare(args) : await compare(session, args);
  return alone(diffResponse(found));
}

function diffResponse({ changes, replaces, deleteBeforeReplace }: Comparison) {
  const response = new messages.DiffResponse()
    .setChanges(changes.size > 0 ? DIFF_SOME : DIFF_NONE)
    .setReplacesList([...replaces])
    .setDeletebeforereplace(deleteBeforeReplace)
    .setHasdetaileddiff(true);
  const detailed = response.getDetaileddiffMap();
  for (const [path, change] of changes) {
    const entry = new messages.PropertyDiff().setKind(kindOf(change, replaces.includes(path)));
    detailed.set(path, entry.setInputdiff(change === "delete"));
  }
  return response;
}

function kindOf(change: Change, replace: boolean) {
  const kinds = messages.PropertyDiff.Kind;
  if (change === "add") return replace ? kinds.ADD_REPLACE : kinds.ADD;
  if (change === "delete") return replace ? kinds.DELETE_REPLACE : kinds.DELETE;
  return replace ? kinds.UPDATE_REPLACE : kinds.UPDATE;
}

/** Creates a resource, or asks the cluster what would be created. */
export async function created(session: Session, log: Log, request: Parts<CreateRequest>) {
  const args = {
    urn: request.message.getUrn(),
    properties: structOf(request, REQUEST.create.properties),
    preview: request.message.getPreview(),
    timeout: request.message.getTimeout(),
  };
  const { id, state } = await (isRelease(args.urn) ? release : { create }).create(
    session,
    log,
    args,
  );
  const structs = new Map([[ANSWER.create.properties, state]]);
  return { message: new messages.CreateResponse().setId(id), structs };
}

/** Changes a resource in place. */
export async function updated(session: Session, log: Log, request: Parts<UpdateRequest>) {
  const args = {
    urn: request.message.getUrn(),
    state: structOf(request, REQUEST.update.olds),
    news: structOf(request, REQUEST.update.news),
    ignored: request.message.getIgnorechangesList(),
    preview: request.message.getPreview(),
    timeout: request.message.getTimeout(),
  };
  const { state } = await (isRelease(args.urn) ? release : { update }).update(session, log, args);
  return {
    message: new messages.UpdateResponse(),
    structs: new Map([[ANSWER.update.properties, state]]),
  };
}

/** Reads a resource for a refresh or an import. */
export async function readBack(session: Session, log: Log, request: Parts<ReadRequest>) {
  const args = {
    urn: request.message.getUrn(),
    id: request.message.getId(),
    state: structOf(request, REQUEST.read.properties),
    inputs: structOf(request, REQUEST.read.inputs),
  };
  const found = await (isRelease(args.urn) ? release : { read }).read(session, log, args);
  const message = new messages.ReadResponse();
  if (found === undefined) return alone(message);
  const structs = new Map([
    [ANSWER.read.properties, found.state],
    [ANSWER.read.inputs, found.inputs],
  ]);
  return { message: message.setId(found.id), structs };
}

/** Deletes a resource. */
export async function deleted(session: Session, log: Log, request: Parts<DeleteRequest>) {
  const args = {
    urn: request.message.getUrn(),
    id: request.message.getId(),
    state: structOf(request, REQUEST.delete.properties),
    timeout: request.message.getTimeout(),
  };
  await (isRelease(args.urn) ? release : { remove }).remove(session, log, args);
  return alone(new empty.Empty());
}
