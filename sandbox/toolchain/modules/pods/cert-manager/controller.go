package main

import (
	"context"
	"net"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"

	controllerpkg "github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/healthz"

	// Each package registers its controller when it is loaded.
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"

	// The issuers that Issuer and ClusterIssuer may name.
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
)

const (
	// The chart probes liveness on this port (cert-manager/cert-manager@v1.21.1:deploy/charts/cert-manager/templates/deployment.yaml).
	healthzAddress = ":9403"
	// Workers of each controller, and the limits of an unsuccessful request
	// (cert-manager/cert-manager@v1.21.1:internal/apis/config/controller/v1alpha1/defaults.go).
	workers      = 5
	firstBackoff = time.Hour
	lastBackoff  = 32 * time.Hour
)

func controller(flags *pflag.FlagSet) func(context.Context) error {
	namespace := flags.String("cluster-resource-namespace", "kube-system", "namespace of the secrets of ClusterIssuers")
	return func(ctx context.Context) error {
		factory, err := controllerpkg.NewContextFactory(ctx, options(*namespace))
		if err != nil {
			return err
		}
		return serve(ctx, factory)
	}
}

func options(namespace string) controllerpkg.ContextOptions {
	return controllerpkg.ContextOptions{
		KubernetesAPIQPS:   20,
		KubernetesAPIBurst: 50,
		IssuerOptions:      controllerpkg.IssuerOptions{ClusterResourceNamespace: namespace},
		ACMEOptions: controllerpkg.ACMEOptions{
			HTTP01SolverResourceRequestCPU:    resource.MustParse("10m"),
			HTTP01SolverResourceRequestMemory: resource.MustParse("64Mi"),
			HTTP01SolverResourceLimitsCPU:     resource.MustParse("100m"),
			HTTP01SolverResourceLimitsMemory:  resource.MustParse("64Mi"),
		},
		CertificateOptions: controllerpkg.CertificateOptions{
			CertificateRequestMinimumBackoffDuration: firstBackoff,
			CertificateRequestMaximumBackoffDuration: lastBackoff,
		},
	}
}

// serve builds every registered controller, then starts their informers, then all of them beside the health server.
func serve(ctx context.Context, factory *controllerpkg.ContextFactory) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, construct := range controllerpkg.Known() {
		one, err := construct(factory)
		if err != nil {
			return err
		}
		group.Go(func() error { return one.Run(workers, ctx) })
	}
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", healthzAddress)
	if err != nil {
		return err
	}
	group.Go(func() error { return healthz.NewServer(time.Minute).Start(ctx, listener) })
	return group.Wait()
}
