package release

import (
	"errors"
	"strings"

	"namibuild/builder/boot"
	"namibuild/builder/set"
)

// Caveat is something that a reader of a release must not overlook.
type Caveat struct {
	What string `json:"what"` // unproven, unlocked, insecure, …
	Why  string `json:"why"`
}

// The caveats that keep a set from being released.
const (
	unproven = "unproven"
	unlocked = "unlocked"
)

// Caveats finds what a reader of a set must not overlook: a sentence under one word each, which
// says why the set is insecure, unproven, unlocked, unpinned, varied or unreproducible.
func Caveats(s set.Set) (map[string]string, error) {
	r := s.Record
	all := map[string]string{
		"insecure": r.Plan.Insecure,
		"varied":   strings.Join(r.Varied, "; "),
	}
	if !r.Plan.ModuleKey.Reproducible() {
		all["unreproducible"] = "the module key is made anew in every build"
	}
	var off []string
	for _, p := range r.Plan.Pins {
		if p.Off {
			off = append(off, p.Name)
		}
	}
	all["unpinned"] = strings.Join(off, ", ")
	none := (*boot.UnprovenError)(nil)
	if _, err := boot.Proven(s.Dir, s.Files, s.RPMs); errors.As(err, &none) {
		all[unproven] = none.Reason
	} else if err != nil {
		return nil, err
	}
	var err error
	if all[unlocked], err = s.Files.Unlocked(*r); err != nil {
		return nil, err
	}
	for word, why := range all {
		if why == "" {
			delete(all, word)
		}
	}
	return all, nil
}
