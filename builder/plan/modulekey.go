package plan

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"

	"namibuild/builder/recipe"
)

// Ephemeral is the Mode of a key that is made during the build. Each build then
// has other signatures, and another public key in its kernel.
const Ephemeral = "ephemeral"

// ModuleKey is what signs the kernel's modules.
type ModuleKey struct {
	// Mode is ephemeral, persistent or recorded.
	Mode string `json:"mode"`
	// Fingerprint is that of the key, in upper-case hexadecimal digits: 40 for an
	// OpenPGP key, 64 for an X.509 certificate.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Signatures is the digest of the file with recorded signatures.
	Signatures string `json:"signatures,omitempty"`
}

// Reproducible tells whether another build can have the same bytes.
func (k ModuleKey) Reproducible() bool { return k.Mode != Ephemeral }

// isX509 tells whether the key has an X.509 certificate.
func (k ModuleKey) isX509() bool { return len(k.Fingerprint) == 2*sha256.Size }

// Text describes the key to a person.
func (k ModuleKey) Text() string {
	name := k.Fingerprint
	if k.isX509() {
		name = "X.509 " + name
	}
	switch k.Mode {
	case Ephemeral:
		return "ephemeral, made in the build: what it signs is not reproducible"
	case string(recipe.KeyPersistent):
		return "persistent, " + name + "; its private half stays out of the container"
	}
	return "recorded signatures of " + name
}

func moduleKey(key recipe.ModuleKey, fingerprint string) ModuleKey {
	k := ModuleKey{Mode: cmp.Or(string(key.Mode), Ephemeral), Fingerprint: fingerprint}
	if key.Mode == recipe.KeyRecorded {
		k.Signatures = digest(key.Content)
	}
	return k
}

var fingerprintForm = regexp.MustCompile(`^([0-9A-F]{40}|[0-9A-F]{64})$`)

func (in Input) checkModuleKey(key recipe.ModuleKey) error {
	switch known := fingerprintForm.MatchString(in.ModuleKey); {
	case key.Mode == recipe.KeyEphemeral && in.ModuleKey != "":
		return errors.New("an ephemeral module key must not have a fingerprint")
	case key.Mode != recipe.KeyEphemeral && !known:
		return fmt.Errorf("fingerprint of the module key is %q, must be 40 or 64 upper-case hexadecimal digits", in.ModuleKey)
	}
	return nil
}

// Relay is the program of the images that passes requests for signatures from the
// build to the driver, and the answers back.
const Relay = libexec + "/modkey/relay.sh"
