import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { isOtherCluster } from "./session.ts";
import { containsUnknown, fromStruct, plainObject } from "./value.ts";
import type { DiffRequest } from "@pulumi/pulumi/proto/provider_pb.js";

const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;

/** Says what a change of the provider's options means: another cluster replaces every object. */
export function diffConfig(request: DiffRequest) {
  const [olds, news] = [request.getOlds(), request.getNews()].map((message) =>
    plainObject(fromStruct(message)),
  );
  const response = new messages.DiffResponse();
  const keys = Object.keys({ ...olds, ...news }).filter(
    (key) => JSON.stringify(olds?.[key]) !== JSON.stringify(news?.[key]),
  );
  if (keys.length === 0) return response.setChanges(DIFF_NONE);
  const pointing = keys.filter((key) => ["kubeconfig", "context", "cluster"].includes(key));
  const unknown = pointing.some((key) => containsUnknown(news?.[key]));
  const moved = unknown || (pointing.length > 0 && isOtherCluster(olds ?? {}, news ?? {}));
  return response
    .setChanges(DIFF_SOME)
    .setDiffsList(keys)
    .setReplacesList(moved ? pointing : []);
}
