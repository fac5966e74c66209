package main

import (
	"context"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cert-manager/cert-manager/pkg/api"
	injector "github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	"github.com/cert-manager/cert-manager/pkg/util"
)

func cainjector(_ *pflag.FlagSet) func(context.Context) error {
	return func(ctx context.Context) error {
		scheme := runtime.NewScheme()
		for _, add := range []func(*runtime.Scheme) error{
			clientscheme.AddToScheme, api.AddToScheme, apiextensions.AddToScheme, apiregistration.AddToScheme,
		} {
			if err := add(scheme); err != nil {
				return err
			}
		}
		rest, err := ctrl.GetConfig()
		if err != nil {
			return err
		}
		// The injector takes the name of its field manager from the user agent.
		rest = util.RestConfigWithUserAgent(rest, "cainjector")
		manager, err := ctrl.NewManager(rest, ctrl.Options{
			Scheme:  scheme,
			Metrics: metricsserver.Options{BindAddress: "0"},
			// Secrets are watched by their metadata only; their data is read when it is wanted.
			Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
		})
		if err != nil {
			return err
		}
		err = injector.RegisterAllInjectors(ctx, manager, injector.SetupOptions{
			EnableCertificatesDataSource: true,
			EnabledReconcilersFor: map[string]bool{
				injector.MutatingWebhookConfigurationName:   true,
				injector.ValidatingWebhookConfigurationName: true,
				injector.APIServiceName:                     true,
				injector.CustomResourceDefinitionName:       true,
			},
		})
		if err != nil {
			return err
		}
		return manager.Start(ctx)
	}
}
