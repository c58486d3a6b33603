package sbom

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/buildroot"
	"namibuild/builder/rpm"
)

func TestExpression(t *testing.T) {
	tests := []struct {
		declared []string
		want     string
		own      []ownLicense
	}{
		{nil, "NOASSERTION", nil},
		{[]string{"MIT"}, "MIT", nil},
		{[]string{"bsd-3-clause"}, "BSD-3-Clause", nil},
		{[]string{"MIT or Apache-2.0"}, "MIT OR Apache-2.0", nil},
		{[]string{"MIT or Apache-2.0", "ISC", "isc"}, "(MIT OR Apache-2.0) AND ISC", nil},
		{[]string{"GPLv2"}, "LicenseRef-GPLv2", []ownLicense{{"LicenseRef-GPLv2", "GPLv2"}}},
		{[]string{"GPL-2+", "ISC"}, "LicenseRef-GPL-2-f7215fea AND ISC", []ownLicense{{"LicenseRef-GPL-2-f7215fea", "GPL-2+"}}},
		{[]string{"LicenseRef-GPLv2"}, "LicenseRef-LicenseRef-GPLv2", []ownLicense{{"LicenseRef-LicenseRef-GPLv2", "LicenseRef-GPLv2"}}},
		{[]string{"(weird"}, "LicenseRef-weird-a8c4278e", []ownLicense{{"LicenseRef-weird-a8c4278e", "(weird"}}},
	}
	for _, test := range tests {
		got, own := expression(test.declared)
		if got != test.want || cmp.Diff(test.own, own, cmp.AllowUnexported(ownLicense{})) != "" {
			t.Errorf("%q: got %q %v\nwant %q %v", test.declared, got, own, test.want, test.own)
		}
	}
}

// TestSentencesAreNotNames has lines of real copyright files.
func TestSentencesAreNotNames(t *testing.T) {
	for license, want := range map[string]bool{
		"GPL-2+ or Artistic":                                false,
		"GPL-3 with OpenSSL-xxhash exception":               false,
		"OpenLDAP-2.8 and UMich":                            false,
		"BSD-3-clause and/or GPL-3+":                        false,
		"GPL with automake exception":                       false,
		"Permission to use, copy, modify, and distribute":   true,
		"This software is provided 'as-is', without":        true,
		"Redistribution and use in source and binary forms": true,
	} {
		if got := sentence(license); got != want {
			t.Errorf("%q: got %v", license, got)
		}
	}
	words := []string{"Redistribution and use in source and binary forms"}
	if got := names(buildroot.Package{Kind: buildroot.RPM, Licenses: words}); len(got) != 1 {
		t.Errorf("of an RPM: %q", got)
	}
}

func TestPURL(t *testing.T) {
	for got, want := range map[string]string{
		rpmPURL("CentOS", rpm.NEVRA{Name: "kernel", Version: "1", Release: "2", Arch: "src"}):                       "pkg:rpm/centos/kernel@1-2?arch=src",
		rpmPURL("Red Hat, Inc.", rpm.NEVRA{Name: "kernel", Epoch: "1", Version: "1", Release: "2", Arch: "noarch"}): "pkg:rpm/kernel@1-2?arch=noarch&epoch=1",
		rpmPURL("", rpm.NEVRA{Name: "kernel", Epoch: "0", Version: "1", Release: "2~rc1", Arch: "x86_64"}):          "pkg:rpm/kernel@1-2~rc1?arch=x86_64",
	} {
		if got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}
