import type { ReleaseOf } from "../versions/schema.ts";

/** True when the operator has the manifests of that Serving release inside: it knows a window of four minors. */
export function carries(operator: ReleaseOf<"knative-operator">, serving: string): boolean {
  const [major = "", minor = "", patch = "0"] = serving.split(".");
  const newest = operator.carries[`${major}.${minor}`]?.newest;
  return newest !== undefined && Number(patch) <= Number(newest.split(".")[2]);
}

/** The window of an operator in words, newest minor last. */
export function describeWindow(operator: ReleaseOf<"knative-operator">): string {
  return Object.values(operator.carries)
    .map((item) => `up to ${item.newest}`)
    .join(", ");
}
