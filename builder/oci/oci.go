// Package oci puts the folder of a release into a registry as an OCI 1.1
// artifact, and gets it back.
//
// A release is one image manifest of artifact type [ArtifactType]: its config is
// the empty one, and every file of the folder is a layer, with the path in the
// folder as its annotation org.opencontainers.image.title (so oras pull gets it
// as well) and the media type that set.Table has for it.
//
// SBOMs, provenance and proof are attached to it a second time: each as the one
// layer of a manifest whose subject is the release and whose artifact type is
// the file's media type. Registries without the referrers API are given the tag
// sha256-…, as the distribution specification has it.
//
// The manifests are a function of the folder and of Options: pushed twice, a
// release has the same digest. A push goes by digest and sets the tag last, so
// that what broke off half way is not seen; what the registry has of it is not
// sent again.
package oci

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// Options say how to talk to the registry, and what the folder does not say.
type Options struct {
	// PlainHTTP talks HTTP instead of HTTPS.
	PlainHTTP bool
	// UserAgent is what the registry is told of us.
	UserAgent string
	// Credential gives the credentials for a host; nil is none. DockerCredential
	// is the usual one.
	Credential auth.CredentialFunc
	// Tell is told how far a transfer is; nil is nobody.
	Tell func(Progress)
	// Created is when the release was made, by its own word; the zero time is left
	// out. For Push.
	Created time.Time
	// Annotations stand in the release's manifest. For Push.
	Annotations map[string]string
	// Check looks at what was pulled before it gets its name; nil is no check. For
	// Pull.
	Check func(dir string) error
}

// Progress is how far a transfer is.
type Progress struct {
	File        string // the path of the file on its way
	Done, Total int64  // bytes of all files; what the registry has counts as done
}

// File is one file of a release.
type File struct {
	Path      string        `json:"path"` // with slashes
	MediaType string        `json:"mediaType"`
	Digest    digest.Digest `json:"digest"`
	Size      int64         `json:"size"` // bytes
}

// ReferenceError says that a reference cannot be used.
type ReferenceError struct{ Reference, Problem string }

func (e *ReferenceError) Error() string {
	return fmt.Sprintf("reference %s: %s", e.Reference, e.Problem)
}

func parseReference(s string) (registry.Reference, error) {
	ref, err := registry.ParseReference(s)
	if err != nil {
		return ref, &ReferenceError{s, "HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:… was expected"}
	}
	return ref, nil
}

// Loopback reports whether a reference names a registry on this host, which
// usually talks HTTP.
func Loopback(reference string) bool {
	ref, err := registry.ParseReference(reference)
	if err != nil {
		return false
	}
	host, _, err := net.SplitHostPort(ref.Registry)
	if err != nil {
		host = ref.Registry
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// tell reports progress, if somebody listens.
func (o Options) tell(p Progress) {
	if o.Tell != nil {
		o.Tell(p)
	}
}

// pauses are how long to wait before a file that broke off is tried again.
var pauses = []time.Duration{time.Second, 4 * time.Second}

// again calls try until it succeeds, fails for good, or has failed too often.
func again(ctx context.Context, try func() (final bool, err error)) error {
	for i := 0; ; i++ {
		final, err := try()
		if err == nil || final || ctx.Err() != nil || i == len(pauses) {
			return err
		}
		timer := time.NewTimer(pauses[i])
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}
