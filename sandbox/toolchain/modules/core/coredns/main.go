// Command coredns is CoreDNS with the plugins that the DNS of a cluster needs.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
)

// The order in which plugins see a request (coredns/coredns@v1.13.1:plugin.cfg).
func init() {
	dnsserver.Directives = []string{"health", "ready", "prometheus", "errors", "loadbalance", "cache", "kubernetes"}
}

func main() { coremain.Run() }
