import type { ImageReference } from "./reference.ts";

/** `latest`, `v1.34-latest`, `latest-gpu`: words by which publishers name tags that they move. */
const MOVING_TAG = /(?:^|[-.])(?:latest|nightly|master|main|edge|dev)(?:$|[-.])/;

/** True when the same reference can name another image tomorrow; a digest stops that. */
export function isMoving(reference: ImageReference): boolean {
  if (reference.digest !== undefined) return false;
  return reference.tag === undefined || MOVING_TAG.test(reference.tag);
}
