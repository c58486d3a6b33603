package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"

	"namibuild/builder/oci"
	"namibuild/builder/release"
)

// referenceForm is HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…, with a host
// that has a dot or a port.
var referenceForm = regexp.MustCompile(`^[\w-]+([.:][\w.:-]*)/[\w./-]+(:[\w.-]+|@sha256:[0-9a-f]{64})$`)

// published gives the path of a set that is one, or that a container registry
// has: then it is pulled into a temporary folder, which the function removes.
// what is told of an argument that is neither.
func (a *app) published(ctx context.Context, d *display, arg, what string) (string, func(), error) {
	if err := there(arg, what); err == nil || !referenceForm.MatchString(arg) {
		return arg, func() {}, err
	}
	tmp, err := os.MkdirTemp("", "namibuild-pull-*")
	if err != nil {
		return "", nil, err
	}
	remove := func() { os.RemoveAll(tmp) }
	dir := filepath.Join(tmp, "set")
	_, err = release.Pull(ctx, arg, dir, release.PullOptions{Unverified: true,
		RegistryOptions: release.RegistryOptions{PlainHTTP: oci.Loopback(arg), UserAgent: userAgent(), Tell: a.tell(d)}})
	if err != nil {
		remove()
		return "", nil, a.cause(ctx, err)
	}
	return dir, remove, nil
}
