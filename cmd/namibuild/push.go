package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"namibuild/builder/event"
	"namibuild/builder/oci"
	"namibuild/builder/release"
)

// registryHelp is what push and pull say of registries.
const registryHelp = `Credentials are those that docker login left ($DOCKER_CONFIG or ~/.docker/config.json,
and the helpers it names). Registries on this host are talked to over HTTP, others over
HTTPS; certificates are those of the system ($SSL_CERT_FILE).`

func (a *app) pushCommand() *cobra.Command {
	var plainHTTP bool
	c := &cobra.Command{
		Use:   "push DIR REF",
		Short: "Put a release into a container registry",
		Long: `push puts every file of DIR, a release bundle or the output directory of a build, into
the registry that REF (HOST/REPOSITORY:TAG) names, as an OCI artifact; SBOMs, provenance
and proof are attached to it. Equal folders have equal digests. The tag is set when
everything is there; without a tag the release has its digest alone, and a registry that
cleans up may remove it. A push that broke off is run again: what is there is not sent.

` + registryHelp,
		Example: `  namibuild push ./demo-6.1.192 registry.example.org/kernels/demo:6.1.192
  oras discover registry.example.org/kernels/demo:6.1.192`,
		Args: cobra.MatchAll(exactArgs("a folder and a reference", 2), firstPath("a folder (a release or a set)")),
		RunE: func(c *cobra.Command, args []string) error {
			return a.push(c.Context(), args[0], args[1], plainHTTP || !c.Flags().Changed("plain-http") && oci.Loopback(args[1]))
		},
	}
	plainFlag(c, &plainHTTP)
	return c
}

func plainFlag(c *cobra.Command, plain *bool) {
	c.Flags().BoolVar(plain, "plain-http", false, "talk HTTP instead of HTTPS (default only to registries on this host)")
}

func (a *app) push(ctx context.Context, dir, reference string, plainHTTP bool) error {
	pushed, err := watch(ctx, a, func(tell event.Sink) (oci.Pushed, error) {
		return release.Push(ctx, dir, reference, release.RegistryOptions{PlainHTTP: plainHTTP, UserAgent: userAgent(), Tell: tell})
	})
	if err != nil {
		return err
	}
	if a.json {
		a.emit(struct {
			Event string `json:"event"`
			oci.Pushed
		}{"result", pushed})
		return nil
	}
	fmt.Println(pushed.Reference)
	if pushed.Replaced != "" {
		fmt.Printf("the tag %s was %s before\n", pushed.Tag, pushed.Replaced)
	}
	_, err = fmt.Printf("get it: namibuild pull %s -o DIR\n", pushed.Reference)
	return err
}

func userAgent() string { return "namibuild/" + version().Version }
