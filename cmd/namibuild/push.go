package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"namibuild/builder/event"
	"namibuild/builder/oci"
	"namibuild/builder/release"
)

// registryHelp is the part of the help texts about registries.
const registryHelp = `Credentials are those of docker login ($DOCKER_CONFIG or ~/.docker/config.json, and the
helpers that it names). Registries on this host are reached over HTTP, all others over
HTTPS with the system's certificates ($SSL_CERT_FILE).`

func (a *app) pushCommand() *cobra.Command {
	var plainHTTP bool
	c := &cobra.Command{
		Use:   "push DIR REF",
		Short: "Put a release into a container registry",
		Long: `push uploads every file of DIR, a release or the output directory of a build, to the
registry that REF (HOST/REPOSITORY:TAG) names, as an OCI artifact. SBOMs, provenance and
proof are attached to it. Equal folders have equal digests. The tag is set at the end.
Without a tag the release has only its digest, and a registry that cleans up may remove
it. Run an interrupted push again: it sends only what the registry does not have.

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
	c.Flags().BoolVar(plain, "plain-http", false, "use HTTP instead of HTTPS (default only for registries on this host)")
}

func (a *app) push(ctx context.Context, dir, reference string, plainHTTP bool) error {
	_, err := perform(ctx, a, func(tell event.Sink) (oci.Pushed, error) {
		return release.Push(ctx, dir, reference, release.RegistryOptions{PlainHTTP: plainHTTP, UserAgent: userAgent(), Tell: tell})
	}, printPushed)
	return err
}

func printPushed(p oci.Pushed) error {
	fmt.Println(p.Reference)
	if p.Replaced != "" {
		fmt.Printf("the tag %s was %s before\n", p.Tag, p.Replaced)
	}
	_, err := fmt.Printf("get it: namibuild pull %s -o DIR --key FILE\n", p.Reference)
	return err
}
