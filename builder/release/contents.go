package release

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"namibuild/builder/event"
	"namibuild/builder/pgp"
	"namibuild/builder/set"
)

// refused reports whether a special file with that path, such as a link, is wrong. In a
// folder that is not a release, only packages and files that set.Table lists count.
func (v *verifying) refused(name string) bool {
	_, listed := set.Lookup(name)
	return v.Complete || listed || strings.HasSuffix(name, ".rpm")
}

// contents checks which files the folder has. A complete release has all files that
// set.Table requires, and no file that it does not list. No folder has a package that was
// not verified.
func (v *verifying) contents() {
	if !v.Complete {
		v.found("contents", someFiles(v.unverifiedPackages()), "no package anywhere else")
		return
	}
	wrong := append(v.missing(), v.foreign()...)
	err := someFiles(wrong)
	if err != nil && v.place.Kind != set.Release {
		err = fmt.Errorf("this is not a release: %w", err)
	}
	v.found("contents", err, "%s, all that a release has and no others", event.Count(len(v.paths), "file"))
}

// someFiles makes an error of the first of several texts about files, with the number of
// the others.
func someFiles(wrong []string) error {
	switch len(wrong) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%s", wrong[0])
	}
	return fmt.Errorf("%s (and %s more)", wrong[0], event.Count(len(wrong)-1, "file"))
}

// missing names the files that a release must have and this one has not.
func (v *verifying) missing() (wrong []string) {
	for _, row := range set.Table() {
		if v.required(row) && !slices.ContainsFunc(v.paths, func(name string) bool {
			of, _ := set.Lookup(name)
			return of.Pattern == row.Pattern
		}) {
			wrong = append(wrong, row.Pattern+" is missing")
		}
	}
	return wrong
}

// required reports whether the release must have a file of a row. The caveats unproven and
// unlocked are in a record under the signature of SHA256SUMS.
func (v *verifying) required(row set.Row) bool {
	has := func(what string) bool {
		return slices.ContainsFunc(v.caveats, func(c Caveat) bool { return c.What == what })
	}
	return row.Has(set.Required) || row.Has(set.IfProven) && !has(unproven) || row.Has(set.IfLocked) && !has(unlocked)
}

// foreign names the files that no release has.
func (v *verifying) foreign() (wrong []string) {
	for _, name := range v.paths {
		if row, ok := set.Lookup(name); !ok || row.Has(set.Left) {
			wrong = append(wrong, name+" is not a file of a release")
		}
	}
	return wrong
}

// unverifiedPackages names the packages in the folder that Verify did not read, except for
// those that a failed build left.
func (v *verifying) unverifiedPackages() (wrong []string) {
	verified := v.packagePaths()
	for _, name := range v.paths {
		row, _ := set.Lookup(name)
		if strings.HasSuffix(name, ".rpm") && !row.Has(set.Left) && !slices.Contains(verified, name) {
			wrong = append(wrong, name+" was not verified: packages belong in "+path.Base(v.place.Packages))
		}
	}
	return wrong
}

// install checks what hosts get to install from a release: the public key must be the
// trusted one, and the .repo file must make yum check packages and index by it.
func (v *verifying) install() {
	if !v.Complete {
		return
	}
	name, err := v.ownKey()
	if err == nil {
		err = v.repoFile(name)
	}
	v.found("install", err, "the .repo file makes hosts check packages and index by %s", name)
}

// ownKey returns the name of the public key in the release, which must be the trusted key.
func (v *verifying) ownKey() (name string, err error) {
	own := v.ownKeys()
	if len(own) != 1 {
		return "", fmt.Errorf("the release has %s, want one", event.Count(len(own), "public key"))
	}
	data, err := own[0].Read()
	if err != nil {
		return "", err
	}
	key, err := pgp.ParseSigningKey(data)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", own[0].Name, err)
	case v.Certificate == nil || key.Fingerprint != v.Certificate.Fingerprint:
		return "", fmt.Errorf("%s is the key %s, which is not the trusted one", own[0].Name, key.Fingerprint)
	}
	return own[0].Name, nil
}

// repoFile checks that the release has one .repo file, that it has one section, and that
// yum then checks packages and index by the key of that name.
func (v *verifying) repoFile(key string) error {
	var found []set.File
	for _, f := range v.files {
		if path.Ext(f.Name) == ".repo" {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		return fmt.Errorf("the release has %s, want one", event.Count(len(found), ".repo file"))
	}
	data, err := found[0].Read()
	if err != nil {
		return err
	}
	values := map[string]string{}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if _, twice := values[name]; twice {
			return fmt.Errorf("%s says %s twice", found[0].Name, name)
		}
		values[name] = value
	}
	for _, name := range []string{"gpgcheck", "repo_gpgcheck"} {
		if values[name] != "1" {
			return fmt.Errorf("%s does not say %s=1", found[0].Name, name)
		}
	}
	if path.Base(values["gpgkey"]) != key {
		return fmt.Errorf("%s names the key %q, want %s", found[0].Name, values["gpgkey"], key)
	}
	return nil
}
