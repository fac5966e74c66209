import { parseReference } from "../images/reference.ts";
import type { ImageReference } from "../images/reference.ts";
import { RemoteFailure } from "../registry/failure.ts";
import { eachOf } from "./pool.ts";
import type { Remote } from "./remote.ts";

/** Something that must be there before `pulumi up`. */
export interface Wanted {
  readonly kind: "image" | "chart" | "file";
  /** As a node or the engine will ask for it. */
  readonly reference: string;
  /** Digest that it must have; absent: any. */
  readonly digest?: string;
  readonly usedBy: readonly string[];
  /** Features or runtimes that need it; absent: always needed. */
  readonly optional?: readonly string[];
}

/** What asking came to. */
export interface Verdict extends Wanted {
  readonly state: "present" | "missing" | "other" | "unknown";
  /** What was found instead, or why nothing could be found out. */
  readonly detail?: string;
  readonly error?: RemoteFailure;
}

/** Asks registries for images and charts, in the order of the list. */
export async function askRegistries(
  remote: Remote,
  wanted: readonly Wanted[],
  jobs: number,
): Promise<Verdict[]> {
  const verdicts = new Map<Wanted, Verdict>();
  await eachOf(wanted, jobs, async (item) => {
    verdicts.set(item, await ask(remote, item));
  });
  return wanted.flatMap((item) => verdicts.get(item) ?? []);
}

async function ask(remote: Remote, wanted: Wanted): Promise<Verdict> {
  const reference = parseReference(wanted.reference);
  if (reference === undefined) return { ...wanted, state: "unknown", detail: "no reference" };
  try {
    return await compare(remote, wanted, reference);
  } catch (error) {
    if (!(error instanceof RemoteFailure)) throw error;
    return { ...wanted, state: "unknown", detail: error.message, error };
  }
}

/** A node asks by digest when the reference has one, whatever its tag means. */
async function compare(
  remote: Remote,
  wanted: Wanted,
  { host, repository, tag, digest }: ImageReference,
): Promise<Verdict> {
  const name = digest ?? tag ?? "latest";
  const found = await remote.registry(host).digestOf(repository, name);
  if (found === undefined) return { ...wanted, state: "missing" };
  const expected = digest ?? wanted.digest;
  if (expected === undefined || found === expected) return { ...wanted, state: "present" };
  return { ...wanted, state: "other", detail: `${found} instead of ${expected}` };
}
