/**
 * Stand-in for `pulumi-resource-kubernetes-cert-manager`, for machines that cannot reach Pulumi's downloads: the
 * component with its one Helm release, as in pulumi/pulumi-kubernetes-cert-manager@v0.2.0. It talks to the engine
 * only; the cluster is the business of the kubernetes provider, which refuses any server that is not on loopback.
 */
import * as grpc from "@grpc/grpc-js";
import providerServices from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { CHANNEL_OPTIONS, listen } from "../grpc.ts";
import { providerHandlers } from "./provider.ts";

/** How often it looks whether the engine is still there, in milliseconds. */
const PARENT_CHECK_MS = 2_000;

const server = new grpc.Server(CHANNEL_OPTIONS);
server.addService(providerServices.ResourceProviderService, providerHandlers());
// An engine that is killed cannot end its plugins; without this they would stay.
const engine = process.ppid;
setInterval(() => {
  if (process.ppid !== engine) process.exit(0);
}, PARENT_CHECK_MS).unref();
process.stdout.write(`${await listen(server)}\n`);
