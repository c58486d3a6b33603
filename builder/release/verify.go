package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"namibuild/builder/artifact"
	"namibuild/builder/event"
	"namibuild/builder/pgp"
	"namibuild/builder/rpm"
	"namibuild/builder/set"
)

// VerifyOptions say what is verified, and whose key is trusted.
type VerifyOptions struct {
	// Dir is a release. With PackagesOnly it is also an output directory or a folder of
	// packages.
	Dir string
	// PackagesOnly permits a folder that is not a release. Then the packages are checked,
	// and the records that exist, but a missing record is not wrong. A folder that is
	// a release is checked as one all the same.
	PackagesOnly bool
	// Certificate is the publisher's certificate. If it is nil, the one in the
	// release is taken, which proves only that one key signed everything.
	Certificate *pgp.Key
	// Tell receives the events. A nil Tell drops them.
	Tell event.Sink
}

// Finding is the result of one check.
type Finding struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	// Caveat marks a caveat of the release.
	Caveat bool `json:"caveat,omitempty"`
	// Text says in one line what was found.
	Text string `json:"text"`
}

// Verification is the result of Verify.
type Verification struct {
	// Kind and Path say what was verified. Kind is empty if the folder has a special
	// file, so that nothing else was looked at.
	Kind set.Kind `json:"kind,omitempty"`
	Path string   `json:"path"`
	// Complete says that a complete release was demanded. Otherwise files can be missing.
	Complete bool `json:"complete"`
	// Key is the fingerprint of the trusted key. OwnKey says that the key is from the
	// release itself.
	Key      string    `json:"key,omitempty"`
	OwnKey   bool      `json:"ownKey"`
	Findings []Finding `json:"findings"`
}

// Wrong returns how many findings did not pass.
func (v Verification) Wrong() int {
	n := 0
	for _, f := range v.Findings {
		if !f.Passed {
			n++
		}
	}
	return n
}

// Scope says in one line what was verified and what was not.
func (v Verification) Scope() string {
	what := v.Path
	if v.Kind != "" {
		what = fmt.Sprintf("%s %s", v.Kind, v.Path)
	}
	if v.Complete {
		return what + ": verified as a complete release, every file of it"
	}
	return what + ": verified are the packages and the records beside them; not verified is whether records are missing, or what other files contain"
}

// UnverifiedError reports that Verify found something wrong.
type UnverifiedError struct {
	// Place is what was verified.
	Place string
	// Wrong is how many of All findings did not pass.
	Wrong, All int
	// NoRelease says that a complete release was demanded, and that this is a folder of
	// another kind.
	NoRelease bool
}

func (e *UnverifiedError) Error() string {
	return fmt.Sprintf("verifying %s: %d of %d checks failed", e.Place, e.Wrong, e.All)
}

// Err returns an *UnverifiedError if a finding did not pass. place names what was verified.
func (v Verification) Err(place string) error {
	if wrong := v.Wrong(); wrong > 0 {
		return &UnverifiedError{place, wrong, len(v.Findings), v.Complete && v.Kind != "" && v.Kind != set.Release}
	}
	return nil
}

// Verify checks everything that a release or set says about itself, and reads every file
// once. (It reads a package twice if digests of its payload were added when it was
// signed.) Without VerifyOptions.PackagesOnly, a missing file of a release, a file that is
// none of a release's, and a package that is not signed are wrong. Verify follows no link.
//
// What is wrong is a finding, not an error. An error means that the folder cannot be read.
func Verify(ctx context.Context, o VerifyOptions) (Verification, error) {
	v := &verifying{VerifyOptions: o, ctx: ctx, digests: map[string]artifact.RPM{}}
	v.Path, v.Complete = o.Dir, !o.PackagesOnly
	err := v.open()
	if special := (*set.IrregularError)(nil); errors.As(err, &special) {
		v.found("contents", special, "")
		return v.Verification, nil
	}
	if err != nil {
		return Verification{}, &event.StepError{Step: event.Verify, Err: fmt.Errorf("verifying %s: %w", o.Dir, err)}
	}
	o.Tell.Say(event.Begin, event.Verify, "%s", event.Count(len(v.packagePaths()), "package"))
	for _, check := range []func(){v.packages, v.build, v.proof, v.lock, v.release, v.repository, v.install, v.sbom, v.provenance, v.contents, v.sums} {
		check()
		if ctx.Err() != nil {
			return Verification{}, context.Cause(ctx)
		}
	}
	o.Tell.Say(event.End, event.Verify, "%s done", event.Count(len(v.Findings), "check"))
	return v.Verification, nil
}

// verifying is the state of one run of Verify.
type verifying struct {
	Verification
	VerifyOptions
	ctx    context.Context
	place  set.Place
	paths  []string // of all files below place.Dir
	files  set.Files
	record *set.Record
	keys   []pgp.Key
	// caveats are those of the record of the release.
	caveats []Caveat
	// now are the packages as they are. built and builtSources are the packages and the
	// source packages as they were before they were signed.
	now, built, builtSources []artifact.RPM
	// digests has the packages whose digests are right, by path.
	digests map[string]artifact.RPM
	// size and done are bytes of the packages. progress guards done, and lets no two
	// events overlap.
	size, done int64
	progress   sync.Mutex
}

// open finds the packages and the key, and reads the files beside the packages.
func (v *verifying) open() error {
	var err error
	if v.place, err = set.Find(v.Dir); err != nil {
		return err
	}
	if v.place.Kind == set.Single {
		return &set.PathError{Path: v.Dir, Reason: "it is a file, but only a folder can be verified"}
	}
	v.Kind, v.Path = v.place.Kind, v.place.Dir
	v.Complete = v.Complete || v.Kind == set.Release
	if v.paths, err = v.place.Paths(v.refused); err != nil {
		return err
	}
	if v.files, err = v.place.ReadFiles(); err != nil {
		return err
	}
	for _, path := range v.packagePaths() {
		if info, err := os.Stat(v.place.Join(path)); err == nil {
			v.size += info.Size()
		}
	}
	return v.trust()
}

// packagePaths returns the paths of all packages in the folder of the set.
func (v *verifying) packagePaths() []string {
	var all []string
	for _, name := range v.place.RPMNames {
		all = append(all, v.rpmPath(name))
	}
	for _, name := range v.place.SRPMNames {
		all = append(all, set.SRPMS+"/"+name)
	}
	return all
}

// rpmPath returns the path of a package in the folder of the set.
func (v *verifying) rpmPath(name string) string {
	if v.place.Kind == set.Folder {
		return name
	}
	return set.RPMS + "/" + name
}

// trust chooses the trusted key: that of the options, or the one in the folder.
func (v *verifying) trust() error {
	if v.Certificate == nil {
		own := v.ownKeys()
		if len(own) != 1 {
			return nil // the packages are not signed, or that no key is known is a finding
		}
		data, err := own[0].Read()
		if err != nil {
			return err
		}
		c, err := pgp.ParseSigningKey(data)
		if err != nil {
			v.found("key", fmt.Errorf("%s: %w", own[0].Name, err), "")
			return nil
		}
		v.Certificate, v.OwnKey = &c, true
	}
	v.Key = v.Certificate.Fingerprint
	v.keys = []pgp.Key{*v.Certificate}
	return nil
}

// ownKeys returns the public keys in the folder.
func (v *verifying) ownKeys() []set.File {
	var all []set.File
	for _, f := range v.files {
		if strings.HasPrefix(f.Name, set.KeyPrefix) {
			all = append(all, f)
		}
	}
	return all
}

// found adds a finding. The text is the error, if there is one.
func (v *verifying) found(name string, err error, format string, args ...any) {
	f := Finding{Name: name, Passed: err == nil, Text: fmt.Sprintf(format, args...)}
	if err != nil {
		f.Text = err.Error()
	}
	v.Findings = append(v.Findings, f)
}

// packages checks the digests and signatures of every package.
func (v *verifying) packages() {
	var broken, unsigned []error
	for _, p := range v.readPackages() {
		switch {
		case p.err != nil:
			broken = append(broken, fmt.Errorf("%s: %w", p.now.File, p.err))
		case p.signature != nil:
			unsigned = append(unsigned, fmt.Errorf("%s: %w", p.now.File, v.explained(p.signature)))
		}
		if p.err == nil {
			v.digests[p.path] = p.now
		}
		if strings.HasPrefix(p.path, set.SRPMS+"/") {
			v.builtSources = append(v.builtSources, p.built)
		} else {
			v.now, v.built = append(v.now, p.now), append(v.built, p.built)
		}
	}
	v.found("packages", first(broken), "%s, every digest right", event.Count(len(v.packagePaths()), "package"))
	v.signatures(len(v.packagePaths())-len(broken), first(unsigned))
}

// signatures tells what the signatures of the packages that are not damaged are, if there
// are such packages.
func (v *verifying) signatures(verified int, err error) {
	if verified == 0 {
		return
	}
	text := "by " + v.Key
	if v.OwnKey {
		text += ", the key that came with the packages"
	}
	if all := len(v.packagePaths()); verified < all {
		text = fmt.Sprintf("of %d of %s %s; the damaged ones were not verified", verified, event.Count(all, "package"), text)
	}
	v.found("signatures", err, "%s", text)
}

// explained returns a better error for a signature that was not checked because there is
// no key.
func (v *verifying) explained(signature error) error {
	if other := (*rpm.OtherKeyError)(nil); v.Certificate == nil && errors.As(signature, &other) {
		return fmt.Errorf("signed by key %s, and no key was given to check it with", other.KeyID)
	}
	return signature
}

// first returns the first of several errors, with the number of the others.
func first(list []error) error {
	if len(list) < 2 {
		return errors.Join(list...)
	}
	return fmt.Errorf("%w (and %s more)", list[0], event.Count(len(list)-1, "package"))
}

// readPackage is what was read of one package.
type readPackage struct {
	path string
	// now is the package as it is, built the package as it was before it was signed.
	now, built artifact.RPM
	// signature is what is wrong with the signature. err says that the package is damaged.
	signature, err error
}

// readPackages reads all packages, as many at a time as there are processors.
func (v *verifying) readPackages() []readPackage {
	all := make([]readPackage, len(v.packagePaths()))
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	var reading sync.WaitGroup
	for i, path := range v.packagePaths() {
		reading.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			all[i] = v.onePackage(path)
		})
	}
	reading.Wait()
	return all
}

// onePackage reads a package.
func (v *verifying) onePackage(path string) readPackage {
	name := filepath.Base(path)
	p := readPackage{path: path, now: artifact.RPM{File: name}, built: artifact.RPM{File: name}}
	f, err := set.OpenIn(v.place.Dir, path)
	if err != nil {
		p.err = err
		return p
	}
	defer f.Close()
	i, err := rpm.Inspect(v.counted(f), v.keys)
	if err != nil {
		sum, _ := set.ReadFile(v.place.Dir, path)
		p.now.Size, p.now.SHA256, p.err = sum.Size, sum.SHA256, err
		return p
	}
	p.now.NEVRA, p.now.Size, p.now.SHA256 = i.Package.NEVRA(), i.File.Size, i.File.SHA256
	p.built.NEVRA, p.built.Size, p.built.SHA256 = p.now.NEVRA, i.Built.Size, i.Built.SHA256
	p.signature = i.SignatureErr
	return p
}

// counted returns a file whose reading is reported as progress of all packages.
func (v *verifying) counted(f *os.File) io.ReadSeeker {
	var before int64
	return struct {
		io.Reader
		io.Seeker
	}{event.NewReader(f, 0, func(done, _ int64) {
		v.progress.Lock()
		defer v.progress.Unlock()
		v.done += done - before
		before = done
		v.Tell.Progress(event.Verify, min(v.done, v.size), v.size, event.Bytes)
	}), f}
}

// known returns size and digest of a file of the folder that was read before.
func (v *verifying) known(name string) (size int64, sha256 string, ok bool) {
	if size, sha256, ok = v.verifiedPackage(name); ok {
		return size, sha256, ok
	}
	f, ok := v.files.Get(name)
	return f.Size, f.SHA256, ok
}

// verifiedPackage returns size and digest of a package that was read and has the right
// digests.
func (v *verifying) verifiedPackage(path string) (size int64, sha256 string, ok bool) {
	r, ok := v.digests[path]
	return r.Size, r.SHA256, ok
}
