package release

import (
	"namibuild/builder/artifact"
	"namibuild/builder/sbom"
	"namibuild/builder/set"
)

// SBOM returns the SBOM of a set in both formats. It depends only on the set.
func SBOM(s set.Set) (spdx, cyclonedx []byte, err error) {
	return sbomOf(s, artifact.Set{Dir: s.Packages, RPMs: s.RPMs})
}

// sbomOf returns the SBOM of a set for the published packages: those of the set, or their
// signed copies.
func sbomOf(s set.Set, published artifact.Set) (spdx, cyclonedx []byte, err error) {
	root, err := s.Root()
	if err != nil {
		return nil, nil, err
	}
	changes, err := s.ChangesDiff()
	if err != nil {
		return nil, nil, err
	}
	r := s.Record
	made, err := sbom.New(sbom.Input{
		Plan: r.Plan, PlanID: r.PlanID, Set: published, Source: r.Source, Root: root, Changes: changes, Version: r.Run.Namibuild,
	})
	if err != nil {
		return nil, nil, err
	}
	if spdx, err = made.SPDX(); err != nil {
		return nil, nil, err
	}
	cyclonedx, err = made.CycloneDX()
	return spdx, cyclonedx, err
}
