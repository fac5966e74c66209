import provider from "@pulumi/pulumi/proto/provider_pb.js";
import resources from "@pulumi/pulumi/proto/resource_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { dependenciesOf, UNKNOWN } from "./property-values.ts";
import { releaseInputs, sourcesOf } from "./release-inputs.ts";
import type { Monitor, RegisterRequest, RegisterResponse } from "./monitor.ts";
import type { JsonObject } from "./property-values.ts";

type ConstructRequest = InstanceType<typeof provider.ConstructRequest>;
type ConstructResponse = InstanceType<typeof provider.ConstructResponse>;

/** Type token of the only component (pulumi/pulumi-kubernetes-cert-manager@v0.2.0: schema.json). */
export const COMPONENT_TYPE = "kubernetes-cert-manager:index:CertManager";
/** Type token of its only child. */
export const RELEASE_TYPE = "kubernetes:helm.sh/v3:Release";

/** The Go SDK of the kubernetes provider that the official component is built with (its provider/go.mod). */
const KUBERNETES_VERSION = "4.22.0";

/**
 * Registers the component and its Release and answers with the Release's `status`. The component has no inputs of its
 * own in the state, exactly as the official one: policies see the Release's.
 */
export async function construct(
  request: ConstructRequest,
  monitor: Monitor,
): Promise<ConstructResponse> {
  if (request.getType() !== COMPONENT_TYPE) {
    throw new Error(`unknown resource type ${request.getType()}; expected ${COMPONENT_TYPE}`);
  }
  const inputs = request.getInputs()?.toJavaScript() ?? {};
  const release = releaseInputs(inputs);
  const urn = (await register(monitor, componentRequest(request))).getUrn();
  const child = await register(monitor, releaseRequest(request, urn, release));
  const known = child.getObject()?.toJavaScript() as JsonObject | undefined;
  const status = known?.["status"] ?? (request.getDryrun() ? UNKNOWN : null);
  const outputs = struct.Struct.fromJavaScript({ status });
  await monitor.registerResourceOutputs(
    new resources.RegisterResourceOutputsRequest().setUrn(urn).setOutputs(outputs),
  );
  const response = new provider.ConstructResponse().setUrn(urn).setState(outputs);
  const dependencies = new provider.ConstructResponse.PropertyDependencies();
  response.getStatedependenciesMap().set("status", dependencies.setUrnsList([child.getUrn()]));
  return response;
}

async function register(monitor: Monitor, request: RegisterRequest): Promise<RegisterResponse> {
  const response = await monitor.registerResource(request);
  if (response.getResult() !== resources.Result.SUCCESS) {
    throw new Error(
      `${request.getType()} "${request.getName()}" was not registered; its own error says why`,
    );
  }
  return response;
}

function componentRequest(from: ConstructRequest): RegisterRequest {
  const request = commonRequest(from)
    .setType(COMPONENT_TYPE)
    .setName(from.getName())
    .setParent(from.getParent())
    .setObject(struct.Struct.fromJavaScript({}))
    .setDependenciesList(from.getDependenciesList())
    .setAliasesList(from.getAliasesList())
    .setAdditionalsecretoutputsList(from.getAdditionalsecretoutputsList())
    .setIgnorechangesList(from.getIgnorechangesList())
    .setReplaceonchangesList(from.getReplaceonchangesList())
    .setReplaceWithList(from.getReplaceWithList())
    .setDeletedwith(from.getDeletedwith());
  setOptional(request, from);
  for (const [name, reference] of providersOf(from)) request.getProvidersMap().set(name, reference);
  return request;
}

/** Options that mean something else when they are absent than when they are false. */
function setOptional(request: RegisterRequest, from: ConstructRequest): void {
  const protect = from.getProtect();
  if (from.hasProtect() && protect !== undefined) request.setProtect(protect);
  const retain = from.getRetainondelete();
  if (from.hasRetainondelete() && retain !== undefined) request.setRetainondelete(retain);
  const trigger = from.getReplacementTrigger();
  if (trigger !== undefined) request.setReplacementTrigger(trigger);
  if (from.hasDeletebeforereplace()) {
    request
      .setDeletebeforereplace(from.getDeletebeforereplace() === true)
      .setDeletebeforereplacedefined(true);
  }
  const timeouts = from.getCustomtimeouts();
  if (timeouts === undefined) return;
  request.setCustomtimeouts(
    new resources.RegisterResourceRequest.CustomTimeouts()
      .setCreate(timeouts.getCreate())
      .setUpdate(timeouts.getUpdate())
      .setDelete(timeouts.getDelete()),
  );
}

function releaseRequest(
  from: ConstructRequest,
  parent: string,
  inputs: JsonObject,
): RegisterRequest {
  const providers = providersOf(from);
  const request = commonRequest(from)
    .setType(RELEASE_TYPE)
    .setName(`${from.getName()}-helm`)
    .setParent(parent)
    .setCustom(true)
    .setVersion(KUBERNETES_VERSION)
    .setProvider(providers.get("kubernetes") ?? "")
    .setObject(struct.Struct.fromJavaScript(inputs));
  for (const [name, reference] of providers) request.getProvidersMap().set(name, reference);
  const all = new Set<string>();
  for (const key of Object.keys(inputs)) {
    const urns = sourcesOf(key).flatMap((source) => inputDependencies(from, source));
    if (urns.length === 0) continue;
    const dependencies = new resources.RegisterResourceRequest.PropertyDependencies();
    request.getPropertydependenciesMap().set(key, dependencies.setUrnsList([...new Set(urns)]));
    for (const urn of urns) all.add(urn);
  }
  return request.setDependenciesList([...all]);
}

function commonRequest(from: ConstructRequest): RegisterRequest {
  return new resources.RegisterResourceRequest()
    .setAcceptsecrets(true)
    .setAcceptresources(true)
    .setSupportspartialvalues(true)
    .setSupportsresultreporting(true)
    .setAliasspecs(true)
    .setParentstacktracehandle(from.getStackTraceHandle());
}

function providersOf(from: ConstructRequest): ReadonlyMap<string, string> {
  return new Map(from.getProvidersMap().getEntryList());
}

function inputDependencies(from: ConstructRequest, key: string): readonly string[] {
  const named = from.getInputdependenciesMap().get(key)?.getUrnsList() ?? [];
  const inputs = from.getInputs()?.toJavaScript() ?? {};
  return [...named, ...dependenciesOf(inputs[key] ?? null)];
}
