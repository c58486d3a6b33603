package release

import (
	"errors"
	"strings"

	"namibuild/builder/boot"
	"namibuild/builder/set"
)

// Caveat is a fact that a reader of a release must know before using it.
type Caveat struct {
	What string `json:"what"` // unproven, unlocked, insecure, …
	Why  string `json:"why"`
}

// These caveats prevent a release, unless the options permit them.
const (
	unproven = "unproven"
	unlocked = "unlocked"
)

// Caveats returns the caveats of a set: for each of the words insecure, unproven, unlocked,
// unpinned, varied and unreproducible that applies, a sentence that says why.
func Caveats(s set.Set) (map[string]string, error) {
	r := s.Record
	all := map[string]string{
		"insecure": r.Plan.Insecure,
		"varied":   strings.Join(r.Varied, "; "),
	}
	if !r.Plan.ModuleKey.Reproducible() {
		all["unreproducible"] = "the module key is a new one in every build"
	}
	var off []string
	for _, p := range r.Plan.Pins {
		if p.Off {
			off = append(off, p.Name)
		}
	}
	all["unpinned"] = strings.Join(off, ", ")
	none := (*boot.UnprovenError)(nil)
	if _, err := provenAs(*r, s.Dir, s.Files, s.RPMs); errors.As(err, &none) {
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
