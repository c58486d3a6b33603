package plan

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"

	"namibuild/builder/recipe"
)

// Ephemeral is the Mode of a key that is made in the build. What is signed with
// one is another thing in every build, and so is the kernel it is built into.
const Ephemeral = "ephemeral"

// ModuleKey is what signs the kernel's modules.
type ModuleKey struct {
	// Mode is ephemeral, persistent or recorded.
	Mode string `json:"mode"`
	// Fingerprint is the key's in upper-case hexadecimal: 40 digits of an OpenPGP
	// key, 64 of an X.509 certificate.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Signatures is the digest of the recorded signatures' file.
	Signatures string `json:"signatures,omitempty"`
}

// Reproducible says whether another build can have the same bytes.
func (k ModuleKey) Reproducible() bool { return k.Mode != Ephemeral }

// certified says whether the key is known by an X.509 certificate.
func (k ModuleKey) certified() bool { return len(k.Fingerprint) == 2*sha256.Size }

// Text says it to a person.
func (k ModuleKey) Text() string {
	name := k.Fingerprint
	if k.certified() {
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
		return errors.New("a fingerprint of an ephemeral module key")
	case key.Mode != recipe.KeyEphemeral && !known:
		return fmt.Errorf("fingerprint of the module key is %q, want 40 or 64 upper-case hexadecimal digits", in.ModuleKey)
	}
	return nil
}

// Relay is the program that carries the stand-in's questions to the driver.
const Relay = libexec + "/modkey/relay.sh"
