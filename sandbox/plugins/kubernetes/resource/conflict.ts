import { ApiError, isConflict } from "../api/error.ts";
import { listAt, textAt } from "../object.ts";

const HELP =
  "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/" +
  "managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources";

/** Says which fields another field manager owns; every other error is given back as it is. */
export function explainConflict(error: unknown, fieldManager: string): unknown {
  if (!(error instanceof ApiError) || !isConflict(error)) return error;
  const causes = listAt(error.body, "details", "causes").map(
    (cause) => `\n  ${textAt(cause, "field")}: ${textAt(cause, "message")}`,
  );
  const known = causes.filter((cause) => !error.message.includes(cause.trim()));
  return new Error(
    `server-side apply field conflict detected, see ${HELP} for troubleshooting help\n` +
      `The resource managed by field manager "${fieldManager}" had an apply conflict: ${error.message}${known.join("")}`,
  );
}
