// Command pulumi-resource-kubernetes is the official Kubernetes provider, built from its published Go module: Pulumi's
// own downloads are the only other place that has it.
package main

import (
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// The release that the module's commit came after (pulumi/pulumi-kubernetes@f47bc2d6f199:CHANGELOG.md).
const version = "4.24.0+f47bc2d6f199"

// Without a schema and a mapping from Terraform: `pulumi import` and code generation ask for them, runs do not.
func main() { provider.Serve("kubernetes", version, []byte("{}"), nil) }
