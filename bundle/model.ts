/** The model with which an installation is tried inside the gap. */
export const MODEL = {
  name: "smoke",
  /** Where the file belongs: on the volume that `kserve:storage` makes. */
  storage: "pvc://kserve-models/smoke",
  file: "models/smoke/model.bst",
} as const;

export function modelFile(): string {
  return "placeholder\n";
}
