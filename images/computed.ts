import semver from "semver";
import type { ImageReference } from "./reference.ts";

/** Images that KServe's controller makes up from the one that a runtime names. */
interface ComputedImage {
  /** Repository that the runtime names, `host/path`. */
  readonly of: string;
  readonly suffix: { readonly tag: string } | { readonly repository: string };
  /** When the controller does it, in words for people. */
  readonly when: string;
  /** KServe release since which it does. */
  readonly since: string;
}

/** kserve/kserve@v0.11.0, @v0.15.2, @v0.20.0:pkg/controller/v1beta1/inferenceservice/utils/utils.go (UpdateImageTag). */
const COMPUTED: readonly ComputedImage[] = [
  {
    of: "docker.io/tensorflow/serving",
    suffix: { tag: "-gpu" },
    when: "a service asks for a GPU",
    since: "0.11.0",
  },
  {
    of: "docker.io/pytorch/torchserve-kfs",
    suffix: { tag: "-gpu" },
    when: "a service asks for a GPU",
    since: "0.11.0",
  },
  {
    of: "docker.io/kserve/huggingfaceserver",
    suffix: { tag: "-gpu" },
    when: "a service asks for a GPU",
    since: "0.15.0",
  },
  {
    of: "docker.io/vllm/vllm-openai",
    suffix: { repository: "-cpu" },
    when: "a service asks for no GPU",
    since: "0.20.0",
  },
];

/** The rule for an upstream image in a KServe release; `undefined` where the controller takes it as it is. */
export function computedFrom(upstream: ImageReference, kserve: string): ComputedImage | undefined {
  const name = `${upstream.host}/${upstream.repository}`;
  const rule = COMPUTED.find(({ of }) => of === name);
  return rule !== undefined && semver.gte(kserve, rule.since) ? rule : undefined;
}

/** What the controller makes of a reference, mirrored or not. Images that end in the suffix already stay. */
export function compute(reference: ImageReference, rule: ComputedImage): ImageReference {
  const { suffix } = rule;
  if ("repository" in suffix)
    return { ...reference, repository: append(reference.repository, suffix.repository) };
  return reference.tag === undefined
    ? reference
    : { ...reference, tag: append(reference.tag, suffix.tag) };
}

function append(text: string, suffix: string): string {
  return text.endsWith(suffix) ? text : `${text}${suffix}`;
}
