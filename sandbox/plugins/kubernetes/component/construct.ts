import messages from "@pulumi/pulumi/proto/provider_pb.js";
import monitorMessages from "@pulumi/pulumi/proto/resource_pb.js";
import { at, textAt } from "../object.ts";
import { containsUnknown, plainObject, toStruct } from "../value.ts";
import { chartObjects } from "./chart.ts";
import { completeObjects, registerChildren } from "./children.ts";
import { manifestObjects } from "./manifests.ts";
import { REQUEST } from "../definition.ts";
import { alone, structOf } from "../wire/message.ts";
import { connectMonitor } from "./monitor.ts";
import type { ConstructRequest } from "@pulumi/pulumi/proto/provider_pb.js";
import type { Parts } from "../wire/message.ts";
import type { Log } from "../engine.ts";
import type { Session } from "../session.ts";
import type { JsonObject } from "../value.ts";
import type { Monitor } from "./monitor.ts";

const CHART = "kubernetes:helm.sh/v4:Chart";
const TYPES = [CHART, "kubernetes:yaml/v2:ConfigFile", "kubernetes:yaml/v2:ConfigGroup"];

/** Builds a component: registers it without inputs, then its objects as children of the engine. */
export async function construct(session: Session, log: Log, request: Parts<ConstructRequest>) {
  const { message } = request;
  const type = message.getType();
  if (!TYPES.includes(type))
    throw new Error(`the sandbox's stand-in for the kubernetes provider has no component ${type}`);
  const monitor = connectMonitor(message.getMonitorendpoint());
  try {
    const urn = await monitor.register(componentRequest(message), {});
    const marked = structOf(request, REQUEST.construct.inputs);
    await registerContent({ session, log, request: message, marked, monitor, urn });
    const state = { resources: [] };
    await monitor.registerOutputs(urn, state);
    return alone(new messages.ConstructResponse().setUrn(urn).setState(toStruct(state)));
  } finally {
    monitor.close();
  }
}

interface Construction {
  readonly session: Session;
  readonly log: Log;
  readonly request: ConstructRequest;
  /** Inputs with their marks. */
  readonly marked: JsonObject;
  readonly monitor: Monitor;
  readonly urn: string;
}

async function registerContent({
  session,
  log,
  request,
  marked,
  monitor,
  urn,
}: Construction): Promise<void> {
  if (containsUnknown(marked)) {
    log.warning(urn, "Input properties have unknown values. Preview is incomplete.");
    return;
  }
  const inputs = plainObject(marked);
  const isChart = request.getType() === CHART;
  const found = isChart
    ? await chartObjects(session, request.getName(), inputs)
    : await manifestObjects(request.getType(), inputs);
  const namespace = (isChart && textAt(inputs, "namespace")) || session.defaultNamespace;
  const objects = await completeObjects(session, found, namespace || "default");
  const parent = { urn, monitor, provider: request.getProvidersMap().get("kubernetes") ?? "" };
  await registerChildren(parent, objects, {
    prefix: prefixOf(inputs, request.getName()),
    skipAwait: at(inputs, "skipAwait") === true,
    namespace,
    resourcePolicy: isChart,
    warn: (message) => log.warning(urn, message),
  });
}

function prefixOf(inputs: JsonObject, name: string): string {
  const given = inputs["resourcePrefix"];
  return typeof given === "string" ? given : name;
}

/** The component itself, with the options that the program gave it. */
function componentRequest(request: ConstructRequest) {
  const component = new monitorMessages.RegisterResourceRequest()
    .setType(request.getType())
    .setName(request.getName())
    .setParent(request.getParent())
    .setCustom(false)
    .setDependenciesList(request.getDependenciesList())
    .setAliasesList(request.getAliasesList())
    .setAliasspecs(true)
    .setAcceptsecrets(true)
    .setAcceptresources(true)
    .setSupportspartialvalues(true)
    .setDeletedwith(request.getDeletedwith())
    .setIgnorechangesList(request.getIgnorechangesList());
  const protect = request.getProtect();
  if (protect !== undefined) component.setProtect(protect);
  const retain = request.getRetainondelete();
  if (retain !== undefined) component.setRetainondelete(retain);
  const providers = component.getProvidersMap();
  request.getProvidersMap().forEach((reference, name) => providers.set(name, reference));
  return component;
}
