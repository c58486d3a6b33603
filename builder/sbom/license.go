package sbom

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp"

	"namibuild/builder/buildroot"
)

// names are the licenses of a package of the builder image. Some copyright
// files of Debian have the license's text where its name should be: three words
// in a row that connect nothing are a sentence, which is left out.
func names(p buildroot.Package) []string {
	if p.Kind != buildroot.Deb {
		return p.Licenses
	}
	return slices.DeleteFunc(slices.Clone(p.Licenses), sentence)
}

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

// ownLicense is a license in a package's own words, which SPDX wants declared
// under an identifier.
type ownLicense struct{ id, words string }

// expression is what SPDX calls the declared license: all of them hold. Words
// that are no expression of SPDX stand under an identifier of their own.
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

// operators are SPDX's, which Debian and Fedora write small.
var operators = strings.NewReplacer(" or ", " OR ", " and ", " AND ", " with ", " WITH ")

// normal is an expression of SPDX as SPDX writes it.
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

// licenseRef names words. Two texts that look the same as an identifier are
// told apart by a digest.
func licenseRef(words string) string {
	id := strings.Trim(notInID.ReplaceAllString(words, "-"), "-")
	if id != words {
		id = strings.TrimPrefix(fmt.Sprintf("%s-%x", id, sha256.Sum256([]byte(words)))[:len(id)+9], "-")
	}
	return "LicenseRef-" + id
}
