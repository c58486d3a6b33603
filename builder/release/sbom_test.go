package release

import (
	"bytes"
	"testing"

	"namibuild/builder/buildertest"
)

// TestSBOM checks what the SBOM of a set names.
func TestSBOM(t *testing.T) {
	s := mustOpen(t, buildertest.Build(t))
	res := s.Record
	spdx, cyclonedx, err := SBOM(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		res.RPMs[0].SHA256, res.Plan.SRPM.SHA256, res.PlanID, res.Changes.SHA256,
		"linux-2.6.32-431.3.1.el6.tar.bz2", "pkg:rpm/centos/gcc@4.4.7-4.el6?arch=x86_64&distro=centos-6.5", "2014-01-06T09:20:00Z", "v1.2.3", "/boot/vmlinuz",
	} {
		if !bytes.Contains(spdx, []byte(want)) || !bytes.Contains(cyclonedx, []byte(want)) {
			t.Errorf("%s is in SPDX %v, in CycloneDX %v", want, bytes.Contains(spdx, []byte(want)), bytes.Contains(cyclonedx, []byte(want)))
		}
	}
}
