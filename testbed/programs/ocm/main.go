// ocm is the programs of OCM, KubeStellar's transport controller and kubectl in one binary, each by the name of a link to it. The
// commands of OCM are those of its own cmd/ folder.
package main

import (
	goflag "flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kubestellar/kubestellar/pkg/transport/generic/cmd"
	transport "github.com/kubestellar/kubestellar/pkg/transport/ocm-transport-controller/pkg"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/component-base/cli"
	utilflag "k8s.io/component-base/cli/flag"
	"k8s.io/component-base/logs"
	kubectl "k8s.io/kubectl/pkg/cmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	ocmfeature "open-cluster-management.io/api/feature"
	"open-cluster-management.io/ocm/pkg/cmd/hub"
	"open-cluster-management.io/ocm/pkg/cmd/spoke"
	"open-cluster-management.io/ocm/pkg/cmd/webhook"
	"open-cluster-management.io/ocm/pkg/features"
	"open-cluster-management.io/ocm/pkg/version"
)

func main() {
	name := filepath.Base(os.Args[0])
	switch name {
	case "ocm-transport-controller":
		cmd.GenericMain(transport.NewOCMTransport())
		return
	case "kubectl":
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			cmdutil.CheckErr(err)
		}
		return
	}
	pflag.CommandLine.SetNormalizeFunc(utilflag.WordSepNormalizeFunc)
	pflag.CommandLine.AddGoFlagSet(goflag.CommandLine)
	logs.AddFlags(pflag.CommandLine)
	logs.InitLogs()
	defer logs.FlushLogs()
	command := &cobra.Command{Use: name, Version: version.Get().String()}
	switch name {
	case "registration":
		utilruntime.Must(features.HubMutableFeatureGate.Add(ocmfeature.DefaultHubRegistrationFeatureGates))
		features.HubMutableFeatureGate.AddFlag(pflag.CommandLine)
		command.AddCommand(hub.NewRegistrationController(), spoke.NewRegistrationAgent(), webhook.NewRegistrationWebhook())
	case "work":
		utilruntime.Must(features.HubMutableFeatureGate.Add(ocmfeature.DefaultHubWorkFeatureGates))
		features.HubMutableFeatureGate.AddFlag(pflag.CommandLine)
		command.AddCommand(spoke.NewWorkAgent(), webhook.NewWorkWebhook(), hub.NewWorkController())
	case "placement":
		command.AddCommand(hub.NewPlacementController())
	case "addon":
		command.AddCommand(hub.NewAddonManager())
	case "registration-operator":
		command.AddCommand(hub.NewHubOperatorCmd(), spoke.NewKlusterletOperatorCmd(), spoke.NewKlusterletAgentCmd())
	}
	if err := command.Execute(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n", err)
		os.Exit(1)
	}
}
