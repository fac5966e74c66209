package main

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	config "github.com/cert-manager/cert-manager/internal/apis/config/webhook"
	certmanagerwebhook "github.com/cert-manager/cert-manager/internal/webhook"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

// Life of a serving certificate (cert-manager/cert-manager@v1.21.1:internal/apis/config/shared/v1alpha1/defaults.go).
const leafDuration = 7 * 24 * time.Hour

func webhook(flags *pflag.FlagSet) func(context.Context) error {
	// No metrics: "0" switches them off.
	configuration := config.WebhookConfiguration{MetricsListenAddress: "0"}
	dynamic := &configuration.TLSConfig.Dynamic
	dynamic.LeafDuration = leafDuration
	flags.Int32Var(&configuration.SecurePort, "secure-port", 6443, "port of the webhook")
	flags.Int32Var(&configuration.HealthzPort, "healthz-port", 6080, "port of the probes")
	flags.StringVar(&dynamic.SecretNamespace, "dynamic-serving-ca-secret-namespace", "", "namespace of the CA's secret")
	flags.StringVar(&dynamic.SecretName, "dynamic-serving-ca-secret-name", "", "name of the CA's secret")
	flags.StringSliceVar(&dynamic.DNSNames, "dynamic-serving-dns-names", nil, "names in the serving certificate")
	return func(ctx context.Context) error {
		server, err := certmanagerwebhook.NewCertManagerWebhookServer(logf.FromContext(ctx), configuration)
		if err != nil {
			return err
		}
		return server.Run(ctx)
	}
}
