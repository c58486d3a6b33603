// Package oci puts the folder of a release into a registry as an OCI 1.1 artifact
// ([Push]), and gets it from there ([Pull]).
//
// A release is an image manifest of the artifact type [ArtifactType]. Its config is the
// empty one. Every file of the folder is a layer, with the media type of set.Table and
// its path in the annotation org.opencontainers.image.title, so that "oras pull" works,
// too.
//
// SBOMs, provenance and proof are also attached to the release: each is the only layer of
// a manifest whose subject is the release and whose artifact type is the media type of
// the file. A registry without the referrers API gets the tag sha256-… of the
// distribution specification.
//
// The manifests depend only on the folder and on Options: a release that is pushed twice
// has the same digest. Push sets the tag last, so that nobody sees an incomplete release.
// It does not send what the registry already has.
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

// Options say how to talk to the registry, and what a release gets that is not in its
// folder.
type Options struct {
	// PlainHTTP uses HTTP instead of HTTPS.
	PlainHTTP bool
	// UserAgent is the name of the program for the registry.
	UserAgent string
	// Credential returns the credentials for a host. A nil Credential has none. The
	// usual one is that of DockerCredential.
	Credential auth.CredentialFunc
	// Tell receives the progress of a transfer. A nil Tell drops it.
	Tell func(Progress)
	// Created is the time at which the release was made, for Push. The zero time is
	// left out.
	Created time.Time
	// Annotations are added to the manifest of the release, for Push.
	Annotations map[string]string
	// Check checks what was pulled before the folder appears, for Pull. It may be nil.
	Check func(dir string) error
}

// Progress is the progress of a transfer.
type Progress struct {
	File        string // path of the file that is transferred
	Done, Total int64  // bytes of all files; what the registry has counts as done
}

// File is one file of a release.
type File struct {
	Path      string        `json:"path"` // with slashes
	MediaType string        `json:"mediaType"`
	Digest    digest.Digest `json:"digest"`
	Size      int64         `json:"size"` // bytes
}

// ReferenceError reports that a reference cannot be used.
type ReferenceError struct{ Reference, Problem string }

func (e *ReferenceError) Error() string {
	return fmt.Sprintf("reference %s: %s", e.Reference, e.Problem)
}

func parseReference(s string) (registry.Reference, error) {
	ref, err := registry.ParseReference(s)
	if err != nil {
		return ref, &ReferenceError{s, "it must be HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:…"}
	}
	return ref, nil
}

// Loopback reports whether a reference names a registry on this host, which usually uses
// HTTP.
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

// tell sends progress to Tell, if that is not nil.
func (o Options) tell(p Progress) {
	if o.Tell != nil {
		o.Tell(p)
	}
}

// pauses are the times to wait before a failed transfer of a file is tried again.
var pauses = []time.Duration{time.Second, 4 * time.Second}

// again calls try until it succeeds, its error is final, or it has failed too often.
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
