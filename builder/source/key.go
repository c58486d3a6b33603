package source

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"namibuild/builder/recipe"
)

// format names what this package makes of an SRPM and a recipe. It changes
// with every change of the bytes of a topdir or of a Preview: TestFormat holds
// that.
const format = "namibuild topdir 1"

// Key names what Prepare makes of the SRPM with that sha256: where two keys are
// equal, so are topdir and Preview. All of a recipe counts but what Prepare
// does not look at, so that a new kind of change counts from its first day.
func Key(srpmSHA256 string, r recipe.Recipe) string {
	r.Name, r.Description, r.Image, r.Dir = "", "", "", ""
	undebugged := len(r.Config) > 0 && !makesDebug(r.Rpmbuild)
	r.Source = recipe.Source{Tarball: recipe.Tarball{File: r.Source.Tarball.Name(), SHA256: r.Source.Tarball.SHA256}}
	r.Rpmbuild = recipe.Rpmbuild{}
	if undebugged { // it decides where options go
		r.Rpmbuild.Without = []string{"debug"}
	}
	r.Keys, r.Packages, r.Objects = nil, nil, 0
	page, err := json.Marshal(r)
	if err != nil {
		panic(err) // texts, numbers and bytes alone: cannot happen
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(format+"\n"+srpmSHA256+"\n"+string(page))))
}
