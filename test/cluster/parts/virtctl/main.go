// Command virtctl is KubeVirt's virtctl with nothing but `image-upload`. All of virtctl imports modules of virtual
// machine templates that the module proxy does not serve; the folders beside this file stand in for what is left of them.
package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	"kubevirt.io/client-go/kubecli"
	"kubevirt.io/kubevirt/pkg/virtctl/clientconfig"
	"kubevirt.io/kubevirt/pkg/virtctl/imageupload"
	"kubevirt.io/kubevirt/pkg/virtctl/templates"
)

func main() {
	cobra.AddTemplateFunc("ProgramName", func() string { return "virtctl" })
	cobra.AddTemplateFunc("prepare", func(text string) string { return text })
	root := &cobra.Command{Use: "virtctl", SilenceUsage: true}
	root.SetUsageTemplate(templates.MainUsageTemplate())
	root.SetOut(os.Stdout)
	root.SetContext(clientconfig.NewContext(context.Background(), kubecli.DefaultClientConfig(root.PersistentFlags())))
	root.AddCommand(imageupload.NewImageUploadCommand())
	if root.Execute() != nil {
		os.Exit(1)
	}
}
