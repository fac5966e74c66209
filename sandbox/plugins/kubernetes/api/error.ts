import { isObject } from "../value.ts";
import { listAt, textAt } from "../object.ts";
import type { Json } from "../value.ts";

/** What the API server answered when it did not do what was asked. */
export class ApiError extends Error {
  readonly status: number;
  /** Kubernetes' own word, such as `AlreadyExists`. */
  readonly reason: string;
  readonly body: Json;

  constructor(status: number, body: Json) {
    super(textAt(body, "message") || `the API server answered with status ${status}`);
    this.status = status;
    this.reason = textAt(body, "reason");
    this.body = body;
  }

  /** Types of the causes, such as `FieldManagerConflict` or `NamespaceTerminating`. */
  get causes(): string[] {
    return listAt(this.body, "details", "causes").map((cause) => textAt(cause, "reason"));
  }
}

/** The API server serves no such kind: its definition is not there (yet). */
export class NoMatchError extends Error {
  constructor(apiVersion: string, kind: string) {
    super(`no matches for kind "${kind}" in version "${apiVersion}"`);
  }
}

/** True when the object, its namespace or its path does not exist. */
export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 404;
}

/** True when an object of that name is there already. */
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.reason === "AlreadyExists";
}

/** True when another field manager owns what was to be changed, or the object changed meanwhile. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409 && error.reason === "Conflict";
}

/** True when the namespace of an object to be created is not there. */
export function isNamespaceMissing(error: unknown): boolean {
  if (!isNotFound(error)) return false;
  const details = isObject(error.body) ? error.body["details"] : undefined;
  return textAt(details, "kind") === "namespaces";
}

/** An error's text; anything can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
