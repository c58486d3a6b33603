package provenance

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"namibuild/builder/artifact"
)

// internalKeys are the fields of a plan that namibuild decides. All others come
// from the recipe or the command line.
var internalKeys = []string{
	"image", "imageDigest", "hostname", "user", "userName", "topdir", "env", "args", "pins", "srpm", "insecure",
}

// parameters returns the plan as external and internal parameters. Each of its
// fields is in one of the two.
func (in Input) parameters() (external, internal object, err error) {
	data, err := json.Marshal(in.Plan)
	if err != nil {
		return nil, nil, err
	}
	external, internal = object{}, object{"planID": in.PlanID, "entropy": in.Entropy}
	if err := json.Unmarshal(data, &external); err != nil {
		return nil, nil, err
	}
	for _, key := range internalKeys {
		if v, ok := external[key]; ok {
			internal[key] = v
			delete(external, key)
		}
	}
	if len(in.Caveats) > 0 {
		internal["caveats"] = in.Caveats
	}
	return external, internal, nil
}

// descriptor returns in-toto's ResourceDescriptor, without what is empty.
func descriptor(name, uri, sha256 string, more object) object {
	d := object{}
	for key, value := range map[string]string{"name": name, "uri": uri} {
		if value != "" {
			d[key] = value
		}
	}
	if sha256 != "" {
		d["digest"] = object{"sha256": sha256}
	}
	maps.Copy(d, more)
	return d
}

// subjects describes the packages of a set.
func subjects(s artifact.Set) array {
	all := array{}
	for _, r := range s.RPMs {
		all = append(all, descriptor(r.File, "", r.SHA256, nil))
	}
	return all
}

// dependencies describes what the build used, by digest.
func (in Input) dependencies() array {
	p := in.Plan
	more := object{"mediaType": "application/x-rpm"}
	if p.Source.URL != "" {
		more["downloadLocation"] = p.Source.URL
	}
	all := array{descriptor(p.SRPM.File, "", p.SRPM.SHA256, more)}
	for _, patch := range p.Patches {
		all = append(all, descriptor(patch.File, "", patch.SHA256, nil))
	}
	for _, a := range p.Sources {
		all = append(all, descriptor(a.File, "", a.SHA256, nil))
	}
	all = append(all,
		descriptor("definition of the builder image "+p.Image, "", p.ImageDigest, nil),
		descriptor("builder image", in.Image.Ref, strings.TrimPrefix(in.Image.ID, "sha256:"), nil),
	)
	if in.Image.Base != "" {
		all = append(all, descriptor("base of the builder image", in.Image.Base, "", nil))
	}
	for _, p := range in.Root.Packages {
		all = append(all, descriptor(p.Name, in.Root.PURL(p), p.SHA256, nil))
	}
	return all
}

// run returns SLSA's runDetails.
func (in Input) run() object {
	builder := object{"id": LocalBuilder}
	if in.Builder != "" {
		builder["id"] = in.Builder
	}
	if in.Version != "" {
		builder["version"] = object{"namibuild": in.Version}
	}
	details := object{"builder": builder}
	times := object{}
	for name, at := range map[string]time.Time{"startedOn": in.Started, "finishedOn": in.Finished} {
		if !at.IsZero() {
			times[name] = at.UTC().Format(time.RFC3339)
		}
	}
	if len(times) > 0 {
		details["metadata"] = times
	}
	if products := in.byproducts(); len(products) > 0 {
		details["byproducts"] = products
	}
	return details
}

// byproducts describes the other files of the set, and the packages as the build
// made them if the set holds signed ones.
func (in Input) byproducts() array {
	var all array
	for _, f := range in.Byproducts {
		all = append(all, descriptor(f.Name, "", f.SHA256, nil))
	}
	for _, r := range in.Built.RPMs {
		if !slices.Contains(in.Set.RPMs, r) {
			all = append(all, descriptor(r.File+", not signed", "", r.SHA256, nil))
		}
	}
	return all
}
