package sbom

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"

	"namibuild/builder/buildroot"
)

// names returns the licenses of a package of the builder image. Some copyright
// files of Debian have the text of the license in place of its name; names leaves
// such a sentence out.
func names(p buildroot.Package) []string {
	if p.Kind != buildroot.Deb {
		return p.Licenses
	}
	return slices.DeleteFunc(slices.Clone(p.Licenses), sentence)
}

// sentence reports whether a license is a sentence: it has three words in a row of
// which none connects names.
func sentence(license string) bool {
	connect := []string{"and", "or", "and/or", "with", "exception", "exceptions"}
	row := 0
	for word := range strings.FieldsSeq(strings.ToLower(license)) {
		if slices.Contains(connect, strings.Trim(word, ",")) {
			row = 0
			continue
		}
		if row++; row == 3 {
			return true
		}
	}
	return false
}

// ownLicense is a license in a package's own words. SPDX requires that it is
// declared under an identifier.
type ownLicense struct{ id, words string }

// expression returns what SPDX calls the declared license: an expression that says
// that all of these licenses hold. What is not an expression of SPDX gets an
// identifier of its own.
func expression(licenses []string) (string, []ownLicense) {
	var terms []string
	var own []ownLicense
	for _, words := range licenses {
		term, ok := normal(words)
		if !ok {
			o := ownLicense{licenseRef(words), words}
			own, term = append(own, o), o.id
		}
		if !slices.Contains(terms, term) {
			terms = append(terms, term)
		}
	}
	if len(terms) == 0 {
		return noAssertion, nil
	}
	if len(terms) > 1 {
		for i, term := range terms {
			if strings.Contains(term, " ") {
				terms[i] = "(" + term + ")"
			}
		}
	}
	return strings.Join(terms, " AND "), own
}

// operators changes SPDX's operators to upper case. Debian and Fedora write them in
// lower case.
var operators = strings.NewReplacer(" or ", " OR ", " and ", " AND ", " with ", " WITH ")

// normal returns an expression of SPDX in the spelling of SPDX, or false if words
// is not one.
func normal(words string) (string, bool) {
	if strings.Contains(words, "LicenseRef") || strings.Contains(words, "DocumentRef") {
		return "", false // these would be references into this document
	}
	all, wrong := spdxexp.ValidateAndNormalizeLicensesWithOptions([]string{operators.Replace(words)}, spdxexp.ValidateLicensesOptions{})
	if len(wrong) > 0 || len(all) != 1 {
		return "", false
	}
	return all[0], true
}

// licenseRef returns an identifier for a license in a package's own words. A digest
// distinguishes texts that differ only in what an identifier cannot contain.
func licenseRef(words string) string {
	id := strings.Trim(notInID.ReplaceAllString(words, "-"), "-")
	if id != words {
		id = strings.TrimPrefix(fmt.Sprintf("%s-%x", id, sha256.Sum256([]byte(words)))[:len(id)+9], "-")
	}
	return "LicenseRef-" + id
}
