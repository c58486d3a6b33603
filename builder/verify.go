package builder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"namibuild/builder/artifact"
	"namibuild/builder/pgp"
	"namibuild/builder/rpm"
)

// VerifyOptions say what is verified and whom to believe.
type VerifyOptions struct {
	// Dir is a bundle, an output directory, or a folder of packages.
	Dir string
	// Certificate is the publisher's; nil takes the one that lies in the bundle,
	// which proves only that all of it is by one hand.
	Certificate *pgp.Key
	// Tell takes the events; calls do not overlap.
	Tell func(Event)
}

// Finding is one thing that was looked at.
type Finding struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	// Caveat: the release says this against itself.
	Caveat bool `json:"caveat,omitempty"`
	// Text says what was found, in one line.
	Text string `json:"text"`
}

// Verification is what Verify found.
type Verification struct {
	// Key is the fingerprint of the key that was believed; OwnKey: it lay in the
	// bundle itself.
	Key      string    `json:"key,omitempty"`
	OwnKey   bool      `json:"ownKey"`
	Findings []Finding `json:"findings"`
}

// Wrong is how many findings did not pass.
func (v Verification) Wrong() int {
	n := 0
	for _, f := range v.Findings {
		if !f.Passed {
			n++
		}
	}
	return n
}

// Names in a bundle.
const (
	Sums      = "SHA256SUMS"
	keyPrefix = "RPM-GPG-KEY-"
)

// Verify looks at everything that a bundle or set says of itself and that can be
// checked. What is wrong is a finding; an error is a folder that cannot be read.
func Verify(ctx context.Context, o VerifyOptions) (Verification, error) {
	v := &verifying{VerifyOptions: o, ctx: ctx}
	if err := v.open(); err != nil {
		return Verification{}, &StepError{StepVerify, fmt.Errorf("verifying %s: %w", o.Dir, err)}
	}
	o.Tell(Event{Kind: Begin, Step: StepVerify, Text: count(len(v.files), "package")})
	for _, check := range []func(){v.packages, v.record, v.proof, v.lock, v.release, v.repository, v.bill, v.provenance, v.sums} {
		check()
		if ctx.Err() != nil {
			return Verification{}, context.Cause(ctx)
		}
	}
	o.Tell(Event{Kind: End, Step: StepVerify, Text: count(len(v.Findings), "thing") + " looked at"})
	return v.Verification, nil
}

// verifying is one run of Verify.
type verifying struct {
	Verification
	VerifyOptions
	ctx   context.Context
	keys  []pgp.Key
	rpms  string   // the folder of the packages
	files []string // their names
	// sources are the names of the SRPMs in SRPMS.
	sources []string
	// now are the packages as they are, built without their signatures, as are
	// builtSources.
	now, built, builtSources []artifact.RPM
	// known are the packages that are not damaged, by their paths beneath Dir.
	known map[string]rpm.Inspection
	size  int64
	done  int64
}

// open finds packages and key.
func (v *verifying) open() error {
	v.rpms = filepath.Join(v.Dir, RPMS)
	if info, err := os.Stat(v.rpms); err != nil || !info.IsDir() {
		v.rpms = v.Dir
	}
	var err error
	if v.files, err = v.list(v.rpms); err != nil {
		return err
	}
	if len(v.files) == 0 {
		return artifact.ErrNoPackages
	}
	if v.sources, err = v.list(filepath.Join(v.Dir, SRPMS)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return v.believe()
}

// list gives the packages in a folder, and adds their sizes up.
func (v *verifying) list(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".rpm") {
			names = append(names, e.Name())
			if info, err := e.Info(); err == nil {
				v.size += info.Size()
			}
		}
	}
	return names, err
}

// believe takes the given certificate or the bundle's own.
func (v *verifying) believe() error {
	if v.Certificate == nil {
		names, err := filepath.Glob(filepath.Join(v.Dir, keyPrefix+"*"))
		if err != nil || len(names) != 1 {
			return err // no key: unsigned, or a finding
		}
		data, err := os.ReadFile(names[0])
		if err != nil {
			return err
		}
		c, err := pgp.ParseSigningKey(data)
		if err != nil {
			v.found("key", fmt.Errorf("%s: %w", filepath.Base(names[0]), err), "")
			return nil
		}
		v.Certificate, v.OwnKey = &c, true
	}
	v.Key = v.Certificate.Fingerprint
	v.keys = []pgp.Key{*v.Certificate}
	return nil
}

func (v *verifying) found(name string, err error, format string, args ...any) {
	f := Finding{Name: name, Passed: err == nil, Text: fmt.Sprintf(format, args...)}
	if err != nil {
		f.Text = err.Error()
	}
	v.Findings = append(v.Findings, f)
}

// bundle: a part is there that only a bundle has, so all of them have to be.
func (v *verifying) bundle() bool {
	for _, name := range []string{ReleaseFile, Sums + ".asc"} {
		if _, err := os.Stat(filepath.Join(v.Dir, name)); err == nil {
			return true
		}
	}
	return false
}

// packages checks digests and signatures of every package.
func (v *verifying) packages() {
	var broken, unsigned []error
	v.known = map[string]rpm.Inspection{}
	look := func(dir, name string) artifact.RPM {
		one, digests, signature := v.onePackage(dir, name)
		if digests != nil {
			broken = append(broken, fmt.Errorf("%s: %w", name, digests))
		}
		if other := (*rpm.OtherKeyError)(nil); v.Certificate == nil && errors.As(signature, &other) {
			signature = fmt.Errorf("signed by key %s, and no key was given to check it with", other.KeyID)
		}
		if signature != nil {
			unsigned = append(unsigned, fmt.Errorf("%s: %w", name, signature))
		}
		return one
	}
	for _, name := range v.files {
		v.built = append(v.built, look(v.rpms, name))
		i, ok := v.known[v.path(v.rpms, name)]
		if !ok { // it is damaged
			var err error
			if i.File.SHA256, err = sumFile(filepath.Join(v.rpms, name)); err != nil {
				broken = append(broken, err)
			}
		}
		v.now = append(v.now, artifact.RPM{File: name, SHA256: i.File.SHA256})
	}
	for _, name := range v.sources {
		v.builtSources = append(v.builtSources, look(filepath.Join(v.Dir, SRPMS), name))
	}
	v.found("packages", first(broken), "%s, every digest right", count(len(v.files)+len(v.sources), "package"))
	by := "by " + v.Key
	if v.OwnKey {
		by += ", the bundle's own key"
	}
	v.found("signatures", first(unsigned), "%s", by)
}

// first is the first of several errors and how many follow.
func first(list []error) error {
	if len(list) < 2 {
		return errors.Join(list...)
	}
	return fmt.Errorf("%w (and %s more)", list[0], count(len(list)-1, "package"))
}

// path returns the path of a package beneath Dir.
func (v *verifying) path(dir, name string) string {
	rel, _ := filepath.Rel(v.Dir, filepath.Join(dir, name)) // dir is Dir or beneath it
	return filepath.ToSlash(rel)
}

// onePackage reads a package once and returns it as the build made it, and what is
// wrong with it and with its signatures.
func (v *verifying) onePackage(dir, name string) (built artifact.RPM, digests, signature error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return built, err, nil
	}
	defer f.Close()
	i, err := rpm.Inspect(&seeker{reading{r: f, tell: func(done, _ int64) {
		v.Tell(Event{Kind: Progress, Step: StepVerify, Done: min(v.done+done, v.size), Total: v.size, Unit: Bytes})
	}}, f}, v.keys)
	if info, err := f.Stat(); err == nil {
		v.done += info.Size()
	}
	if err != nil {
		return built, err, nil
	}
	v.known[v.path(dir, name)] = i
	return artifact.RPM{File: name, NEVRA: i.Package.NEVRA(), Size: i.Built.Size, SHA256: i.Built.SHA256}, nil, i.SignatureErr
}

// seeker is a reading of a file that can be read again.
type seeker struct {
	reading
	io.Seeker
}
