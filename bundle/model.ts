/**
 * The model with which an installation is tried inside the gap: a LightGBM model in its text form, small enough to be
 * written here. It answers 1 where its only feature is above one half, else 0. KServe's LightGBM server takes the file
 * name and the form (kserve/kserve@v0.16.0:python/lgbserver/lgbserver/model.py); both LightGBM 3 and 4 load it.
 */
export const MODEL = {
  name: "smoke",
  /** Where the file belongs: on the volume that `kserve:storage` makes. */
  storage: "pvc://kserve-models/smoke",
  file: "models/smoke/model.bst",
} as const;

const TREE = [
  "Tree=0",
  "num_leaves=2",
  "num_cat=0",
  "split_feature=0",
  "split_gain=1",
  "threshold=0.5",
  // Numerical, missing values to the left: LightGBM's bit mask.
  "decision_type=2",
  "left_child=-1",
  "right_child=-2",
  "leaf_value=0 1",
  "leaf_weight=1 1",
  "leaf_count=1 1",
  "internal_value=0.5",
  "internal_weight=2",
  "internal_count=2",
  "is_linear=0",
  "shrinkage=1",
  "",
  "",
  "",
].join("\n");

/** Content of the model file. */
export function modelFile(): string {
  const header = [
    "tree",
    "version=v3",
    "num_class=1",
    "num_tree_per_iteration=1",
    "label_index=0",
    "max_feature_idx=0",
    "objective=regression",
    "feature_names=x",
    "feature_infos=[0:1]",
    // Readers skip from tree to tree by these sizes.
    `tree_sizes=${String(TREE.length)}`,
    "",
    "",
  ].join("\n");
  return `${header}${TREE}end of trees\n`;
}
