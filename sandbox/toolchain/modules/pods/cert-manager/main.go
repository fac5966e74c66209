// Command cert-manager runs one of cert-manager's three programs, for images that the sandbox builds:
//
//	cert-manager controller|cainjector|webhook [flags of that program]
//
// cert-manager's own mains live in nested modules that the Go module proxy does not serve; the libraries below them are
// served. These mains start the same libraries with the flags that the chart sets. Left out: the issuer Venafi (a
// library of it is not served), ACME, leader election (one replica), configuration files, feature gates.
//
// The module's path lies below github.com/cert-manager/cert-manager, so that Go lets it import `internal`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"

	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

// programs by the first argument; each defines its flags, and returns what is run once they are parsed.
var programs = map[string]func(*pflag.FlagSet) func(context.Context) error{
	"controller": controller,
	"cainjector": cainjector,
	"webhook":    webhook,
}

func main() {
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: cert-manager controller|cainjector|webhook [flags]")
		os.Exit(2)
	}
	flags := pflag.NewFlagSet(os.Args[1], pflag.ContinueOnError)
	// Charts of other releases may set flags that these mains do not have; the log says which were passed over.
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Int("v", 2, "accepted, without effect")
	run := programs[os.Args[1]](flags)
	if err := flags.Parse(os.Args[2:]); err != nil {
		fail(err)
	}
	ctrl.SetLogger(logf.Log)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(logf.NewContext(ctx, logf.Log, os.Args[1])); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "cert-manager:", err)
	os.Exit(1)
}
