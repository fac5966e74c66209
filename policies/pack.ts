import { PolicyPack } from "@pulumi/policy";
import { compatibilityPolicy } from "./compatibility.ts";
import { registryPolicy } from "./registry.ts";

// Importing this file starts the pack's server; everything that can be tested lives in its own module.
new PolicyPack("kserve-platform", { policies: [compatibilityPolicy, registryPolicy] });
