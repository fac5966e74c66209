import type { JsonObject } from "../value.ts";

/** An object as it goes into the state. */
export interface Stored {
  readonly id: string;
  readonly state: JsonObject;
  /** Inputs as they were read back; only a read has them. */
  readonly inputs?: JsonObject;
}
