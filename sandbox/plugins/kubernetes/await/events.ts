import { at, describe, nameOf, namespaceOf, textAt } from "../object.ts";
import type { Objects } from "../api/objects.ts";
import type { JsonObject } from "../value.ts";

const SHOWN = 3;

/** The last warnings about an object and what it made (whose names start with its own), for error messages. */
export async function lastWarnings(objects: Objects, live: JsonObject): Promise<string[]> {
  const namespace = namespaceOf(live) || "default";
  const query = { fieldSelector: "type=Warning" };
  const events = await objects
    .list({ apiVersion: "v1", kind: "Event", namespace }, query)
    .catch(() => []);
  return events
    .filter((event) => textAt(event, "involvedObject", "name").startsWith(nameOf(live)))
    .sort((left, right) => time(left).localeCompare(time(right)))
    .slice(-SHOWN)
    .map(
      (event) =>
        `${textAt(event, "reason")}: ${textAt(event, "message")} (${describeInvolved(event)})`,
    );
}

function time(event: JsonObject): string {
  return textAt(event, "lastTimestamp") || textAt(event, "metadata", "creationTimestamp");
}

function describeInvolved(event: JsonObject): string {
  const involved = at(event, "involvedObject");
  const metadata = { name: textAt(involved, "name"), namespace: textAt(involved, "namespace") };
  return describe({ kind: textAt(involved, "kind"), metadata });
}
