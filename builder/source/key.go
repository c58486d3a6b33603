package source

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"namibuild/builder/recipe"
)

// Key identifies what Prepare and Inspect make of the SRPM with that sha256: if
// two keys are equal, so are the topdirs and the Previews, as long as the code of
// this package is the same. Of a recipe everything counts except what Prepare is
// known to ignore, so that a new kind of change counts from its first day.
func Key(srpmSHA256 string, r recipe.Recipe) string {
	r.Name, r.Description, r.Image, r.Dir, r.Path = "", "", "", "", ""
	undebugged := len(r.Config) > 0 && !makesDebug(r.Rpmbuild)
	r.Source = recipe.Source{Tarball: recipe.Tarball{File: r.Source.Tarball.Name(), SHA256: r.Source.Tarball.SHA256}}
	r.Rpmbuild = recipe.Rpmbuild{}
	if undebugged { // it decides which configurations get the options
		r.Rpmbuild.Without = []string{"debug"}
	}
	r.Keys, r.Packages, r.Objects = nil, nil, 0
	page, err := json.Marshal(r)
	if err != nil {
		panic(err) // cannot happen: a recipe is made of text, numbers and bytes
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(srpmSHA256+"\n"+string(page))))
}
