package oci

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/errcode"
	"oras.land/oras-go/v2/registry/remote/retry"
)

// DockerCredential returns the credentials that "docker login" stored: in Docker's
// configuration ($DOCKER_CONFIG or ~/.docker/config.json) or with a helper that the
// configuration names.
func DockerCredential() (auth.CredentialFunc, error) {
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, fmt.Errorf("reading Docker's credentials: %w", err)
	}
	return credentials.Credential(store), nil
}

// answerWithin is the time in which a registry must answer. It needs most time after it has
// received a large file.
const answerWithin = 5 * time.Minute

// repository returns a client of one repository.
func (o Options) repository(ref registry.Reference) *remote.Repository {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = answerWithin
	client := &auth.Client{Client: &http.Client{Transport: retry.NewTransport(transport)}, Cache: auth.NewCache(), Credential: o.Credential}
	client.SetUserAgent(o.UserAgent)
	if Loopback(ref.String()) {
		client.BlockedRealmPrefixes = []netip.Prefix{} // its token server may be on this host, too
	}
	return &remote.Repository{Client: client, Reference: ref, PlainHTTP: o.PlainHTTP,
		ManifestMediaTypes: []string{ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex}, // an index lists referrers
		SkipReferrersGC:    true}                                                                  // removing an old index needs a permission that pushing does not need
}

// RegistryError reports that a registry refused something, broke off the connection, or
// cannot be reached.
type RegistryError struct {
	Host string
	// Status is the status of its HTTP answer, or 0 if there was none.
	Status int
	Err    error
}

func (e *RegistryError) Error() string { return fmt.Sprintf("registry %s: %v", e.Host, e.Err) }
func (e *RegistryError) Unwrap() error { return e.Err }

// registryError returns a *RegistryError for an error of a transfer. It leaves out the
// addresses of uploads, which do not help a reader.
func registryError(ref registry.Reference, err error) error {
	e := &RegistryError{Host: ref.Registry, Err: err}
	var answer *errcode.ErrorResponse
	var address *url.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer):
		e.Status = answer.StatusCode
		e.Err = fmt.Errorf("answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
		if len(answer.Errors) > 0 {
			e.Err = fmt.Errorf("%w: %w", e.Err, answer.Errors)
		}
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		e.Status, e.Err = http.StatusUnauthorized, errors.New("needs a login, and there are no credentials for it")
	case errors.As(err, &address):
		e.Err = address.Err
	case errors.Is(err, errdef.ErrNotFound):
		e.Status, e.Err = http.StatusNotFound, errdef.ErrNotFound
	}
	return e
}

// final reports whether trying again is useless, because the registry has refused.
func final(err error) bool {
	var answer *errcode.ErrorResponse
	return errors.As(err, &answer) && answer.StatusCode < 500 || errors.Is(err, errdef.ErrNotFound) || errors.Is(err, auth.ErrBasicCredentialNotFound)
}
