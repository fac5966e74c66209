import { isObject } from "../value.ts";
import { at, listAt, textAt } from "../object.ts";
import { parseManifests, readManifests } from "./parse.ts";
import type { JsonObject } from "../value.ts";

/** Objects of a `yaml/v2` component: ConfigFile has one `file`, ConfigGroup `files` (with patterns), `yaml` and `objs`. */
export async function manifestObjects(type: string, inputs: JsonObject): Promise<JsonObject[]> {
  const group = type.endsWith(":ConfigGroup");
  const sources = group ? textsOf(inputs["files"]) : [textAt(inputs, "file")];
  const texts = await Promise.all(sources.map((source) => readManifests(source, group)));
  const inline = group ? textsOf(inputs["yaml"]) : [];
  const objects = [...texts.flat(), ...inline].flatMap(parseManifests);
  return [...objects, ...(group ? listAt(inputs, "objs").filter(isObject) : [])];
}

function textsOf(value: JsonObject[string] | undefined): string[] {
  if (typeof value === "string") return [value];
  return listAt(at(value)).filter((item) => typeof item === "string");
}
